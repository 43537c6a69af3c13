"""Linear heads, replayed rounds and learning curves, on data whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.backtest import Replay, replay
from core.learn.curves import compare, stopping_point, weighted_auroc
from core.learn.linear_head import fit_head
from core.learn.metrics import auroc


def crowd(n=160, d=12, seed=0, rare=0.3, apart=3.0, groups=40):
    """Two kinds that lie apart in one direction, in groups."""
    rng = np.random.default_rng(seed)
    bad = rng.random(groups) < rare
    bad[:2] = True
    bad[2:4] = False
    number = np.arange(n) % groups
    x = rng.normal(size=(n, d))
    x[:, 0] += apart * bad[number]
    return x.astype(np.float32), bad[number], [f"g{g}" for g in number]


def test_a_head_tells_kinds_apart_that_lie_apart():
    x, d, _ = crowd(400)
    head = fit_head(x[:200], d[:200])
    assert auroc(head.logits(x[200:]), d[200:]) > 0.95
    assert head.probabilities(x).min() >= 0


def test_a_head_of_one_kind_says_the_same_of_everything():
    x, _, _ = crowd()
    for kind in (True, False):
        assert np.ptp(fit_head(x[:5], np.full(5, kind)).logits(x)) == 0
    assert fit_head(x[:5], np.ones(5, bool)).bias > 0
    with pytest.raises(BadInput, match="one label"):
        fit_head(x[:5], [True])


def test_the_fit_in_the_span_of_the_examples_is_the_plain_one():
    from sklearn.linear_model import LogisticRegression

    x, d, _ = crowd(60, 5)
    middle, scale = x.mean(axis=0), x.std(axis=0)
    mine = fit_head(x, d, 0.5)
    z = (x - middle) / scale / np.sqrt(5)
    theirs = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=5000).fit(z, d)
    np.testing.assert_allclose(mine.logits(x), theirs.decision_function(z), atol=2e-3)


def test_a_head_does_not_mind_a_feature_that_never_changes():
    x, d, _ = crowd()
    x[:, 3] = 7
    assert np.isfinite(fit_head(x, d).logits(x)).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30), st.integers(0, 10**6))
def test_a_weight_is_as_good_as_a_copy(n, seed):
    rng = np.random.default_rng(seed)
    s, d = rng.integers(0, 5, n).astype(float), rng.random(n) < 0.5
    d[0], d[1] = True, False
    times = rng.integers(0, 4, n)
    times[:2] = 1
    copied = auroc(np.repeat(s, times), np.repeat(d, times))
    assert weighted_auroc(s, d, times[None].astype(float))[0] == pytest.approx(copied)


def test_without_weight_on_one_kind_there_is_no_auroc():
    assert np.isnan(weighted_auroc([1.0, 2.0], [True, False], np.array([[1.0, 0.0]]))[0])


def test_a_replay_tests_groups_that_no_round_learned_from():
    x, d, groups = crowd()
    found = replay(x, d, groups, ("random", "k-center"), seeds=3)
    assert found.seeds == 3
    assert found.labels[-1] == (~np.isnan(found.logits["random"][0, 0]) == 0).sum()
    for seed in range(3):
        test = ~np.isnan(found.logits["random"][seed, 0])
        np.testing.assert_array_equal(test, ~np.isnan(found.logits["k-center"][seed, -1]))
        assert not set(found.groups[test]) & set(found.groups[~test])
    last = [found.logits[name][:, -1] for name in found.logits]
    np.testing.assert_allclose(last[0], last[1], atol=1e-2)  # the whole pool is the whole pool


def test_the_same_replay_twice_says_the_same():
    x, d, groups = crowd(80)
    one, two = (replay(x, d, groups, ("random", "entropy", "badge"), seeds=2) for _ in range(2))
    for name in one.logits:
        np.testing.assert_array_equal(one.logits[name], two.logits[name])


def test_what_cannot_be_replayed_is_refused():
    x, d, groups = crowd(60)
    with pytest.raises(BadInput, match="shadow"):
        replay(x, d, groups, ("random", "disagreement"), seeds=1)
    with pytest.raises(BadInput, match="cannot be divided"):
        replay(x, d, ["one"] * 60, ("random",), seeds=1)
    with pytest.raises(BadInput, match="needs pictures"):
        replay(x, d, groups, (), seeds=1)


def made(scores, groups=30, seeds=6, noise=0.02, labels=(10, 20, 40, 80, 160)):
    """A replay whose every round has a known AUROC, about."""
    rng = np.random.default_rng(0)
    number = np.arange(groups * 4) % groups
    d = np.arange(groups * 4) % groups % 2 == 0
    logits = {}
    for name, wanted in scores.items():
        rows = np.full((seeds, len(labels), len(d)), np.nan, np.float32)
        for seed in range(seeds):
            test = np.isin(number, np.random.default_rng(seed).permutation(groups)[: groups // 2])
            for place, area in enumerate(wanted):
                away = np.sqrt(2) * _normal(area)
                rows[seed, place, test] = (rng.normal(size=len(d)) + away * d + noise * rng.normal())[test]
        logits[name] = rows
    return Replay(np.array(labels), logits, d, number)


def _normal(area):
    from scipy.stats import norm

    return norm.ppf(area)


FAST, SLOW = (0.80, 0.93, 0.95, 0.95, 0.95), (0.60, 0.68, 0.78, 0.90, 0.95)


def test_a_strategy_that_needs_fewer_labels_is_said_to_and_by_how_much():
    found = compare(made({"random": SLOW, "k-center": FAST}), draws=200)
    fast = found.outcomes["k-center"]
    assert fast.to_target.value < 35
    assert found.outcomes["random"].to_target.value > 70
    assert fast.saved.value > 0.5
    assert fast.saved.between.low > 0.2
    assert fast.better
    assert found.outcomes["random"].saved is None
    assert (fast.low <= fast.mean).all()
    assert (fast.mean <= fast.high).all()


def test_a_strategy_like_random_is_no_better_than_random():
    found = compare(made({"random": SLOW, "margin": SLOW}), draws=200)
    assert not found.outcomes["margin"].better
    assert found.outcomes["margin"].saved.between.low < 0 < found.outcomes["margin"].saved.between.high


def test_with_too_few_groups_nothing_is_claimed():
    found = compare(made({"random": SLOW, "k-center": FAST}, groups=6), draws=50)
    outcome = found.outcomes["k-center"]
    assert outcome.saved.between is None
    assert outcome.to_target.between is None
    assert not outcome.better
    assert np.isnan(outcome.low).all()
    assert outcome.stop_at is None


def test_without_a_random_arm_nothing_is_compared():
    with pytest.raises(BadInput, match="random arm"):
        compare(made({"k-center": FAST}))


def test_the_rule_stops_where_more_labels_bring_nothing_and_not_before():
    labels = [10, 20, 40, 80, 160, 320]
    flat = np.array([0.6, 0.8, 0.9, 0.902, 0.903, 0.903])
    rng = np.random.default_rng(0)
    sure = flat + rng.normal(0, 0.001, (300, 6))
    assert stopping_point(np.vstack([flat, sure]), labels) == 3
    unsure = flat + rng.normal(0, 0.03, (300, 6))
    assert stopping_point(np.vstack([flat, unsure]), labels) is None
    rising = np.linspace(0.5, 0.9, 6)
    assert stopping_point(np.vstack([rising, rising + rng.normal(0, 0.001, (300, 6))]), labels) is None
