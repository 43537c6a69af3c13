"""Limits for claims are superseded, checks only grow."""

import pytest

from core.errors import BadInput, Conflict, NotFound
from core.roles import Role
from core.words.claims.limits import Limit, Limits
from data.store import Store
from tests.data.store.plant import arrival, file, person, site

LIMITS = Limits("net-1", all=(Limit("CRACK", False, 0.5, 0.05, 200, 2, 0.03, 200, 1, 0.02, 0.9),))


@pytest.fixture
def plant(store: Store) -> Store:
    site(store)
    file(store, arrival(1))
    return store


def test_the_last_limits_count_and_all_leave_a_trace(plant: Store) -> None:
    lea = person(plant, "lea", Role.QA_LEAD)
    assert plant.claims.limits("Lyon") is None
    first = lea.claims.set_limits("Lyon", LIMITS, "calibrated", seen=0)
    assert (first.number, first.by) == (1, "lea")
    kept = plant.claims.limits("Lyon")
    assert kept is not None
    assert kept.limits == LIMITS
    lea.claims.set_limits("Lyon", None, "the camera was moved", seen=1)
    kept = plant.claims.limits("Lyon")
    assert kept is not None
    assert (kept.number, kept.limits) == (2, None)
    events = [one for one in plant.audit.recent(site="Lyon") if one.action == "claim limits set"]
    assert [one.reason for one in events] == ["the camera was moved", "calibrated"]


def test_limits_that_somebody_set_in_between_are_not_overwritten(plant: Store) -> None:
    plant.claims.set_limits("Lyon", LIMITS, "calibrated", seen=0)
    with pytest.raises(Conflict):
        plant.claims.set_limits("Lyon", None, "off", seen=0)
    with pytest.raises(BadInput, match="reason"):
        plant.claims.set_limits("Lyon", LIMITS, " ")


def test_checks_are_kept_newest_first_with_an_audit_event_that_holds_no_text(plant: Store) -> None:
    ana = person(plant, "ana")
    first = ana.claims.keep(1, "complaint 7", {"rulings": {"confirmed": 1}, "sentences": [{"text": "torn"}]})
    second = ana.claims.keep(1, "description", {"rulings": {"struck": 2}})
    assert [one.id for one in plant.claims.of_part(1)] == [second, first]
    assert plant.claims.of_part(1)[1].document["sentences"] == [{"text": "torn"}]
    event = next(one for one in plant.audit.recent(site="Lyon") if one.action == "claims checked")
    assert "torn" not in str(event)
    with pytest.raises(NotFound):
        ana.claims.keep(99, "complaint 7", {})
    with pytest.raises(BadInput, match="subject"):
        ana.claims.keep(1, " ", {})
