import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decide.optimum import Prices, Prior, baselines, best_f, cost_of, optimum, prior_for
from core.decide.sweep import sweep
from core.errors import BadInput
from core.learn.metrics import Counts


def by_force(found, prices, capacity, prior, most_passed=1.0):
    edges = np.unique(np.r_[0, found.levels, (found.levels[1:] + found.levels[:-1]) / 2, 1, most_passed])
    best = np.inf
    for low, high in itertools.product(edges, edges):
        if low > high or low > most_passed:
            continue
        cells = found.cells(low, high)
        n = prior.bad * cells.bad + prior.good * cells.good
        if (prior.bad * cells.held_bad + prior.good * cells.held_good) / n <= capacity + 1e-12:
            best = min(best, cost_of(cells, prices, prior))
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40),
    st.tuples(st.floats(0, 500), st.floats(0, 50), st.floats(0, 5)),
    st.floats(0, 1),
    st.floats(0.01, 0.5),
)
def test_the_optimum_is_what_trying_every_band_finds(rows, prices, capacity, prevalence):
    found = sweep([row[0] / 20 for row in rows], [row[1] for row in rows])
    prior = prior_for(found, prevalence) if found.bad and found.good else Prior()
    mine = optimum(found, Prices(*prices), capacity, prior)
    assert mine.cost == pytest.approx(by_force(found, Prices(*prices), capacity, prior), abs=1e-9)
    assert mine.held <= capacity + 1e-9


def test_the_guarantee_keeps_the_lower_edge_down():
    found = sweep([0.1, 0.2, 0.3, 0.9], [False, False, False, True])
    assert optimum(found, Prices(1000, 10, 1), 1.0).cells.passed == 3
    assert optimum(found, Prices(1000, 10, 1), 1.0, most_passed=0.15).cells.passed == 1


def test_with_nobody_to_look_nothing_is_held_but_what_lies_on_both_edges():
    rng = np.random.default_rng(0)
    s = rng.random(300)
    found = sweep(s, rng.random(300) < s)
    none = optimum(found, Prices(100, 10, 1), 0.01)
    assert none.held <= 0.01 + 1e-9
    assert none.bound
    assert not optimum(found, Prices(100, 10, 1), 1.0).bound


def test_free_looks_hold_everything_that_could_go_wrong():
    found = sweep([0.2, 0.4, 0.6, 0.8], [False, True, False, True])
    best = optimum(found, Prices(100, 10, 0))
    assert best.cost == 0
    assert best.cells.passed_bad == best.cells.failed_good == 0


def test_the_best_f2_is_the_best_of_all_thresholds():
    rng = np.random.default_rng(3)
    s = np.round(rng.random(500), 2)
    d = rng.random(500) < s**2
    threshold, value = best_f(sweep(s, d))
    tried = [Counts(int((d & (s >= t)).sum()), int((d & (s < t)).sum()), int((~d & (s >= t)).sum()), 0).f(2)
             for t in np.r_[0, np.unique(s)]]  # fmt: skip
    assert value == pytest.approx(max(tried))
    assert Counts(int((d & (s >= threshold)).sum()), int((d & (s < threshold)).sum()),
                  int((~d & (s >= threshold)).sum()), 0).f(2) == pytest.approx(value)  # fmt: skip


def test_the_flag_everything_matrix_is_called_what_it_is():
    found = baselines(Counts(6053, 2, 8618, 1))
    assert not found.better
    assert "flag-everything" in found.sentence
    assert "77.82%" in found.sentence
    assert "77.84%" in found.sentence


@pytest.mark.parametrize(
    ("own", "word"),
    [
        (Counts(10, 0, 90, 0), "flags everything"),
        (Counts(0, 10, 0, 90), "passes everything"),
        (Counts(0, 0, 3, 90), "No defective part"),
        (Counts(9, 1, 2, 88), "against"),
    ],
)
def test_every_matrix_has_its_sentence(own, word):
    assert word in baselines(own).sentence


@pytest.mark.parametrize("prices", [(-1, 1, 1), (1, float("nan"), 1), (1, 1, float("inf"))])
def test_costs_that_cannot_be_meant_are_refused(prices):
    with pytest.raises(BadInput, match="cannot cost"):
        Prices(*prices)


def test_nothing_labelled_has_no_optimum():
    with pytest.raises(BadInput, match="Nothing is labelled"):
        optimum(sweep([], []), Prices(1, 1, 1))


def test_a_share_of_defects_needs_both_kinds():
    with pytest.raises(BadInput, match="both kinds"):
        prior_for(sweep([0.5], [True]), 0.1)


def test_what_is_held_is_counted_among_all_parts_where_they_are_known():
    rng = np.random.default_rng(4)
    s = np.round(rng.random(60), 2)
    found = sweep(s, rng.random(60) < s)
    stream = sweep(np.round(rng.beta(1, 4, 400), 2), np.zeros(400, bool))
    prices, capacity = Prices(100, 10, 2), 0.15
    edges = np.unique(np.r_[0, found.levels, (found.levels[1:] + found.levels[:-1]) / 2, 1])
    tried = []
    for low, high in itertools.combinations_with_replacement(edges, 2):
        cells, held = found.cells(low, high), stream.cells(low, high).held / stream.n
        if held <= capacity:
            tried.append((100 * cells.passed_bad + 10 * cells.failed_good) / found.n + 2 * held)
    best = optimum(found, prices, capacity, stream=stream)
    assert best.cost == pytest.approx(min(tried))
    assert best.held <= capacity + 1e-9
