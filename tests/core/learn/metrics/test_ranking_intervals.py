import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.errors import BadInput
from core.learn import metrics
from tests.core.learn.metrics.simulated import Plant, coverage


def test_delong_covers_the_truth_as_often_as_it_says(rng):
    true, hits = 0.7602, 0  # of two normals one apart
    for _ in range(300):
        defective = np.arange(80) < 30
        interval = metrics.delong_interval(rng.normal(defective.astype(float)), defective)
        hits += interval.low <= true <= interval.high
    assert 0.9 < hits / 300 < 0.99


def test_delong_by_hand():
    # two defective at 3 and 1, two good at 2 and 0: 3 of 4 pairs in order; both kinds spread by 1/8 a head
    interval = metrics.delong_interval([3, 1, 2, 0], [True, True, False, False])
    error = np.sqrt(0.125 / 2 + 0.125 / 2) / (0.75 * 0.25)
    assert_allclose(np.log(interval.low / (1 - interval.low)), np.log(3) - 1.959964 * error, rtol=1e-6)


def test_without_any_error_the_interval_is_still_no_point():
    interval = metrics.delong_interval([1, 2, 3, 4, 5, 6], [False] * 3 + [True] * 3)
    assert interval.high == 1
    assert 0.3 < interval.low < 0.9


def test_pictures_of_one_part_are_no_new_evidence(rng):
    defective = np.repeat(np.arange(12) < 6, 8)
    scores = np.repeat(rng.normal(size=12) + (np.arange(12) < 6), 8)
    alone = metrics.auroc_interval(scores, defective)
    together = metrics.auroc_interval(scores, defective, np.repeat(np.arange(12), 8).tolist())
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_groups_that_happen_to_agree_claim_no_more_than_independent_pictures_would(rng):
    defective = np.arange(48) < 24
    scores = np.where(defective, 1.0, 0.0) + rng.normal(0, 0.7, 48)
    alone = metrics.delong_interval(scores, defective)
    together = metrics.auroc_interval(scores, defective, (np.arange(48) // 6).tolist())
    assert together.low <= alone.low
    assert together.high >= alone.high


def test_grouped_intervals_of_a_perfect_ranking_are_still_no_point():
    interval = metrics.auroc_interval(np.arange(16), np.arange(16) >= 8, (np.arange(16) // 2).tolist())
    assert interval.high == 1
    assert interval.low < 0.9


def test_of_fewer_than_four_groups_of_a_kind_nothing_is_said():
    scores, defective = np.arange(40) % 11, np.arange(40) >= 20
    assert metrics.auroc_interval(scores, defective, (np.arange(40) // 5).tolist()) is not None
    assert metrics.auroc_interval(scores, defective, [0] * 8 + [1] * 8 + [2] * 4 + list(range(3, 23))) is None


def test_a_group_is_asked_for_each_score():
    with pytest.raises(BadInput, match="4 scores but 1 groups"):
        metrics.auroc_interval([1, 2, 3, 4], [False, False, True, True], ["a"])


@pytest.mark.parametrize(
    "plant",
    [
        Plant(bad=4, good=4, size=10, alike=0.8),
        Plant(bad=8, good=4, size=5, alike=0.4),
        Plant(bad=12, good=12, size=4, alike=0.8),
        Plant(mixed=6, size=12, alike=0.8),
        Plant(mixed=12, size=12, alike=0.4),
    ],
    ids=str,
)
@pytest.mark.parametrize("apart", [1.0, 2.7])
def test_the_interval_covers_the_true_auroc_as_often_as_it_says(plant: Plant, apart: float):
    covered = coverage(
        plant, apart, plant.true_auroc(apart), lambda s, d, groups, rng: metrics.auroc_interval(s, d, groups)
    )
    assert covered >= 0.93
