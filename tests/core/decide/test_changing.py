"""Rules set anew by name, as on the command line."""

import pytest

from core.decide.attendance import Attendance, parse_hours
from core.decide.changing import changed
from core.decide.policy import ClassRule, Costs, Nobody, Policy
from core.errors import BadInput
from core.pictures.quality import QualityLimits
from core.records import Route, Severity

POLICY = Policy(1, "lyon", 0.3, 0.8)


def test_every_rule_has_a_name():
    made = changed(
        POLICY,
        {
            "pass_below": ".2", "minimum_confidence": ".6", "novelty_limit": "1.5", "audit_pass": ".02",
            "fail_route": "divert", "when_nobody": "second_scan", "class.CRACK.pass_below": ".1",
            "class.CRACK.report_above": ".4", "cost.miss.critical": "2000", "cost.false_reject.minor": "3",
            "cost.inspector_hour": "42", "hours": "Mon-Fri 06:00-22:00", "inspectors": "2", "seconds_per_part": "45",
            "quality.sharpness": "9", "quality.partial": "no",
        },
    )  # fmt: skip
    assert made == Policy(
        1, "lyon", 0.2, 0.8, 0.6, 1.5, QualityLimits(sharpness=9.0, partial=False), 0.02, 0.0, Route.DIVERT,
        when_nobody=Nobody.SECOND_SCAN, classes={"CRACK": ClassRule(0.1, None, 0.4)},
        costs=Costs({Severity.CRITICAL: 2000.0}, {Severity.MINOR: 3.0}, 42.0),
        attendance=Attendance(parse_hours("Mon-Fri 06:00-22:00"), 2.0, 45.0),
    )  # fmt: skip


def test_none_takes_a_rule_away():
    made = changed(
        POLICY, {"class.CRACK.pass_below": ".1", "cost.miss.minor": "5", "novelty_limit": "2", "quality": "none"}
    )
    bare = changed(made, {"class.CRACK.pass_below": "none", "cost.miss.minor": "none", "novelty_limit": "none"})
    assert (bare.classes, bare.costs, bare.novelty_limit) == ({}, Costs(), None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pass_above", ".1"), ("pass_below", "low"), ("pass_below", ".9"), ("class.CRACK", ".1"),
        ("cost.miss.bad", "1"), ("cost.scrap", "1"), ("quality.noise", "1"), ("fail_route", "moon"),
        ("when_nobody", "sleep"), ("hours", "noon"), ("inspectors", "none"), ("number", "7"), ("approved_by", "me"),
        ("fail_route", "ship"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(key, value):
    with pytest.raises(BadInput):
        changed(POLICY, {key: value})
