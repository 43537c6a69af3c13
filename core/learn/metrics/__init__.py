"""How good a model is: ranks, rates, baselines, and how sure one can be of them.

Scores may be probabilities or logits unless a function says otherwise: only their order counts.
`defective` is boolean. A measure that needs both good and defective examples is None where one
kind is missing: it is shown as "not applicable", never as 0 or 1.
"""

from core.learn.metrics.calibration import Bin, calibration_error, log_loss, reliability
from core.learn.metrics.classes import ClassScore, confusion, per_class
from core.learn.metrics.counts import Counts, beats_flag_all, count, flag_all, pass_all, precision_at_prevalence
from core.learn.metrics.groups import FEWEST_GROUPS
from core.learn.metrics.parts import Grouped, by_group
from core.learn.metrics.pointing import PointingGame, hottest_cell, points_inside
from core.learn.metrics.proportions import Interval, lower_bound, proportion_interval
from core.learn.metrics.ranking import (
    Curve,
    OperatingPoint,
    auroc,
    average_precision,
    precision_recall_curve,
    recall_at_false_reject_rate,
    roc_curve,
)
from core.learn.metrics.ranking_intervals import auroc_interval, delong_interval
from core.learn.metrics.recall_intervals import recall_interval

__all__ = [
    "FEWEST_GROUPS",
    "Bin",
    "ClassScore",
    "Counts",
    "Curve",
    "Grouped",
    "Interval",
    "OperatingPoint",
    "PointingGame",
    "auroc",
    "auroc_interval",
    "average_precision",
    "beats_flag_all",
    "by_group",
    "calibration_error",
    "confusion",
    "count",
    "delong_interval",
    "flag_all",
    "hottest_cell",
    "log_loss",
    "lower_bound",
    "pass_all",
    "per_class",
    "points_inside",
    "precision_at_prevalence",
    "precision_recall_curve",
    "proportion_interval",
    "recall_at_false_reject_rate",
    "recall_interval",
    "reliability",
    "roc_curve",
]
