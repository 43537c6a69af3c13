"""The promise of the detectors, by simulation: false alarms in a quarter, and how soon a real change is seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.watch.detector import (
    BETS,
    QUARTER_S,
    fires,
    growth,
    items,
    level,
    share_of_quarter,
    start,
    step,
)
from core.watch.streams import share_items

DAYS, HOURS = 90, 90 * 24


def alarms_of(hits: np.ndarray, n: int, limit: float, rate: float) -> np.ndarray:
    """(runs, looks) whether each look raised an alarm, after which the run begins anew."""
    gain = growth(share_items(1, 1, limit))
    loss = growth(share_items(0, 1, limit))
    levels = np.zeros((len(hits), len(BETS)))
    raised = np.zeros(hits.shape, bool)
    for look in range(hits.shape[1]):
        seen = hits[:, look, None]
        levels = step(levels, seen * gain + (n - seen) * loss, share_of_quarter(3600))
        raised[:, look] = level(levels) >= 1 / rate
        levels[raised[:, look]] = 0
    return raised


@pytest.mark.parametrize("rate", [0.2, 1.0])
@pytest.mark.parametrize("truth", [0.004, 0.01], ids=["well below the limit", "just at the limit"])
def test_ninety_days_looked_at_hourly_raise_no_more_false_alarms_than_stated(rate, truth):
    rng = np.random.default_rng(1)
    found = alarms_of(rng.binomial(60, truth, (300, HOURS)), 60, 0.01, rate).sum(axis=1)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() <= rate * DAYS * 86400 / QUARTER_S + 3 * error


def test_looking_every_five_minutes_raises_no_more_than_looking_every_day():
    rng = np.random.default_rng(2)
    for looks, seconds, n in ((30 * 288, 300, 5), (30, 86400, 1440)):
        hits = rng.binomial(n, 0.01, (150, looks))
        gain, loss = growth(share_items(1, 1, 0.01)), growth(share_items(0, 1, 0.01))
        levels, alarms = np.zeros((150, len(BETS))), np.zeros(150)
        for look in range(looks):
            seen = hits[:, look, None]
            levels = step(levels, seen * gain + (n - seen) * loss, share_of_quarter(seconds))
            raised = level(levels) >= 1 / 0.5
            alarms += raised
            levels[raised] = 0
        error = alarms.std(ddof=1) / np.sqrt(len(alarms))
        assert alarms.mean() <= 0.5 * 30 * 86400 / QUARTER_S + 3 * error


def test_a_late_change_is_seen_as_fast_as_an_early_one():
    rng = np.random.default_rng(3)
    delays = []
    for quiet in (2 * 24, 60 * 24):
        before = rng.binomial(60, 0.004, (120, quiet))
        after = rng.binomial(60, 0.02, (120, 15 * 24))
        raised = alarms_of(np.concatenate([before, after], axis=1), 60, 0.01, 0.05)[:, quiet:]
        assert raised.any(axis=1).all()
        delays.append(float(np.median(raised.argmax(axis=1) + 1)))
    early, late = delays
    assert late <= 1.25 * early
    assert early <= 72  # hours, for 0.4% to 2% with 60 looked at in an hour


def test_the_naive_rule_on_the_same_days_cries_wolf():
    rng = np.random.default_rng(4)
    hits = rng.binomial(60, 0.004, (50, HOURS))
    over = hits / 60 > 0.01
    false = (over & ~np.concatenate([np.zeros((50, 1), bool), over[:, :-1]], axis=1)).sum(axis=1).mean()
    assert false > 20
    assert alarms_of(hits, 60, 0.01, 0.05).sum() == 0


def test_evidence_multiplies_whoever_orders_it():
    rng = np.random.default_rng(5)
    z = rng.choice([0.99, -0.01], 50, p=[0.02, 0.98])
    one = growth(items(z, np.ones(50), -0.01))
    other = growth(items([0.99, -0.01], [(z > 0).sum(), (z < 0).sum()], -0.01))
    np.testing.assert_allclose(one, other)


@given(st.floats(0.001, 0.5), st.integers(0, 50), st.integers(1, 200))
def test_a_bettor_wins_nothing_on_average_at_the_limit(limit, hits, n):
    hits = min(hits, n)
    from scipy import stats

    counts = np.arange(n + 1)
    grown = np.array([np.exp(growth(share_items(int(k), n, limit))) for k in counts[: min(n, 40) + 1]])
    chances = stats.binom.pmf(counts[: len(grown)], n, limit)
    assert (chances @ grown <= 1 + 1e-6).all()


def test_without_items_nothing_moves_but_the_clock():
    levels = step(start(), growth(items([], [], -0.01)), share_of_quarter(QUARTER_S / 4))
    np.testing.assert_allclose(levels, 0.25)
    assert not fires(levels, 1.0)
    assert fires(levels, 4.0)


def test_a_share_among_many_cameras_is_divided():
    assert share_of_quarter(QUARTER_S, 20) == pytest.approx(0.05)
    assert share_of_quarter(-5) == 0


@pytest.mark.parametrize(("z", "n", "least"), [([1.0], [1, 2], -1), ([1.0], [1], 0.0), ([-2.0], [1], -1.0)])
def test_items_that_cannot_be_meant_are_refused(z, n, least):
    with pytest.raises(BadInput):
        items(z, n, least)


def test_no_rule_can_promise_zero_false_alarms():
    with pytest.raises(BadInput):
        fires(start(), 0.0)
