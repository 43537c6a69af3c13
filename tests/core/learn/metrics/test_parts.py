import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.decide.decision import join
from core.learn import metrics


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
