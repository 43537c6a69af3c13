"""Detectors as jobs: trained, measured, tried, drawing beside the line, on the ladder, and telling what is missing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.jobs.intake.ingest import ingest
from app.jobs.science.detectors import ladder
from app.jobs.science.detectors.ladder import BOXES, MASKS, TILES, climb, ladders
from app.jobs.science.detectors.line import Drawing, draw_again
from app.jobs.science.detectors.presence import missing_in
from app.jobs.science.detectors.queued import DETECTOR_KINDS
from app.jobs.science.detectors.training import look_for_boxes, templates_of, train_detector
from app.jobs.science.detectors.trial import evaluate_detector, try_detector
from app.jobs.science.learning import examples_of
from app.jobs.science.measured import read
from app.settings import Settings
from core.errors import BadInput, Conflict, GateFailed, NotFound
from core.pictures.seams import nothing
from core.pictures.tiling import Look
from core.records import Outcome, Polygons, Region
from data.store import Store
from data.store.science.jobs import NEEDS
from models.detector.serve import Detected
from models.training.examples import Example
from tests.app.jobs.small_dataset import drawn, keep

Pictures = Callable[..., list[Path]]
LOOK = Look(64, 32)


def small(recipe):
    """A recipe that a test has time for."""
    return replace(recipe, epochs=2, window=64, look=LOOK, precision="float32", check_every=2)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pyramid that a test has time for, and tiles as small as the pictures."""
    from models.detector import net

    monkeypatch.setattr(net, "WIDTH", 32)
    monkeypatch.setattr(net, "CONVS", 1)


def trained(store: Store | None, current: Settings, name: str = "det", **more: Any) -> dict[str, Any]:
    return train_detector(store, current, "pits", "test_resnet", "scratch", seed=1, name=name, look=LOOK,
                          change=small, **more)  # fmt: skip


@pytest.fixture
def plant(line_ready: Store, current: Settings) -> Store:
    """Lyon with a classifier in use, a data set of pits, and a detector that was trained on it."""
    drawn(current)
    trained(line_ready, current)
    return line_ready


def in_force(store: Store) -> None:
    version = store.detectors.get("det")
    store.detectors.keep_trial("lyon", "det", version.sha256, "tiny", "pits", "test", "", {"recall": 1.0})
    store.detectors.put_in_force("lyon", "det", "finds more pits")


def test_a_detector_is_trained_measured_and_filed_beside_the_classifiers(plant: Store, current: Settings) -> None:
    version = plant.detectors.get("det")
    card = version.card
    assert (card["kind"], card["classes"], card["dataset"]["name"]) == ("detector", ["SURFACE_PIT"], "pits")
    assert card["metrics"]["measured_on"] == "val"
    assert card["training"]["cpu_seconds"] > 0
    assert not list((current.models / ".training").glob("boxes-*"))
    assert "det" not in {one.name for one in plant.models.all()}
    with pytest.raises(Conflict):
        trained(plant, current)


def test_its_boxes_are_measured_with_intervals_and_written_beside_it(plant: Store, current: Settings) -> None:
    found = evaluate_detector(plant, current, "det", "pits")
    assert found["class_ignored"]["drawn"] == 4
    assert found["caution"] == ""
    kept = read(current.models / "det" / "boxes-pits-test.json")
    assert kept is not None
    assert kept["class_right"] == found["class_right"]
    assert evaluate_detector(plant, current, "det", "pits", "train")["caution"] != ""
    with pytest.raises(NotFound):
        evaluate_detector(plant, current, "other", "pits")


def test_a_trial_compares_with_the_heatmaps_of_the_model_in_use_and_is_kept(plant: Store, current: Settings) -> None:
    done = try_detector(plant, current, "det", "lyon", "pits")
    (kept,) = plant.detectors.trials("lyon")
    assert (kept.against, kept.split, kept.refusal) == ("tiny", "test", done["refusal"])
    assert done["refusal"]  # two parts with a drawn box tell nothing
    with pytest.raises(GateFailed, match="too few"):
        plant.detectors.put_in_force("lyon", "det", "looks good")


