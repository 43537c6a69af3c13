"""Dawid and Skene's label model: learns who errs how, answers for new texts, and never breaks a tie by order."""

import numpy as np
import pytest

from core.errors import BadInput
from core.words.labelling.label_model import LabelModel, fit
from core.words.text import Span, tokens_of
from core.words.votes import AMBIGUOUS, Ballot, Came

SKILL = {"good": 0.95, "fair": 0.8, "poor": 0.45, "worse": 0.4}
LABELS = ("line", "defect", "time")


def drawn(n: int, seed: int) -> tuple[list[Ballot], list[str]]:
    rng = np.random.default_rng(seed)
    made, truth = [], []
    for _ in range(n):
        true = LABELS[int(rng.integers(3))]
        tags = {}
        for name, right in SKILL.items():
            others = [label for label in (*LABELS, "O") if label != true]
            said = true if rng.random() < right else others[int(rng.integers(3))]
            tags[name] = ("O" if said == "O" else f"B-{said}",)
        made.append(Ballot(tokens_of("word"), tags))
        truth.append(true)
    return made, truth


@pytest.fixture(scope="module")
def model() -> LabelModel:
    heard, truth = drawn(600, 1)
    return fit(heard, {at: [Span(0, 4, truth[at])] for at in range(60)})


def test_it_learns_who_errs_how(model):
    rates = {name: np.mean([model.confusions[name][label][label] for label in LABELS]) for name in SKILL}
    for name, right in SKILL.items():
        assert rates[name] == pytest.approx(right, abs=0.08)


def test_it_beats_every_function_on_new_texts(model):
    heard, truth = drawn(1500, 2)
    right = np.mean([model.outcomes(one, 0.0)[0].label == true for one, true in zip(heard, truth, strict=True)])
    alone = np.mean([one.votes["good"][0] == f"B-{true}" for one, true in zip(heard, truth, strict=True)])
    assert right > alone


def test_the_order_of_functions_changes_nothing(model):
    (one,), _ = drawn(1, 3)
    turned = Ballot(one.tokens, dict(reversed(one.votes.items())))
    assert model.outcomes(one) == model.outcomes(turned)


def test_an_exact_tie_goes_to_a_person():
    even = {"line": {"line": 0.8, "time": 0.1, "O": 0.1}, "time": {"line": 0.1, "time": 0.8, "O": 0.1},
            "O": {"line": 0.1, "time": 0.1, "O": 0.8}}  # fmt: skip
    model = LabelModel({"line": 0.4, "time": 0.4, "O": 0.2}, {"a": even, "b": even})
    (came,) = model.outcomes(Ballot(tokens_of("word"), {"a": ("B-line",), "b": ("B-time",)}))
    assert (came.came, came.label) == (Came.TIE, "")
    (silent,) = model.outcomes(Ballot(tokens_of("word"), {"a": ("O",), "b": ("O",)}))
    assert silent.came is Came.OUTSIDE
    (doubt,) = model.outcomes(Ballot(tokens_of("word"), {"a": ("B-line",), "b": (f"B-{AMBIGUOUS}",)}))
    assert doubt.came is Came.AMBIGUOUS


def test_without_a_labelled_part_or_any_vote_it_says_so():
    heard, _ = drawn(5, 4)
    with pytest.raises(BadInput, match="labelled part"):
        fit(heard, {})
    silent = [Ballot(tokens_of("word"), {"a": ("O",)})]
    with pytest.raises(BadInput, match="nothing to learn"):
        fit(silent, {0: []})


def test_a_label_that_nobody_ever_says_does_not_break_it():
    heard, truth = drawn(200, 5)
    known = {at: [Span(0, 4, truth[at])] for at in range(40)}
    known[3] = [Span(0, 4, "size")]
    assert fit(heard, known).outcomes(heard[0])[0].came in tuple(Came)
