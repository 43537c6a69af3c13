"""The registry: what a labelling function is, and which of them are in force under a site's rules."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

from core.errors import BadInput
from core.words.text import Span, Token, plain_word
from core.words.votes import AMBIGUOUS, LIMIT, Ballot, ballot, words_of

VERSION = 1  # of the functions' code: raised with every change of what they say, so that notes are labelled again
LABELS = (
    "defect", "product", "brand", "size", "quantity", "verdict", "line", "location", "schedule", "employee", "time",
)  # fmt: skip
TELLING = frozenset({"defect", "product", "brand", "verdict", "line", "location", "schedule"})
MOST_ENTRIES, MOST_LETTERS = 2000, 60

Combination = Literal["weighted vote", "Dawid-Skene", "majority vote"]


class Kind(StrEnum):
    """What a function goes by."""

    RULE = "rule"
    LIST = "list of words"
    DATES = "dates and times"
    CONTEXT = "context"
    MODEL = "model"


@dataclass(frozen=True)
class Prepared:
    """A text as functions read it.

    Attributes:
        plain: each word in small letters.
    """

    text: str
    tokens: tuple[Token, ...]
    plain: tuple[str, ...]

    def span(self, first: int, after: int, label: str) -> Span:
        """The words from `first` up to, not including, `after`."""
        return Span(self.tokens[first].start, self.tokens[after - 1].end, label)


def prepared(text: str) -> Prepared:
    """Cut a text into words."""
    tokens = words_of(text)
    return Prepared(text, tokens, tuple(plain_word(token.text) for token in tokens))


@dataclass(frozen=True)
class LabelFunction:
    """One function.

    Attributes:
        name: unique, as shown.
        kind: what it goes by.
        says: in a sentence, what it votes for.
        find: labelled spans of each of many texts.
    """

    name: str
    kind: Kind
    says: str
    find: Callable[[Sequence[Prepared]], list[list[Span]]] = field(compare=False)


def each(find: Callable[[Prepared], Iterable[Span]]) -> Callable[[Sequence[Prepared]], list[list[Span]]]:
    """A function of one text as a function of many."""
    return lambda texts: [list(find(text)) for text in texts]


def by_pattern(name: str, label: str, says: str, pattern: str, kind: Kind = Kind.RULE) -> LabelFunction:
    """A function that votes for whatever a pattern matches; its group `it`, where it has one."""
    compiled = re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    group = "it" if "it" in compiled.groupindex else 0

    def find(text: Prepared) -> Iterable[Span]:
        for match in compiled.finditer(text.text):
            start, end = match.span(group)
            if start < end:
                yield Span(start, end, label)

    return LabelFunction(name, kind, says, each(find))


@dataclass(frozen=True)
class LabelRules:
    """What a site has set; any change of it labels every note again.

    Attributes:
        entries: words of the site's own, by label.
        off: functions that do not vote.
        limit: probability under which a label waits for a person.
        combine: how the votes are joined.
    """

    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    limit: float = LIMIT
    combine: Combination = "weighted vote"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.entries) - set(LABELS))
        if unknown:
            raise BadInput(f"There is no label {unknown[0]}: the labels are {', '.join(LABELS)}.")
        if not 0.5 <= self.limit < 1:
            raise BadInput(f"A limit of {self.limit} is no probability from .5 up to 1.")
        if self.combine not in ("weighted vote", "Dawid-Skene", "majority vote"):
            raise BadInput(f"Votes cannot be joined by '{self.combine}'.")
        if sum(len(words) for words in self.entries.values()) > MOST_ENTRIES:
            raise BadInput(f"More than {MOST_ENTRIES:,} words of a site's own: leave some out.")
        for words in self.entries.values():
            for word in words:
                if not word.strip() or len(word) > MOST_LETTERS:
                    raise BadInput(f"A word of a list has 1 to {MOST_LETTERS} characters.")


def rules_document(rules: LabelRules) -> dict[str, Any]:
    """Rules as JSON."""
    made = asdict(rules)
    made["entries"] = {label: sorted(words) for label, words in sorted(rules.entries.items()) if words}
    made["off"] = sorted(rules.off)
    return made


def rules_of(document: Mapping[str, Any]) -> LabelRules:
    """Rules from JSON.

    Raises:
        BadInput: naming what does not fit.
    """
    try:
        return LabelRules(
            {str(label): tuple(str(word) for word in words) for label, words in document.get("entries", {}).items()},
            tuple(str(name) for name in document.get("off", ())),
            float(document.get("limit", LIMIT)),
            document.get("combine", "weighted vote"),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"These are no rules for notes ({error}).") from error


def with_entry(rules: LabelRules, label: str, word: str) -> LabelRules:
    """The rules with one more word of the site's own.

    Raises:
        BadInput: it stands there already, or cannot stand there.
    """
    wanted = " ".join(word.split()).casefold()
    if any(wanted in words for words in rules.entries.values()):
        raise BadInput(f"'{wanted}' is in one of the site's lists already.")
    entries = {**rules.entries, label: (*rules.entries.get(label, ()), wanted)}
    return LabelRules(entries, rules.off, rules.limit, rules.combine)


def functions(rules: LabelRules, models: Sequence[LabelFunction] = ()) -> tuple[LabelFunction, ...]:
    """The functions in force, each under its own name.

    Args:
        rules: of the site.
        models: functions that go by models, which only their maker can build.
    """
    from core.words.labelling import context, dates, lists, patterns

    made = (*patterns.FUNCTIONS, *dates.FUNCTIONS, *lists.functions(rules.entries), context.function(rules.entries),
            *models)  # fmt: skip
    return tuple(one for one in made if one.name not in rules.off)


def ballots(texts: Sequence[str], voters: Sequence[LabelFunction]) -> list[Ballot]:
    """Ask every function about every text."""
    read = [prepared(text) for text in texts]
    said = [(one.name, one.find(read)) for one in voters]
    return [ballot(text, {name: spans[at] for name, spans in said}) for at, text in enumerate(texts)]


def fingerprint(rules: LabelRules, names: Iterable[str]) -> str:
    """What decides how notes are labelled, apart from the labelled part: code, rules, functions."""
    return sha256(repr((VERSION, rules_document(rules), list(names))).encode()).hexdigest()[:16]


__all__ = [
    "AMBIGUOUS", "LABELS", "TELLING", "Combination", "Kind", "LabelFunction", "LabelRules", "Prepared", "ballots",
    "by_pattern", "each", "fingerprint", "functions", "prepared", "rules_document", "rules_of", "with_entry",
]  # fmt: skip
