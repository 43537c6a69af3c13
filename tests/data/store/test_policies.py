"""Policies and site settings: two people, numbered, read at the next decision."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.decide.attendance import Attendance, Rates, parse_hours
from core.decide.policy import ClassRule, Costs, Kind, Nobody, Optimum, Policy
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.pictures.quality import QualityLimits
from core.plant import PartType
from core.records import Outcome, Route, Severity
from core.roles import Role
from data import tables
from data.store import Store
from tests.data.store.plant import CLASSES, answer, arrival, file, person


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


# --- for lines, part types and classes ------------------------------------------------------------------------------


@pytest.fixture
def lined(store: Store, lea: Store, max_: Store) -> Store:
    """Lyon with lines A and B and the part type bolt, under a policy for the whole site: .3 and .8."""
    for line in ("A", "B"):
        store.sites.add_name("Lyon", "line", line)
    store.part_types.put("Lyon", PartType("bolt"))
    lea.policies.propose("Lyon", 0.3, 0.8, "open")
    max_.policies.approve("Lyon", 1, "fine")
    return lea


def decided(store: Store, *arrivals) -> tuple[Outcome, int | None]:
    [*_, filed] = file(store, *arrivals)
    found = store.parts.decision(filed.part_id)
    return found.outcome, found.policy


def test_a_line_or_part_type_goes_by_its_own_policy(store: Store, lined: Store, max_: Store) -> None:
    lined.policies.tighten(replace(lined.policies.in_force("Lyon"), line="A", pass_below=0.1), "an older lamp")
    made = lined.policies.propose("Lyon", 0.5, 0.8, "bolts are cheap", part_type="bolt")
    max_.policies.approve("Lyon", made.number, "fine")
    assert decided(store, arrival(1, 0.2, line="A")) == (Outcome.HOLD, 2)
    assert decided(store, arrival(2, 0.2, line="B")) == (Outcome.PASS, 1)
    assert decided(store, arrival(3, 0.2)) == (Outcome.PASS, 1)
    assert decided(store, arrival(4, 0.4, part_type="bolt")) == (Outcome.PASS, 3)
    assert decided(store, arrival(5, 0.4, part_type="bolt", line="A")) == (Outcome.PASS, 3)
    assert [one.scope for one in lined.policies.all_in_force("Lyon")] == ["the whole site", "line A", "part type bolt"]
    assert lined.policies.in_force("Lyon", line="A").number == 2


def test_a_renamed_line_keeps_its_policy(store: Store, lined: Store) -> None:
    lined.policies.tighten(replace(lined.policies.in_force("Lyon"), line="A", pass_below=0.1), "an older lamp")
    store.sites.rename("Lyon", "line", "A", "hall 2")
    assert decided(store, arrival(1, 0.2, line="hall 2")) == (Outcome.HOLD, 2)


def test_a_part_from_two_lines_is_decided_by_the_stricter_one(store: Store, lined: Store) -> None:
    lined.policies.tighten(replace(lined.policies.in_force("Lyon"), line="A", pass_below=0.1), "an older lamp")
    shots = [arrival(1, 0.2, line="B", part="p", view="top"), arrival(2, 0.2, line="A", part="p", view="side")]
    assert decided(store, *shots) == (Outcome.HOLD, 2)


def test_a_line_that_is_not_there_has_no_policy(lined: Store) -> None:
    with pytest.raises(NotFound, match="there are A, B"):
        lined.policies.propose("Lyon", 0.1, 0.9, "why", line="C")
    with pytest.raises(NotFound, match="bolt"):
        lined.policies.propose("Lyon", 0.1, 0.9, "why", part_type="nut")


def test_the_end_of_a_lines_policy_gives_the_line_back_to_the_sites(store: Store, lined: Store, max_: Store) -> None:
    strict = replace(lined.policies.in_force("Lyon"), line="A", pass_below=0.1)
    lined.policies.tighten(strict, "an older lamp")
    with pytest.raises(NotAllowed, match=r"passes below \.30, now below \.10"):
        lined.policies.tighten(replace(strict, ends=True), "a new lamp")
    made = lined.policies.put_forward(replace(strict, ends=True), "a new lamp")
    max_.policies.approve("Lyon", made.number, "seen")
    assert decided(store, arrival(1, 0.2, line="A")) == (Outcome.PASS, 1)


def test_everything_that_a_policy_says_is_kept(store: Store, lined: Store, max_: Store) -> None:
    draft = Policy(
        0, "Lyon", 0.25, 0.75, minimum_confidence=0.6, line="A", part_type="bolt",
        classes={"CRACK": ClassRule(0.1, 0.6, 0.4)},
        costs=Costs({Severity.MINOR: 5.0, Severity.CRITICAL: 2000.0}, {Severity.MINOR: 3.0}, 42.0),
        attendance=Attendance(parse_hours("Mon-Fri 22:00-06:00"), 2.0, 45.0, 200.0), when_nobody=Nobody.STOP,
        optimum=Optimum(0.2, 0.7, "412 labelled parts", 31.0, 35.0),
    )  # fmt: skip
    made = lined.policies.put_forward(draft, "cracks are dangerous")
    approved = max_.policies.approve("Lyon", made.number, "a fail costs a re-melt, so rather hold")
    found = store.policies.in_force("Lyon", "A", "bolt")
    assert found == approved
    wanted = replace(draft, number=2, proposed_by="lea", reason="cracks are dangerous", proposed_at=made.proposed_at,
                     approved_by="max", approval=approved.approval, approved_at=approved.approved_at,
                     optimum=replace(draft.optimum, why="a fail costs a re-melt, so rather hold"))  # fmt: skip
    assert found == wanted
    event = store.audit.recent(site="Lyon")[0]
    assert (event.action, event.new["optimum"]["pass_below"], event.new["classes"]["CRACK"]["fail_above"]) == (
        "policy approved", 0.2, 0.6,
    )  # fmt: skip


def test_an_approval_may_bring_the_optimum_and_says_nothing_where_it_was_chosen(lined: Store, max_: Store) -> None:
    lined.policies.propose("Lyon", 0.2, 0.7, "the optimum")
    best = Optimum(0.2, 0.7, "412 labelled parts")
    assert max_.policies.approve("Lyon", 2, "it is the optimum", optimum=best).optimum == best
    assert lined.policies.history("Lyon")[0].optimum == best


def test_every_region_over_its_classes_limit_is_reported_with_the_decision(store: Store, lined: Store) -> None:
    in_force = lined.policies.in_force("Lyon")
    lined.policies.tighten(replace(in_force, classes={"CRACK": ClassRule(report_above=0.05)}), "tell us of cracks")
    [filed] = file(store, arrival(1, 0.1))
    found = store.parts.decision(filed.part_id)
    assert (found.outcome, found.reasons[-1].text) == (
        Outcome.PASS, "1 region of CRACK above the report limit .05: .10.",
    )  # fmt: skip


def test_a_held_part_goes_where_the_policy_says_while_nobody_is_at_the_desk(
    store: Store, lined: Store, max_: Store, clock
) -> None:
    store.sites.set_timezone("Lyon", "Europe/Paris")
    desk = Attendance(parse_hours("Mon 06:00-11:00"))
    lined.policies.propose("Lyon", 0.3, 0.8, "a short day", attendance=desk, when_nobody=Nobody.STOP)
    max_.policies.approve("Lyon", 2, "fine")
    [filed] = file(store, arrival(1, 0.5))  # 10:00 in Lyon, on a Monday
    assert store.parts.decision(filed.part_id).route is Route.HOLD
    clock.pass_(hours=2)
    [filed] = file(store, arrival(2, 0.5))
    assert store.parts.decision(filed.part_id).route is Route.STOP
    assert store.outbox.pending()[-1].payload["route"] == "stop"


# --- who may do what alone, and who was second ----------------------------------------------------------------------


def test_one_person_alone_may_tighten_and_nothing_else(store: Store, lined: Store) -> None:
    in_force = lined.policies.in_force("Lyon")
    tight = lined.policies.tighten(replace(in_force, pass_below=0.2), "a crack slipped through")
    assert (tight.kind, tight.proposed_by, tight.approved_by) == (Kind.TIGHTENING, "lea", "lea")
    assert store.policies.in_force("Lyon") == tight
    assert decided(store, arrival(1, 0.25)) == (Outcome.HOLD, 2)
    event = store.audit.recent(site="Lyon", action="policy tightened")[0]
    assert (event.by, event.reason, event.old["pass_below"], event.new["pass_below"]) == (
        "lea", "a crack slipped through", 0.3, 0.2,
    )  # fmt: skip
    for loose in ({"pass_below": 0.25}, {"fail_above": 0.9}, {"minimum_confidence": 0.9}):
        with pytest.raises(NotAllowed, match="only tighten"):
            lined.policies.tighten(replace(tight, **loose), "too many held")
    with pytest.raises(BadInput, match="says the same already"):
        lined.policies.tighten(tight, "again")
    with pytest.raises(BadInput, match="needs a reason"):
        lined.policies.tighten(replace(tight, pass_below=0.1), " ")
    assert store.policies.in_force("Lyon") == tight


def test_without_any_policy_nobody_lets_parts_pass_alone(store: Store, lea: Store) -> None:
    with pytest.raises(NotAllowed, match="lets parts pass"):
        lea.policies.tighten(Policy(0, "Lyon", 0.1, 0.9), "go")
    assert lea.policies.tighten(Policy(0, "Lyon", 0.0, 0.9), "fail what is clear").approved


def test_a_rollback_takes_two_even_where_it_would_tighten(store: Store, lined: Store, max_: Store) -> None:
    lined.policies.propose("Lyon", 0.5, 0.8, "too many held")
    max_.policies.approve("Lyon", 2, "fine")
    back = lined.policies.rollback("Lyon", 1, "a crack slipped through")
    assert (back.number, back.kind, back.rolls_back_to, back.pass_below) == (3, Kind.ROLLBACK, 1, 0.3)
    assert store.policies.in_force("Lyon").number == 2
    with pytest.raises(NotAllowed, match="somebody else"):
        lined.policies.approve("Lyon", 3, "sure")
    max_.policies.approve("Lyon", 3, "agreed")
    assert decided(store, arrival(1, 0.4)) == (Outcome.HOLD, 3)
    with pytest.raises(BadInput, match="nothing to go back to"):
        lined.policies.rollback("Lyon", 3, "why")
    lined.policies.propose("Lyon", 0.6, 0.8, "no")
    with pytest.raises(BadInput, match="never in force"):
        lined.policies.rollback("Lyon", 4, "why")


def test_the_second_of_two_who_edit_at_once_is_told_and_nothing_is_overwritten(
    store: Store, lined: Store, max_: Store
) -> None:
    seen = lined.policies.version("Lyon")
    in_force = lined.policies.in_force("Lyon")
    lined.policies.tighten(replace(in_force, pass_below=0.2), "a crack", seen=seen)
    acts = [
        lambda: max_.policies.tighten(replace(in_force, fail_above=0.7), "clear ones", seen=seen),
        lambda: max_.policies.put_forward(replace(in_force, fail_above=0.9), "fewer fails", seen=seen),
        lambda: max_.policies.rollback("Lyon", 1, "back", seen=seen),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="Policy 2 was approved by lea since you began"):
            act()
    assert [one.number for one in store.policies.history("Lyon")] == [2, 1]
    proposed = max_.policies.put_forward(replace(in_force, fail_above=0.9), "why", seen=max_.policies.version("Lyon"))
    with pytest.raises(Conflict, match="Policy 3 was proposed by max since you began"):
        lined.policies.tighten(replace(in_force, pass_below=0.1), "why", seen=seen + 2)
    lined.policies.tighten(replace(store.policies.in_force("Lyon"), pass_below=0.1), "now", seen=seen + 3)
    with pytest.raises(Conflict, match="Policy 4 has come into force since"):
        lined.policies.approve("Lyon", proposed.number, "a loosening must not undo it")


def test_two_who_tighten_at_the_same_moment_are_put_in_order(store: Store, lined: Store, max_: Store) -> None:
    in_force, seen = lined.policies.in_force("Lyon"), lined.policies.version("Lyon")

    def tighten(pair: tuple[Store, float]) -> str:
        who, below = pair
        try:
            return str(who.policies.tighten(replace(in_force, pass_below=below), "why", seen=seen).number)
        except Conflict:
            return "told"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(tighten, [(lined, 0.2), (max_, 0.1)]))
    assert answers == ["2", "told"]
    assert len(store.policies.history("Lyon")) == 2


# --- what was approved before version 0006 --------------------------------------------------------------------------


def test_an_old_policys_minimum_confidence_goes_on_to_mean_the_band_that_it_meant(store: Store, lined: Store) -> None:
    with store.database.transaction() as connection:
        row = {"site_id": 1, "number": 2, "pass_below": 0.5, "fail_above": 0.5, "minimum_confidence": 0.8,
               "audit_pass": 0.0, "audit_fail": 0.0, "fail_route": "rework", "proposed_by": "lea", "reason": "80%",
               "proposed_at": store.database.clock()}  # fmt: skip
        number = connection.execute(sa.insert(tables.policies).values(row).returning(tables.policies.c.id)).scalar_one()
        connection.execute(
            sa.insert(tables.policy_approvals).values(
                policy_id=number, by="max", reason="fine", approved_at=store.database.clock()
            )
        )
    found = store.policies.in_force("Lyon")
    assert (found.band, found.minimum_confidence, found.classes, found.attendance) == ((0.2, 0.8), None, {}, None)
    assert [decided(store, arrival(number, score))[0] for number, score in enumerate((0.19, 0.3, 0.81), start=1)] == [
        Outcome.PASS, Outcome.HOLD, Outcome.FAIL,
    ]  # fmt: skip


def test_rates_are_measured_in_what_came_and_what_was_answered(store: Store, lined: Store, clock) -> None:
    ana = person(store, "ana")
    for hour in range(3):
        file(store, *(arrival(10 * hour + number, 0.5 if number < 2 else 0.1) for number in range(4)))
        for seconds in (20.0, 40.0):
            answer(ana, ana.queue.lease(), seconds=seconds)
        clock.pass_(hours=2)
    found = store.policies.rates("Lyon")
    assert (found.parts, found.hours, found.held, found.answers, found.seconds_per_part) == (12, 3, 6, 6, 30.0)
    assert (found.parts_per_hour, found.held_per_hour) == (4.0, 2.0)
    clock.pass_(days=40)
    assert store.policies.rates("Lyon") == Rates(28, 0, 0, 0, 0, None)
