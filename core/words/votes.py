"""Labels by vote: labelling functions vote on the words of a text, and what they disagree about goes to a person.

A function's vote for a label weighs the log-odds of its being right, as counted on a small labelled part:
log(p / (1 - p)). That is the best rule for independent voters (Nitzan & Paroush 1982, "Optimal decision rules in
uncertain dichotomous choice situations"); equal weights are the majority vote. A function that is right less often
than chance weighs nothing. Whatever is not decided clearly, an exact tie above all, is nobody's label until a person
has answered: the order of the voters never decides anything.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import BadInput
from core.words.text import OUTSIDE, Span, Token, runs_of, tags_of, tokens_of

AMBIGUOUS = "AMBIGUOUS"  # the tag of a name that may be a person's or a thing's
LIMIT = 0.6  # probability under which a label is not given
# What is thought of a function before it was measured: as if it had been right so often in so many cases.
PRIOR_RIGHT, PRIOR_SAID = 1.4, 2.0
DOUBT = math.log(0.8 / 0.2)  # how much the word "ambiguous" weighs: more than one usual voter, less than two
_PLACEHOLDER = re.compile(r"\[[A-Z]+\??\]")
_SAME = 1e-9  # of two sums of weights that are equal but for rounding

Tags = tuple[str, ...]
Weights = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Ballot:
    """One text and what each function said of its words.

    Attributes:
        tokens: its words.
        votes: BIO tags by function, one for each word; O where the function abstains.
    """

    tokens: tuple[Token, ...]
    votes: Mapping[str, Tags]

    def __post_init__(self) -> None:
        for name, tags in self.votes.items():
            if len(tags) != len(self.tokens):
                raise BadInput(f"{name} gave {len(tags)} tags for {len(self.tokens)} words: one tag for each word.")


def ballot(text: str, said: Mapping[str, Iterable[Span]]) -> Ballot:
    """What functions said of a text in spans, as votes on its words; of two spans of one function the first counts."""
    tokens = words_of(text)
    return Ballot(tokens, {name: tags_of(tokens, sorted(spans)) for name, spans in said.items()})


def words_of(text: str) -> tuple[Token, ...]:
    """The words of a text; a placeholder such as [NAME] is one word."""
    out: list[Token] = []
    holes = [match.span() for match in _PLACEHOLDER.finditer(text)]
    for token in tokens_of(text):
        hole = next(((start, end) for start, end in holes if start <= token.start < end), None)
        if hole is None:
            out.append(token)
        elif token.start == hole[0]:
            out.append(Token(text[hole[0] : hole[1]], *hole))
    return tuple(out)


# --- how much each vote weighs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """How a function's spans of one label fared on the labelled part.

    Attributes:
        right: of them whose every word truly bears the label.
        said: all of them.
    """

    right: int = 0
    said: int = 0

    @property
    def weight(self) -> float:
        """Log-odds of being right, smoothed; nothing for a function at or below chance."""
        p = (self.right + PRIOR_RIGHT) / (self.said + PRIOR_SAID)
        return max(0.0, math.log(p / (1 - p)))


def records(ballots: Sequence[Ballot], truth: Sequence[Sequence[Span]]) -> dict[tuple[str, str], Record]:
    """Count each function's spans, by function and label.

    Args:
        ballots: of the labelled texts.
        truth: the spans of each.

    Raises:
        BadInput: not one list of spans for each text.
    """
    if len(ballots) != len(truth):
        raise BadInput(f"{len(truth)} labelled texts for {len(ballots)} ballots: give one for each.")
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one, meant in zip(ballots, truth, strict=True):
        true = [label_of(tag) for tag in tags_of(one.tokens, meant)]
        for name, tags in one.votes.items():
            for start, end, label in stretches(tags):
                count = counts[name, label]
                count[0] += all(true[at] == label for at in range(start, end))
                count[1] += 1
    return {key: Record(*count) for key, count in counts.items()}


def weights(found: Mapping[tuple[str, str], Record], names: Iterable[str], labels: Iterable[str]) -> Weights:
    """What each function's vote for each label weighs; what was never measured weighs as the prior says."""
    every = list(labels)
    return {(name, label): found.get((name, label), Record()).weight for name in names for label in every}


