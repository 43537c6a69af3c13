"""Which parts resemble nothing known good."""

from core.decide.novel import beyond
from core.decide.policy import Policy
from core.records import Prediction


def _said(novelty):
    return Prediction("net", 0.1, {}, novelty=novelty)


def test_the_memorys_own_limit_is_one_and_a_policy_may_set_another():
    assert beyond([_said(1.0), _said(0.3)], None) is None
    assert beyond([_said(1.2), _said(1.7), None], None) == 1.7
    strict = Policy(1, "Lyon", 0.1, 0.9, novelty_limit=0.25)
    assert beyond([_said(1.0), _said(0.3)], strict) == 1.0
    assert beyond([_said(1.2)], Policy(1, "Lyon", 0.1, 0.9, novelty_limit=2.0)) is None


def test_what_was_not_measured_is_not_novel():
    assert beyond([_said(None), None], None) is None
    assert beyond([], None) is None
