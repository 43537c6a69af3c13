"""What speech recognition and hasty typing do to a sentence, made on purpose so that a model learns to bear it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.errors import BadInput

Words = list[str]

SOUND_ALIKE: Mapping[str, tuple[str, ...]] = {
    "to": ("two", "too"), "two": ("to", "too"), "too": ("to",), "for": ("four",), "four": ("for",), "their": ("there",),
    "there": ("their",), "they're": ("there",), "it's": ("its",), "its": ("it's",), "right": ("write",),
    "write": ("right",), "torn": ("tore", "thorn"), "piece": ("peace",), "whole": ("hole",), "hole": ("whole",),
    "wrong": ("rung", "long"), "size": ("sighs", "side"), "late": ("lait", "plate"), "mail": ("male",),
    "sent": ("cent", "scent"), "read": ("red",), "red": ("read",), "wait": ("weight",), "weight": ("wait",),
    "week": ("weak",), "weak": ("week",), "one": ("won",), "won": ("one",), "by": ("buy", "bye"), "buy": ("by",),
    "know": ("no",), "no": ("know",), "new": ("knew",), "here": ("hear",), "hear": ("here",), "our": ("hour", "are"),
    "hour": ("our",), "are": ("our",), "line": ("lime", "lying"), "shift": ("shipped", "ship"), "burrs": ("birds",),
    "burr": ("bird", "blur"), "part": ("port", "park"), "parts": ("ports",), "seal": ("seel", "sea"),
    "leak": ("leek",), "leaking": ("leaning",), "dent": ("dint", "tent"), "dented": ("tented",), "box": ("bocks",),
    "bags": ("backs",), "past": ("passed",), "passed": ("past",), "cap": ("cup", "gap"), "and": ("an", "in"),
    "in": ("and",), "an": ("and",), "a": ("the",), "the": ("a",), "than": ("then",), "then": ("than",),
    "lose": ("loose",), "loose": ("lose",), "scratch": ("scrap",), "crack": ("track",), "cracked": ("tracked",),
    "stain": ("stand",), "belt": ("bell",), "night": ("knight", "nine"), "eight": ("ate",), "bare": ("bear",),
    "sale": ("sail",), "plain": ("plane",), "pair": ("pear",), "some": ("sum",), "you're": ("your",),
    "your": ("you're",), "recheck": ("wreck check",), "rework": ("re work",), "barcode": ("bar code",),
    "handover": ("hand over",), "lid": ("lit",), "expired": ("inspired",), "missing": ("mission",),
}  # fmt: skip
NEAR_LETTERS: tuple[tuple[str, str], ...] = (
    ("ph", "f"), ("ck", "k"), ("c", "k"), ("s", "z"), ("z", "s"), ("d", "t"), ("t", "d"), ("b", "p"), ("p", "b"),
    ("v", "f"), ("m", "n"), ("n", "m"), ("ee", "ea"), ("ea", "ee"), ("i", "e"), ("e", "i"), ("ou", "u"), ("y", "i"),
    ("tt", "t"), ("ll", "l"), ("l", "ll"), ("ss", "s"),
)  # fmt: skip
FILLERS = ("uh", "um", "er", "like", "well", "so", "okay")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Noise:
    """How often each thing goes wrong; all are chances in [0, 1].

    Attributes:
        sentences: of a sentence to be disturbed at all.
        case: of a disturbed sentence to lose its capitals.
        punctuation: of a disturbed sentence to lose its signs.
        sounds: of a word to become one that sounds alike.
        letters: of a word to have a letter dropped, doubled, swapped or taken for another.
        dropped: of a word to be missing; slots keep at least one word.
        fillers: of a filler word before a word outside slots.
    """

    sentences: float = 0.0
    case: float = 0.5
    punctuation: float = 0.6
    sounds: float = 0.10
    letters: float = 0.05
    dropped: float = 0.03
    fillers: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise BadInput(f"Noise {field.name} is {getattr(self, field.name)}: it is a chance, from 0 to 1.")


def disturb(
    words: Sequence[str], tags: Sequence[str], noise: Noise, chance: np.random.Generator
) -> tuple[Words, list[str]]:
    """Disturb one sentence; tags follow their words.

    Args:
        words: of the sentence.
        tags: BIO, one for each word.
        noise: how often what goes wrong.
        chance: where the dice come from.

    Returns:
        Words and tags; a sentence never loses its last word, a span never its last.
    """
    if not words or chance.random() >= noise.sentences:
        return list(words), list(tags)
    small = chance.random() < noise.case
    unsigned = chance.random() < noise.punctuation
    out, kept = Words(), list[str]()
    for index, (word, tag) in enumerate(zip(words, tags, strict=True)):
        if unsigned and tag == "O" and not any(c.isalnum() for c in word):
            continue
        dice = chance.random(4)
        if dice[0] < noise.dropped and (tag == "O" or tag.startswith("I-")):
            continue
        if tag == "O" and dice[1] < noise.fillers:
            out.append(FILLERS[int(chance.integers(len(FILLERS)))])
            kept.append("O")
        said = word.lower() if small else word
        if dice[2] < noise.sounds:
            said = near_sound(said, chance)
        if dice[3] < noise.letters:
            said = near_spelling(said, chance)
        for place, piece in enumerate(said.split()):
            out.append(piece)
            follows = place > 0 and tag.startswith("B-")
            kept.append(f"I-{tag[2:]}" if follows else tag)
        if index == len(words) - 1 and not out:
            out.append(said)
            kept.append(tag)
    return (out, kept) if out else (list(words), list(tags))


def near_sound(word: str, chance: np.random.Generator) -> str:
    """A word that sounds alike, or the word with a sound taken for its neighbour."""
    known = SOUND_ALIKE.get(word.lower())
    if known:
        return known[int(chance.integers(len(known)))]
    swaps = [(a, b) for a, b in NEAR_LETTERS if a in word[1:]] if len(word) > 3 and word.isalpha() else []
    if not swaps:
        return word
    a, b = swaps[int(chance.integers(len(swaps)))]
    return word[0] + word[1:].replace(a, b, 1)


def near_spelling(word: str, chance: np.random.Generator) -> str:
    """The word with one letter dropped, doubled, swapped with the next, or taken for another."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = int(chance.integers(1, len(word) - 1))
    match int(chance.integers(4)):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at] + word[at:]
        case 2:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + _LETTERS[int(chance.integers(26))] + word[at + 1 :]
