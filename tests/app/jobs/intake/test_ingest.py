import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

import app.jobs.intake.line as line_module
import models.engine as engine_module
from app.jobs.intake.ingest import ingest, recheck, restore
from app.settings import CHECKOUT, Settings
from core.errors import BadInput, Conflict, ModelError, NotFound
from core.pictures.tiling import Look
from core.plant import PartType
from core.records import ImageState, Outcome, Prediction, Route, TaskKind
from data.store import Store
from models.engine import Observation

Draw = Callable[..., list[Path]]


def reasons_of(store: Store, file: Path) -> list[str]:
    (image,) = store.images.find(source=str(file.resolve()))
    decision = store.parts.decision(image.part_id)
    assert decision is not None
    return [reason.code for reason in decision.reasons]


def test_a_folder_becomes_images_predictions_and_decisions(line_ready: Store, current: Settings, pictures: Draw):
    files = pictures("a.png", "b.jpg", "deep/c.bmp")
    report = ingest(line_ready, current, [str(files[0].parent)], "lyon", camera="cam 3")
    assert (report.images, report.known, report.quarantined) == (3, 0, {})
    assert report.decisions == {"PASS": 3, "HOLD": 0, "FAIL": 0}
    assert {Path(one.file).name: (one.outcome, one.decision) for one in report.files} == dict.fromkeys(
        ("a.png", "b.jpg", "c.bmp"), ("image", "PASS")
    )
    for image in line_ready.images.find(site="lyon"):
        prediction = line_ready.images.prediction(image.id)
        assert prediction is not None
        assert prediction.model == "tiny"
        assert image.capture.camera == "cam 3"


def test_running_it_again_changes_nothing(line_ready: Store, current: Settings, pictures: Draw):
    folder = str(pictures("a.png", "b.png")[0].parent)
    ingest(line_ready, current, [folder], "lyon")
    before = line_ready.audit.recent(limit=1)[0].id
    report = ingest(line_ready, current, [folder], "lyon")
    assert (report.images, report.known) == (0, 2)
    assert [one.decision for one in report.files] == ["PASS", "PASS"]
    assert report.decisions == {"PASS": 0, "HOLD": 0, "FAIL": 0}
    assert line_ready.audit.recent(limit=1)[0].id == before


def test_a_healthy_model_scores_in_one_stream_and_no_picture_alone(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    def alone(*_: Any) -> Any:
        raise AssertionError("a picture was scored alone")

    monkeypatch.setattr(line_module, "_alone", alone)
    folder = pictures("a.png", "b.png", "c.png")[0].parent
    assert ingest(line_ready, current, [str(folder)], "lyon").decisions["PASS"] == 3


def test_a_file_named_twice_in_three_ways_makes_one_image(line_ready: Store, current: Settings, pictures: Draw):
    (file,) = pictures("a.png")
    report = ingest(line_ready, current, [str(file), str(file.parent / "*.png"), file.as_uri()], "lyon")
    assert (report.images, report.known, len(report.files)) == (1, 0, 1)


def test_one_broken_file_does_not_keep_the_others_out(line_ready: Store, current: Settings, pictures: Draw):
    good, cut, empty = pictures("a.png", "cut.jpg", "empty.png")
    cut.write_bytes(cut.read_bytes()[:500])
    empty.write_bytes(b"")
    (good.parent / "letter.txt").write_text("not a picture")
    report = ingest(line_ready, current, [str(good.parent)], "lyon")
    assert report.images == 1
    assert report.quarantined == {"truncated": 1, "empty file": 1, "wrong type": 1}
    assert report.decisions == {"PASS": 1, "HOLD": 3, "FAIL": 0}
    (image,) = line_ready.images.find(source=str(cut))
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert decision.reasons[0].text.startswith("picture unreadable: rescan")
    assert decision.route is Route.SECOND_SCAN


def test_a_site_without_a_model_holds_everything_and_loses_nothing(held: Store, current: Settings, pictures: Draw):
    (file,) = pictures("a.png")
    report = ingest(held, current, [str(file)], "lyon")
    assert report.decisions == {"PASS": 0, "HOLD": 1, "FAIL": 0}
    assert "no model" in reasons_of(held, file)
    assert held.queue.counts("lyon").kinds[TaskKind.TRIAGE] == 1


def test_a_model_that_is_set_later_scores_what_waits(
    held: Store, current: Settings, pictures: Draw, model_folder: Path
):
    from app.jobs.science.models import add_model

    (file,) = pictures("a.png")
    ingest(held, current, [str(file)], "lyon")
    add_model(held, current, model_folder)
    held.sites.set_model("lyon", "tiny", "test")
    assert ingest(held, current, [str(file)], "lyon").known == 1
    (image,) = held.images.find(source=str(file))
    assert held.images.prediction(image.id) is not None


class Failing:
    """A real engine that gives up over some pictures."""

    def __init__(self, engine: Any, bad: Callable[[int], bool]) -> None:
        self.engine, self.bad, self.card, self.levels = engine, bad, engine.card, engine.levels

    def observe(self, images: Iterable[Any], looks: Look | Iterable[Look]) -> Iterator[Observation]:
        each = repeat(looks) if isinstance(looks, Look) else looks
        for pixels, look in zip(images, each, strict=False):
            if self.bad(int(pixels.shape[1])):
                raise ModelError("the card is on fire")
            yield from self.engine.observe([pixels], [look])

    def read(self, seen: Observation) -> Prediction:
        return self.engine.read(seen)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], None]:
    real = line_module.open_model

    def set_bad(bad: Callable[[int], bool]) -> None:
        monkeypatch.setattr(line_module, "open_model", lambda *given: Failing(real(*given), bad))

    return set_bad


