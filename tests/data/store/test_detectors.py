"""Detectors: tried, put in force, stopped, and the boxes they draw; on both databases."""

from datetime import UTC, datetime

import pytest

from core.detection import DrawnBoxes
from core.errors import BadInput, Conflict, GateFailed, NotAllowed, NotFound
from core.records import Outcome, Region
from core.roles import Role
from data.store import Store
from tests.data.store.plant import arrival, file, person, site

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BOX = Region(10, 20, 30, 40, "CRACK", "CRACK", score=0.75, key="d1")
SHA = "d" * 64


@pytest.fixture
def plant(store: Store) -> Store:
    """Lyon with net-1 in use, and a detector beside it."""
    site(store)
    store.detectors.add({"name": "det", "kind": "detector"}, "models/det", SHA)
    return store


def tried(store: Store, refusal: str = "", **more):
    given = {"detector": "det", "sha256": SHA, "against": "net-1", "split": "test"} | more
    return store.detectors.keep_trial(
        "Lyon", given["detector"], given["sha256"], given["against"], "first", given["split"], refusal, {"recall": 0.9}
    )


def in_force(store: Store) -> Store:
    tried(store)
    store.detectors.put_in_force("Lyon", "det", "finds more pits", now=START)
    return store


def test_a_detector_that_beats_the_heatmaps_draws_by_one_audited_act(plant: Store) -> None:
    dora = person(plant, "Dora", Role.DATA_SCIENTIST)
    kept = tried(dora)
    made = dora.detectors.put_in_force("Lyon", "det", "finds more pits", now=START)
    assert (made.detector, made.before, made.trial, made.by) == ("det", None, kept.id, "Dora")
    assert plant.detectors.in_force("Lyon").name == "det"
    (event,) = [one for one in plant.audit.recent(20, "Lyon") if one.action == "detector in force"]
    assert (event.by, event.reason, event.new) == ("Dora", "finds more pits", {"detector": "det", "trial": kept.id})


def test_one_that_does_not_is_refused_with_the_figures(plant: Store) -> None:
    tried(plant, "its recall of boxes, 41.0%, is not shown to be above the heatmap's, 40.0%.")
    with pytest.raises(GateFailed, match=r"41\.0%"):
        plant.detectors.put_in_force("Lyon", "det", "why not")
    assert plant.detectors.in_force("Lyon") is None


def test_the_latest_trial_counts(plant: Store) -> None:
    tried(plant)
    tried(plant, "it got worse.")
    with pytest.raises(GateFailed, match="it got worse"):
        plant.detectors.put_in_force("Lyon", "det", "it was good once")


def test_without_a_trial_against_what_is_in_use_nothing_is_put_in_force(plant: Store) -> None:
    with pytest.raises(GateFailed, match="not been tried"):
        plant.detectors.put_in_force("Lyon", "det", "looks good")
    plant.models.add({"name": "net-2"}, "/models/net-2", "2" * 64)
    tried(plant, against="net-2")
    with pytest.raises(GateFailed, match="net-1 is in use now"):
        plant.detectors.put_in_force("Lyon", "det", "looks good")
    tried(plant, split="val")
    with pytest.raises(GateFailed, match="val pictures"):
        plant.detectors.put_in_force("Lyon", "det", "looks good")


def test_one_that_needs_templates_cannot_draw_on_the_line(plant: Store) -> None:
    plant.detectors.add({"name": "pair", "template": True}, "models/pair", SHA)
    tried(plant, detector="pair")
    with pytest.raises(GateFailed, match="template"):
        plant.detectors.put_in_force("Lyon", "pair", "looks good")


def test_a_trial_of_other_weights_is_refused(plant: Store) -> None:
    with pytest.raises(Conflict, match="other weights"):
        tried(plant, sha256="e" * 64)


def test_a_detector_is_no_model_and_cannot_be_put_in_use(plant: Store) -> None:
    with pytest.raises(NotFound):
        plant.models.get("det")
    with pytest.raises(NotFound):
        plant.sites.set_model("Lyon", "det")


def test_stopping_brings_the_heatmaps_back_and_history_keeps_both(plant: Store) -> None:
    in_force(plant)
    with pytest.raises(Conflict, match="already"):
        plant.detectors.put_in_force("Lyon", "det", "again")
    plant.detectors.stop("Lyon", "it doubles boxes")
    assert plant.detectors.in_force("Lyon") is None
    assert [(one.detector, one.before) for one in plant.detectors.history("Lyon")] == [(None, "det"), ("det", None)]
    with pytest.raises(NotFound):
        plant.detectors.stop("Lyon", "again")


def test_every_act_needs_a_reason(plant: Store) -> None:
    tried(plant)
    with pytest.raises(BadInput):
        plant.detectors.put_in_force("Lyon", "det", " ")
    with pytest.raises(BadInput):
        plant.detectors.stop("Lyon", "")


def test_boxes_are_those_of_the_detector_in_force_and_of_no_other(plant: Store) -> None:
    [one] = file(plant, arrival(1))
    plant.detectors.add({"name": "other"}, "models/other", SHA)
    plant.detectors.keep([(one.image_id, DrawnBoxes("det", (BOX,), 12.0)), (one.image_id, DrawnBoxes("other"))])
    assert plant.detectors.boxes([one.image_id]) == {}
    in_force(plant)
    assert plant.detectors.boxes([one.image_id]) == {one.image_id: DrawnBoxes("det", (BOX,), 12.0)}
    plant.detectors.stop("Lyon", "enough")
    assert plant.detectors.boxes([one.image_id]) == {}


def test_boxes_that_are_there_stay_and_a_failure_may_be_mended(plant: Store) -> None:
    in_force(plant)
    [one] = file(plant, arrival(1))
    image = one.image_id
    assert plant.detectors.keep([(image, DrawnBoxes("det", error="out of memory"))]) == 1
    assert plant.detectors.boxes([image])[image].error == "out of memory"
    plant.detectors.keep([(image, DrawnBoxes("det", (BOX,)))])
    plant.detectors.keep([(image, DrawnBoxes("det", (), error="too late"))])
    assert plant.detectors.boxes([image])[image] == DrawnBoxes("det", (BOX,))


def test_boxes_never_move_a_decision(plant: Store) -> None:
    in_force(plant)
    [passed, held] = file(plant, arrival(1, 0.1), arrival(2, 0.5))
    plant.detectors.keep([(passed.image_id, DrawnBoxes("det", (BOX,))), (held.image_id, DrawnBoxes("det"))])
    assert plant.parts.decision(passed.part_id).outcome is Outcome.PASS
    assert plant.parts.decision(held.part_id).outcome is Outcome.HOLD


def test_an_inspector_neither_tries_nor_promotes(plant: Store) -> None:
    ines = person(plant, "Ines")
    with pytest.raises(NotAllowed):
        tried(ines)
    tried(plant)
    with pytest.raises(NotAllowed):
        ines.detectors.put_in_force("Lyon", "det", "I like it")
