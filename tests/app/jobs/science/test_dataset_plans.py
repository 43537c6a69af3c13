"""What a dataset can be asked for: look-alikes, orders, time, balance, quotas, guesses; and that training obeys."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.jobs.intake.imports import import_labels
from app.jobs.science.datasets import build_dataset, check_dataset, diff_datasets, manifest_hash, manifest_path
from app.jobs.science.datasets.admitting import admit
from app.jobs.science.learning import examples_of, manifest_of
from app.settings import Settings
from core.errors import BadInput, GateFailed
from core.records import Prediction, TaskKind
from data.embeddings import Embedded, Embeddings
from data.formats.files import write_file
from data.store import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
HALVES = "train=.5,val=.25,test=.25"


def texture(rng: np.random.Generator) -> np.ndarray:
    return cv2.resize(rng.normal(128, 40, (12, 16)).astype(np.float32), (96, 72), interpolation=cv2.INTER_CUBIC).clip(
        0, 255
    )


def rows_of(folder: Path, parts: int = 48) -> list[dict[str, Any]]:
    """One picture of each part; one in four cracked, one in twelve a burr; four parts to an order."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    rows = []
    for n in range(parts):
        cv2.imwrite(str(folder / f"{n:02}.png"), texture(rng))
        label = "burr" if n % 12 == 1 else "crack" if n % 4 == 0 else "ok"
        rows.append(
            {
                "file": f"{n:02}.png", "label": label, "part": f"part {n}", "order": f"order {n // 4}",
                "camera": f"cam {n % 2}", "time": (START + timedelta(hours=n)).isoformat(),
                "confidence": 2 if n % 6 == 3 else 4, "boxes": f'[[10,10,30,30,"{label}"]]' if label != "ok" else "",
            }
        )  # fmt: skip
    return rows


def deliver(folder: Path, rows: list[dict[str, Any]]) -> None:
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bolts"


@pytest.fixture
def filled(store: Store, settings: Settings, folder: Path) -> Store:
    deliver(folder, rows_of(folder))
    import_labels(store, settings, folder, "Lyon")
    return store


def results(manifest: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["result"] for check in manifest["certificate"]["checks"]}


def by_part(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["part"]: item for item in manifest["items"]}


def test_orders_stay_on_one_side_and_letting_go_of_them_fails_the_certificate(filled: Store, settings: Settings):
    kept = build_dataset(filled, settings, "kept", split=HALVES)
    assert kept["kept_together"] == ["part", "order", "near"]
    sides: dict[str, set[str]] = {}
    for item in kept["items"]:
        sides.setdefault(item["order"], set()).add(item["split"])
    assert all(len(found) == 1 for found in sides.values())
    assert results(kept)["order overlap"] == "pass"
    torn = build_dataset(filled, settings, "torn", split=HALVES, keep="part,near")
    assert results(torn)["order overlap"] == "fail"
    assert torn["certificate"]["result"] == "fail"


