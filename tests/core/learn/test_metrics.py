import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from core.decide.decision import join
from core.errors import BadInput
from core.learn import metrics
from core.learn.metrics import Counts

FLAG_EVERYTHING = Counts(tp=6053, fn=2, fp=8618, tn=1)


@st.composite
def scored(draw):
    """Few distinct scores, so that ties are common; both kinds present."""
    n = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    defective = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda d: any(d) and not all(d)))
    return np.array(scores) / 6, np.array(defective)


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
def test_class_scores_equal_scikit_learn(case):
    scores, defective = case
    flagged = scores > 0.5
    ours = metrics.count(flagged, defective)
    p, r, f, _ = oracle.precision_recall_fscore_support(defective, flagged, beta=2, average="binary", zero_division=0)
    assert_allclose([ours.precision or 0, ours.recall or 0, ours.f(2) or 0], [p, r, f])


@given(scored())
@limits(deadline=None)
def test_scores_below_one_kind_of_example_do_not_change_when_all_scores_shift(case):
    scores, defective = case
    assert metrics.auroc(scores * 3 - 7, defective) == metrics.auroc(scores, defective)


@pytest.mark.parametrize("defective", [[True, True], [False, False], []])
def test_ranks_of_one_kind_only_are_not_applicable(defective, rng):
    scores = np.linspace(0, 1, len(defective))
    assert metrics.auroc(scores, defective) is None
    assert metrics.delong_interval(scores, defective) is None
    assert metrics.auroc_interval(scores, defective, rng=rng) is None
    assert metrics.roc_curve(scores, defective) is None
    assert metrics.recall_at_false_reject_rate(scores, defective) is None
    assert metrics.recall_interval(scores, defective, rng=rng) is None


def test_average_precision_of_good_examples_alone_is_not_applicable():
    assert metrics.average_precision([0.1, 0.2], [False, False]) is None


def test_a_model_that_says_the_same_of_everything_has_no_recall_at_five_percent():
    assert metrics.recall_at_false_reject_rate(np.full(20, 0.9), np.arange(20) < 10).recall == 0


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
    parts = np.repeat(np.arange(12), 8).tolist()
    alone = metrics.auroc_interval(scores, defective, rng=rng)
    together = metrics.auroc_interval(scores, defective, parts, rng=rng)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_a_handful_of_groups_does_not_claim_more_than_independent_pictures_would(rng):
    defective = np.arange(24) < 16
    scores = np.where(defective, 1.0, 0.0) + rng.normal(0, 0.7, 24)
    places = ["a"] * 8 + ["b"] * 8 + ["c"] * 8
    alone = metrics.delong_interval(scores, defective)
    together = metrics.auroc_interval(scores, defective, places, rng=rng)
    assert together.low <= alone.low
    assert together.high >= alone.high


def test_grouped_intervals_of_a_perfect_ranking_are_still_no_point(rng):
    interval = metrics.auroc_interval([0, 1, 5, 6], [False, False, True, True], ["a", "a", "b", "b"], rng=rng)
    assert interval.low < 0.9


