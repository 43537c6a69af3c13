"""What each person tends to call what."""

import numpy as np
import pytest

from core.audits.agreement import Answers
from core.audits.confusion import confusions
from core.errors import BadInput
from tests.core.audits.test_agreement import TABLE, answers_of


def simulated(chance, rates, items, each):
    """Answers of people with known rates, and the truth."""
    truth = chance.choice(2, items, p=[0.7, 0.3])
    rows = [
        (item, person, chance.choice(2, p=rates[person][truth[item]]))
        for item in range(items)
        for person in chance.choice(len(rates), each, replace=False)
    ]
    return Answers(*np.array(rows, np.int64).T, 2), truth


def right(sees, clears):
    return np.array([[clears, 1 - clears], [1 - sees, sees]])


def test_without_shrinkage_it_is_dawid_and_skenes_as_crowd_kit_has_it():
    """crowd-kit 1.4.2, `DawidSkene(n_iter=500, tol=0)` on the same table, converged."""
    found = confusions(answers_of(TABLE.split()), strength=0)
    assert found.prevalence == pytest.approx([0.7, 0.16666667, 0.13333333], abs=1e-6)
    assert found.truth[:6].argmax(axis=1).tolist() == [0, 2, 0, 1, 2, 0]
    expected = [[0.76470588, 0.05882353, 0.17647059], [0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]
    assert found.rates[2] == pytest.approx(np.array(expected), abs=1e-6)


def test_rates_come_back_from_answers_of_people_whose_rates_are_known():
    rates = [right(0.95, 0.98), right(0.7, 0.95), right(0.9, 0.8), right(0.85, 0.9)]
    answers, truth = simulated(np.random.default_rng(3), rates, 3000, 3)
    found = confusions(answers)
    assert np.abs(found.rates - np.array(rates)).max() < 0.05
    assert (found.truth.argmax(axis=1) == truth).mean() > 0.93


def test_known_answers_are_never_doubted_and_count_nothing_for_how_common_a_defect_is():
    rows = ["gg", "gg", "gg", "gg", "gg", "gg"]
    found = confusions(answers_of(rows, "gc"), known={0: 1, 1: 1}, strength=0)
    assert found.truth[:2].tolist() == [[0, 1], [0, 1]]
    assert found.prevalence[1] < 0.01
    assert found.rates[0][1] == pytest.approx([1, 0], abs=1e-6)


def test_shrinkage_draws_who_has_answered_little_towards_everybody_and_leaves_who_has_answered_much():
    rows = ["c.", "c."] * 100 + [".g"] * 2
    known = dict.fromkeys(range(202), 1)
    found = confusions(answers_of(rows, "gc"), known)
    assert found.counts[1, 1].tolist() == [2, 0]
    assert 0.85 < found.rates[1, 1, 1] < 0.99  # two misses are not yet a habit
    assert found.rates[0, 1, 1] > 0.99
    assert found.interval(1, 1, 1).low < found.interval(0, 1, 1).low


def test_with_few_answers_shrunk_rates_are_nearer_to_the_truth():
    """200 simulated sites of eight people who differ a little, with a dozen known answers each."""
    chance = np.random.default_rng(6)
    raw, shrunk = [], []
    for _ in range(200):
        sees = chance.beta(45, 5, 8)
        rows = [(n, p, int(chance.random() < sees[p])) for p in range(8) for n in range(12 * p, 12 * p + 12)]
        answers = Answers(*np.array(rows, np.int64).T, 2)
        known = dict.fromkeys(range(96), 1)
        for strength, errors in ((0.0, raw), (20.0, shrunk)):
            errors.append(np.square(confusions(answers, known, strength).rates[:, 1, 1] - sees).mean())
    assert np.mean(shrunk) < 0.5 * np.mean(raw)


def test_no_answers_are_refused():
    with pytest.raises(BadInput, match="Nobody"):
        confusions(Answers(*np.zeros((3, 0), np.int64), 2))