def test_a_trial_on_what_taught_it_is_refused(plant: Store, current: Settings) -> None:
    with pytest.raises(BadInput, match="shows nothing"):
        try_detector(plant, current, "det", "lyon", "pits", "train")
    drawn(current, per_split={"train": 4, "test": 8})
    with pytest.raises(BadInput, match="not the dataset of that name"):
        try_detector(plant, current, "det", "lyon", "pits")


def test_a_trial_on_another_dataset_with_pictures_that_taught_it_is_refused(plant: Store, current: Settings) -> None:
    manifest = json.loads((current.datasets / "pits.json").read_text())
    keep(current, {**manifest, "name": "mixed", "items": [{**one, "split": "test"} for one in manifest["items"]]})
    with pytest.raises(BadInput, match="12 of these 28 pictures taught the detector"):
        try_detector(plant, current, "det", "lyon", "mixed")


def test_what_is_filed_is_drawn_on_and_decided_as_without_a_detector(
    plant: Store, current: Settings, pictures: Pictures
) -> None:
    in_force(plant)
    files = pictures("a.png", "b.png")
    done = ingest(plant, current, [str(files[0].parent)], "lyon")
    images = plant.images.find(site="lyon")
    boxes = plant.detectors.boxes([one.id for one in images])
    assert {one.detector for one in boxes.values()} == {"det"}
    assert set(boxes) == {one.id for one in images}
    assert all(one.error == "" for one in boxes.values())
    assert done.to_json()["decisions"] == {"PASS": 2, "HOLD": 0, "FAIL": 0}


