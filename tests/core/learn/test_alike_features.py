"""Near-duplicates by a net's features: planted ones are found, and nothing in fair sets."""

import numpy as np
import pytest

from core.learn.alike_features import FEWEST, alike, tail_limit


def features(rng: np.random.Generator, n: int, d: int = 96, kinds: int = 3) -> np.ndarray:
    """As a net gives them: a middle that all share, kinds of picture, few strong directions and many weak ones."""
    spread = 3.0 / (1 + np.arange(d)) ** 0.7
    own = rng.standard_t(12, (n, d)) * spread
    turned = np.linalg.qr(rng.normal(size=(d, d)))[0]
    middles = rng.normal(0, 2, (kinds, d)) * spread
    return ((own + middles[rng.integers(0, kinds, n)]) @ turned + 5).astype(np.float32)


def copied(rng: np.random.Generator, one: np.ndarray, likeness: float, spread: np.ndarray) -> np.ndarray:
    """The same picture changed a little: the net's features move by a share of what pictures differ by."""
    return (one + rng.normal(size=one.shape) * spread * np.sqrt(2 * (1 - likeness)) * 0.7).astype(np.float32)


@pytest.mark.parametrize("n", [60, 300, 1500])
def test_every_planted_copy_is_found_and_nothing_else(n):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = features(rng, n)
        again = copied(rng, made[n // 3], 0.995, made.std(axis=0))
        found = alike(np.vstack([made, again]), ["cam 1"] * (n + 1))
        assert found.tolist() == [[n // 3, n]], seed


def test_fair_sets_raise_a_false_alarm_in_fewer_than_one_of_twenty():
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        alarms += len(alike(features(rng, 120, kinds=1 + seed % 5), ["cam 1"] * 120)) > 0
    assert alarms < 10


def test_a_net_to_which_all_pictures_are_alike_says_nothing():
    rng = np.random.default_rng(5)
    lines = np.outer(rng.normal(size=400), rng.normal(size=64)) + rng.normal(0, 1e-6, (400, 64))
    assert len(alike(lines.astype(np.float32), ["cam 1"] * 400)) <= 4
    assert len(alike(np.ones((400, 64), np.float32), ["cam 1"] * 400)) == 0


def test_pictures_of_other_cameras_and_of_few_are_not_compared():
    rng = np.random.default_rng(6)
    made = features(rng, 200)
    both = np.vstack([made, made[:50]])
    looks = ["cam 1"] * 200 + ["cam 2"] * 50
    assert alike(both, looks).tolist() == []
    few = np.vstack([made[: FEWEST - 2], made[:1]])
    assert alike(few, ["cam 1"] * (FEWEST - 1)).tolist() == []


def test_many_pictures_are_compared_by_codes_with_the_same_answer(monkeypatch):
    rng = np.random.default_rng(7)
    made = features(rng, 900)
    made[800:] = copied(rng, made[:100], 0.999, made.std(axis=0))
    exact = alike(made, ["x"] * 900).tolist()
    assert [[n, n + 800] for n in range(100)] == exact
    monkeypatch.setattr("core.learn.near_duplicates._EXACT", 10)
    assert alike(made, ["x"] * 900).tolist() == exact


def test_the_limit_rises_with_the_number_of_pictures_and_falls_with_the_directions():
    rng = np.random.default_rng(8)

    def limit(n: int, d: int) -> float:
        made = rng.normal(size=(n, d)).astype(np.float32)
        return tail_limit(made / np.linalg.norm(made, axis=1, keepdims=True))

    assert limit(2000, 16) > limit(200, 16) > limit(200, 100)
    sphere = rng.normal(size=(600, 24)).astype(np.float32)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    pairs = (sphere @ sphere.T)[np.triu_indices(600, 1)]
    assert pairs.max() < tail_limit(sphere) < 0.95