def test_a_model_that_fails_on_one_picture_holds_that_one_only(
    line_ready: Store, current: Settings, pictures: Draw, tmp_path: Path, failing: Any, draw_picture: Any
):
    files = [
        *pictures("a.png", "b.png"),
        draw_picture(tmp_path / "in" / "wide.png", 77, (100, 60)),
        *pictures("z.png", seed=2),
    ]
    failing(lambda width: width == 100)
    report = ingest(line_ready, current, [str(tmp_path / "in")], "lyon")
    assert report.images == 4
    assert report.decisions == {"PASS": 3, "HOLD": 1, "FAIL": 0}
    assert reasons_of(line_ready, files[2]) == ["model error"]


def test_a_model_that_always_fails_holds_everything(line_ready: Store, current: Settings, pictures: Draw, failing: Any):
    files = pictures("a.png", "b.png", "c.png")
    failing(lambda width: True)
    report = ingest(line_ready, current, [str(files[0].parent)], "lyon")
    assert (report.images, report.decisions["HOLD"]) == (3, 3)


def test_a_damaged_model_file_holds_everything_and_says_why(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    weights = current.models / "tiny" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(engine_module, "_open_engines", OrderedDict())  # as in a process that has just started
    (file,) = pictures("a.png")
    report = ingest(line_ready, current, [str(file)], "lyon")
    assert report.decisions["HOLD"] == 1
    assert reasons_of(line_ready, file) == ["model error"]


def test_a_model_asked_for_by_a_wrong_name_is_said_before_anything_is_filed(
    line_ready: Store, current: Settings, pictures: Draw
):
    (file,) = pictures("a.png")
    with pytest.raises(NotFound, match="no model 'tinny'"):
        ingest(line_ready, current, [str(file)], "lyon", model="tinny")
    assert line_ready.images.count() == 0


@pytest.mark.parametrize("given", ["nothing-here", "*.nothing", "file:///nowhere/x.png"])
def test_a_source_that_means_nothing_is_said(line_ready: Store, current: Settings, given: str):
    with pytest.raises(NotFound, match="no picture"):
        ingest(line_ready, current, [given], "lyon")


def test_an_unknown_site_is_said(line_ready: Store, current: Settings, pictures: Draw):
    with pytest.raises(NotFound, match="no site 'paris'"):
        ingest(line_ready, current, [str(pictures("a.png")[0])], "paris")


def test_part_from_joins_pictures_into_parts_with_their_views(line_ready: Store, current: Settings, pictures: Draw):
    files = pictures("7781_top.png", "7781_side.png", "7782_top.png")
    report = ingest(line_ready, current, [str(files[0].parent)], "lyon", part_from=r"(?P<part>\d+)_(?P<view>\w+)\.")
    assert sum(report.decisions.values()) == 2
    part = line_ready.parts.find("lyon", "7781")
    assert part is not None
    assert {image.capture.view for image in line_ready.images.of_part(part.id)} == {"top", "side"}


def test_a_name_without_a_part_is_quarantined_where_one_is_asked_for(
    line_ready: Store, current: Settings, pictures: Draw
):
    files = pictures("7781_top.png", "holiday.png")
    report = ingest(line_ready, current, [str(files[0].parent)], "lyon", part_from=r"^(\d+)_")
    assert (report.images, report.quarantined) == (1, {"no known id": 1})
    assert report.decisions["HOLD"] == 1


def test_a_pattern_that_matches_nothing_is_a_mistake_and_files_nothing(
    line_ready: Store, current: Settings, pictures: Draw
):
    (file,) = pictures("a.png")
    with pytest.raises(BadInput, match="finds no part"):
        ingest(line_ready, current, [str(file)], "lyon", part_from=r"^(\d+)_")
    assert line_ready.images.count() == 0


@pytest.mark.parametrize("pattern", ["(", "abc", "(?P<color>a)", "(?P<view>a)"])
def test_a_pattern_that_cannot_be_used_is_explained(line_ready: Store, current: Settings, pictures: Draw, pattern: str):
    with pytest.raises(BadInput, match="--part-from"):
        ingest(line_ready, current, [str(pictures("a.png")[0])], "lyon", part_from=pattern)


def test_a_missing_view_is_held_and_a_late_one_never_loosens_it(line_ready: Store, current: Settings, pictures: Draw):
    line_ready.part_types.put("lyon", PartType("bracket", views=("top", "side"), tile=64, stride=32))
    top, side = pictures("1_top.png", "1_side.png")
    pattern = r"(?P<part>\d+)_(?P<view>\w+)\."
    report = ingest(line_ready, current, [str(top)], "lyon", part_from=pattern, part_type="bracket")
    assert report.decisions["HOLD"] == 1
    assert reasons_of(line_ready, top) == ["missing view"]
    report = ingest(line_ready, current, [str(side)], "lyon", part_from=pattern, part_type="bracket")
    assert report.decisions == {"PASS": 0, "HOLD": 1, "FAIL": 0}


def test_the_same_bytes_from_another_file_are_held_as_a_frozen_camera(
    line_ready: Store, current: Settings, pictures: Draw
):
    (first,) = pictures("a.png")
    second = first.with_name("b.png")
    shutil.copy(first, second)
    ingest(line_ready, current, [str(first)], "lyon")
    report = ingest(line_ready, current, [str(second)], "lyon")
    assert (report.images, report.decisions["HOLD"]) == (1, 1)
    assert reasons_of(line_ready, second)[0] == "same picture"


def test_a_link_out_of_the_folder_is_refused_unopened(
    line_ready: Store, current: Settings, pictures: Draw, tmp_path: Path
):
    (good,) = pictures("a.png")
    secret = tmp_path / "secret.png"
    shutil.copy(good, secret)
    (good.parent / "link.png").symlink_to(secret)
    report = ingest(line_ready, current, [str(good.parent)], "lyon")
    assert report.quarantined == {"path outside the source folder": 1}


def test_pictures_at_an_fsspec_address_are_fetched_and_kept(line_ready: Store, current: Settings, pictures: Draw):
    import fsspec

    (file,) = pictures("a.png")
    with fsspec.open("memory://plant/a.png", "wb") as remote:
        remote.write(file.read_bytes())
    report = ingest(line_ready, current, ["memory://plant/*.png"], "lyon")
    assert report.images == 1
    (image,) = line_ready.images.find()
    assert image.capture.source == "memory:///plant/a.png"
    assert Path(image.path).parent == current.uploads


def test_a_file_still_being_written_makes_one_image(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    (file,) = pictures("slow.png")
    whole = file.read_bytes()
    file.write_bytes(whole[:2000])
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import time; time.sleep(.4); open({str(file)!r}, 'ab').write(bytes.fromhex({whole[2000:].hex()!r}))",
        ]
    )
    monkeypatch.setenv("HOLDPOINT_SETTLE_SECONDS", "1")
    report = ingest(line_ready, Settings(), [str(file)], "lyon")
    writer.wait()
    assert (report.images, report.quarantined) == (1, {})


