"""What a dataset leaves out and what training is shown more often; validation and test stay as they came."""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.errors import BadInput

MOST_REPEATS = 10  # of one picture in a turn: beyond, training learns the picture
_WORDS = "write good=2,rare=50"


@dataclass(frozen=True)
class Balance:
    """How training is balanced.

    Attributes:
        good: at most so many good pictures for each defective one; None keeps all.
        rare: every class is shown at least so often in a turn; None shows each picture once.
    """

    good: float | None = None
    rare: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.good is not None and not 0 < self.good <= 1000:
            raise BadInput(f"{self.good} good pictures for each defective one: give more than 0, at most 1000.")
        if self.rare is not None and not 1 <= self.rare <= 100_000:
            raise BadInput(f"Every class at least {self.rare} times: give 1 to 100,000.")


def balance_from(text: str) -> Balance:
    """Read "good=2,rare=50".

    Raises:
        BadInput: for another word, or no number.
    """
    found = numbers_from(text, "Balance", _WORDS)
    unknown = sorted(found.keys() - {"good", "rare"})
    if unknown:
        raise BadInput(f"Balance knows no {unknown[0]!r}: {_WORDS}.")
    rare = found.get("rare")
    if rare is not None and rare != int(rare):
        raise BadInput(f"Every class at least {rare} times: give a whole number.")
    return Balance(found.get("good"), None if rare is None else int(rare))


def numbers_from(text: str, what: str, words: str) -> dict[str, float]:
    """Read "name=number,name=number".

    Raises:
        BadInput: for a piece that is none.
    """
    found: dict[str, float] = {}
    for piece in text.split(","):
        name, sign, number = piece.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not sign or not name.strip() or not math.isfinite(value):
            raise BadInput(f"{what} {text!r} is not understood at {piece!r}: {words}.")
        found[name.strip()] = value
    return found


def over_quota(
    flags: Sequence[Collection[str]], names: Sequence[str], quotas: Mapping[str, float], seed: int
) -> set[int]:
    """Numbers of the pictures beyond a quota, such as at most 10% blurry ones; which ones is chance.

    Args:
        flags: of quality, for each picture.
        names: of each picture, unique, from which chance is drawn.
        quotas: highest share of all pictures by flag, from 0 to 1.
        seed: another seed leaves out others.
    """
    out: set[int] = set()
    for flag, share in sorted(quotas.items()):
        if not 0 <= share <= 1:
            raise BadInput(f"A quota of {share} for {flag} pictures: give 0 to 1.")
        having = [number for number, own in enumerate(flags) if flag in own and number not in out]
        others = len(flags) - len(out) - len(having)
        room = len(having) if share == 1 else math.floor(share * others / (1 - share) + 1e-9)
        out.update(drawn(having, names, seed, f"quota {flag}")[room:])
    return out


def spare_good(defective: Sequence[bool], names: Sequence[str], most: float, seed: int) -> set[int]:
    """Numbers of the good training pictures beyond `most` for each defective one; without any defective, none."""
    good = [number for number, bad in enumerate(defective) if not bad]
    bad = len(defective) - len(good)
    return set(drawn(good, names, seed, "good")[math.ceil(most * bad) :]) if bad else set()


def repeats(kinds: Sequence[Collection[str]], least: int) -> list[int]:
    """How often each training picture is shown in a turn, so that every class comes `least` times.

    A picture with several classes is shown for the rarest. None is shown more than MOST_REPEATS times: of a class with
    three pictures, no number of turns makes fifty.
    """
    counts = Counter(name for own in kinds for name in set(own))
    factor = {name: min(MOST_REPEATS, math.ceil(least / number)) for name, number in counts.items()}
    return [max((factor[name] for name in own), default=1) for own in kinds]


def drawn(numbers: Sequence[int], names: Sequence[str], seed: int, what: str) -> list[int]:
    """The numbers in an order that is chance, the same on every machine and whatever order they come in."""

    def chance(number: int) -> bytes:
        text = f"{seed}\0{what}\0{names[number]}"
        return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).digest()

    return sorted(numbers, key=chance)


@dataclass
class Composition:
    """How many pictures show a kind, from what there was to what is trained on.

    Attributes:
        raw: labelled pictures that the filters chose.
        balanced: shown in one turn of training, pseudo-labels and repeats included.
        train, val, test: different pictures on each side.
    """

    raw: int = 0
    balanced: int = 0
    train: int = 0
    val: int = 0
    test: int = 0
