"""Sentences as lessons, lessons as tensors; what is varied on purpose while a net learns."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.words.text import OUTSIDE, Cut, Sentence, runs_of, tags_of, tokens_of
from core.words.text_noise import Noise, disturb, near_spelling
from models.text.config import TrainingConfig
from models.text.net import Words
from models.text.vocabulary import UNKNOWN, Vocabulary, plain_words

MOST_WORDS = 256  # of a sentence; what lies beyond is not read
NONE = "∅"  # the word of a sentence that has none
_OPEN = 0.5  # a label counts as open where more than this share of its values is said once


@dataclass(frozen=True)
class Lesson:
    """One sentence of a domain, cut into words as written, with BIO tags."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    intents: tuple[str, ...]


class Batch(NamedTuple):
    """Lessons as tensors.

    Attributes:
        tags: (n, words); 0, which is O, beyond the end.
        intents: (n,) numbers, or (n, intents) 0 and 1 where a sentence may have several.
    """

    read: Words
    tags: Tensor
    intents: Tensor


def lessons_of(sentences: Iterable[Sentence], cut: Cut) -> list[Lesson]:
    """Cut sentences into words."""
    out = []
    for sentence in sentences:
        tokens = tokens_of(sentence.text, cut)[:MOST_WORDS]
        words = tuple(t.text for t in tokens) or (NONE,)
        tags = tags_of(tokens, sentence.spans) or (OUTSIDE,)
        out.append(Lesson(words, tags, sentence.intents))
    return out


