"""What is in force at the demo plant before its first part: sites, people, models, policies."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import SHIPPED
from core.audits.facts import Shares
from core.decide.audit_steps import AuditStep
from core.decide.requests import Matrix
from core.errors import NotFound
from core.records import Outcome
from core.roles import Actor, Role
from core.watch.rules import RuleKind
from core.words.date_forms import Order
from core.words.expiry import Printing
from core.words.print_check import PrintRules
from data.demo.plan import HISTORY_DAYS, SHIFT_HOURS
from data.demo.plant import LINES, PEOPLE, SITES, SitePlan
from data.taxonomies import shipped

if TYPE_CHECKING:
    from data.store import Store


CALIBRATED = timedelta(days=180)  # until the demo models are to be looked at again
# While a model is new at a site, most of what it decides is looked at, and people's eyes are checked as often as can
# be: so there is something to see from the first day on. From today on as little as the policy of each site asks for.
NEW_AUDIT_PASS, NEW_AUDIT_FAIL = 0.6, 0.8
SLOWEST = 2.0  # parts a minute under which a line of the plant is too slow
NEAR_BAND = 0.3  # share of the passes whose score is over half of the band's edge
NEW_EYES, USUAL_EYES = Shares(gold=0.5, second=0.5), Shares(gold=0.05, second=0.10)
READ = {"carton": 30}  # part types whose dates are read from the last shift on, and how many days have to be left


def prepare(store: "Store", anchor: datetime) -> None:
    """Make whatever of it is missing; what is there stays as people have changed it since.

    Args:
        store: bound to a process of the plant.
        anchor: the plant's now; everything here happened some weeks before.
    """
    before = anchor - timedelta(days=HISTORY_DAYS + 3)
    _models(store, before)
    there = {site.name for site in store.sites.all()}
    for site in SITES:
        if site.name not in there:
            store.sites.add(site.name, shipped(site.taxonomy), site.timezone, now=before)
    _people(store, before)
    for site in SITES:
        _in_force(store, site, before, anchor)
        _pace(store, site, before)


def settled_at(anchor: datetime) -> datetime:
    """Between the weeks in which the models were new and today's shift."""
    return anchor - timedelta(hours=SHIFT_HOURS + 1)


def settle(store: "Store", anchor: datetime) -> None:
    """End the weeks in which much was audited: fewer from today on, and more of them near the band.

    Args:
        store: bound to a process of the plant.
        anchor: the plant's now.
    """
    when = settled_at(anchor)
    first, second = (store.acting_as(Actor(name)) for name in _leads())
    for site in SITES:
        policy = store.policies.in_force(site.name)
        if site.band is None or policy is None or policy.audit_pass != NEW_AUDIT_PASS:
            continue
        near = AuditStep(Outcome.PASS, round(policy.pass_below / 2, 2), round(policy.pass_below, 4), NEAR_BAND)
        draft = replace(policy, audit_pass=site.band.audit_pass, audit_fail=site.band.audit_fail, audit_steps=(near,))
        made = second.policies.put_forward(
            draft, f"{site.band.reason} Near the band every third: there the model is wrong most often.", now=when
        )
        first.policies.approve(site.name, made.number, "the first weeks' audits are enough to go on with", now=when)
        first.gold.set_shares(site.name, USUAL_EYES, "the first weeks have shown how well people see", now=when)
    for line in LINES:
        if line.part.name in READ and not any(one.part_type == line.part.name for one in store.prints.rules(line.site)):
            rules = PrintRules(Printing(Order.DAY), short_days=READ[line.part.name], identity=False)
            first.prints.set_rules(line.site, line.part.name, rules, "customers found goods past their date", now=when)


def _leads() -> list[str]:
    return [person.name for person in PEOPLE if person.role is Role.QA_LEAD][:2]


