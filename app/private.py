"""Texts as somebody may read them: what is personal is covered for whoever may not see it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.privacy import Mode
from core.words.prints import Reading
from core.words.redaction_prints import shown_lines

if TYPE_CHECKING:
    from data.store import Store


def covers_texts(store: "Store", site: str) -> bool:
    """Whether notes and readings of a site are covered for the person who asks."""
    return not store.privacy.sees_originals() and store.privacy.rule(site).mode is not Mode.NEVER


def texts_of(reading: Reading, private: bool, region: str | None = None) -> list[str]:
    """What was read, line by line; where it is private, a personal line is what kind it is."""
    return shown_lines(reading.prints, region) if private else [one.text for one in reading.prints]


def hidden_words(readings: Sequence[Reading]) -> frozenset[str]:
    """Every word of the personal lines, in small letters."""
    return frozenset(
        word.casefold()
        for reading in readings
        for line, shown in zip(reading.prints, shown_lines(reading.prints), strict=True)
        if shown != line.text
        for word in re.findall(r"\w+", line.text)
    )