def equal_weights(names: Iterable[str], labels: Iterable[str]) -> Weights:
    """Those of the majority vote."""
    every = list(labels)
    return {(name, label): 1.0 for name in names for label in every}


# --- the vote -------------------------------------------------------------------------------------------------------


class Came(StrEnum):
    """What came of the votes on a word."""

    OUTSIDE = "outside"  # nobody whose word counts said anything
    LABEL = "label"
    TIE = "tie"
    UNSURE = "unsure"
    AMBIGUOUS = "ambiguous"

    @property
    def waits(self) -> bool:
        """A person has to answer."""
        return self in (Came.TIE, Came.UNSURE, Came.AMBIGUOUS)


@dataclass(frozen=True)
class Outcome:
    """What came of the votes on one word.

    Attributes:
        label: that won; empty where none did.
        share: its probability, were the functions independent, in [0, 1].
        candidates: labels that had votes, with their sums of weights, the heaviest first, equal ones by name.
    """

    came: Came
    label: str = ""
    share: float = 0.0
    candidates: tuple[tuple[str, float], ...] = ()


NOBODY = Outcome(Came.OUTSIDE)


def decide(said: Iterable[tuple[str, str]], weigh: Weights, limit: float = LIMIT) -> Outcome:
    """What comes of the votes on one word.

    Args:
        said: function and label of each vote; abstentions are left out. Their order does not matter.
        weigh: weight of each function's vote for a label; a pair that is not in it weighs nothing.
        limit: probability that the winner needs.
    """
    held: dict[str, list[float]] = defaultdict(list)
    for name, label in said:
        weight = DOUBT if label == AMBIGUOUS else weigh.get((name, label), 0.0)
        if weight > 0:
            held[label].append(weight)
    if not held:
        return NOBODY
    # fsum of sorted weights: the same sum to the last bit however the voters were ordered
    sums = sorted(
        ((label, math.fsum(sorted(parts))) for label, parts in held.items()), key=lambda one: (-one[1], one[0])
    )
    best = sums[0][1]
    share = 1 / math.fsum([math.exp(-best), *(math.exp(total - best) for _, total in sums)])
    heaviest = [label for label, total in sums if best - total <= _SAME * max(1.0, best)]
    candidates = tuple(sums)
    if AMBIGUOUS in heaviest:
        return Outcome(Came.AMBIGUOUS, "", share, candidates)
    if len(heaviest) > 1:
        return Outcome(Came.TIE, "", share, candidates)
    if share < limit:
        return Outcome(Came.UNSURE, "", share, candidates)
    return Outcome(Came.LABEL, sums[0][0], share, candidates)


def outcomes(one: Ballot, weigh: Weights, limit: float = LIMIT) -> list[Outcome]:
    """What comes of the votes on each word of a text."""
    return [
        decide([(name, label_of(tags[at])) for name, tags in one.votes.items() if tags[at] != OUTSIDE], weigh, limit)
        for at in range(len(one.tokens))
    ]


# --- words to spans -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Given:
    """A labelled stretch of a text: `text[start:end]`.

    Attributes:
        share: the smallest probability among its words.
    """

    start: int
    end: int
    label: str
    share: float = 1.0

    @property
    def span(self) -> Span:
        """Place and label alone."""
        return Span(self.start, self.end, self.label)


