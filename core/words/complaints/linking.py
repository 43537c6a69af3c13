"""Which part a complaint is about: by numbers alone, never by what its text says, and never by a guess.

A customer's words could name any part, so they link nothing. The numbers that the sender's system wrote do, the
surest first: the part's own name, a tracking number that is printed on it, its order with the item, its order. A part
that came in only after the complaint cannot be it. Where several are left, a person chooses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.words.complaints.records import Told

WINDOW_DAYS = 400  # a part that came in longer before is not looked at
LEAST_TRACKING = 6  # characters; fewer are printed on too many labels
OFFERED = 12  # parts that a person chooses among


@dataclass(frozen=True)
class Candidate:
    """A part that some number of a complaint leads to.

    Attributes:
        first_at: when its first picture came in.
        printed: what is read on its labels, as letters and digits alone.
    """

    part_id: int
    name: str
    order: str
    part_type: str
    first_at: datetime
    printed: str = ""


@dataclass(frozen=True)
class Link:
    """What the rule says.

    Attributes:
        part_id: None where none or several are left.
        how: the rule that chose; empty where none did.
        why: in a sentence.
        candidates: those left, where there are several.
    """

    part_id: int | None
    how: str
    why: str
    candidates: tuple[int, ...] = ()


def link(told: Told, candidates: Sequence[Candidate], items: Mapping[str, str]) -> Link:
    """Find the part of a complaint.

    Args:
        told: its numbers.
        candidates: parts of its site that any of them leads to.
        items: part type by number of the catalogue, both as `folded`.
    """
    left = told.shipped_on or told.told_on
    here = [one for one in candidates if in_time(one, left)]
    late = len(here) < len(candidates)
    wanted_item = items.get(folded(told.item), folded(told.item))
    rules: Sequence[tuple[str, object, Callable[[Candidate], bool]]] = (
        ("part", told.part, lambda one: folded(one.name) == folded(told.part)),
        ("tracking number", _tracking(told), lambda one: _tracking(told) in (folded(one.name), *one.printed.split())),
        ("order and item", told.order and told.item,
         lambda one: folded(one.order) == folded(told.order) and folded(one.part_type) == wanted_item),
        ("order", told.order and not told.item, lambda one: folded(one.order) == folded(told.order)),
    )  # fmt: skip
    asked = False
    for how, given, fits in rules:
        if not given:
            continue
        asked = True
        found = [one for one in here if fits(one)]
        if len(found) == 1:
            return Link(found[0].part_id, how, f"The {how} leads to one part, {found[0].name}.")
        if found:
            ids = tuple(one.part_id for one in found[:OFFERED])
            return Link(None, "", f"The {how} leads to {len(found):,} parts: choose the one that is meant.", ids)
    if not asked:
        return Link(None, "", "It names no part, tracking number or order.")
    if late:
        return Link(None, "", f"Its numbers lead to parts from outside the {WINDOW_DAYS} days before {left} only.")
    return Link(None, "", "None of its numbers is known at this site.")


def in_time(one: Candidate, left: date) -> bool:
    """Whether a part can have left on a day; a day more allows for any time zone."""
    came = one.first_at.date()
    return left - timedelta(days=WINDOW_DAYS) <= came <= left + timedelta(days=1)


def folded(text: str) -> str:
    """A number as two systems agree on it: letters and digits alone."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _tracking(told: Told) -> str:
    found = folded(told.tracking)
    return found if len(found) >= LEAST_TRACKING else ""
