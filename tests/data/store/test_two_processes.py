"""Policy and pause are read in the transaction of each decision: the very next one in every process obeys."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection

import pytest

from core.decide.policy import Policy
from core.roles import Role
from data.store import Store, open_store
from tests.data.store.plant import arrival, file, person, site

SPAWN = multiprocessing.get_context("spawn")
LONGEST_S = 120


def _line(url: str, asked: Connection) -> None:
    """A process that files one part for each score it is asked for, with a store that it opened once."""
    store = open_store(url)
    number = 100
    while True:
        score = asked.recv()
        if score is None:
            break
        number += 1
        [filed] = file(store, arrival(number, score))
        found = store.parts.decision(filed.part_id)
        asked.send((str(found.outcome), found.policy, found.reasons[0].code))
    store.close()


@pytest.fixture
def other(store: Store, url: str) -> Iterator[Connection]:
    """Another process that files parts at Lyon when it is sent their score."""
    site(store)
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_line, args=(url, there))
    process.start()
    yield here
    here.send(None)
    process.join(LONGEST_S)
    assert process.exitcode == 0


def decided(other: Connection, score: float) -> tuple[str, int, str]:
    other.send(score)
    assert other.poll(LONGEST_S)
    return other.recv()


def test_another_process_obeys_from_its_very_next_decision_on(store: Store, other: Connection) -> None:
    lea, max_ = (person(store, name, Role.QA_LEAD) for name in ("lea", "max"))
    assert decided(other, 0.1) == ("PASS", 1, "pass")

    in_force = store.policies.in_force("Lyon")
    lea.policies.tighten(replace(in_force, pass_below=0.05), "a crack slipped through")
    assert decided(other, 0.1) == ("HOLD", 2, "band")

    back = lea.policies.rollback("Lyon", 1, "it was a drawing error")
    assert decided(other, 0.1) == ("HOLD", 2, "band")
    max_.policies.approve("Lyon", back.number, "checked the drawing")
    assert decided(other, 0.1) == ("PASS", 3, "pass")

    max_.sites.pause("Lyon", "lamp flickers")
    assert decided(other, 0.1) == ("HOLD", 3, "paused")
    asked = lea.requests.ask_resume("Lyon", "a new lamp")
    assert decided(other, 0.1) == ("HOLD", 3, "paused")
    max_.requests.agree(asked.number, "seen")
    assert decided(other, 0.1) == ("PASS", 3, "pass")

    lea.sites.set_calibrated("Lyon", False, "the camera was moved")
    assert decided(other, 0.1) == ("HOLD", 3, "not calibrated")


def test_a_policy_for_one_class_holds_in_another_process_too(store: Store, other: Connection) -> None:
    lea = person(store, "lea", Role.QA_LEAD)
    in_force: Policy = store.policies.in_force("Lyon")
    from core.decide.policy import ClassRule

    assert decided(other, 0.2) == ("PASS", 1, "pass")
    lea.policies.tighten(replace(in_force, classes={"CRACK": ClassRule(pass_below=0.1)}), "cracks are dangerous")
    assert decided(other, 0.2) == ("HOLD", 2, "class band")  # .2 × .75 is no crack risk below .1
