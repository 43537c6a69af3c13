"""The demo plant's notes: imported, labelled, checked by hand, and labelled anew after a change of the rules."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.jobs.words.notes import import_notes, label_notes
from core.roles import Actor, Role
from core.words.labelling.privacy import deidentified
from core.words.labelling.registry import LABELS, with_entry
from core.words.text import Span
from data.demo.notes import SITE, DemoNote, demo_notes
from data.demo.plant import PEOPLE

if TYPE_CHECKING:
    from data.store import Store

CHECKED = 40
SLIPS = 9  # one check in so many overlooks a label


def notes_of_the_plant(store: "Store", anchor: datetime, seed: int) -> None:
    """Make them where there are none.

    Args:
        store: bound to a process of the plant.
        anchor: the plant's now.
        seed: of everything random.
    """
    if store.notes.imports(SITE):
        return
    made = demo_notes(anchor, seed)
    when = anchor - timedelta(minutes=14)
    lines = "\n".join(json.dumps(_row(one), ensure_ascii=False) for one in made)
    import_notes(store, "handover-notes.jsonl", lines.encode(), SITE, now=when)
    label_notes(store, SITE, now=when)
    truth: dict[str, tuple[Span, ...]] = {}
    for one in made:
        kept = deidentified(one.sentence.text, {}, spans=_spans(one))
        truth[" ".join(kept.text.split())] = kept.spans
    inspectors = [
        person.name for person in PEOPLE
        if person.role is Role.INSPECTOR and (person.sites is None or SITE in person.sites)
    ]  # fmt: skip
    for at, note in enumerate(store.notes.to_check(SITE, CHECKED)):
        if note.text in truth:
            spans = truth[note.text]
            seen = spans[:-1] if at % SLIPS == SLIPS - 1 else spans
            by = store.acting_as(Actor(inspectors[at % len(inspectors)]))
            by.notes.check(note.id, seen, now=when + timedelta(seconds=20 * at))
    lead = store.acting_as(Actor(next(person.name for person in PEOPLE if person.role is Role.QA_LEAD)))
    rules = with_entry(lead.notes.rules(SITE).rules, "defect", "sink")
    lead.notes.set_rules(SITE, rules, "people write sink for sink marks", now=anchor - timedelta(minutes=1))
    label_notes(store, SITE, now=anchor)


def _row(one: DemoNote) -> dict[str, object]:
    row: dict[str, object] = {"id": one.sentence.id, "text": one.sentence.text, "at": one.said_at.isoformat(),
                              "cleared": one.cleared}  # fmt: skip
    if one.labelled:
        row["slots"] = [{"start": s.start, "end": s.end, "label": s.label} for s in _spans(one)]
    return row


def _spans(one: DemoNote) -> list[Span]:
    return [span for span in one.sentence.spans if span.label in LABELS]
