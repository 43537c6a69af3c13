"""Does anything of a dataset lie on two sides of its split: bytes, parts, orders, near-duplicates, the future?"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from core.learn.datasets.checks import Check, Result
from core.learn.datasets.rows import SIDES, TRAIN, Row, sides_of
from core.learn.near_duplicates import clusters

MOST_TOGETHER = 0.5  # one order, or look-alikes, with more than this share of the pictures cannot be kept to one side


def hash_overlap(rows: Sequence[Row]) -> Check:
    """The same bytes on two sides."""
    return _overlap(rows, "hash overlap", lambda row: (row.sha256,), "file", "Build it anew: the same bytes are one.")


def group_overlap(rows: Sequence[Row]) -> Check:
    """A part, or a group of the source, on two sides."""
    return _overlap(
        rows,
        "group overlap",
        lambda row: (f"part {row.part}", *((f"group {row.source_group}",) if row.source_group else ()), row.group),
        "part or group",
        "Build it anew: pictures of one part belong to one side.",
    )


def order_overlap(rows: Sequence[Row]) -> Check:
    """A production order on two sides; where one order holds most pictures, nothing else can be done."""
    name = "order overlap"
    known = [row for row in rows if row.order is not None]
    if not known or len(sides_of(rows)) < 2:
        why = "No picture names its order." if not known else "There is only one side."
        return Check(name, Result.ABSENT, why)
    found = _overlap(
        known,
        name,
        lambda row: (row.order or "",),
        "order",
        "Build it anew with --keep order, or say why it may be so.",
    )
    held: dict[str, int] = defaultdict(int)
    for row in known:
        held[row.order or ""] += 1
    order, most = max(held.items(), key=lambda pair: (pair[1], pair[0]))
    if found.result is Result.FAIL and most > MOST_TOGETHER * len(rows):
        return Check(
            name,
            Result.UNSURE,
            f"Order {order} holds {most / len(rows):.0%} of the pictures, so orders were not kept to one side: "
            "the test says nothing of other orders.",
            n=len(held),
        )
    return found


def near_duplicate_overlap(
    rows: Sequence[Row], pairs: Sequence[tuple[int, int]], unseen: int, seen_by: int = 0
) -> Check:
    """Pictures that look the same on two sides.

    Args:
        rows: of the dataset.
        pairs: numbers of rows that are near-duplicates.
        unseen: pictures of which nobody has made a perceptual hash.
        seen_by: pictures that were compared by what a model sees, too.
    """
    name = "near-duplicate overlap"
    if len(sides_of(rows)) < 2:
        return Check(name, Result.ABSENT, "There is only one side.")
    largest = int(np.bincount(clusters(len(rows), np.array(pairs, np.int64).reshape(-1, 2))).max())
    crossing = [(one, other) for one, other in pairs if rows[one].side != rows[other].side]
    if crossing and largest > MOST_TOGETHER * len(rows):
        return Check(
            name,
            Result.UNSURE,
            f"{largest / len(rows):.0%} of the pictures look alike, each like some other of them, so they were not "
            "kept to one side: the test may be easier than the line.",
            n=len(rows) - unseen,
        )
    if crossing:
        check = Check(
            name,
            Result.FAIL,
            f"{_counted(len(crossing), 'pair')} of pictures that look the same lie on two sides. Build it anew with "
            "--keep near, or say why they are not the same.",
            n=len(rows) - unseen,
        )
        return check.naming(rows[number].path for pair in crossing for number in pair)
    if unseen:
        return Check(
            name,
            Result.UNSURE,
            f"{unseen:,} of {len(rows):,} pictures have no perceptual hash: they could not be read, or nobody has "
            "looked yet.",
            n=len(rows) - unseen,
        )
    how = "by their perceptual hash"
    if seen_by:
        whom = "all of them" if seen_by >= len(rows) else f"{seen_by:,} of them"
        how += f", {whom} by what the model sees, too"
    told = f"No two of {len(rows):,} pictures on different sides look the same: compared {how}."
    return Check(name, Result.PASS, told, n=len(rows))


def time_order(rows: Sequence[Row], cut: bool) -> Check:
    """Nothing that is learned from is newer than what is measured on.

    Args:
        rows: of the dataset.
        cut: the sides were to be cut by time; otherwise they are mixed in time, which is said and stops nothing.
    """
    name = "time order"
    sides = [side for side in SIDES if side in sides_of(rows)]
    timed = {side: [row for row in rows if row.side == side and row.taken_at is not None] for side in sides}
    if len(sides) < 2 or not all(timed.values()):
        why = "There is only one side." if len(sides) < 2 else "Not every side has pictures whose time is known."
        return Check(name, Result.ABSENT, why)
    late: list[Row] = []
    for before, after in pairwise(sides):
        first = min(row.taken_at for row in timed[after] if row.taken_at is not None)
        late += [row for row in timed[before] if row.taken_at is not None and row.taken_at > first]
    unknown = len(rows) - sum(map(len, timed.values()))
    n = len(rows) - unknown
    if not late:
        if unknown:
            return Check(name, Result.UNSURE, f"The time of {_counted(unknown, 'picture')} is not known.", n=n)
        return Check(name, Result.PASS, f"Every side is newer than the one before it ({' → '.join(sides)}).", n=n)
    if not cut:
        return Check(
            name,
            Result.UNSURE,
            "The sides are mixed in time: the test says how a model does on pictures of these weeks, not of the next "
            "ones. Build one with --by time to see that.",
            n=n,
        )
    return Check(
        name,
        Result.FAIL,
        f"{_counted(len(late), 'picture')} of an earlier side {'is' if len(late) == 1 else 'are'} newer than the first "
        "of the next one: build it anew.",
        n=n,
    ).naming(row.path for row in late)


def guesses(rows: Sequence[Row]) -> Check:
    """A model's own guesses are in training only and weigh 1 at most, and nothing outside training is shown twice."""
    name = "pseudo-labels"
    wrong = [row for row in rows if row.pseudo and (row.side != TRAIN or not 0 < row.weight <= 1)]
    repeated = [row for row in rows if row.side != TRAIN and row.repeat != 1]
    if wrong or repeated:
        told = (
            f"{_counted(len(wrong), 'pseudo-label')} outside training or with a weight above 1"
            if wrong
            else f"{_counted(len(repeated), 'picture')} outside training shown more than once"
        )
        return Check(name, Result.FAIL, f"{told}: what is measured on must be what people said, once each.").naming(
            row.path for row in (*wrong, *repeated)
        )
    pseudo = sum(row.pseudo for row in rows)
    if not pseudo:
        return Check(name, Result.ABSENT, "Every label is from people or from an import.")
    return Check(name, Result.PASS, f"{_counted(pseudo, 'pseudo-label')}, all of them in training.", n=pseudo)


def _overlap(rows: Sequence[Row], name: str, keys: Callable[[Row], Iterable[Hashable]], what: str, then: str) -> Check:
    if len(sides_of(rows)) < 2:
        return Check(name, Result.ABSENT, "There is only one side.", n=len(rows))
    sides: dict[Hashable, set[str]] = defaultdict(set)
    for row in rows:
        for key in keys(row):
            sides[key].add(row.side)
    torn = {key for key, found in sides.items() if len(found) > 1}
    if not torn:
        return Check(name, Result.PASS, f"No {what} of {len(sides):,} lies on two sides.", n=len(sides))
    lie = "lies" if len(torn) == 1 else "lie"
    check = Check(name, Result.FAIL, f"{_counted(len(torn), what)} {lie} on two sides. {then}", n=len(sides))
    return check.naming(row.path for row in rows if not torn.isdisjoint(keys(row)))


def _counted(number: int, one: str) -> str:
    if one == "part or group":
        return f"{number:,} {one if number == 1 else 'parts or groups'}"
    return f"{number:,} {one}{'' if number == 1 else 's'}"
