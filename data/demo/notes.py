"""The demo plant's notes: drawn from the grammar, with names in doubt, small talk, and text without clearance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.words.text import Sentence, marked
from data.words.study import draw

SITE = "Lyon"
DAYS = 21
DRAWN, LABELLED = 260, 60  # notes; so many of them come with their labels
UNCLEARED = 0.06
_WRITTEN = (
    "[Jordan](employee) takes [the night shift](schedule) on [line 2](line) [this week](time)",
    "put the [Jordan](brand) [boxes](product) back into the cart, [two](quantity) of them are wet",
    "ask [Chase](employee) about the schedule of [the morning crew](schedule)",
    "the cart with [Legos](brand) has [a torn box](defect) again at [dock 3](location)",
    "Harper again on [line 4](line) [today](time)",
    "[scratches](defect) on the Parker from [station 7](location)",
    "[Amber](employee) covers [the late shift](schedule) at [station 4](location)",
    "order of [Duplo](brand) sets: [three](quantity) cartons with [crushed corners](defect)",
    "the coffee machine is empty",
    "happy birthday to all of us",
    "does anybody have a charger",
    "2026-11-02 03:12:44 INFO conveyor heartbeat ok seq=88172",
)
_NEW = (
    "[glimmerfoil](product) came loose on [line 3](line)", "glimmerfoil again with [bubbles](defect) on [line 3](line)",
    "more [wrinkles](defect) in the glimmerfoil [today](time)",
    "[two](quantity) rolls of glimmerfoil are [torn](defect)",
    "check the glimmerfoil at [station 9](location)", "glimmerfoil is late again",
    "who ordered the glimmerfoil", "[dents](defect) in the glimmerfoil on [line 2](line)",
    "the glimmerfoil from [dock 3](location) is [scrapped](verdict)",
)  # fmt: skip


@dataclass(frozen=True)
class DemoNote:
    """One note of the demo plant.

    Attributes:
        labelled: its labels come with it.
    """

    sentence: Sentence
    said_at: datetime
    cleared: bool
    labelled: bool


def demo_notes(anchor: datetime, seed: int) -> Sequence[DemoNote]:
    """All of them, in order of time.

    Args:
        anchor: the plant's now; the last note is a quarter of an hour older.
        seed: of everything random.
    """
    chance = np.random.default_rng([seed, 20])
    drawn = list(draw("notes", DRAWN, 0, seed).train)
    middle = [marked(text, f"written-{at}", ()) for at, text in enumerate(_WRITTEN)]
    newest = [marked(text, f"new-{at}", ()) for at, text in enumerate(_NEW)]
    held = [*drawn, *middle]
    mixed = [held[int(at)] for at in chance.permutation(len(held))]
    mixed[-20:-20] = newest
    step = timedelta(days=DAYS) / len(mixed)
    labelled = {one.id for one in drawn[:LABELLED]}
    return [
        DemoNote(one, (anchor - timedelta(minutes=15) - step * (len(mixed) - 1 - at)).replace(microsecond=0),
                 bool(chance.random() >= UNCLEARED), one.id in labelled)
        for at, one in enumerate(mixed)
    ]  # fmt: skip
