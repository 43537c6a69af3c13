"""A site's own reading of scores: two people put it in force, the very next decision obeys, and a broken one holds."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.decide.audit_steps import parse_steps
from core.decide.policy import Policy
from core.decide.requests import Matrix
from core.decide.score_map import ScoreMap
from core.errors import Conflict, NotAllowed
from core.learn.metrics import Counts
from core.records import Decision, Outcome, Verdict
from core.roles import Role
from data.store import Store
from data.tables import decisions, sites
from tests.data.store.plant import answer, arrival, file, person, site

LESS_SURE = ScoreMap("net-1", 1.0, 2.0)  # .1 means .45 here, which the policy holds
MATRIX = Matrix(Counts(90, 4, 6, 100), "net-1", "fitted anew", reading=LESS_SURE)


@pytest.fixture
def lea(store: Store) -> Store:
    site(store)
    return person(store, "lea", Role.QA_LEAD)


@pytest.fixture
def max_(store: Store, lea: Store) -> Store:
    return person(store, "max", Role.QA_LEAD)


def decided(store: Store, number: int, score: float = 0.1) -> Decision:
    [filed] = file(store, arrival(number, score))
    found = store.parts.decision(filed.part_id)
    assert found is not None
    return found


def put_in_force(lea: Store, max_: Store, clock: Any, matrix: Matrix = MATRIX) -> None:
    asked = lea.requests.ask_calibration("Lyon", matrix, clock() + timedelta(days=30), "labels say so")
    max_.requests.agree(asked.number, "seen")


def test_two_people_change_how_scores_are_read_and_the_next_decision_obeys(
    store: Store, lea: Store, max_: Store, clock: Any
) -> None:
    assert decided(store, 1).outcome is Outcome.PASS
    asked = lea.requests.ask_calibration("Lyon", MATRIX, clock() + timedelta(days=30), "labels say so")
    assert decided(store, 2).outcome is Outcome.PASS
    with pytest.raises(NotAllowed):
        lea.requests.agree(asked.number, "sure")
    max_.requests.agree(asked.number, "seen")
    found = decided(store, 3)
    assert found.outcome is Outcome.HOLD
    assert found.score == pytest.approx(LESS_SURE.read(0.1))
    assert store.sites.get("Lyon").score_map == LESS_SURE.to_json()
    event = store.audit.recent(site="Lyon", action="calibration confirmed")[0]
    assert event.new["score_map"] == LESS_SURE.to_json()
    assert event.new["asked_by"] == "lea"


def test_what_the_model_said_stays_as_it_was(store: Store, lea: Store, max_: Store, clock: Any) -> None:
    put_in_force(lea, max_, clock)
    found = decided(store, 1)
    [image] = store.images.of_part(found.part_id)
    said = store.images.prediction(image.id)
    assert said is not None
    assert said.score == 0.1
    evidence = store.parts.evidence(found.part_id)
    assert evidence.pictures[0].prediction is not None
    assert evidence.pictures[0].prediction.score == found.score


@pytest.mark.parametrize("broken", ["nonsense", {"model": "net-1", "slope": -1, "intercept": 0},
                                    {"model": "another", "slope": 1, "intercept": 0}])  # fmt: skip
def test_a_reading_that_cannot_be_understood_passes_nothing(store: Store, lea: Store, broken: Any) -> None:
    with store.database.transaction() as connection:
        connection.execute(sa.update(sites).values(score_map=broken))
    found = decided(store, 1)
    assert found.outcome is Outcome.HOLD
    assert "not calibrated" in {reason.code for reason in found.reasons}


def test_a_request_lapses_when_another_reading_has_come_into_force(
    store: Store, lea: Store, max_: Store, clock: Any
) -> None:
    asked = lea.requests.ask_calibration("Lyon", MATRIX, clock() + timedelta(days=30), "labels say so")
    with store.database.transaction() as connection:
        connection.execute(sa.update(sites).values(score_map=ScoreMap("net-1", 2.0, 0.0).to_json()))
    with pytest.raises(Conflict, match="no longer so"):
        max_.requests.agree(asked.number, "seen")


def test_another_models_reading_is_refused(lea: Store, clock: Any) -> None:
    other = Matrix(Counts(90, 4, 6, 100), "net-1", "fitted", reading=ScoreMap("older", 1.0, 1.0))
    with pytest.raises(Conflict, match="older"):
        lea.requests.ask_calibration("Lyon", other, clock() + timedelta(days=30), "why")


def test_confirming_what_is_measured_now_keeps_the_reading(store: Store, lea: Store, max_: Store, clock: Any) -> None:
    put_in_force(lea, max_, clock)
    ines = person(store, "ines")
    decided(store, 1)
    answer(ines, ines.queue.lease(), Verdict.PASS)
    matrix = lea.requests.matrix("Lyon")
    assert matrix is not None
    assert matrix.reading == LESS_SURE
    put_in_force(lea, max_, clock, matrix)
    assert store.sites.get("Lyon").score_map == LESS_SURE.to_json()
    put_in_force(lea, max_, clock, Matrix(Counts(90, 4, 6, 100), "net-1", "the model's own"))
    assert store.sites.get("Lyon").score_map is None
    assert decided(store, 2).outcome is Outcome.PASS


def test_past_parts_are_replayed_as_scores_are_read_now(store: Store, lea: Store, max_: Store, clock: Any) -> None:
    first = decided(store, 1)
    put_in_force(lea, max_, clock)
    [part] = lea.replays.parts("Lyon", clock() - timedelta(days=1), clock() + timedelta(days=1))
    assert part.part_id == first.part_id
    assert part.score == pytest.approx(LESS_SURE.read(0.1))
    assert part.was is Outcome.PASS


def test_a_part_is_drawn_with_the_share_of_its_score_which_is_written_down(store: Store, lea: Store) -> None:
    max_ = person(store, "max", Role.QA_LEAD)
    steps = parse_steps("pass .10-.30: 100%, fail .90-1: 50%")
    draft = Policy(0, "Lyon", 0.3, 0.8, audit_pass=0.05, audit_fail=0.2, audit_steps=steps)
    made = lea.policies.put_forward(draft, "look near the band")
    max_.policies.approve("Lyon", made.number, "agreed")
    assert lea.policies.in_force("Lyon").audit_steps == steps  # as it was proposed
    for number, score in enumerate((0.05, 0.15, 0.25, 0.85, 0.95), start=1):
        decided(store, number, score)
    with store.database.reading() as connection:
        rows = connection.execute(sa.select(decisions.c.score, decisions.c.audit_share, decisions.c.audited)
                                  .order_by(decisions.c.id)).all()  # fmt: skip
    assert [row.audit_share for row in rows] == [0.05, 1.0, 1.0, 0.2, 0.5]
    assert [row.audited for row in rows][1:3] == [True, True]


def test_the_planner_counts_with_the_one_share_that_would_tell_as_much(
    store: Store, lea: Store, max_: Store, clock: Any
) -> None:
    steps = parse_steps("pass .10-.30: 50%")
    draft = Policy(0, "Lyon", 0.3, 0.8, audit_pass=0.1, audit_fail=0.1, audit_steps=steps)
    max_.policies.approve("Lyon", lea.policies.put_forward(draft, "look near the band").number, "agreed")
    decided(store, 1, 0.05)
    decided(store, 2, 0.20)
    found = lea.auditing.facts("Lyon", clock() - timedelta(days=1), clock() + timedelta(days=1))
    assert found.pass_share == pytest.approx(0.25 / (0.05 / 0.1 + 0.20 / 0.5))