def test_the_same_generator_gives_the_same_interval():
    scores, defective, groups = np.arange(20) % 7, np.arange(20) % 3 == 0, [i // 2 for i in range(20)]
    first, second = (metrics.auroc_interval(scores, defective, groups, rng=np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_a_full_recall_of_few_parts_claims_no_more_than_the_exact_bound(rng):
    interval = metrics.recall_interval([0, 0, 0, 1, 1, 1], [False] * 3 + [True] * 3, rng=rng)
    assert_allclose(interval, metrics.proportion_interval(3, 3))


def test_three_misses_in_360_guarantee_less_than_they_show():
    assert_allclose(metrics.lower_bound(357, 360), 0.97860, atol=5e-5)
    assert_allclose(357 / 360, 0.99167, atol=5e-5)


@given(st.integers(0, 30), st.integers(1, 30))
@limits(deadline=None)
def test_a_rate_lies_in_its_interval(successes, more):
    interval = metrics.proportion_interval(successes, successes + more)
    assert interval.low <= successes / (successes + more) <= interval.high


def test_a_rate_of_nothing_has_no_interval():
    assert metrics.proportion_interval(0, 0) is None


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


def test_a_class_counts_wherever_it_appears():
    true = [frozenset("ab"), frozenset("a"), frozenset()]
    said = [frozenset("a"), frozenset("b"), frozenset("b")]
    result = metrics.per_class(true, said, ["a", "b", "c"], [{"a": 0.9, "b": 0.2}, {"a": 0.4, "b": 0.6}, {"b": 0.5}])
    assert (result["a"].precision, result["a"].recall, result["a"].n) == (1.0, 0.5, 2)
    assert (result["b"].precision, result["b"].recall) == (0.0, 0.0)
    assert (result["c"].precision, result["c"].recall, result["c"].n) == (None, None, 0)
    assert_allclose(result["a"].pr_auc, oracle.average_precision_score([1, 1, 0], [0.9, 0.4, 0]))


def test_the_confusion_matrix_equals_scikit_learn():
    true, said = list("aabbccab"), list("abbbcaab")
    assert metrics.confusion(true, said, list("abc")) == oracle.confusion_matrix(true, said).tolist()


def test_a_name_that_is_not_in_the_matrix_is_refused():
    with pytest.raises(BadInput, match="z: not among"):
        metrics.confusion(["a"], ["z"], ["a"])


def test_exposures_are_averaged_in_log_odds_and_views_joined_by_the_largest():
    joined = metrics.by_group(
        [0.9, 0.5, 0.1, 0.2], [True, False, False, False], ["p", "p", "p", "q"], ["top", "top", "side", "top"]
    )
    assert joined.groups == ("p", "q")
    assert_allclose(joined.scores, [0.75, 0.2])
    assert joined.defective.tolist() == [True, False]


@given(
    st.lists(
        st.tuples(st.sampled_from("pqr"), st.sampled_from([None, "top", "side"]), st.floats(0, 1)),
        min_size=1,
        max_size=12,
    ),
    st.sets(st.sampled_from("pqr")),
)
def test_parts_are_joined_by_the_same_rule_that_decides_about_them(rows, averaged):
    parts, views, scores = zip(*rows, strict=True)
    joined = metrics.by_group(scores, [True] * len(rows), parts, views, averaged)
    for part, score in zip(joined.groups, joined.scores, strict=True):
        assert score == join([(v, s) for p, v, s in rows if p == part], part in averaged)


def test_certain_scores_are_joined_without_infinities():
    assert np.isfinite(metrics.by_group([0.0, 1.0], [True, True], ["p", "p"]).scores).all()


def test_the_hottest_spot_must_lie_on_the_region():
    heat = np.zeros((4, 8))
    heat[1, 6] = 1  # the cell over x 60 to 70, y 10 to 20 of an 80x40 picture
    mask = np.zeros((40, 80), bool)
    mask[12:18, 62:68] = True
    assert metrics.points_inside(heat, (80, 40), mask)
    assert not metrics.points_inside(heat, (80, 40), np.roll(mask, 10, axis=1))
    assert metrics.points_inside(heat, (80, 40), np.roll(mask, 10, axis=1), slack_px=8)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(BadInput, match="Mask is 40x40 but the image is 64x64"):
        metrics.points_inside(np.zeros((2, 2)), (64, 64), np.zeros((40, 40), bool))


def test_an_honest_model_has_no_calibration_error(rng):
    said = rng.random(20000)
    assert metrics.calibration_error(said, rng.random(20000) < said) < 0.02
    assert metrics.calibration_error(said, np.ones(20000)) > 0.45


def test_logits_are_no_probabilities():
    with pytest.raises(BadInput, match="calibrate"):
        metrics.reliability([-2.0, 3.0], [True, False])


@given(scored())
@limits(max_examples=25, deadline=None)
def test_log_loss_equals_scikit_learn(case):
    scores, defective = case
    p = 0.05 + 0.9 * scores
    assert_allclose(metrics.log_loss(p, defective), oracle.log_loss(defective, p))


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(BadInput, match="1 of 2 scores are not numbers"):
        metrics.auroc([0.1, float("nan")], [True, False])


def test_scores_without_labels_are_refused():
    with pytest.raises(BadInput, match="2 scores but 1 labels"):
        metrics.auroc([0.1, 0.2], [True])


@pytest.fixture
def rng():
    return np.random.default_rng(0)
