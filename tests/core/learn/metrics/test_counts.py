from hypothesis import given
from hypothesis import settings as limits
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from core.learn import metrics
from core.learn.metrics import Counts
from tests.core.learn.metrics.cases import scored

FLAG_EVERYTHING = Counts(tp=6053, fn=2, fp=8618, tn=1)


@given(scored())
@limits(deadline=None)
def test_class_scores_equal_scikit_learn(case):
    scores, defective = case
    flagged = scores > 0.5
    ours = metrics.count(flagged, defective)
    p, r, f, _ = oracle.precision_recall_fscore_support(defective, flagged, beta=2, average="binary", zero_division=0)
    assert_allclose([ours.precision or 0, ours.recall or 0, ours.f(2) or 0], [p, r, f])


def test_recall_alone_does_not_beat_flagging_everything():
    assert_allclose(FLAG_EVERYTHING.recall, 0.9997, atol=5e-5)
    assert_allclose(FLAG_EVERYTHING.f(2), 0.7782, atol=5e-5)
    assert_allclose(metrics.flag_all(FLAG_EVERYTHING).f(2), 0.7784, atol=5e-5)
    assert not metrics.beats_flag_all(FLAG_EVERYTHING)
    assert_allclose(FLAG_EVERYTHING.prevalence, 0.4126, atol=5e-5)


def test_a_model_that_separates_beats_flagging_everything():
    assert metrics.beats_flag_all(Counts(tp=90, fn=10, fp=10, tn=90))


def test_passing_all_catches_nothing():
    row = metrics.pass_all(FLAG_EVERYTHING)
    assert row.recall == 0
    assert row.precision is None
    assert row.tn == 8619


def test_precision_is_restated_where_defects_are_rarer():
    assert_allclose(metrics.precision_at_prevalence(0.9, 0.05, 0.5), 0.9474, atol=1e-4)
    assert_allclose(metrics.precision_at_prevalence(0.9, 0.05, 0.01), 0.1538, atol=1e-4)
