"""Identity, quarantine, decisions and tasks of what is filed."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from numpy.testing import assert_array_equal

from core.errors import BadInput, QuarantineReason
from core.plant import Arrival, PartState, PartType
from core.records import Capture, Exposure, Grid, ImageState, Outcome, Prediction, Route, TaskKind, Verdict
from core.roles import Actor
from data import tables
from data.store import Store
from tests.data.store.plant import GOOD_QUALITY, answer, arrival, file, person, site


def test_a_picture_keeps_everything_that_was_known_of_it(store: Store, clock) -> None:
    site(store)
    capture = Capture(
        "inbox/7.png", "P-7", "O-1", "mill 3", "line B", "cam 2", "final", "top", "bracket",
        clock.now - timedelta(milliseconds=1500), Exposure(200, 2.8, 0.004),
    )  # fmt: skip
    cells = np.arange(12, dtype=np.uint8).reshape(3, 4)
    tiles = np.array([[0, 0, 256, 256, 0.25]], np.float32)
    said = Prediction(
        "net-1", 0.5, {"CRACK": 1.0}, novelty=0.5, heatmap=Grid(cells), where=Grid(cells + 1), tiles=tiles
    )
    [filed] = file(store, Arrival(capture, "/plant/7.png", "7" * 64, 640, 480, GOOD_QUALITY, said))
    image = store.images.get(filed.image_id)
    assert (image.capture, image.path, image.sha256) == (capture, "/plant/7.png", "7" * 64)
    assert (image.quality, image.arrived_at, image.width, image.height) == (GOOD_QUALITY, clock.now, 640, 480)
    found = store.images.prediction(image.id)
    assert_array_equal(found.heatmap.values, cells)
    assert_array_equal(found.where.values, cells + 1)
    assert_array_equal(found.tiles, tiles)
    assert (found.score, found.class_scores, found.novelty) == (0.5, {"CRACK": 1.0}, 0.5)


@pytest.mark.parametrize(
    ("score", "outcome", "route"),
    [(0.1, Outcome.PASS, Route.SHIP), (0.5, Outcome.HOLD, Route.HOLD), (0.9, Outcome.FAIL, Route.REWORK)],
)
def test_a_complete_part_is_decided_with_its_event_in_one_go(store: Store, score, outcome, route) -> None:
    site(store)
    [filed] = file(store, arrival(1, score))
    decision = store.parts.decision(filed.part_id)
    assert (decision.outcome, decision.route, decision.policy, decision.number) == (outcome, route, 1, 1)
    assert store.queue.counts().kinds == ({"triage": 1} if outcome is Outcome.HOLD else {})
    [event] = store.outbox.pending()
    assert event.payload["route"] == route
    assert store.audit.recent(subject=f"part {filed.part_id}")[0].action == "decided"


def test_a_site_without_policy_passes_nothing(store: Store) -> None:
    store.sites.add("Lyon")
    [filed] = file(store, arrival(1, 0.01))
    decision = store.parts.decision(filed.part_id)
    assert decision.outcome is Outcome.HOLD
    assert {reason.code for reason in decision.reasons} == {"no policy", "not calibrated"}


def test_a_pause_holds_the_very_next_part(store: Store) -> None:
    site(store)
    store.sites.pause("Lyon", "lamp flickers")
    [filed] = file(store, arrival(1, 0.01))
    assert store.parts.decision(filed.part_id).reasons[0].code == "paused"
    asked = store.acting_as(Actor("ana", system=True)).requests.ask_resume("Lyon", "the lamp is new")
    store.requests.agree(asked.number, "seen")
    [filed] = file(store, arrival(2, 0.01))
    assert store.parts.decision(filed.part_id).outcome is Outcome.PASS


def test_the_same_bytes_from_the_same_place_are_known(store: Store) -> None:
    site(store)
    [first] = file(store, arrival(1))
    [again] = file(store, arrival(1))
    assert (again.outcome, again.image_id) == ("known", first.image_id)
    assert store.images.count() == 1
    assert store.arrivals.known("Lyon", [("inbox/1.png", f"{1:064x}"), ("inbox/1.png", "0" * 64)]) == {
        ("inbox/1.png", f"{1:064x}"): first.image_id
    }
    assert len(store.parts.history(first.part_id)) == 1


def test_the_same_bytes_from_another_capture_hold_their_part(store: Store) -> None:
    site(store)
    [first] = file(store, arrival(1, 0.1))
    [second] = file(store, arrival(2, 0.1, sha256=f"{1:064x}"))
    assert store.images.get(second.image_id).same_as == first.image_id
    decision = store.parts.decision(second.part_id)
    assert decision.outcome is Outcome.HOLD
    assert f"same picture as image {first.image_id}" in decision.reasons[0].text


def test_a_frozen_camera_within_one_batch_is_seen_too(store: Store) -> None:
    site(store)
    filed = file(store, *(arrival(n, 0.1, sha256="f" * 64) for n in range(3)))
    assert [store.images.get(one.image_id).same_as for one in filed] == [None, filed[0].image_id, filed[0].image_id]
    assert [store.parts.decision(one.part_id).outcome for one in filed] == ["PASS", "HOLD", "HOLD"]


def test_one_record_twice_in_a_batch_makes_one_image(store: Store) -> None:
    site(store)
    first, second = file(store, arrival(1), arrival(1))
    assert (second.outcome, second.image_id, second.part_id) == ("known", first.image_id, first.part_id)
    assert store.images.count() == 1


def test_other_bytes_in_a_known_place_make_the_old_image_changed_evidence(store: Store) -> None:
    site(store)
    [old] = file(store, arrival(1, 0.1))
    assert store.parts.decision(old.part_id).outcome is Outcome.PASS
    [new] = file(store, arrival(1, 0.1, sha256="e" * 64))
    assert new.image_id != old.image_id
    assert store.images.get(old.image_id).state is ImageState.CHANGED
    decision = store.parts.decision(old.part_id)
    assert (decision.number, decision.outcome) == (2, Outcome.HOLD)
    assert any("evidence changed" in reason.text for reason in decision.reasons)


def test_a_broken_picture_is_kept_with_its_reason_and_holds_its_part(store: Store) -> None:
    site(store)
    broken = replace(
        arrival(1, None), state=ImageState.QUARANTINED, state_note="half a file", width=0, height=0, quality=None,
        reason=QuarantineReason.TRUNCATED,
    )  # fmt: skip
    bad, good = file(store, broken, arrival(2, 0.1))
    assert (bad.outcome, bad.reason, good.outcome) == ("quarantined", "truncated", "image")
    assert store.quarantine.counts("Lyon") == {"truncated": 1}
    decision = store.parts.decision(bad.part_id)
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, "unreadable")
    assert store.parts.decision(good.part_id).outcome is Outcome.PASS


def test_a_bad_record_loses_only_itself(store: Store, clock) -> None:
    site(store)
    naive = arrival(1, taken_at=clock.now.replace(tzinfo=None))
    filed = file(
        store, naive, arrival(2, part="x" * 5000), arrival(3, source="  "), arrival(4, part="a\0b"), arrival(5, 0.1)
    )
    assert [one.outcome for one in filed] == ["quarantined"] * 4 + ["image"]
    assert all(one.reason.startswith("bad record") for one in filed[:4])


def test_a_model_that_answers_nonsense_holds(store: Store) -> None:
    site(store)
    for number, score in enumerate([float("nan"), float("inf"), -0.1, 1.1]):
        [filed] = file(store, arrival(number, score))
        decision = store.parts.decision(filed.part_id)
        assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, "model error")
        assert store.images.prediction(filed.image_id) is None


def test_a_site_that_needs_ids_quarantines_what_has_none(store: Store) -> None:
    site(store, requires_ids=True)
    known, unknown = file(store, arrival(1, 0.1), arrival(2, 0.1, part="inbox/2.png"))
    assert known.outcome == "image"
    assert (unknown.outcome, unknown.reason) == ("quarantined", "no known id")
    assert store.parts.decision(unknown.part_id).outcome is Outcome.HOLD
    store.quarantine.restore(unknown.image_id)
    assert store.images.get(unknown.image_id).state is ImageState.OK
    assert store.parts.decision(unknown.part_id).outcome is Outcome.HOLD  # only a review loosens


def test_a_part_waits_for_its_views_and_then_has_one_decision(store: Store) -> None:
    site(store)
    store.part_types.put("Lyon", PartType("bracket", views=("top", "side"), time_out_s=30))
    [top] = file(store, arrival(1, 0.1, part="P", view="top", part_type="bracket"))
    assert store.parts.decision(top.part_id) is None
    assert store.parts.get(top.part_id).state is PartState.OPEN
    [side] = file(store, arrival(2, 0.2, part="P", view="side", part_type="bracket"))
    decision = store.parts.decision(side.part_id)
    assert (decision.outcome, decision.score, decision.number) == (Outcome.PASS, 0.2, 1)


@pytest.mark.parametrize(("exposures", "score"), [(False, 0.5), (True, 0.1)])
def test_unnamed_pictures_are_averaged_only_where_the_part_type_says_they_are_exposures(
    store: Store, exposures: bool, score: float
) -> None:
    site(store)
    store.part_types.put("Lyon", PartType("tile", exposures=exposures))
    assert store.part_types.get("Lyon", "tile").exposures is exposures
    filed = file(store, *(arrival(i, s, part="P", part_type="tile") for i, s in enumerate((0.5, 0.1, 1 / 82))))
    decision = store.parts.decision(filed[0].part_id)
    assert decision.score == pytest.approx(score)  # odds of 1, 1/9 and 1/81
    assert decision.outcome is (Outcome.PASS if exposures else Outcome.HOLD)


def test_a_view_that_does_not_come_in_time_is_hold(store: Store, clock) -> None:
    site(store)
    store.part_types.put("Lyon", PartType("bracket", views=("top", "side"), time_out_s=30))
    [top] = file(store, arrival(1, 0.1, part="P", view="top", part_type="bracket"))
    assert store.parts.close_due(clock.pass_(seconds=29)) == []
    [decision] = store.parts.close_due(clock.pass_(seconds=1))
    assert (decision.part_id, decision.outcome, decision.reasons[0].code) == (top.part_id, Outcome.HOLD, "missing view")
    assert store.parts.close_due(clock.pass_(seconds=60)) == []


def test_a_late_view_never_loosens_without_a_review(store: Store, clock) -> None:
    site(store)
    ana = person(store, "ana")
    [first] = file(store, arrival(1, 0.5, part="P", view="top"))
    file(store, arrival(2, 0.01, part="P", view="top"))  # two exposures together would pass
    decision = store.parts.decision(first.part_id)
    assert (decision.number, decision.outcome, decision.reasons[0].code) == (2, Outcome.HOLD, "kept")
    assert store.queue.counts().kinds == {"triage": 1}
    answer(ana, ana.queue.lease(), Verdict.PASS)
    clock.pass_(minutes=1)
    file(store, arrival(3, 0.01, part="P", view="top"))
    assert store.parts.decision(first.part_id).outcome is Outcome.PASS


def test_a_review_that_fails_a_part_does_not_let_a_late_view_pass_it(store: Store, clock) -> None:
    site(store)
    ana = person(store, "ana")
    [first] = file(store, arrival(1, 0.5, part="P", view="top"))
    answer(ana, ana.queue.lease(), Verdict.FAIL)
    clock.pass_(minutes=1)
    file(store, arrival(2, 0.01, part="P", view="top"))
    assert store.parts.decision(first.part_id).outcome is Outcome.HOLD


def test_a_known_picture_that_could_not_be_scored_before_is_scored_now(store: Store) -> None:
    site(store)
    [filed] = file(store, replace(arrival(1, None), error="out of memory"))
    assert store.parts.decision(filed.part_id).reasons[0].code == "model error"
    [again] = file(store, arrival(1, 0.9))
    assert (again.outcome, again.image_id) == ("known", filed.image_id)
    assert store.images.prediction(filed.image_id).score == 0.9
    assert store.parts.decision(filed.part_id).outcome is Outcome.FAIL


def test_a_vanished_file_holds_and_its_return_does_not_loosen(store: Store) -> None:
    site(store)
    [filed] = file(store, arrival(1, 0.1))
    store.images.set_state(filed.image_id, ImageState.MISSING, "not at its path")
    assert store.parts.decision(filed.part_id).outcome is Outcome.HOLD
    file(store, arrival(1, 0.1))
    assert store.images.get(filed.image_id).state is ImageState.OK
    assert store.parts.decision(filed.part_id).outcome is Outcome.HOLD


def test_an_audited_share_of_passes_is_queued_with_its_probability(store: Store) -> None:
    site(store)
    other = store.acting_as(Actor("quality", system=True))
    other.policies.propose("Lyon", 0.3, 0.8, "watch escapes", audit_pass=0.25)
    store.policies.approve("Lyon", 2, "yes")
    draws = iter([0.1, 0.9])
    object.__setattr__(store.database, "draw", lambda: next(draws))
    file(store, arrival(1, 0.1), arrival(2, 0.1))
    assert store.queue.counts().kinds == {str(TaskKind.AUDIT): 1}
    with store.database.reading() as connection:
        rows = connection.execute(sa.select(tables.decisions.c.audit_share, tables.decisions.c.audited)).all()
    assert [tuple(row) for row in rows] == [(0.25, True), (0.25, False)]


def test_nothing_of_a_batch_stays_when_it_fails_half_way(store: Store, monkeypatch) -> None:
    site(store)

    def broken(*_: object, **__: object) -> None:
        raise BadInput("the disk is full")

    monkeypatch.setattr("data.store.line.arrivals.decide_parts", broken)
    with pytest.raises(BadInput):
        file(store, arrival(1), arrival(2))
    assert store.images.count() == 0
    assert store.outbox.pending() == []


def test_an_import_decides_nothing(store: Store) -> None:
    site(store)
    [filed] = store.arrivals.file("Lyon", [arrival(1)], close_parts=False)
    assert store.parts.decision(filed.part_id) is None
    assert store.queue.counts().waiting == 0


def test_an_imported_part_waits_for_no_view_and_is_never_held_by_the_clock(store, clock):
    site(store)
    store.part_types.put("Lyon", PartType("bracket", views=("top", "side"), time_out_s=30))
    one = arrival(1, None, part_type="bracket", view="top")
    store.arrivals.file("Lyon", [one], close_parts=False, now=clock())
    assert store.parts.close_due(clock.pass_(seconds=3600)) == []