def test_a_vanished_file_holds_its_part_and_one_that_comes_back_is_right_again(
    line_ready: Store, current: Settings, pictures: Draw
):
    (file,) = pictures("a.png")
    ingest(line_ready, current, [str(file)], "lyon")
    (image,) = line_ready.images.find()
    now = datetime.now(UTC)
    assert recheck(line_ready, image, now).state is ImageState.OK
    away = file.with_suffix(".away")
    file.rename(away)
    image = recheck(line_ready, image, now)
    assert image.state is ImageState.MISSING
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, "missing file")
    away.rename(file)
    assert recheck(line_ready, image, now).state is ImageState.OK
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert decision.outcome is Outcome.HOLD


def test_a_changed_file_is_evidence_changed(line_ready: Store, current: Settings, pictures: Draw):
    (file,) = pictures("a.png")
    ingest(line_ready, current, [str(file)], "lyon")
    (image,) = line_ready.images.find()
    file.write_bytes(file.read_bytes() + b" ")
    later = image.arrived_at.timestamp() + 5
    os.utime(file, (later, later))
    assert recheck(line_ready, image, datetime.now(UTC), thorough=False).state is ImageState.CHANGED
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert decision.outcome is Outcome.HOLD


def test_a_quick_look_opens_only_files_that_were_touched(line_ready: Store, current: Settings, pictures: Draw):
    (file,) = pictures("a.png")
    old = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    os.utime(file, (old, old))
    ingest(line_ready, current, [str(file)], "lyon")
    (image,) = line_ready.images.find()
    file.write_bytes(b"other bytes")
    os.utime(file, (old, old))
    assert recheck(line_ready, image, datetime.now(UTC), thorough=False).state is ImageState.OK
    assert recheck(line_ready, image, datetime.now(UTC)).state is ImageState.CHANGED


