"""The gate: every question answered at one joint level."""

from collections.abc import Sequence

from core.gates.rates import Question, judge
from core.gates.records import Verdict


def gate(questions: Sequence[Question], joint: float) -> Verdict:
    """Answer every question so that all bounds hold together.

    Each of the m deciding questions is answered at joint / m (Bonferroni), whatever ties them to each other. So the
    chance that a model which breaks one limit or more passes is at most `joint`, and so is the chance that any of the
    bounds shown is wrong on its side. What is only reported is answered at `joint` by itself.

    Args:
        questions: of one model.
        joint: the chance of a wrong answer that is left.
    """
    deciding = sum(one.decides for one in questions)
    level = joint / max(1, deciding)
    answered = [judge(one, level if one.decides else joint) for one in questions]
    order = sorted(answered, key=lambda one: not one.decides)
    return Verdict(tuple(order), level)