def read_words(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Words:
    """Number the words of sentences; each has one word at least."""
    rows: dict[str, int] = {}
    plain = [plain_words(words) for words in sentences]
    longest = max(map(len, plain))
    words = np.zeros((len(plain), longest), np.int64)
    spelt = np.zeros((len(plain), longest), np.int64)
    for at, sentence in enumerate(plain):
        words[at, : len(sentence)] = [vocabulary.word(w) for w in sentence]
        spelt[at, : len(sentence)] = [rows.setdefault(w, len(rows) + 1) for w in sentence]
    spellings = [[], *(vocabulary.spelling(w) for w in rows)]  # row 0 spells padding
    letters = np.zeros((len(spellings), max(3, *map(len, spellings))), np.int64)
    for at, spelling in enumerate(spellings):
        letters[at, : len(spelling)] = spelling
    lengths = np.array([len(s) for s in plain], np.int64)
    return Words(*(torch.from_numpy(a) for a in (words, spelt, letters, lengths)))


class Variety:
    """Other words in the same slots, misspelt and misheard words: a net that sees each sentence once learns more.

    Attributes:
        values: words that each label was said with.
        open: labels whose values are mostly said once, such as titles: any words may stand there.
    """

    def __init__(self, lessons: Sequence[Lesson], config: TrainingConfig, noise: Noise) -> None:
        self.config, self.noise = config, noise
        counts: dict[str, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
        for lesson in lessons:
            for start, end, label in runs_of(lesson.tags, len(lesson.words)):
                counts[label][lesson.words[start:end]] += 1
        self.values: Mapping[str, list[tuple[str, ...]]] = {k: sorted(v) for k, v in counts.items()}
        self.open = {
            label
            for label, said in counts.items()
            if len(said) >= 20 and sum(n == 1 for n in said.values()) > _OPEN * len(said)
        }
        self._any = sorted({word for said in self.values.values() for value in said for word in value})

    def vary(self, lesson: Lesson, chance: np.random.Generator) -> tuple[list[str], list[str]]:
        """Words and tags of one lesson, as it is learned from this time."""
        words, tags = self._swapped(lesson, chance)
        if self.config.misspelt:
            hit = chance.random(len(words)) < self.config.misspelt
            words = [near_spelling(w, chance) if h else w for w, h in zip(words, hit, strict=True)]
        return disturb(words, tags, self.noise, chance) if self.noise.sentences else (words, tags)

    def _swapped(self, lesson: Lesson, chance: np.random.Generator) -> tuple[list[str], list[str]]:
        words, tags, at = list[str](), list[str](), 0
        for start, end, label in runs_of(lesson.tags, len(lesson.words)):
            words += lesson.words[at:start]
            tags += lesson.tags[at:start]
            value = self._value(lesson.words[start:end], label, chance)
            words += value
            tags += [f"B-{label}"] + [f"I-{label}"] * (len(value) - 1)
            at = end
        return words + list(lesson.words[at:]), tags + list(lesson.tags[at:])

    def _value(self, said: tuple[str, ...], label: str, chance: np.random.Generator) -> tuple[str, ...]:
        dice = chance.random()
        if dice < self.config.swapped:
            known = self.values[label]
            return known[int(chance.integers(len(known)))]
        if label in self.open and dice < self.config.swapped + self.config.invented:
            n = max(1, len(said) + int(chance.integers(-1, 2)))
            return tuple(self._any[int(i)] for i in chance.integers(len(self._any), size=n))
        return said


class Numbering:
    """How one domain's intents and tags are numbered."""

    def __init__(self, intents: Sequence[str], tags: Sequence[str], several: bool, vocabulary: Vocabulary) -> None:
        self.intents = {name: at for at, name in enumerate(intents)}
        self.tags = {tag: at for at, tag in enumerate(tags)}
        self.several, self.vocabulary = several, vocabulary

    def batch(self, words: Sequence[Sequence[str]], tags: Sequence[Sequence[str]], lessons: Sequence[Lesson]) -> Batch:
        """Tensors of varied lessons."""
        read = read_words(words, self.vocabulary)
        numbers = np.zeros(read.words.shape, np.int64)
        for at, row in enumerate(tags):
            numbers[at, : len(row)] = [self.tags[tag] for tag in row]
        if self.several:
            wanted = torch.zeros(len(lessons), len(self.intents))
            for at, lesson in enumerate(lessons):
                wanted[at, [self.intents[i] for i in lesson.intents if i in self.intents]] = 1
        else:
            wanted = torch.tensor([self.intents[lesson.intents[0]] if lesson.intents else 0 for lesson in lessons])
        return Batch(read, torch.from_numpy(numbers), wanted)


def forgotten(words: Tensor, counts: Tensor, unknown: float, generator: torch.Generator) -> Tensor:
    """Words taken for unknown, rare ones more often, so that the net learns to read what it has never seen.

    Args:
        words: (n, words) numbers.
        counts: (vocabulary,) how often each was seen; infinite for padding.
        unknown: see TrainingConfig.
        generator: where the dice come from.
    """
    chance = unknown / (unknown + counts[words])
    return torch.where(torch.rand(words.shape, generator=generator) < chance, UNKNOWN, words)


def hidden(read: Words, share: float, generator: torch.Generator) -> tuple[Words, Tensor]:
    """Hide words, name and spelling; where a sentence has but one word, it stays.

    Returns:
        What can still be read, and (n, words) bool of what is hidden.
    """
    gone = (torch.rand(read.words.shape, generator=generator) < share) & read.inside & (read.lengths > 1)[:, None]
    words, spelt = read.words.masked_fill(gone, UNKNOWN), read.spelt.masked_fill(gone, 0)
    return read._replace(words=words, spelt=spelt), gone


def by_length(lengths: Sequence[int], batch: int, chance: np.random.Generator) -> Iterator[list[int]]:
    """Shuffled batches of sentences of about one length: little padding, and no order from epoch to epoch."""
    order = chance.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), batch * 24):
        part = sorted(order[start : start + batch * 24], key=lambda i: (lengths[i], i))
        batches += [part[at : at + batch] for at in range(0, len(part), batch)]
    for at in chance.permutation(len(batches)):
        yield [int(i) for i in batches[at]]