def test_a_detector_that_fails_stops_no_decision_and_says_so(
    plant: Store, current: Settings, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(plant)
    weights = current.models / "det" / "weights.safetensors"
    weights.write_bytes(b"not a model")
    files = pictures("a.png")
    ingest(plant, current, [str(files[0])], "lyon")
    (image,) = plant.images.find(site="lyon")
    assert "take the detector from its backup" in plant.detectors.boxes([image.id])[image.id].error
    assert plant.parts.decision(image.part_id).outcome is Outcome.PASS


def test_a_store_that_cannot_keep_boxes_loses_no_decision(
    plant: Store, current: Settings, pictures: Pictures, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    in_force(plant)

    def full(*_: object, **__: object) -> int:
        raise BadInput("the disk is full")

    monkeypatch.setattr(type(plant.detectors), "keep", full)
    files = pictures("a.png")
    ingest(plant, current, [str(files[0])], "lyon")
    (image,) = plant.images.find(site="lyon")
    assert plant.parts.decision(image.part_id).outcome is Outcome.PASS
    assert "the disk is full" in capsys.readouterr().err


def test_what_was_filed_before_is_drawn_on_when_asked(
    plant: Store, current: Settings, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = pictures("a.png", "b.png", "c.png")
    ingest(plant, current, [str(files[0].parent)], "lyon")
    with pytest.raises(NotFound, match="No detector draws at lyon"):
        draw_again(plant, current, "lyon")
    in_force(plant)
    files[1].unlink()
    assert draw_again(plant, current, "lyon") == {"drawn": 2, "failed": 0, "gone": 1}
    assert draw_again(plant, current, "lyon") == {"drawn": 0, "failed": 0, "gone": 1}


def test_without_a_detector_the_line_looks_at_nothing(
    line_ready: Store, current: Settings, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(Drawing, "drawn", lambda *_: looked.append("at a picture"))
    ingest(line_ready, current, [str(pictures("a.png")[0])], "lyon")
    assert not looked


def test_the_ladder_holds_every_rung_on_the_same_pictures(plant: Store, current: Settings) -> None:
    found = climb(plant, current, "pits", ["tiny", "det"])
    rungs = {(one["rung"], one["model"]) for one in found["rungs"]}
    assert rungs == {(TILES, "tiny"), (MASKS, "tiny"), (BOXES, "det")}
    assert len({one["images"] for one in found["rungs"]}) == 1
    assert all(one["drawn"] == 4 for one in found["rungs"])
    again = climb(plant, current, "pits", ["det"])
    assert {(one["rung"], one["model"]) for one in again["rungs"]} == rungs
    (kept,) = ladders(current)
    assert len(kept["rungs"]) == 3
    json.dumps(found, allow_nan=False)


def test_a_ladder_of_another_dataset_starts_anew(plant: Store, current: Settings) -> None:
    climb(plant, current, "pits", ["det"])
    drawn(current, per_split={"train": 4, "test": 4})
    assert {one["model"] for one in climb(plant, current, "pits", ["tiny"])["rungs"]} == {"tiny"}
    with pytest.raises(BadInput):
        climb(plant, current, "pits", [])
    with pytest.raises(NotFound):
        climb(plant, current, "pits", ["nobody"])
    assert ladder.place(current, "näm/e", "test").parent == current.home / "reports"


def test_what_is_missing_is_told_by_its_absence(plant: Store, current: Settings) -> None:
    found = missing_in(plant, current, "det", "pits", "SURFACE_PIT")
    assert (found["looked_at"], found["missing"]) == (8, 4)
    for row in found["pictures"]:
        assert row["said_missing"] == (row["score"] < found["threshold"])
    with pytest.raises(BadInput, match="no CRACK"):
        missing_in(plant, current, "det", "pits", "CRACK")
    with pytest.raises(BadInput, match="view top"):
        missing_in(plant, current, "det", "pits", "SURFACE_PIT", "top")


def example(name: str, wh: tuple[int, int], *sides: tuple[float, float]) -> Example:
    regions = tuple(Region(0, 0, w, h, "PIT", "PIT") for w, h in sides)
    return Example(name, "0" * 64, "train", "g", bool(sides), *wh, regions=regions)


def test_pictures_are_cut_so_that_small_boxes_stay_two_cells_wide_and_large_ones_lie_whole_in_a_tile() -> None:
    assert look_for_boxes([example("a", (640, 640), *[(25.0, 25.0)] * 20)]) == Look(416, 208, 0.64)
    assert look_for_boxes([example("a", (200, 200), (9.0, 180.0))]) == Look(224, 112, 1.0)
    large = look_for_boxes([example("a", (4000, 3000), *[(300.0, 20.0)] * 20)])
    assert (large.tile, large.stride) == (320, 160)
    assert large.scale * 300 <= 160.5
    assert look_for_boxes([]) == Look(320, 160)


def test_templates_are_read_from_a_table_and_are_checked(tmp_path: Path, current: Settings) -> None:
    manifest = drawn(current)
    learned = examples_of(manifest, "train")
    names = [Path(e.path) for e in learned]
    table = tmp_path / "pairs.csv"
    table.write_text(f"file,template\n{names[0].name},{names[2]}\n")
    found = templates_of(table, learned)
    assert list(found) == [str(names[0])]
    assert found[str(names[0])].path == str(names[2])
    table.write_text("file,template\ntrain0.png,gone.png\n")
    with pytest.raises(BadInput, match="is gone"):
        templates_of(table, learned)
    table.write_text("picture\nx\n")
    with pytest.raises(BadInput, match="columns file and template"):
        templates_of(table, learned)


def test_one_trained_with_templates_is_for_measuring_only(line_ready: Store, current: Settings, tmp_path: Path) -> None:
    manifest = drawn(current)
    names = [Path(e.path) for e in examples_of(manifest, "train")]
    table = tmp_path / "pairs.csv"
    table.write_text(f"file,template\n{names[0].name},{names[2]}\n{names[1].name},{names[3]}\n")
    trained(line_ready, current, "pair", templates=table)
    card = line_ready.detectors.get("pair").card
    assert card["template"]
    assert card["training"]["templates"] == 2


def with_masks(current: Settings) -> None:
    """The pits with the outline of each."""
    manifest = drawn(current)
    for item in manifest["items"]:
        for one in item["regions"]:
            x, y, right, low = one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]
            one["mask"] = {"rings": [[x, y, right, y, right, low, x, low]]}
    keep(current, manifest)


def test_one_with_masks_is_measured_by_pixels_and_its_card_says_so(line_ready: Store, current: Settings) -> None:
    with_masks(current)
    trained(line_ready, current, "out", masks=True)
    card = line_ready.detectors.get("out").card
    assert card["masks"] is True
    assert 0 < card["mask_threshold"] < 1
    found = evaluate_detector(line_ready, current, "out", "pits")["masks"]
    assert found["pixels"]["drawn"] == found["boxes_filled"]["drawn"] == 4 * 14 * 14
    assert found["masks_drawn"] == 4
    assert found["left_out"] == 0
    assert "2 groups with outlined defects cannot tell" in found["against_boxes"]["refusal"]
    assert try_detector(line_ready, current, "out", "lyon", "pits")["masks"]["pixels"] == found["pixels"]
    rungs = {one["rung"]: one for one in climb(line_ready, current, "pits", ["tiny", "out"])["rungs"]}
    assert all(one["outlined"] == 8 for one in rungs.values())
    assert {rungs[MASKS]["model"], rungs[BOXES]["model"], rungs[TILES]["model"]} <= {"tiny", "out"}
    assert len([one for one in climb(line_ready, current, "pits", ["out"])["rungs"] if one["rung"] == MASKS]) == 2


def test_without_outlines_pixels_are_not_measured(plant: Store, current: Settings) -> None:
    assert evaluate_detector(plant, current, "det", "pits")["masks"] is None
    row = next(one for one in climb(plant, current, "pits", ["det"])["rungs"] if one["model"] == "det")
    assert row["pixel_f1"] is None
    with pytest.raises(BadInput, match="No training region has an outline"):
        trained(plant, current, "out", masks=True)


@pytest.mark.parametrize(("refusal", "shown"), [("", True), ("too few to tell", False), (None, False)])
def test_outlines_are_drawn_where_the_trial_showed_them_to_be_worth_more_than_boxes(
    line_ready: Store, current: Settings, pictures: Pictures, monkeypatch: pytest.MonkeyPatch, refusal: str | None,
    shown: bool,
) -> None:  # fmt: skip
    with_masks(current)
    trained(line_ready, current, masks=True)
    version = line_ready.detectors.get("det")
    masks = None if refusal is None else {"against_boxes": {"refusal": refusal}}
    line_ready.detectors.keep_trial("lyon", "det", version.sha256, "tiny", "pits", "test", "", {"masks": masks})
    line_ready.detectors.put_in_force("lyon", "det", "finds more pits")
    ring = Polygons(((3.0, 3.0, 9.0, 3.0, 6.0, 9.0),))
    region = Region(2.0, 2.0, 8.0, 8.0, "SURFACE_PIT", "SURFACE_PIT", score=0.9, mask=ring, key="d1")
    found = Detected((region,), nothing(), 1.0)
    monkeypatch.setattr("models.detector.serve.Detector.detect", lambda *_: found)
    ingest(line_ready, current, [str(pictures("a.png")[0])], "lyon")
    (image,) = line_ready.images.find(site="lyon")
    (drawn_one,) = line_ready.detectors.boxes([image.id])[image.id].regions
    assert drawn_one == (region if shown else replace(region, mask=None))


def test_every_kind_of_job_has_a_right_that_it_needs() -> None:
    assert set(DETECTOR_KINDS) <= set(NEEDS)


def test_the_commands_tell_the_same_story(plant: Store, current: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str, exits: int = 0) -> Any:
        capsys.readouterr()
        assert main(["detector", *arguments]) == exits
        out = capsys.readouterr()
        return json.loads(out.out) if exits == 0 else out.err

    assert said("evaluate", "det", "--dataset", "pits", "--json")["class_right"]["drawn"] == 4
    assert said("try", "det", "--site", "lyon", "--dataset", "pits", "--json")["against"] == "tiny"
    assert "too few" in said("use", "det", "--site", "lyon", "--reason", "why not", exits=1)
    in_force(plant)
    assert said("list", "--json")[0]["draws_at"] == ["lyon"]
    assert "has an outline" in said("train", "--dataset", "pits", "--arch", "test_resnet", "--masks", exits=1)
    assert said("missing", "det", "--dataset", "pits", "--class", "SURFACE_PIT", "--json")["looked_at"] == 8
    assert said("stop", "--site", "lyon", "--reason", "enough", "--json")["before"] == "det"
    assert [one["detector"] for one in said("history", "--site", "lyon", "--json")] == [None, "det"]
    assert "Nothing was measured" in said("ladder", "--dataset", "pits", exits=1)
    for command in ("list", "history"):
        assert main(["detector", command, *(["--site", "lyon"] if command == "history" else [])]) == 0
    assert main(["detector", "ladder", "--dataset", "pits", "--model", "det"]) == 0
    assert "detector" in capsys.readouterr().out
