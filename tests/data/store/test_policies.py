"""Policies and site settings: two people, numbered, read at the next decision."""

import pytest

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.pictures.quality import QualityLimits
from core.records import Outcome, Route
from core.roles import Role
from data.store import Store
from tests.data.store.plant import CLASSES, arrival, file, person


@pytest.fixture
def lea(store: Store) -> Store:
    store.sites.add("Lyon", CLASSES)
    store.sites.set_calibrated("Lyon")
    return person(store, "lea", Role.QA_LEAD)


@pytest.fixture
def max_(store: Store, lea: Store) -> Store:
    return person(store, "max", Role.QA_LEAD)


def test_a_policy_is_in_force_once_somebody_else_has_approved_it(store: Store, lea: Store, max_: Store, clock) -> None:
    limits = QualityLimits(sharpness=3)
    policy = lea.policies.propose(
        "Lyon", 0.2, 0.8, "first guess", minimum_confidence=0.9, novelty_limit=2.0, quality_limits=limits,
        audit_pass=0.05, audit_fail=0.1, fail_route=Route.DIVERT,
    )  # fmt: skip
    assert policy.number == 1
    assert lea.policies.in_force("Lyon") is None
    with pytest.raises(NotAllowed, match="somebody else"):
        lea.policies.approve("Lyon", 1, "fine")
    clock.pass_(hours=1)
    approved = max_.policies.approve("Lyon", 1, "checked")
    assert approved == store.policies.in_force("Lyon")
    assert (approved.approved_by, approved.approval, approved.approved_at) == ("max", "checked", clock.now)
    assert (approved.quality_limits, approved.fail_route, approved.novelty_limit) == (limits, Route.DIVERT, 2.0)


def test_the_policy_approved_last_decides_the_next_part(store: Store, lea: Store, max_: Store) -> None:
    lea.policies.propose("Lyon", 0.4, 0.8, "open")
    max_.policies.approve("Lyon", 1, "fine")
    [first] = file(store, arrival(1, 0.3))
    max_.policies.propose("Lyon", 0.2, 0.8, "stricter")
    [second] = file(store, arrival(2, 0.3))
    lea.policies.approve("Lyon", 2, "fine")
    [third] = file(store, arrival(3, 0.3))
    found = [store.parts.decision(one.part_id) for one in (first, second, third)]
    assert [(one.outcome, one.policy) for one in found] == [(Outcome.PASS, 1), (Outcome.PASS, 1), (Outcome.HOLD, 2)]
    assert [policy.number for policy in store.policies.history("Lyon")] == [2, 1]


def test_an_older_proposal_cannot_slip_in_behind_a_newer_policy(lea: Store, max_: Store) -> None:
    lea.policies.propose("Lyon", 0.4, 0.8, "open")
    lea.policies.propose("Lyon", 0.2, 0.8, "strict")
    max_.policies.approve("Lyon", 2, "fine")
    with pytest.raises(Conflict, match="propose this one again"):
        max_.policies.approve("Lyon", 1, "fine")
    with pytest.raises(Conflict, match="approved already"):
        max_.policies.approve("Lyon", 2, "fine")
    with pytest.raises(NotFound):
        max_.policies.approve("Lyon", 9, "fine")


def test_a_proposal_needs_a_reason_and_sense(lea: Store) -> None:
    with pytest.raises(BadInput):
        lea.policies.propose("Lyon", 0.4, 0.8, " ")
    with pytest.raises(BadInput):
        lea.policies.propose("Lyon", 0.8, 0.4, "upside down")


def test_another_model_is_not_calibrated(store: Store, lea: Store) -> None:
    store.models.add({"name": "net-2"}, "/m", "2" * 64)
    assert store.sites.get("Lyon").calibrated
    store.sites.set_model("Lyon", "net-2")
    assert store.sites.get("Lyon").model == "net-2"
    assert not store.sites.get("Lyon").calibrated
    with pytest.raises(NotFound):
        store.sites.set_model("Lyon", "net-9")


def test_every_setting_leaves_old_and_new_value(store: Store, lea: Store) -> None:
    lea.sites.pause("Lyon", "lamp flickers")
    event = store.audit.recent(site="Lyon")[0]
    assert (event.by, event.action, event.reason) == ("lea", "auto-PASS paused", "lamp flickers")
    assert (event.old, event.new) == ({"paused": None}, {"paused": "lamp flickers"})
    with pytest.raises(BadInput):
        lea.sites.pause("Lyon", " ")


def test_models_and_datasets_keep_their_names(store: Store) -> None:
    card = {"name": "net", "metrics": {"auroc": 0.9}}
    first = store.models.add(card, "/m/net", "a")
    assert store.models.add(card, "/m/net", "a") == first == store.models.get("net")
    with pytest.raises(Conflict):
        store.models.add(card, "/m/net", "b")
    first = store.datasets.add("set", {"items": [1]}, "a")
    assert store.datasets.add("set", {"items": [1]}, "a") == first == store.datasets.get("set")
    with pytest.raises(Conflict):
        store.datasets.add("set", {"items": [2]}, "b")
    with pytest.raises(NotFound, match="there are net"):
        store.models.get("other")


def test_a_site_that_is_not_there_is_named_with_those_that_are(store: Store, lea: Store) -> None:
    with pytest.raises(NotFound, match="the sites are Lyon"):
        store.sites.get("Lyons")
    with pytest.raises(Conflict):
        store.sites.add("Lyon")
    with pytest.raises(BadInput):
        store.sites.add("Oslo", timezone="Mars/Olympus")
