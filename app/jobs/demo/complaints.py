"""The demo plant's complaints: taken in like any file's, partly answered, and one notice that waits for approval."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.jobs.words import complaint_figures
from app.jobs.words.complaints import Reader
from app.settings import Settings
from core.errors import Conflict
from core.roles import Actor, Role
from core.words.complaints.records import ActState
from data.demo.complaints import PARTS_OF_SELLER, DemoComplaint, demo_complaints
from data.demo.plan import HISTORY_DAYS, PlannedPart
from data.demo.plant import PEOPLE

if TYPE_CHECKING:
    from data.store import Store

_CONFIRMED_OF = 3  # one answered complaint in so many has its acts confirmed


def complaints_of_the_plant(
    store: "Store", settings: Settings, planned: Sequence[PlannedPart], anchor: datetime, seed: int
) -> None:
    """Make those that are missing; what people have done with the others stays.

    Args:
        store: bound to a process of the plant.
        settings: where the text model is.
        planned: the plant's parts.
        anchor: the plant's now.
        seed: of everything random.
    """
    lead = store.acting_as(Actor(next(person.name for person in PEOPLE if person.role is Role.QA_LEAD)))
    for site, told in demo_complaints(planned, _left(store, planned), anchor, seed).items():
        reader = Reader(settings, store.sites.get(site).taxonomy, [site])
        known = store.complaints.known(site, [one.told.reference for one in told])
        fresh = [one for one in told if one.told.reference not in known]
        kept = store.complaints.keep(site, reader.understood([one.told for one in fresh]), "file returns.csv", anchor)
        if not kept.new:
            continue
        store.complaint_counts.set_volumes(site, {("seller", name): n for name, n in PARTS_OF_SELLER.items()}, anchor)
        _answered(lead, site, {one.told.reference: one for one in fresh}, anchor)
        since = anchor.date() - timedelta(days=HISTORY_DAYS + 3)
        found = complaint_figures.patterns(store, site, since)
        if found.patterns:
            made = complaint_figures.draft(store, site, found.patterns[0], found, since)
            lead.complaint_notices.draft(site, made, anchor)


def _left(store: "Store", planned: Sequence[PlannedPart]) -> set[str]:
    """Parts of the past that passed, or that somebody let go."""
    by_id = {}
    for part in planned:
        if not part.today and (found := store.parts.find(part.line.site, part.name)) is not None:
            by_id[found.id] = part.name
    decided = store.parts.decisions(list(by_id))
    return {by_id[part_id] for part_id, one in decided.items() if one.outcome == "PASS"}


def _answered(lead: "Store", site: str, told: Mapping[str, DemoComplaint], anchor: datetime) -> None:
    """A QA lead has looked at some of them, and had something done about a few."""
    number = 0
    for one in reversed(lead.complaints.find(site, limit=len(told) + 1000)):
        drawn = told.get(one.told.reference)
        if drawn is None or drawn.sight is None or one.part_id is None or str(one.state) != "open":
            continue
        number += 1
        lead.complaints.answer(one.id, drawn.sight, now=anchor)
        if number % _CONFIRMED_OF == 0:
            for act in lead.complaints.acts(one.id)[:1]:
                if act.state is ActState.PROPOSED and act.kind != "notify":
                    try:
                        lead.complaints.confirm_act(act.id, "as agreed with the customer", anchor)
                    except Conflict:  # confirmed by an earlier run
                        continue
