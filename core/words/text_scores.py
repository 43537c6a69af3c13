"""How good answers about sentences are: intents, exact spans, whole sentences, what was out of scope."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import BadInput
from core.learn.metrics.proportions import Interval, proportion_interval
from core.words.text import OUT_OF_SCOPE, Sentence, Span


@dataclass(frozen=True)
class Answer:
    """What a model said of one sentence.

    Attributes:
        intents: the main one first; empty where none was sure enough.
        confidence: of the main intent, in [0, 1].
        out_of_scope: the model says that none of its intents fits.
    """

    intents: tuple[str, ...]
    spans: tuple[Span, ...]
    confidence: float = 1.0
    out_of_scope: bool = False


@dataclass(frozen=True)
class SpanCounts:
    """Spans said and meant; right where place and label agree exactly."""

    right: int
    said: int
    meant: int

    @property
    def precision(self) -> float:
        """Of what was said; 0 where nothing was."""
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        """Of what was meant; 0 where nothing was."""
        return self.right / self.meant if self.meant else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 where nothing was meant and nothing said."""
        if not self.said and not self.meant:
            return 1.0
        return 2 * self.right / (self.said + self.meant)


def span_counts(meant: Sequence[Sentence], said: Sequence[Answer], label: str | None = None) -> SpanCounts:
    """Count spans over all sentences, as conlleval does; of one label where one is given."""
    _same(meant, said)
    right = spoken = true = 0
    for sentence, answer in zip(meant, said, strict=True):
        wanted = _of(sentence.spans, label)
        given = _of(answer.spans, label)
        right += len(wanted & given)
        spoken += len(given)
        true += len(wanted)
    return SpanCounts(right, spoken, true)


def labels_of(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """Slot labels in order of the alphabet."""
    return tuple(sorted({span.label for s in sentences for span in s.spans}))


def recall_by_label(meant: Sequence[Sentence], said: Sequence[Answer]) -> dict[str, SpanCounts]:
    """Exact-span counts of each label that occurs."""
    return {label: span_counts(meant, said, label) for label in labels_of(meant)}


def is_out_of_scope(sentence: Sentence) -> bool:
    """Whether the sentence was labelled as none of the intents."""
    return sentence.intent in OUT_OF_SCOPE


def intent_right(sentence: Sentence, answer: Answer) -> bool:
    """The set of intents agrees; for a sentence out of scope, that it was called so."""
    if is_out_of_scope(sentence):
        return answer.out_of_scope or bool(set(answer.intents) & OUT_OF_SCOPE)
    return not answer.out_of_scope and set(sentence.intents) == set(answer.intents)


def intent_named(sentence: Sentence, answer: Answer) -> bool:
    """The same without the guard against sentences out of scope: whether the likeliest intents were the right ones."""
    return set(sentence.intents) == set(answer.intents)


def sentence_right(sentence: Sentence, answer: Answer) -> bool:
    """The intents are named (or, out of scope, called so) and every span is the one that is meant."""
    named = intent_right(sentence, answer) if is_out_of_scope(sentence) else intent_named(sentence, answer)
    return named and set(sentence.spans) == set(answer.spans)


def intents_f1(meant: Sequence[Sentence], said: Sequence[Answer]) -> float:
    """Micro F1 over single intents, for sentences that may have several."""
    _same(meant, said)
    right = sum(len(set(s.intents) & set(a.intents)) for s, a in zip(meant, said, strict=True))
    both = sum(len(set(s.intents)) + len(set(a.intents)) for s, a in zip(meant, said, strict=True))
    return 2 * right / both if both else 1.0


@dataclass(frozen=True)
class TextScores:
    """What an evaluation found.

    Attributes:
        intent_accuracy: share of sentences whose intents were named; the guard against sentences out of scope is
            counted apart, in the three below.
        slot_f1: conlleval.
        sentence_accuracy: intents and every span right.
        in_scope_accuracy: named rightly and not held back, of the sentences in scope; None without any out of scope.
        out_of_scope_recall: of the sentences out of scope, how many were called so.
        held_back: of the sentences in scope, how many were called out of scope.
    """

    sentences: int
    intent_accuracy: float
    intent_interval: Interval | None
    slot_f1: float
    sentence_accuracy: float
    sentence_interval: Interval | None
    intent_f1: float
    in_scope_accuracy: float | None
    out_of_scope_recall: float | None
    out_of_scope: int
    held_back: float
    calibration_error: float


def score(meant: Sequence[Sentence], said: Sequence[Answer]) -> TextScores:
    """Measure answers against labels.

    Raises:
        BadInput: nothing to measure, or not one answer for each sentence.
    """
    _same(meant, said)
    if not meant:
        raise BadInput("There is no sentence to measure on: give a part that has some.")
    pairs = list(zip(meant, said, strict=True))
    n = len(pairs)
    inside = [(s, a) for s, a in pairs if not is_out_of_scope(s)]
    outside = [(s, a) for s, a in pairs if is_out_of_scope(s)]
    named = sum(intent_named(s, a) if not is_out_of_scope(s) else intent_right(s, a) for s, a in pairs)
    whole = sum(sentence_right(s, a) for s, a in pairs)
    return TextScores(
        sentences=n,
        intent_accuracy=named / n,
        intent_interval=proportion_interval(named, n),
        slot_f1=span_counts(meant, said).f1,
        sentence_accuracy=whole / n,
        sentence_interval=proportion_interval(whole, n),
        intent_f1=intents_f1(meant, said),
        in_scope_accuracy=(sum(intent_right(s, a) for s, a in inside) / len(inside) if outside and inside else None),
        out_of_scope_recall=sum(intent_right(s, a) for s, a in outside) / len(outside) if outside else None,
        out_of_scope=len(outside),
        held_back=sum(a.out_of_scope for _, a in inside) / len(inside) if inside else 0.0,
        calibration_error=calibration_error([a.confidence for _, a in inside], [intent_named(s, a) for s, a in inside]),
    )


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected difference between confidence and accuracy, over equally filled bins; 0 of nothing."""
    order = sorted(range(len(confidences)), key=confidences.__getitem__)
    error, n = 0.0, len(order)
    for part in range(bins):
        inside = order[part * n // bins : (part + 1) * n // bins]
        if inside:
            error += abs(sum(confidences[i] for i in inside) - sum(right[i] for i in inside))
    return error / n if n else 0.0


def new_word_rate(sentences: Sequence[Sequence[str]], known: Collection[str]) -> float:
    """Share of words that are not among the known ones; 0 of nothing."""
    counts = Counter(word in known for words in sentences for word in words)
    return counts[False] / max(1, counts.total())


def _of(spans: Sequence[Span], label: str | None) -> set[Span]:
    return {s for s in spans if label is None or s.label == label}


def _same(meant: Sequence[Sentence], said: Sequence[Answer]) -> None:
    if len(meant) != len(said):
        raise BadInput(f"{len(said)} answers to {len(meant)} sentences: give one for each.")
