import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.learn import metrics
from tests.core.learn.metrics.simulated import Plant, coverage


def _recall_interval(scores, defective, groups, rng):
    return metrics.recall_interval(scores, defective, groups, rng=rng)


@pytest.mark.parametrize(
    "plant",
    [
        Plant(bad=4, good=4, size=10, alike=0.8),
        Plant(bad=8, good=4, size=10, alike=0.4),
        Plant(bad=6, good=6, size=8, alike=0.0),
        Plant(bad=12, good=12, size=4, alike=0.8),
        Plant(bad=12, good=12, size=4, alike=0.3),
        Plant(mixed=12, size=12, alike=0.8),
    ],
    ids=str,
)
@pytest.mark.parametrize("apart", [1.0, 2.0, 3.0])
def test_the_interval_covers_the_true_recall_as_often_as_it_says(plant: Plant, apart: float):
    assert coverage(plant, apart, plant.true_recall(apart), _recall_interval) >= 0.93


def test_that_the_threshold_was_found_on_the_good_pictures_is_part_of_the_interval():
    plant, apart = Plant(bad=300, good=30), 2.0
    truth = plant.true_recall(apart)

    def fixed(scores, defective, groups, rng):
        """What one would claim who takes the threshold for given."""
        point = metrics.recall_at_false_reject_rate(scores, defective)
        return metrics.proportion_interval(round(point.recall * defective.sum()), int(defective.sum()))

    assert coverage(plant, apart, truth, fixed) < 0.6
    assert coverage(plant, apart, truth, _recall_interval) >= 0.93


def test_the_interval_is_never_narrower_than_that_of_independent_pictures(rng):
    for seed in range(20):
        scores, defective, groups = Plant(bad=5, good=6, size=8).draw(1.5, np.random.default_rng(seed))
        hits = round(metrics.recall_at_false_reject_rate(scores, defective).recall * defective.sum())
        alone = metrics.proportion_interval(hits, int(defective.sum()))
        found = metrics.recall_interval(scores, defective, groups, rng=rng)
        assert found.low <= alone.low
        assert found.high >= alone.high


def test_more_groups_know_more(rng):
    few, many = (Plant(bad=n, good=n, size=8, alike=0.3).draw(2.0, np.random.default_rng(2)) for n in (5, 100))
    few, many = (metrics.recall_interval(*one, rng=rng) for one in (few, many))
    assert many.high - many.low < 0.4 * (few.high - few.low)


def test_a_full_recall_of_few_parts_claims_no_more_than_the_exact_bound_of_as_many(rng):
    scores = np.r_[np.zeros(40), np.ones(12)]
    groups = (np.arange(52) // 2).tolist()
    found = metrics.recall_interval(scores, scores > 0, groups, rng=rng)
    assert found.high == 1
    assert found.low <= metrics.proportion_interval(6, 6).low


def test_of_fewer_than_four_groups_of_a_kind_nothing_is_said(rng):
    scores, defective = np.arange(80) % 11, np.arange(80) >= 40
    assert metrics.recall_interval(scores, defective, (np.arange(80) // 10).tolist(), rng=rng) is not None
    assert metrics.recall_interval(scores, defective, (np.arange(80) // 14).tolist(), rng=rng) is None


@pytest.mark.parametrize(("good", "said"), [(18, False), (19, True)])
def test_no_threshold_of_fewer_than_19_good_pictures_can_promise_five_percent(good: int, said: bool, rng):
    scores = np.arange(good + 10)
    assert (metrics.recall_interval(scores, scores >= good, rng=rng) is not None) is said


def test_many_pictures_are_drawn_in_several_tables(rng, monkeypatch):
    scores, defective, groups = Plant(bad=6, good=6, size=8).draw(1.5, np.random.default_rng(1))
    whole = metrics.recall_interval(scores, defective, groups, rng=np.random.default_rng(3))
    monkeypatch.setattr("core.learn.metrics.recall_intervals.CELLS", 10 * len(scores))
    parted = metrics.recall_interval(scores, defective, groups, rng=np.random.default_rng(3))
    assert_allclose(parted, whole, atol=0.05)


def test_the_same_generator_gives_the_same_interval():
    scores, defective, groups = np.arange(60) % 7, np.arange(60) % 3 == 0, [i // 2 for i in range(60)]
    first, second = (metrics.recall_interval(scores, defective, groups, rng=np.random.default_rng(5)) for _ in range(2))
    assert first == second