def test_a_restored_picture_is_scored_and_its_part_stays_with_a_person(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    (file,) = pictures("a.png")
    monkeypatch.setenv("HOLDPOINT_PICTURE_PIXELS", "100")
    ingest(line_ready, Settings(), [str(file)], "lyon")
    (image,) = line_ready.images.find()
    assert image.state is ImageState.QUARANTINED
    with pytest.raises(BadInput, match="still cannot be read"):
        restore(line_ready, Settings(), image.id, datetime.now(UTC))
    image = restore(line_ready, current, image.id, datetime.now(UTC))
    assert image.state is ImageState.OK
    assert line_ready.images.prediction(image.id) is not None
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert decision.outcome is Outcome.HOLD
    with pytest.raises(Conflict, match="not in quarantine"):
        restore(line_ready, current, image.id, datetime.now(UTC))


# --- kill -9 --------------------------------------------------------------------------------------------------------


def test_ingest_killed_three_times_loses_nothing_and_files_nothing_twice(
    line_ready: Store, current: Settings, pictures: Draw
):
    files = pictures(*(f"{number:03}.png" for number in range(120)))
    line_ready.close()
    command = [sys.executable, "-m", "app.cli", "ingest", str(files[0].parent), "--site", "lyon", "--json"]
    environment = {**os.environ, "HOLDPOINT_BATCH_IMAGES": "4", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}
    path = current.home / "holdpoint.sqlite3"
    for wanted in (8, 40, 80):
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while count(path, "images") < wanted and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert wanted <= count(path, "images") < 120
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["images"] + report["known"] == 120
    assert check_whole(path, 120) == []


def count(path: Path, table: str) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def check_whole(path: Path, images: int) -> list[str]:
    """What is wrong with the store after the kills; nothing should be."""
    wrong = []
    with sqlite3.connect(path, timeout=30) as connection:

        def ask(query: str) -> Any:
            return connection.execute(query).fetchone()[0]

        if ask("PRAGMA integrity_check") != "ok":
            wrong.append("integrity")
        for what, query, expected in (
            ("images", "SELECT count(*) FROM images", images),
            ("sources", "SELECT count(DISTINCT source) FROM images", images),
            ("predictions", "SELECT count(DISTINCT image_id) FROM predictions", images),
            ("predictions twice", "SELECT count(*) FROM predictions", images),
            ("parts decided", "SELECT count(*) FROM parts WHERE state = 'decided'", images),
            ("decisions", "SELECT count(*) FROM decisions", images),
            ("outbox", "SELECT count(*) FROM outbox WHERE topic = 'route'", images),
            (
                "audit",
                "SELECT count(*) FROM audit_events WHERE action = 'decided'",
                images,
            ),
        ):
            if (found := ask(query)) != expected:
                wrong.append(f"{what}: {found} instead of {expected}")
    return wrong
