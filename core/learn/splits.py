"""Dividing labelled pictures into train, validation and test so that no object is on both sides.

What must not be parted is a group: pictures of one part, of one order, or with the same bytes. A group goes to one
side as a whole. Within that, every class is divided in the wanted proportions as well as whole groups allow, and
chance is a hash of the seed and the group's name: the same groups are divided the same way on every machine and in
whatever order they come.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from core.errors import BadInput

DEFAULT = {"train": 0.7, "val": 0.15, "test": 0.15}


def parse(text: str) -> dict[str, float]:
    """Read "train=.7,val=.15,test=.15".

    Raises:
        BadInput: for a part without a share, or shares that do not add up to 1.
    """
    shares: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, share = piece.partition("=")
        name = name.strip().lower()
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not equals or not name or name in shares or not 0 <= value <= 1:
            raise BadInput(f"Split {text!r} is not understood at {piece!r}: write train=.7,val=.15,test=.15.")
        shares[name] = value
    return checked(shares)


def checked(shares: Mapping[str, float]) -> dict[str, float]:
    """The same shares.

    Raises:
        BadInput: where they do not add up to 1.
    """
    total = math.fsum(shares.values())
    if not shares or any(not 0 <= share <= 1 for share in shares.values()) or abs(total - 1) > 1e-6:
        raise BadInput(f"The shares of a split must add up to 1, found {dict(shares)}: change one of them.")
    return dict(shares)


def joined_groups(keys: Sequence[Collection[str]]) -> list[str]:
    """One group for each picture, from everything that ties it to others.

    Args:
        keys: of each picture, such as its part, its source's group and its bytes; pictures that share a key are in
            one group, and so are pictures that are tied by a third.

    Returns:
        The smallest key of the group, which does not depend on the pictures' order.
    """
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        root = key
        while leader.setdefault(root, root) != root:
            root = leader[root]
        while leader[key] != root:
            leader[key], key = root, leader[key]
        return root

    for tied in keys:
        if not tied:
            raise BadInput("A picture without any key belongs to no group: give its part or its hash.")
        roots = sorted({find(key) for key in tied})
        for root in roots[1:]:
            leader[root] = roots[0]  # the smallest stays the leader
    return [find(next(iter(tied))) for tied in keys]


def split_groups(
    groups: Sequence[str], classes: Sequence[Collection[str]], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Which side each group goes to.

    Args:
        groups: of each picture.
        classes: on each picture; a good one has its own word, and none is allowed.
        shares: of each side; one with the share 0 gets nothing.
        seed: another seed divides another way.

    Returns:
        Side by group. The rarest class is divided first: that is where whole groups leave the least choice.

    Source: iterative stratification, Sechidis et al. 2011, with groups for examples.
    """
    if len(groups) != len(classes):
        raise BadInput(f"{len(groups)} groups but {len(classes)} lists of classes: give one for each picture.")
    shares = {name: share for name, share in checked(shares).items() if share > 0}
    pictures: Counter[str] = Counter(groups)
    per_group: dict[str, Counter[str]] = defaultdict(Counter)
    for group, own in zip(groups, classes, strict=True):
        per_group[group].update(set(own))
    with_class: dict[str, list[str]] = defaultdict(list)
    for group, counts in per_group.items():
        for name in counts:
            with_class[name].append(group)
    wanted = {
        name: {side: share * sum(per_group[group][name] for group in having) for side, share in shares.items()}
        for name, having in with_class.items()
    }
    room = {side: share * len(groups) for side, share in shares.items()}
    order = sorted(with_class, key=lambda name: (len(with_class[name]), name))
    sides: dict[str, str] = {}
    turns = [(with_class[name], wanted[name]) for name in order]
    for having, need in [*turns, (list(per_group), room)]:
        for group in sorted((group for group in having if group not in sides), key=lambda group: _chance(seed, group)):
            side = _neediest(shares, need, room, seed, group)
            sides[group] = side
            room[side] -= pictures[group]
            for other, count in per_group[group].items():
                wanted[other][side] -= count
    return sides


def _neediest(
    shares: Iterable[str], need: Mapping[str, float], room: Mapping[str, float], seed: int, group: str
) -> str:
    return max(shares, key=lambda side: (need[side], room[side], _chance(seed, group, side)))


def kept_sides(groups: Sequence[str], listed: Sequence[str | None]) -> tuple[dict[str, str], list[str]]:
    """Sides that a source gave, made safe: a group that it put on several goes to the one with most of its pictures.

    Returns:
        Side by group, for groups with any; and the groups that had to be brought together.
    """
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for group, side in zip(groups, listed, strict=True):
        if side:
            votes[group][side] += 1
    sides = {group: min(count, key=lambda side: (-count[side], side)) for group, count in votes.items()}
    return sides, sorted(group for group, count in votes.items() if len(count) > 1)


def leaks(items: Iterable[tuple[str, Collection[str]]]) -> list[str]:
    """Keys that are on more than one side.

    Args:
        items: (side, keys) of each picture.
    """
    sides: dict[str, set[str]] = defaultdict(set)
    for side, keys in items:
        for key in keys:
            sides[key].add(side)
    return sorted(key for key, found in sides.items() if len(found) > 1)


def _chance(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\0".join([str(seed), *words]).encode("utf-8", errors="surrogatepass")).digest()