def test_a_picture_saved_again_stays_beside_the_first(store: Store, settings: Settings, folder: Path):
    rows = rows_of(folder)
    for n in range(0, 40, 3):
        pixels = cv2.imread(str(folder / f"{n:02}.png"))
        cv2.imwrite(str(folder / f"again{n:02}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
        rows.append({**rows[n], "file": f"again{n:02}.jpg", "part": f"other {n}", "order": f"later {n}"})
    deliver(folder, rows)
    import_labels(store, settings, folder, "Lyon")
    made = build_dataset(store, settings, "near", split=HALVES)
    side = {Path(item["path"]).stem: item["split"] for item in made["items"]}
    assert all(side[f"{n:02}"] == side[f"again{n:02}"] for n in range(0, 40, 3))
    assert results(made)["near-duplicate overlap"] == "pass"
    torn = build_dataset(store, settings, "torn", split=HALVES, keep="part")
    failing = next(check for check in torn["certificate"]["checks"] if check["name"] == "near-duplicate overlap")
    assert failing["result"] == "fail"
    assert any("again" in path for path in failing["images"])


def test_cut_by_time_the_test_is_newer_than_training(filled: Store, settings: Settings):
    made = build_dataset(filled, settings, "cut", split=HALVES, by="time")
    times: dict[str, list[str]] = {}
    for item in made["items"]:
        times.setdefault(item["split"], []).append(item["taken_at"])
    assert max(times["train"]) < min(times["val"])
    assert max(times["val"]) < min(times["test"])
    assert results(made)["time order"] == "pass"


def test_balance_is_for_training_alone(filled: Store, settings: Settings):
    plain = build_dataset(filled, settings, "plain", split=HALVES)
    even = build_dataset(filled, settings, "even", split=HALVES, balance="good=1,rare=6")
    for side in ("val", "test"):
        assert plain["counts"][side] == even["counts"][side]
        assert all(item["repeat"] == 1 for item in even["items"] if item["split"] == side)
    learned = [item for item in even["items"] if item["split"] == "train"]
    bad = sum(item["defective"] for item in learned)
    assert sum(not item["defective"] for item in learned) == bad
    assert even["left_out"]["good pictures beyond the balance"] > 0
    for name in ("CRACK", "BURR"):
        assert sum(item["repeat"] for item in learned if name in item["classes"]) >= 6
    table = even["composition"]
    assert table["BURR"]["raw"] == 4
    assert table["BURR"]["balanced"] >= 6
    assert table["NO_DEFECT"]["train"] == table["NO_DEFECT"]["balanced"] == bad
    shown = examples_of(manifest_of(filled, settings, "even"), "train")
    assert max(one.repeat for one in shown) > 1


def test_doubtful_annotators_and_blurry_pictures_can_be_left_out(filled: Store, settings: Settings):
    sure = build_dataset(filled, settings, "sure", {"confidence": "3"})
    assert len(sure["items"]) == 40
    assert sure["left_out"] == {"unsure annotator": 8}
    people = build_dataset(filled, settings, "imported", {"provenance": "import"})
    assert len(people["items"]) == 48
    late = build_dataset(filled, settings, "late", {"taken_since": (START + timedelta(hours=24)).isoformat()})
    assert len(late["items"]) == 24
    flagged = sum(bool(item["quality"]) for item in people["items"])
    none = build_dataset(filled, settings, "sharp", quota="blurry=0,partial=0,dark=0,no variance=0,over-exposed=0")
    assert len(none["items"]) == 48 - flagged
    with pytest.raises(BadInput, match="confidence"):
        build_dataset(filled, settings, "odd", {"confidence": "9"})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"by": "rows"}, "Rows are never divided"),
        ({"keep": "row"}, "Nothing is kept together by 'row'"),
        ({"balance": "bad=2"}, "Balance knows no 'bad'"),
        ({"quota": "ugly=.1"}, "No picture is ever 'ugly'"),
        ({"least": "train=.5"}, "whole numbers"),
        ({"agreement": "all=2"}, "limits lie above 0"),
        ({"pseudo": "net", "pseudo_rule": "weight=1.2"}, "counts at most 1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_words(filled: Store, settings: Settings, more, words):
    with pytest.raises(BadInput, match=words):
        build_dataset(filled, settings, "odd", **more)


# --- a model's own guesses ------------------------------------------------------------------------------------------


@pytest.fixture
def guessing(store: Store, settings: Settings, folder: Path) -> Store:
    """Thirty labelled pictures, and eighteen that only the model has an opinion about."""
    from hashlib import sha256

    from core.plant import Arrival
    from core.records import Capture

    rows = rows_of(folder)
    deliver(folder, rows[:30])
    import_labels(store, settings, folder, "Lyon")
    store.models.add({"name": "net-1"}, "models/net-1", "0" * 64)
    arrivals = []
    for n, row in enumerate(rows[30:]):
        path = folder / row["file"]
        said = Prediction("net-1", (0.99, 0.01, 0.6)[n % 3], {"CRACK": 0.9, "BURR": 0.1})
        arrivals.append(
            Arrival(
                Capture(str(path), f"new {n}"), str(path), sha256(path.read_bytes()).hexdigest(), 96, 72, None, said
            )
        )
    store.arrivals.file("Lyon", arrivals)
    return store


def test_guesses_are_off_unless_asked_for(guessing: Store, settings: Settings):
    assert not any(item["pseudo"] for item in build_dataset(guessing, settings, "people")["items"])


def test_guesses_are_in_training_only_weigh_less_and_some_are_checked(guessing: Store, settings: Settings):
    made = build_dataset(
        guessing, settings, "helped", split=HALVES, pseudo="net-1", pseudo_rule="weight=.5,sure=.95,audit=.25"
    )
    guesses = [item for item in made["items"] if item["pseudo"]]
    assert len(guesses) == 12  # a probability of 0.6 is no answer
    assert {(item["split"], item["weight"]) for item in guesses} == {("train", 0.5)}
    assert {item["by"] for item in guesses} == {"model:net-1"}
    assert results(made)["pseudo-labels"] == "pass"
    asked = made["pseudo"]["audited"]
    assert len(asked) == 3
    assert guessing.queue.counts("Lyon").kinds[TaskKind.LABEL] == 3
    again = build_dataset(
        guessing, settings, "helped", split=HALVES, pseudo="net-1", pseudo_rule="weight=.5,sure=.95,audit=.25"
    )
    assert again["hash"] == made["hash"]
    assert guessing.queue.counts("Lyon").kinds[TaskKind.LABEL] == 3
    assert {one.weight for one in examples_of(manifest_of(guessing, settings, "helped"), "train")} == {1.0, 0.5}


def planted(guessing: Store, settings: Settings, **change: Any) -> dict[str, Any]:
    """A dataset in which somebody moved a guess, and hashed it again."""
    made = build_dataset(guessing, settings, "planted", split=HALVES, pseudo="net-1")
    next(item for item in made["items"] if item["pseudo"]).update(change)
    made["hash"] = manifest_hash(made)
    import json

    write_file(manifest_path(settings, "planted"), [json.dumps(made)])
    return made


@pytest.mark.parametrize("change", [{"split": "val"}, {"split": "test"}, {"weight": 1.5}])
def test_a_guess_planted_where_it_must_not_be_stops_check_and_training(guessing: Store, settings: Settings, change):
    made = planted(guessing, settings, **change)
    found = check_dataset(guessing, settings, "planted")
    assert not found["ok"]
    assert {check["name"]: check["result"] for check in found["certificate"]["checks"]}["pseudo-labels"] == "fail"
    with pytest.raises(GateFailed, match="pseudo-labels"):
        admit(made, None, "Dora")


# --- training obeys -------------------------------------------------------------------------------------------------


def test_a_failed_certificate_stops_a_training_before_it_begins(filled: Store, settings: Settings):
    from app.jobs.science.train import train

    build_dataset(filled, settings, "torn", split=HALVES, keep="part,near")
    with pytest.raises(GateFailed, match="order overlap"):
        train(filled, settings, "torn", arch="resnet18", weights="scratch", epochs=1)


def test_a_reason_lets_it_go_on_and_stays_with_the_name_of_who_gave_it(filled: Store, settings: Settings):
    made = build_dataset(filled, settings, "torn", split=HALVES, keep="part,near")
    with pytest.raises(BadInput, match="is no reason"):
        admit(made, "ok", "Dora")
    told = admit(made, "orders are shuffled before the camera", "Dora")
    assert told["result"] == "fail"
    assert "order overlap" in told["failed"]
    assert told["overruled"] == {"reason": "orders are shuffled before the camera", "by": "Dora"}


def test_an_old_manifest_without_a_certificate_may_be_trained_on():
    old = {"name": "old", "items": [{"path": "a", "sha256": "1", "split": "train", "group": "g", "defective": True}]}
    assert admit(old, None, "Dora") == {"result": None, "failed": []}


# --- two versions ---------------------------------------------------------------------------------------------------


def test_two_versions_differ_in_what_was_changed_and_nothing_else(filled: Store, settings: Settings):
    build_dataset(filled, settings, "one", split=HALVES)
    build_dataset(filled, settings, "same", split=HALVES)
    build_dataset(filled, settings, "other", {"confidence": "3"}, split=HALVES, seed=4)
    assert diff_datasets(filled, settings, "one", "same")["same"]
    found = diff_datasets(filled, settings, "one", "other")
    assert found["settings"]["seed"] == [0, 4]
    assert found["pictures"] == {"in_both": 40, "only_first": 8, "only_second": 0}
    assert sum(found["moved"].values()) > 0
    assert found["relabelled"] == 0


def embed(store: Store, settings: Settings, again: dict[str, str]) -> None:
    """The model in use has seen every picture; those of `again` as it saw the picture they name."""
    rng = np.random.default_rng(9)
    images = {Path(one.path).stem: one for one in store.images.find(site="Lyon", limit=500)}
    vectors = {name: rng.normal(size=64).astype(np.float32) for name in sorted(images)}
    for name, first in again.items():
        vectors[name] = vectors[first] + rng.normal(0, 0.02, 64).astype(np.float32)
    store.models.add({"name": "net-1"}, "/models/net-1", "a" * 64)
    store.sites.set_model("Lyon", "net-1")
    kept = Embeddings(settings.home / "embeddings", "a" * 64)
    with kept.writing():
        kept.add([Embedded(images[name].id, images[name].sha256, vector, np.array([0.5, 0.5]))
                  for name, vector in sorted(vectors.items())])  # fmt: skip


def test_a_turned_and_brightened_copy_that_only_the_model_sees_as_the_same_stays_beside_the_first(
    store: Store, settings: Settings, folder: Path
):
    rows, again = rows_of(folder), {}
    for n in range(0, 48, 4):  # cracks, so that they lie on every side
        pixels = cv2.imread(str(folder / f"{n:02}.png"))[4:-4, 4:-4]
        turned = np.clip(cv2.rotate(pixels, cv2.ROTATE_180).astype(np.int16) * 1.1 + 6, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"again{n:02}.png"), turned)
        rows.append({**rows[n], "file": f"again{n:02}.png", "part": f"other {n}", "order": f"later {n}"})
        again[f"again{n:02}"] = f"{n:02}"
    for row in rows:
        row["camera"] = "cam 0"
    deliver(folder, rows)
    import_labels(store, settings, folder, "Lyon")
    blind = build_dataset(store, settings, "blind", split=HALVES, keep="part")
    assert results(blind)["near-duplicate overlap"] == "pass"  # the hash misses all of them
    assert "seen_by" not in blind
    embed(store, settings, again)
    made = build_dataset(store, settings, "near", split=HALVES)
    assert made["seen_by"] == {"Lyon": "net-1"}
    side = {Path(item["path"]).stem: item["split"] for item in made["items"]}
    assert all(side[first] == side[name] for name, first in again.items())
    assert results(made)["near-duplicate overlap"] == "pass"
    torn = build_dataset(store, settings, "torn", split=HALVES, keep="part")
    failing = next(check for check in torn["certificate"]["checks"] if check["name"] == "near-duplicate overlap")
    assert failing["result"] == "fail"
    sides = {Path(item["path"]).stem: item["split"] for item in torn["items"]}
    crossing = [name for name, first in again.items() if sides[name] != sides[first]]
    assert crossing
    assert torn["certificate"]["near_duplicates"] == len(again)
    assert build_dataset(store, settings, "blind", split=HALVES, keep="part") == blind  # the same name, the same bytes


def test_a_model_that_has_not_seen_every_picture_is_not_asked(filled: Store, settings: Settings):
    embed(filled, settings, {})
    pixels = np.full((72, 96, 3), 90, np.uint8)
    pixels[10:30, 20:60] = 200
    more = settings.home / "more"
    more.mkdir(parents=True)
    cv2.imwrite(str(more / "late.png"), pixels)
    deliver(more, [{"file": "late.png", "label": "ok", "part": "late", "order": "late", "camera": "cam 0",
                    "time": START.isoformat(), "confidence": 4, "boxes": ""}])  # fmt: skip
    import_labels(filled, settings, more, "Lyon")
    assert "seen_by" not in build_dataset(filled, settings, "kept", split=HALVES)
