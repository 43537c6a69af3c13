import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from core.errors import BadInput
from core.learn import metrics
from tests.core.learn.metrics.cases import scored


@given(scored())
@limits(deadline=None)
def test_auroc_equals_scikit_learn_with_ties(case):
    scores, defective = case
    assert_allclose(metrics.auroc(scores, defective), oracle.roc_auc_score(defective, scores))


@given(scored())
@limits(deadline=None)
def test_average_precision_equals_scikit_learn_with_ties(case):
    scores, defective = case
    assert_allclose(metrics.average_precision(scores, defective), oracle.average_precision_score(defective, scores))


@given(scored())
@limits(deadline=None)
def test_the_roc_curve_passes_through_scikit_learns_points(case):
    scores, defective = case
    ours = metrics.roc_curve(scores, defective)
    x, y, _ = oracle.roc_curve(defective, scores, drop_intermediate=False)
    assert_allclose(ours.x, x)
    assert_allclose(ours.y, y)


@given(scored())
@limits(deadline=None)
def test_recall_at_a_false_reject_rate_is_the_best_of_all_thresholds(case):
    scores, defective = case
    point = metrics.recall_at_false_reject_rate(scores, defective, 0.2)
    best = max(
        (metrics.count(scores >= t, defective) for t in [*scores, np.inf]),
        key=lambda c: (c.false_reject_rate <= 0.2, c.recall),
    )
    assert point.recall == best.recall
    assert point.false_reject_rate <= 0.2
    assert metrics.count(scores >= point.threshold, defective).recall == point.recall


@given(scored())
@limits(deadline=None)
def test_scores_below_one_kind_of_example_do_not_change_when_all_scores_shift(case):
    scores, defective = case
    assert metrics.auroc(scores * 3 - 7, defective) == metrics.auroc(scores, defective)


def test_average_precision_of_good_examples_alone_is_not_applicable():
    assert metrics.average_precision([0.1, 0.2], [False, False]) is None


def test_a_model_that_says_the_same_of_everything_has_no_recall_at_five_percent():
    assert metrics.recall_at_false_reject_rate(np.full(20, 0.9), np.arange(20) < 10).recall == 0


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(BadInput, match="1 of 2 scores are not numbers"):
        metrics.auroc([0.1, float("nan")], [True, False])


def test_scores_without_labels_are_refused():
    with pytest.raises(BadInput, match="2 scores but 1 labels"):
        metrics.auroc([0.1, 0.2], [True])


@pytest.mark.parametrize("defective", [[True, True], [False, False], []])
def test_ranks_of_one_kind_only_are_not_applicable(defective, rng):
    scores = np.linspace(0, 1, len(defective))
    assert metrics.auroc(scores, defective) is None
    assert metrics.delong_interval(scores, defective) is None
    assert metrics.auroc_interval(scores, defective) is None
    assert metrics.roc_curve(scores, defective) is None
    assert metrics.recall_at_false_reject_rate(scores, defective) is None
    assert metrics.recall_interval(scores, defective, rng=rng) is None
