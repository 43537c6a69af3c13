"""Is there enough to learn from and to measure on: the classes on every side, and rows at all?"""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.learn.datasets.checks import Check, Result, spoken
from core.learn.datasets.rows import SIDES, TEST, TRAIN, Row, by_side

# Below these a figure's interval is wider than any limit anybody would set: 50 parts without a miss still allow 6%.
ENOUGH: Mapping[str, int] = {"train": 100, "val": 50, "test": 50}
ENOUGH_OF_A_CLASS = 10  # groups in the test


def class_set(rows: Sequence[Row], listed: Sequence[str]) -> Check:
    """Whatever is measured was learned, and whatever was learned is measured.

    Args:
        rows: of the dataset.
        listed: the dataset's classes, the order of the class heads.
    """
    name = "class set"
    sides = by_side(rows)
    if TRAIN not in sides or len(sides) < 2:
        return Check(name, Result.ABSENT, "There is nothing to compare: training and another side are needed.")
    shown = {side: Counter(one for row in own for one in row.classes) for side, own in sides.items()}
    others = [side for side in sides if side != TRAIN]
    unlearned = sorted({one for side in others for one in shown[side]} - set(shown[TRAIN]))
    unlisted = sorted({one for counts in shown.values() for one in counts} - set(listed))
    if unlearned or unlisted:
        why = f"{spoken(unlearned)} in {' or '.join(others)} but not in training" if unlearned else (
            f"{spoken(unlisted)} not among the dataset's classes"
        )  # fmt: skip
        wrong = {*unlisted} | {*unlearned}
        return Check(name, Result.FAIL, f"{why}: no model can name it. Build it anew, or leave the class out.").naming(
            row.path for row in rows if wrong & set(row.classes)
        )
    where = TEST if TEST in sides else others[-1]
    unmeasured = sorted(set(shown[TRAIN]) - set(shown[where]))
    unmapped = [row for row in rows if row.unmapped]
    n = len(shown[TRAIN])
    if unmeasured:
        sentence = f"{spoken(unmeasured)} in training but not in {where}: how well it is found will not be known."
        return Check(name, Result.UNSURE, sentence, n=n)
    if unmapped:
        sentence = f"{len(unmapped):,} pictures carry a name without a class: map it on the taxonomy page."
        return Check(name, Result.UNSURE, sentence, n=n).naming(row.path for row in unmapped)
    return Check(name, Result.PASS, f"Every side shows the same {n} classes." if n else "There are no classes.", n=n)


def minimum_rows(rows: Sequence[Row], asked: Mapping[str, int] | None = None) -> Check:
    """Enough groups on every side: pictures of one part are one piece of evidence.

    Args:
        rows: of the dataset.
        asked: groups that somebody demanded by side; fewer fail. Without it fewer than usual are missing evidence.
    """
    name, wanted = "minimum rows", ENOUGH if asked is None else asked
    sides = by_side(rows)
    have = {side: len({row.group for row in sides.get(side, ())}) for side in SIDES if side in sides or asked}
    short = [f"{side} {have.get(side, 0):,} of {least:,}" for side, least in wanted.items() if side in have
             and have[side] < least]  # fmt: skip
    if short:
        result = Result.UNSURE if asked is None else Result.FAIL
        return Check(
            name, result, f"Groups: {', '.join(short)}. Label more, or take fewer sides.", n=sum(have.values())
        )
    few = _few(sides.get(TEST, ()))
    if few:
        sentence = f"In the test {spoken(few)}: under {ENOUGH_OF_A_CLASS} groups say little of a class."
        return Check(name, Result.UNSURE, sentence, n=sum(have.values()))
    told = ", ".join(f"{side} {number:,}" for side, number in have.items())
    return Check(name, Result.PASS, f"Enough groups on every side: {told}.", n=sum(have.values()))


def _few(rows: Sequence[Row]) -> list[str]:
    groups: dict[str, set[str]] = {}
    for row in rows:
        for one in row.classes:
            groups.setdefault(one, set()).add(row.group)
    return [f"{one} {len(own)}" for one, own in sorted(groups.items()) if len(own) < ENOUGH_OF_A_CLASS]