def _in_force(store: "Store", site: SitePlan, before: datetime, anchor: datetime) -> None:
    known = {kind.name for kind in store.part_types.all(site.name)}
    for line in LINES:
        if line.site == site.name and line.part.name not in known:
            store.part_types.put(site.name, line.part, "as the line was set up", now=before)
    found = store.sites.get(site.name)
    if found.model is None:
        store.sites.set_model(site.name, site.model, "shipped with the demo plant", now=before)
    if site.band is None or store.policies.in_force(site.name) is not None:
        return
    proposer, approver = (store.acting_as(Actor(name)) for name in _leads())
    until = settled_at(anchor) if site.calibration_lapsed else before + CALIBRATED
    asked = proposer.requests.ask_calibration(
        site.name, _matrix(site), until, "as examined before it was shipped", now=before
    )
    approver.requests.agree(asked.number, "checked against the model's card", now=before)
    measured = _band_of(site)
    proposed = proposer.policies.propose(
        site.name,
        pass_below=measured["pass_below"],
        fail_above=measured["fail_above"],
        audit_pass=NEW_AUDIT_PASS,
        audit_fail=NEW_AUDIT_FAIL,
        reason=f"{_figures(measured)} While the model is new here, most of what it decides is looked at.",
        now=before + timedelta(hours=1),
    )
    approver.policies.approve(
        site.name, proposed.number, "agreed at the weekly meeting", now=before + timedelta(hours=26)
    )
    approver.gold.set_shares(
        site.name, NEW_EYES, "to know how far people agree and how well they see", now=before + timedelta(hours=27)
    )


def _pace(store: "Store", site: SitePlan, before: datetime) -> None:
    """The plant's conveyors are slow ones: the rule that comes with Holdpoint would call every hour a standstill."""
    rule = store.alarms.rules(site.name)[RuleKind.THROUGHPUT]
    if rule.number:
        return
    first, second = (store.acting_as(Actor(name)) for name in _leads())
    made = first.alarms.set_rule(
        site.name, replace(rule, limit=SLOWEST), "24 parts a minute over four lines: the slowest one has about five",
        rule.number, before + timedelta(hours=28),
    )  # fmt: skip
    second.alarms.approve_rule(
        site.name, RuleKind.THROUGHPUT, made.number, "counted at the line", before + timedelta(hours=29)
    )


def _matrix(site: SitePlan) -> Matrix:
    """How the model fared on its examination set, as it stands on its card."""
    from core.learn.metrics import Counts
    from models.checkpoint import read_card

    found = read_card(SHIPPED / site.model).metrics["examination"]["at_threshold"]
    counts = Counts(*(int(found[cell]) for cell in ("tp", "fn", "fp", "tn")))
    return Matrix(counts, site.model, "the examination set on the model's card: drawn pictures that it had never seen")


def _band_of(site: SitePlan) -> Mapping[str, Any]:
    """What was measured for the site, as it stands on its model's card."""
    from models.checkpoint import read_card

    measured: Mapping[str, Any] = read_card(SHIPPED / site.model).metrics["bands"][site.name]
    return measured


def _figures(measured: Mapping[str, Any]) -> str:
    """Why this band, as a QA lead would write it."""
    rule, on = measured["rule"], measured["chosen_on"]
    return (
        f"At {rule['confidence']:.0%} confidence at most {rule['miss']:.0%} of the defective parts pass and "
        f"{rule['false_fail']:.0%} of the good ones fail: chosen on {on['defective']} defective and {on['good']} good "
        "drawn parts, see the model's card."
    )


def _people(store: "Store", before: datetime) -> None:
    """Demo people sign in without a password on loopback; the one they have is long, random and thrown away."""
    there = {person.name for person in store.people.all()}
    for person in PEOPLE:
        if person.name not in there:
            store.people.add(person.name, secrets.token_urlsafe(32), person.role, person.sites, demo=True, now=before)


def _models(store: "Store", before: datetime) -> None:
    from models.checkpoint import read_card

    for name in dict.fromkeys(site.model for site in SITES):
        try:
            store.models.get(name)
        except NotFound:
            card = read_card(SHIPPED / name)
            store.models.add(card.to_json(), str(SHIPPED / name), card.sha256, now=before)
