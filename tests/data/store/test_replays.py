"""Parts of the last weeks as a replay takes them: decision, truth, and with what chance somebody looked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.decide.replay import replay
from core.errors import NotAllowed
from core.records import Outcome, Review, Verdict
from core.roles import Actor, Role
from data.store import Store
from tests.data.store.conftest import Clock
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def lyon(store: Store, clock: Clock) -> Store:
    """Three parts: one passed, one held, one failed; a fifth of passes and fails is audited, as chance has it all."""
    site(store)
    person(store, "Quentin", Role.QA_LEAD)
    made = store.acting_as(Actor("quality", system=True)).policies.propose(
        "Lyon", 0.3, 0.8, "audits", audit_pass=0.2, audit_fail=0.2
    )
    store.policies.approve("Lyon", made.number, "agreed")
    store = Store(replace(store.database, draw=lambda: 0.1), store.actor)
    file(store, arrival(1, 0.1, line="A"), arrival(2, 0.5, line="B"), arrival(3, 0.9))
    return store


def test_parts_come_with_decision_line_and_chance(lyon: Store, clock: Clock) -> None:
    person_store = person(lyon, "Ines")
    while (task := person_store.queue.lease()) is not None:
        answer(
            person_store,
            task,
            Verdict.FAIL if task.part_id != 1 else Verdict.PASS,
            classes=("CRACK",) * (task.part_id != 1),
        )
    found = {
        one.part_id: one for one in lyon.replays.parts("Lyon", clock.now - timedelta(days=7), clock.pass_(hours=1))
    }
    by_score = {one.score: one for one in found.values()}
    assert [by_score[score].was for score in (0.1, 0.5, 0.9)] == [Outcome.PASS, Outcome.HOLD, Outcome.FAIL]
    assert [by_score[score].lines for score in (0.1, 0.5, 0.9)] == [("A",), ("B",), (None,)]
    assert [by_score[score].probability for score in (0.1, 0.5, 0.9)] == [0.2, 1.0, 0.2]
    assert [by_score[score].audited for score in (0.1, 0.5, 0.9)] == [True, False, True]
    assert by_score[0.5].defective
    assert by_score[0.5].classes == {"CRACK"}


def test_unanswered_parts_have_no_truth_and_no_weight(lyon: Store, clock: Clock) -> None:
    found = lyon.replays.parts("Lyon", clock.now - timedelta(days=7), clock.pass_(hours=1))
    assert {(one.defective, one.probability) for one in found} == {(None, None)}


def test_what_only_an_import_says_has_a_truth_but_no_chance(lyon: Store, clock: Clock) -> None:
    image = lyon.images.find(site="Lyon")[0]
    lyon.reviews.imported("Lyon", [(image.id, Review(Verdict.FAIL, "import:test"))])
    found = {
        one.part_id: one for one in lyon.replays.parts("Lyon", clock.now - timedelta(days=7), clock.pass_(hours=1))
    }
    assert (found[image.part_id].defective, found[image.part_id].probability) == (True, None)


def test_only_the_time_that_was_asked_for(lyon: Store, clock: Clock) -> None:
    end = clock.pass_(days=10)
    file(lyon, arrival(4, 0.2))
    assert len(lyon.replays.parts("Lyon", end - timedelta(days=5), clock.pass_(hours=1))) == 1
    assert len(lyon.replays.parts("Lyon", end - timedelta(days=20), end)) == 3
    assert len(lyon.replays.parts("Lyon", end - timedelta(days=20), clock.now, most=2)) == 2


def test_the_policy_in_force_replays_to_what_was_decided(lyon: Store, clock: Clock) -> None:
    found = lyon.replays.parts("Lyon", clock.now - timedelta(days=7), clock.pass_(hours=1))
    policy = lyon.policies.in_force("Lyon")
    assert policy is not None
    assert replay(found, policy, lyon.policies.all_in_force("Lyon")).changed == ()


def test_an_inspector_may_not_ask(lyon: Store, clock: Clock) -> None:
    with pytest.raises(NotAllowed):
        person(lyon, "Ines").replays.parts("Lyon", clock.now)
