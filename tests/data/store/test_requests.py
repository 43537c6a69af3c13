"""What one person asks for and another agrees to: auto-PASS on again, and a calibration on a confusion matrix."""

from datetime import timedelta

import pytest

from core.decide.requests import Matrix, Wish
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn.metrics import Counts
from core.records import Outcome, Verdict
from core.roles import Role
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site

GOOD = Matrix(Counts(118, 9, 6, 127), "net-1", "the examination set")


@pytest.fixture
def lea(store: Store) -> Store:
    site(store)
    return person(store, "lea", Role.QA_LEAD)


@pytest.fixture
def max_(store: Store, lea: Store) -> Store:
    return person(store, "max", Role.QA_LEAD)


def passes(store: Store, number: int) -> bool:
    [filed] = file(store, arrival(number, 0.1))
    return store.parts.decision(filed.part_id).outcome is Outcome.PASS


def test_auto_pass_is_resumed_by_two_with_reasons(store: Store, lea: Store, max_: Store, clock) -> None:
    lea.sites.pause("Lyon", "lamp flickers")
    asked = lea.requests.ask_resume("Lyon", "a new lamp")
    assert not passes(store, 1)
    with pytest.raises(NotAllowed, match="somebody else has to agree"):
        lea.requests.agree(asked.number, "sure")
    with pytest.raises(BadInput, match="needs a reason"):
        max_.requests.agree(asked.number, " ")
    with pytest.raises(Conflict, match="lea has asked for that already"):
        max_.requests.ask_resume("Lyon", "me too")
    assert not passes(store, 2)
    done = max_.requests.agree(asked.number, "60 parts checked")
    assert (done.by, done.approved_by, done.approval) == ("lea", "max", "60 parts checked")
    assert passes(store, 3)
    event = store.audit.recent(site="Lyon", action="auto-PASS resumed")[0]
    assert (event.by, event.reason, event.new["asked_by"]) == ("max", "60 parts checked", "lea")
    assert event.old["paused"] == "lamp flickers"
    with pytest.raises(Conflict, match="has agreed"):
        max_.requests.agree(asked.number, "again")
    with pytest.raises(NotFound):
        max_.requests.agree(99, "why")


def test_a_request_is_about_one_pause_and_no_later_one(store: Store, lea: Store, max_: Store, clock) -> None:
    lea.sites.pause("Lyon", "lamp flickers")
    asked = lea.requests.ask_resume("Lyon", "a new lamp")
    assert [one.number for one in store.requests.waiting("Lyon")] == [asked.number]
    clock.pass_(minutes=5)
    max_.sites.pause("Lyon", "lamp flickers")  # once more, for the same reason
    assert store.requests.waiting("Lyon") == []
    with pytest.raises(Conflict, match="no longer so"):
        max_.requests.agree(asked.number, "fine")
    assert not passes(store, 1)
    assert lea.requests.ask_resume("Lyon", "really a new lamp").number > asked.number


def test_nothing_is_resumed_where_nothing_is_paused(lea: Store) -> None:
    with pytest.raises(Conflict, match="not paused"):
        lea.requests.ask_resume("Lyon", "why")
    lea.sites.pause("Lyon", "lamp flickers")
    with pytest.raises(BadInput):
        lea.requests.ask_resume("Lyon", " ")


def test_a_calibration_is_confirmed_by_two_on_a_confusion_matrix_until_a_day(
    store: Store, lea: Store, max_: Store, clock
) -> None:
    lea.sites.set_calibrated("Lyon", False, "the camera was moved")
    with pytest.raises(NotAllowed, match="confirmed by two"):
        lea.sites.set_calibrated("Lyon")
    asked = lea.requests.ask_calibration("Lyon", GOOD, clock.now + timedelta(days=90), "as examined")
    assert not passes(store, 1)
    max_.requests.agree(asked.number, "checked the list")
    assert passes(store, 2)
    assert store.sites.get("Lyon").calibrated_until == clock.now + timedelta(days=90)
    clock.pass_(days=89, hours=23)
    assert passes(store, 3)
    clock.pass_(hours=1)
    [filed] = file(store, arrival(4, 0.1))
    [reason] = store.parts.decision(filed.part_id).reasons
    assert reason.text == (
        "Auto-PASS is paused at this site: the calibration was to be looked at again by 31 May 2026."
    )
    [failed] = file(store, arrival(5, 0.95))
    assert store.parts.decision(failed.part_id).outcome is Outcome.FAIL


def test_a_calibration_is_of_the_model_in_use_and_ends_with_it(store: Store, lea: Store, max_: Store, clock) -> None:
    until = clock.now + timedelta(days=90)
    asked = lea.requests.ask_calibration("Lyon", GOOD, until, "as examined")
    store.models.add({"name": "net-2"}, "/models/net-2", "2" * 64)
    store.sites.set_model("Lyon", "net-2")
    with pytest.raises(Conflict, match="no longer so"):
        max_.requests.agree(asked.number, "fine")
    with pytest.raises(Conflict, match="net-2 is in use"):
        lea.requests.ask_calibration("Lyon", GOOD, until, "as examined")
    assert store.sites.get("Lyon").calibrated_until is None
    assert not passes(store, 1)


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_day_to_look_again_lies_ahead_and_within_a_year(lea: Store, clock, days: int) -> None:
    with pytest.raises(BadInput, match="within a year"):
        lea.requests.ask_calibration("Lyon", GOOD, clock.now + timedelta(days=days), "why")


def test_a_matrix_is_measured_on_the_labels_of_the_model_in_use(store: Store, lea: Store, clock) -> None:
    assert lea.requests.matrix("Lyon") is None
    ana = person(store, "ana")
    said = [(0.45, Verdict.FAIL), (0.5, Verdict.FAIL), (0.7, Verdict.PASS), (0.35, Verdict.PASS), (0.6, Verdict.REWORK)]
    for number, (score, verdict) in enumerate(said):
        file(store, arrival(number, score))
        answer(ana, ana.queue.lease(), verdict)
    found = lea.requests.matrix("Lyon")
    assert found.counts == Counts(2, 1, 1, 1)
    assert sum(one.n for one in found.bins) == 5
    assert "5 labelled pictures" in found.source
    clock.pass_(days=91)
    assert lea.requests.matrix("Lyon") is None


def test_history_keeps_who_asked_and_who_agreed(store: Store, lea: Store, max_: Store) -> None:
    lea.sites.pause("Lyon", "lamp flickers")
    asked = lea.requests.ask_resume("Lyon", "a new lamp")
    max_.requests.agree(asked.number, "seen")
    [found] = store.requests.history("Lyon")
    assert (found.wish, found.by, found.approved_by, found.content["paused"]) == (
        Wish.RESUME, "lea", "max", "lamp flickers",
    )  # fmt: skip
