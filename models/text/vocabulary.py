"""Words and characters as numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelError
from core.words.text import plain_word

PAD, UNKNOWN = 0, 1
WORD_LETTERS = 18  # longer words lose their middle


@dataclass(frozen=True)
class Vocabulary:
    """What the encoder knows by name.

    Attributes:
        words: known words; the number of the first is 2.
        counts: how often each was seen in training, in the same order.
        letters: known characters; the number of the first is 2.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    letters: str
    _words: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _letters: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.words) != len(self.counts):
            raise ModelError(f"A vocabulary of {len(self.words)} words has {len(self.counts)} counts.")
        object.__setattr__(self, "_words", {w: i + 2 for i, w in enumerate(self.words)})
        object.__setattr__(self, "_letters", {c: i + 2 for i, c in enumerate(self.letters)})

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], least: int = 1) -> "Vocabulary":
        """Of the plain words of a training part; rarer ones than `least` stay unknown."""
        counts = Counter(shape(word) for words in sentences for word in words)
        kept = sorted((w for w, n in counts.items() if n >= least), key=lambda w: (-counts[w], w))
        letters: Counter[str] = Counter()
        for word, n in counts.items():
            for letter in set(word):
                letters[letter] += n
        return cls(
            tuple(kept),
            tuple(counts[w] for w in kept),
            "".join(sorted(c for c, n in letters.items() if n >= 2) + [d for d in "123456789" if d not in letters]),
        )

    def word(self, plain: str) -> int:
        """Number of a plain word."""
        return self._words.get(shape(plain), UNKNOWN)

    def known(self, plain: str) -> bool:
        """Whether a plain word was seen in training."""
        return shape(plain) in self._words

    def spelling(self, plain: str) -> list[int]:
        """Numbers of its characters."""
        if len(plain) > WORD_LETTERS:
            plain = plain[: WORD_LETTERS // 2] + plain[-WORD_LETTERS // 2 :]
        return [self._letters.get(c, UNKNOWN) for c in plain]

    def __len__(self) -> int:
        return len(self.words) + 2

    @property
    def alphabet(self) -> int:
        """How many characters there are, the unknown one and padding among them."""
        return len(self.letters) + 2

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"words": list(self.words), "counts": list(self.counts), "letters": self.letters}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Vocabulary":
        """The reverse of to_json.

        Raises:
            ModelError: it is damaged.
        """
        try:
            words, counts = tuple(map(str, values["words"])), tuple(map(int, values["counts"]))
            return cls(words, counts, str(values["letters"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The vocabulary is damaged ({error}): take the model from its backup.") from error


def shape(plain: str) -> str:
    """A word as it is looked up: every number of as many digits is one word; its spelling tells them apart."""
    return re.sub(r"\d", "0", plain)


def plain_words(words: Iterable[str]) -> list[str]:
    """Words as the net reads them."""
    return [plain_word(word) for word in words]
