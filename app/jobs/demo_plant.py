"""What is in force at the demo plant before its first part: sites, people, models, policies."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.jobs.line import SHIPPED
from core.audits.facts import Shares
from core.decide.requests import Matrix
from core.errors import NotFound
from core.roles import Actor, Role
from data.demo.plan import HISTORY_DAYS
from data.demo.plant import LINES, PEOPLE, SITES, SitePlan
from data.taxonomies import shipped

if TYPE_CHECKING:
    from data.store import Store


CALIBRATED = timedelta(days=180)  # until the demo models are to be looked at again


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
        _in_force(store, site, before)


def _in_force(store: "Store", site: SitePlan, before: datetime) -> None:
    known = {kind.name for kind in store.part_types.all(site.name)}
    for line in LINES:
        if line.site == site.name and line.part.name not in known:
            store.part_types.put(site.name, line.part, "as the line was set up", now=before)
    found = store.sites.get(site.name)
    if found.model is None:
        store.sites.set_model(site.name, site.model, "shipped with the demo plant", now=before)
    if site.band is None or store.policies.in_force(site.name) is not None:
        return
    leads = [person.name for person in PEOPLE if person.role is Role.QA_LEAD]
    proposer, approver = (store.acting_as(Actor(name)) for name in leads[:2])
    asked = proposer.requests.ask_calibration(
        site.name, _matrix(site), before + CALIBRATED, "as examined before it was shipped", now=before
    )
    approver.requests.agree(asked.number, "checked against the model's card", now=before)
    measured = _band_of(site)
    proposed = proposer.policies.propose(
        site.name,
        pass_below=measured["pass_below"],
        fail_above=measured["fail_above"],
        audit_pass=site.band.audit_pass,
        audit_fail=site.band.audit_fail,
        reason=f"{_figures(measured)} {site.band.reason}",
        now=before + timedelta(hours=1),
    )
    approver.policies.approve(
        site.name, proposed.number, "agreed at the weekly meeting", now=before + timedelta(hours=26)
    )
    checked = Shares(gold=0.05, second=0.10)
    approver.gold.set_shares(
        site.name, checked, "to know how far people agree and how well they see", now=before + timedelta(hours=27)
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
