"""From decisions, drawn parts and answers to what the estimates are made of."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.audits.facts import Shares
from core.errors import NotAllowed
from core.records import Outcome, TaskKind, Verdict
from core.roles import Actor, Role
from data.store import Store
from tests.data.store.conftest import Clock
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def draws() -> list[float]:
    """What chance says from now on."""
    return [0.99]


@pytest.fixture
def store(store: Store, draws: list[float]) -> Store:
    return Store(replace(store.database, draw=lambda: draws[-1]), store.actor)


@pytest.fixture
def lead(store: Store) -> Store:
    """A site that audits a quarter of its passes and half of its fails."""
    site(store)
    lead = person(store, "quentin", Role.QA_LEAD)
    proposed = store.acting_as(Actor("quality", system=True)).policies.propose(
        "Lyon", 0.3, 0.8, "as agreed", audit_pass=0.25, audit_fail=0.5
    )
    lead.policies.approve("Lyon", proposed.number, "as agreed")
    return lead


@pytest.fixture
def ana(store: Store, lead: Store) -> Store:
    return person(store, "ana")


def clear(*people: Store, verdict=lambda score: Verdict.PASS) -> None:
    """Everybody answers whatever they are given."""
    for who in people:
        while (task := who.queue.lease()) is not None:
            answer(who, task, verdict(who.parts.decision(task.part_id).score))


def test_each_part_stands_in_its_stratum_with_the_probability_it_was_drawn_with(
    store: Store, lead: Store, ana: Store, draws: list[float], clock: Clock
) -> None:
    start = clock.now
    file(store, arrival(1, 0.1), arrival(2, 0.1), arrival(3, 0.5), arrival(4, 0.9), arrival(5, 0.25, line="B"))
    draws.append(0.2)  # below both shares: drawn
    file(store, arrival(6, 0.1), arrival(7, 0.9))
    clear(ana, verdict=lambda score: Verdict.FAIL if score > 0.4 else Verdict.PASS)
    facts = lead.auditing.facts("Lyon", start, clock.pass_(hours=1))
    assert {(cell.outcome, cell.parts) for cell in facts.cells} == {
        (Outcome.PASS, 3), (Outcome.PASS, 1), (Outcome.HOLD, 1), (Outcome.FAIL, 2),
    }  # fmt: skip
    assert sum(cell.scores for cell in facts.cells) == pytest.approx(0.1 * 3 + 0.5 + 0.9 * 2 + 0.25)
    assert {(look.outcome, look.share, look.defective) for look in facts.first} == {
        (Outcome.HOLD, 1.0, True), (Outcome.PASS, 0.25, False), (Outcome.FAIL, 0.5, True),
    }  # fmt: skip
    assert facts.first == facts.settled
    assert facts.waiting == {}
    assert facts.pass_share == 0.25


def test_what_still_waits_is_counted_and_stands_for_nothing(
    store: Store, lead: Store, ana: Store, draws: list[float], clock: Clock
) -> None:
    start = clock.now
    draws.append(0.2)
    file(store, arrival(1, 0.1), arrival(2, 0.5))
    answer(ana, ana.queue.lease(kinds=[TaskKind.AUDIT]), Verdict.UNSURE)
    facts = lead.auditing.facts("Lyon", start, clock.pass_(hours=1))
    assert facts.waiting == {"PASS": 1, "HOLD": 1}
    assert facts.first == ()


def test_the_first_answer_and_the_settled_one_are_told_apart(
    store: Store, lead: Store, ana: Store, draws: list[float], clock: Clock
) -> None:
    start = clock.now
    lead.gold.set_shares("Lyon", Shares(second=0.3), "agreement")
    draws.append(0.2)
    file(store, arrival(1, 0.1))
    ben, eve = person(store, "ben"), person(store, "eve")
    for who, verdict in ((ana, Verdict.FAIL), (ben, Verdict.PASS), (eve, Verdict.PASS)):
        answer(who, who.queue.lease(), verdict)
    facts = lead.auditing.facts("Lyon", start, clock.pass_(hours=1))
    assert [look.defective for look in facts.first] == [True]
    assert [look.defective for look in facts.settled] == [False]
    said = lead.auditing.said("Lyon")
    assert [(one.by, one.defective, one.known) for one in said] == [
        ("ana", True, None), ("ben", False, None), ("eve", False, None),
    ]  # fmt: skip


def test_answers_to_gold_items_tell_of_eyes_and_not_of_parts(
    store: Store, lead: Store, ana: Store, draws: list[float], clock: Clock
) -> None:
    start = clock.now
    [bad, good] = file(store, arrival(1, 0.95), arrival(2, 0.9))
    lead.gold.add(bad.part_id, True, "measured", ["BURR"])
    lead.gold.add(good.part_id, False, "measured")
    lead.gold.set_shares("Lyon", Shares(gold=0.5), "eyes")
    draws.append(0.6)  # under .5 / .5, over the share of fails
    file(store, arrival(3, 0.5), arrival(4, 0.5))
    while (task := ana.queue.lease(kinds=[TaskKind.GOLD])) is not None:
        answer(ana, task, Verdict.FAIL)
    facts = lead.auditing.facts("Lyon", start, clock.pass_(hours=1))
    assert (facts.eyes.seen, facts.eyes.defective, facts.eyes.cleared, facts.eyes.good) == (1, 1, 0, 1)
    assert facts.first == ()
    said = lead.auditing.said("Lyon")
    assert {(one.part_id, one.known, one.known_classes) for one in said} == {
        (bad.part_id, True, ("BURR",)), (good.part_id, False, ()),
    }  # fmt: skip
    [item] = [one for one in lead.gold.items("Lyon") if not one.defective]
    lead.gold.retire(item.id, "it was not good at all")
    assert lead.auditing.facts("Lyon", start, clock.now).eyes.good == 0
    assert {one.part_id for one in lead.auditing.said("Lyon")} == {bad.part_id}


def test_only_the_decision_in_force_and_only_the_time_that_was_asked_count(
    store: Store, lead: Store, ana: Store, clock: Clock
) -> None:
    start = clock.now
    file(store, arrival(1, 0.1))
    later = clock.pass_(days=2)
    file(store, arrival(2, 0.5, part="part-1"), arrival(3, 0.1))
    facts = lead.auditing.facts("Lyon", later, clock.pass_(days=1))
    assert {(cell.outcome, cell.parts) for cell in facts.cells} == {(Outcome.HOLD, 1), (Outcome.PASS, 1)}
    assert facts.days == 1
    early = lead.auditing.facts("Lyon", start, later - timedelta(hours=1))
    assert early.cells == ()  # what was decided then has been superseded since


def test_nobody_learns_of_answers_who_does_not_answer_for_the_policy(store: Store, lead: Store, ana: Store) -> None:
    with pytest.raises(NotAllowed):
        ana.auditing.said("Lyon")
    with pytest.raises(NotAllowed):
        person(store, "dora", Role.DATA_SCIENTIST).auditing.facts("Lyon", store.database.clock())
