"""What persons have said beats what was voted; and how one version of the labels differs from another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.words.text import OUTSIDE, Span
from core.words.votes import Given, Labelled


@dataclass(frozen=True)
class Override:
    """A person's word on a stretch: a label, or O for none."""

    start: int
    end: int
    label: str
    by: str = ""

    @property
    def span(self) -> Span | None:
        """What it makes of the stretch."""
        return None if self.label == OUTSIDE else Span(self.start, self.end, self.label)


def overlaid(voted: Labelled, said: Iterable[Override]) -> Labelled:
    """The labels as they count: what a person said last of a stretch, and the vote wherever nobody said anything.

    Args:
        voted: by the functions.
        said: by people, in the order in which they said it.
    """
    standing: list[Override] = []
    for one in said:
        standing = [other for other in standing if other.end <= one.start or one.end <= other.start]
        standing.append(one)

    def free(start: int, end: int) -> bool:
        return all(end <= one.start or one.end <= start for one in standing)

    given = [one for one in voted.given if free(one.start, one.end)]
    given += [Given(one.start, one.end, one.label, 1.0) for one in standing if one.label != OUTSIDE]
    return Labelled(tuple(sorted(given)), tuple(one for one in voted.waiting if free(one.start, one.end)))


@dataclass(frozen=True)
class Moved:
    """How many spans of a label differ.

    Attributes:
        changed: in their place but with another label or other ends.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Example:
    """One note that differs: spans that only one of both has."""

    note: int
    before: tuple[Span, ...]
    after: tuple[Span, ...]


@dataclass(frozen=True)
class Difference:
    """One version against another.

    Attributes:
        notes: that were compared; `differing` of them have other labels.
        by_label: counts by label; a changed span counts at the label it has now.
    """

    notes: int
    differing: int
    by_label: Mapping[str, Moved]
    examples: tuple[Example, ...]


def difference(before: Mapping[int, Sequence[Span]], after: Mapping[int, Sequence[Span]], most: int = 20) -> Difference:
    """Compare the labels of the same notes.

    Args:
        before: spans by note; a note that it lacks has none there.
        after: the same.
        most: examples.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    examples: list[Example] = []
    differing = 0
    for note in sorted(before.keys() | after.keys()):
        old, new = set(before.get(note, ())), set(after.get(note, ()))
        gone, come = sorted(old - new), sorted(new - old)
        if not gone and not come:
            continue
        differing += 1
        replaced = set[Span]()
        for one in come:
            under = [other for other in gone if other.start < one.end and one.start < other.end]
            counts[one.label][2 if under else 0] += 1
            replaced.update(under)
        for one in gone:
            if one not in replaced:
                counts[one.label][1] += 1
        if len(examples) < most:
            examples.append(Example(note, tuple(gone), tuple(come)))
    by_label = {label: Moved(*found) for label, found in sorted(counts.items())}
    return Difference(len(before.keys() | after.keys()), differing, by_label, tuple(examples))
