"""The label model beside the weighted vote: Dawid and Skene's, from crowd-kit.

Every function is a worker who answers about each word on which anybody voted; a function that says nothing there has
said O. Their confusions and the truth are estimated together (Dawid and Skene 1979), starting from the confusions on
the labelled part, whose truth stays fixed. What was learned then answers for any text, so that labelling can go on
where it was.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from core.words.text import OUTSIDE, Span, tags_of
from core.words.votes import AMBIGUOUS, LIMIT, NOBODY, Ballot, Came, Outcome, label_of

MOST_WORDS = 6000  # that the model is fitted on; more change little and take long
ROUNDS = 40
_SMOOTH = 0.02  # share of every confusion that is spread evenly: nobody is trusted without end
_SURE = 0.9  # probability from which the word "ambiguous" does not count any more
_SAME = 1e-9


@dataclass(frozen=True)
class LabelModel:
    """What was learned.

    Attributes:
        priors: probability of each label, O among them, on a word that somebody voted on.
        confusions: for each function, label said and true label, the probability of saying it.
    """

    priors: Mapping[str, float]
    confusions: Mapping[str, Mapping[str, Mapping[str, float]]]

    def outcomes(self, one: Ballot, limit: float = LIMIT) -> list[Outcome]:
        """What comes of the votes on each word of a text."""
        return [
            self._decide({n: label_of(t[at]) for n, t in one.votes.items()}, limit) for at in range(len(one.tokens))
        ]

    def _decide(self, said: Mapping[str, str], limit: float) -> Outcome:
        spoken = {label for label in said.values() if label != OUTSIDE}
        if not spoken:
            return NOBODY
        logs = {
            true: math.fsum(sorted([
                math.log(max(prior, 1e-12)),
                *(math.log(max(self.confusions[name].get(_heard(label), {}).get(true, 0.0), 1e-12))
                  for name, label in said.items() if name in self.confusions),
            ]))
            for true, prior in self.priors.items()
        }  # fmt: skip
        best = max(logs.values())
        total = math.fsum(sorted(math.exp(value - best) for value in logs.values()))
        ranked = sorted(((label, math.exp(value - best) / total) for label, value in logs.items()),
                        key=lambda pair: (-pair[1], pair[0]))  # fmt: skip
        winner, share = ranked[0]
        candidates = tuple(pair for pair in ranked if pair[0] != OUTSIDE and pair[1] > 0.01)
        if AMBIGUOUS in spoken and share < _SURE:
            return Outcome(Came.AMBIGUOUS, "", share, candidates)
        if len(ranked) > 1 and share - ranked[1][1] <= _SAME:
            return Outcome(Came.TIE, "", share, candidates)
        if winner == OUTSIDE:
            return NOBODY
        return Outcome(
            Came.LABEL if share >= limit else Came.UNSURE, winner if share >= limit else "", share, candidates
        )


def fit(ballots: Sequence[Ballot], truth: Mapping[int, Sequence[Span]]) -> LabelModel:
    """Learn how each function errs.

    Args:
        ballots: of labelled and unlabelled texts.
        truth: spans of the labelled ones, by their place in `ballots`.

    Raises:
        BadInput: no text is labelled, or nobody voted on anything.
    """
    if not truth:
        raise BadInput("The label model needs a labelled part: check some notes by hand first.")
    names = sorted({name for one in ballots for name in one.votes})
    tasks = _tasks(ballots, truth)
    if not tasks:
        raise BadInput("No function votes on any of these notes: there is nothing to learn from.")
    labels = sorted({OUTSIDE, *(heard for said, _ in tasks for heard in said.values()),
                     *(true for _, true in tasks if true is not None)})  # fmt: skip
    return _fitted(names, labels, tasks)


def _tasks(ballots: Sequence[Ballot], truth: Mapping[int, Sequence[Span]]) -> list[tuple[dict[str, str], str | None]]:
    """What everybody said of each word that anybody voted on, and its true label where that is known; those first."""
    known: list[tuple[dict[str, str], str | None]] = []
    others: list[tuple[dict[str, str], str | None]] = []
    for place, one in enumerate(ballots):
        true = [label_of(tag) for tag in tags_of(one.tokens, truth[place])] if place in truth else None
        for at in range(len(one.tokens)):
            said = {name: _heard(label_of(tags[at])) for name, tags in one.votes.items()}
            if any(label != OUTSIDE for label in said.values()):
                (others if true is None else known).append((said, None if true is None else true[at]))
    step = max(1, math.ceil(len(others) / MOST_WORDS))  # evenly over all notes
    return known + others[::step]


def _fitted(
    names: Sequence[str], labels: Sequence[str], tasks: Sequence[tuple[dict[str, str], str | None]]
) -> LabelModel:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    rows = [(at, name, said.get(name, OUTSIDE)) for at, (said, _) in enumerate(tasks) for name in names]
    answers = pd.DataFrame(rows, columns=["task", "worker", "label"])
    gold = pd.Series({at: true for at, (_, true) in enumerate(tasks) if true is not None}, name="true_label")
    first = _first(names, labels, tasks)
    index = pd.MultiIndex.from_tuples(list(first), names=["worker", "label"])
    start = pd.DataFrame([[first[key][true] for true in labels] for key in first], index=index, columns=list(labels))
    # crowd-kit learns labels from the answers alone: every label has to be somebody's answer once
    model = DawidSkene(n_iter=ROUNDS, initial_error_strategy="assign")
    unheard = [label for label in labels if label not in set(answers["label"])]
    if unheard:
        gold = gold[~gold.isin(unheard)]
        start = start.drop(columns=unheard)
    start = start[start.index.isin(pd.MultiIndex.from_frame(answers[["worker", "label"]].drop_duplicates()))]
    start = start / start.groupby("worker").transform("sum")  # over what each has said at all
    fitted: Any = model.fit(answers, true_labels=gold, initial_error=start)
    errors, priors = fitted.errors_, fitted.priors_
    true_labels = [str(name) for name in errors.columns]
    confusions: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for name in names:
        for label in labels:
            row = errors.loc[(name, label)] if (name, label) in errors.index else None
            confusions[name][label] = {
                true: _SMOOTH / len(labels) + (1 - _SMOOTH) * (0.0 if row is None else float(row[true]))
                for true in true_labels
            }
    return LabelModel({str(label): float(value) for label, value in priors.items()}, dict(confusions))


def _first(
    names: Sequence[str], labels: Sequence[str], tasks: Sequence[tuple[dict[str, str], str | None]]
) -> dict[tuple[str, str], dict[str, float]]:
    """Confusions on the labelled part, smoothed: (function, said) to true label to probability of saying it."""
    counts = Counter(
        (name, said.get(name, OUTSIDE), true) for said, true in tasks if true is not None for name in names
    )
    totals = Counter(true for _, true in tasks if true is not None)
    spread = {label: 3.0 if label == OUTSIDE else 1.0 / len(labels) for label in labels}  # silence is the usual answer
    sums = math.fsum(spread.values())
    return {
        (name, label): {true: (counts[name, label, true] + spread[label]) / (totals[true] + sums) for true in labels}
        for name in names
        for label in labels
    }


def _heard(label: str) -> str:
    return OUTSIDE if label == AMBIGUOUS else label