@dataclass(frozen=True, order=True)
class Waiting:
    """A stretch of a text that a person has to label.

    Attributes:
        came: why: tie, unsure or ambiguous.
        candidates: the labels that had votes, by name.
    """

    start: int
    end: int
    came: Came
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """What the vote made of a text."""

    given: tuple[Given, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """The labels that were given."""
        return tuple(one.span for one in self.given)


def labelled(one: Ballot, weigh: Weights, limit: float = LIMIT) -> Labelled:
    """Vote on a text: labels where the vote is clear, stretches for a person where it is not."""
    return joined(one, outcomes(one, weigh, limit), weigh)


def joined(one: Ballot, came: Sequence[Outcome], weigh: Weights) -> Labelled:
    """What came of each word as stretches of the text.

    Args:
        one: the votes.
        came: of each word.
        weigh: decides where a second span of the same label begins.
    """
    given: list[Given] = []
    waiting: list[Waiting] = []
    for at, (token, outcome) in enumerate(zip(one.tokens, came, strict=True)):
        before = came[at - 1] if at else NOBODY
        if outcome.came is Came.LABEL:
            if before.came is Came.LABEL and before.label == outcome.label and not _begins(one, at, outcome, weigh):
                last = given[-1]
                given[-1] = Given(last.start, token.end, last.label, min(last.share, outcome.share))
            else:
                given.append(Given(token.start, token.end, outcome.label, outcome.share))
        elif outcome.came.waits:
            names = tuple(sorted(label for label, _ in outcome.candidates if label != AMBIGUOUS))
            if before.came is outcome.came and waiting[-1].candidates == names:
                waiting[-1] = Waiting(waiting[-1].start, token.end, outcome.came, names)
            else:
                waiting.append(Waiting(token.start, token.end, outcome.came, names))
    return Labelled(tuple(given), tuple(waiting))


def _begins(one: Ballot, at: int, outcome: Outcome, weigh: Weights) -> bool:
    """Whether those who voted for the label of a word hold, by weight, that a new span begins with it."""
    sides: dict[str, list[float]] = {"B": [], "I": []}
    for name, tags in one.votes.items():
        kind, _, label = tags[at].partition("-")
        if label == outcome.label:
            sides[kind].append(weigh.get((name, label), 0.0))
    return math.fsum(sorted(sides["B"])) > math.fsum(sorted(sides["I"]))


def label_of(tag: str) -> str:
    """The label of a BIO tag; O stays O."""
    return tag if tag == OUTSIDE else tag.partition("-")[2]


def stretches(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, word after the last, label) of each span of BIO tags."""
    return list(runs_of(tags, len(tags)))


# --- how the functions get on ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How one function gets on with the others.

    Attributes:
        texts: in which it said something.
        words: that it voted on.
        overlaps: of these, on how many another function voted too.
        conflicts: of these, on how many another one voted for another label.
        record: how its spans fared on the labelled part, all labels together.
        weight: of its votes, from the least to the most.
    """

    name: str
    texts: int
    words: int
    overlaps: int
    conflicts: int
    record: Record
    weight: tuple[float, float]


def standings(
    ballots: Sequence[Ballot], found: Mapping[tuple[str, str], Record], names: Iterable[str]
) -> list[Standing]:
    """Coverage, overlaps, conflicts and accuracy of each function."""
    out = []
    for name in names:
        texts = words = overlaps = conflicts = 0
        labels = set[str]()
        for one in ballots:
            mine = one.votes.get(name, ())
            texts += any(tag != OUTSIDE for tag in mine)
            for at, tag in enumerate(mine):
                if tag == OUTSIDE:
                    continue
                label = label_of(tag)
                labels.add(label)
                others = {label_of(tags[at]) for other, tags in one.votes.items() if other != name} - {OUTSIDE}
                words += 1
                overlaps += bool(others)
                conflicts += bool(others - {label})
        mine_found = [record for (who, _), record in found.items() if who == name]
        record = Record(sum(one.right for one in mine_found), sum(one.said for one in mine_found))
        each = [found.get((name, label), Record()).weight for label in labels - {AMBIGUOUS}] or [record.weight]
        out.append(Standing(name, texts, words, overlaps, conflicts, record, (min(each), max(each))))
    return out
