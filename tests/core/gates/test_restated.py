"""Precision where defects are as rare as on the line."""

import numpy as np
import pytest

from core.errors import BadInput
from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.questions import of_pictures
from core.gates.rates import Answer, judge
from core.gates.restated import LineShare, at_share
from core.learn.evaluation import Judged
from core.learn.metrics import precision_at_prevalence

LIMITS = Limits()


def line(share: float, low: float | None = None, high: float | None = None) -> LineShare:
    return LineShare(
        "Lyon", share, lambda _level: (share if low is None else low, share if high is None else high), 400
    )


def pictures(bad: int, good: int, missed: int, rejected: int, views: int = 1) -> list[Judged]:
    """Parts of so many pictures each; a defective one shows a crack on its first picture, the others show nothing."""
    found = []
    for number in range(bad + good):
        broken = number < bad
        wrong = number < missed if broken else number - bad < rejected
        for view in range(views):
            shows = broken and view == 0
            flagged = shows != wrong if view == 0 else False
            found.append(Judged(f"{number}-{view}", f"part {number}", shows, ("CRACK",) if shows else (),
                                0.98 if flagged else 0.02, {"CRACK": 0.9, "BURR": 0.1}))  # fmt: skip
    return found


def named(judged, share, level=0.05):
    asked = at_share(judged, ("CRACK", "BURR"), LIMITS, share)
    return {one.name.removesuffix(" at Lyon's share of defects"): judge(one, level) for one in asked}


def test_a_precision_of_a_balanced_list_is_told_as_it_is_where_defects_are_rare():
    judged = pictures(1000, 1000, 30, 20)
    on_list = gate(of_pictures(judged, ("CRACK",), LIMITS, rng=np.random.default_rng(1)), 0.05)
    assert next(one for one in on_list.criteria if one.name == "precision").value == pytest.approx(970 / 990)
    found = named(judged, line(0.01))
    assert found["precision"].value == pytest.approx(precision_at_prevalence(0.97, 0.02, 0.01))
    assert found["precision of CRACK"].value == found["precision"].value == pytest.approx(0.329, abs=1e-3)
    assert found["precision of NO_DEFECT"].value == pytest.approx(0.99 * 0.98 / (0.99 * 0.98 + 0.01 * 0.03))
    assert found["precision"].answer is Answer.FAIL
    assert found["precision"].more_needed is None
    assert not found["precision"].decides


def test_at_the_list_s_own_share_it_is_the_list_s_precision():
    found = named(pictures(400, 1600, 10, 8), line(0.2))
    assert found["precision"].value == pytest.approx(390 / 398)
    assert found["precision of NO_DEFECT"].value == pytest.approx(1592 / 1602)


def test_what_is_not_known_of_the_line_is_in_the_bounds():
    judged = pictures(1000, 1000, 30, 20)
    sure, unsure = named(judged, line(0.1)), named(judged, line(0.1, 0.05, 0.2))
    assert unsure["precision"].low < sure["precision"].low
    assert unsure["precision"].high > sure["precision"].high
    assert unsure["precision of NO_DEFECT"].low < sure["precision of NO_DEFECT"].low  # which falls with the share


def test_bounds_hold_as_often_as_was_promised():
    """2,000 lists of 150 bad and 400 good pictures: the lower bound at 5% is above the truth in at most 5% of them."""
    rng = np.random.default_rng(7)
    truth = precision_at_prevalence(0.95, 0.03, 0.08) or 0.0
    broken = 0
    for _ in range(2000):
        missed, rejected = int(rng.binomial(150, 0.05)), int(rng.binomial(400, 0.03))
        (asked, *_) = at_share(_fast(150, 400, missed, rejected), (), LIMITS, line(0.08))
        broken += asked.estimate(0.05).low > truth
    assert broken <= 2000 * 0.05


def _fast(bad: int, good: int, missed: int, rejected: int) -> list[Judged]:
    return pictures(bad, good, missed, rejected)


def test_more_pictures_are_asked_for_where_more_would_show_it():
    (few, *_) = at_share(pictures(60, 200, 1, 0), (), Limits(precision_at_site=0.5), line(0.3))
    found = judge(few, 0.05)
    assert few.decides
    assert found.answer in (Answer.PASS, Answer.UNSURE)
    (fewer, *_) = at_share(pictures(10, 20, 0, 0), (), Limits(precision_at_site=0.9), line(0.1))
    found = judge(fewer, 0.05)
    assert found.answer is Answer.UNSURE
    assert found.more_needed
    times = 1 + found.more_needed / 30
    (enough, *_) = at_share(pictures(round(10 * times) + 1, round(20 * times) + 1, 0, 0), (),
                            Limits(precision_at_site=0.9), line(0.1))  # fmt: skip
    assert judge(enough, 0.05).answer is Answer.PASS


def test_good_views_of_a_broken_part_weigh_with_that_part():
    judged = pictures(100, 300, 0, 0, views=2)
    judged = [Judged(j.file, j.group, j.defective, j.classes, 0.98 if j.file.endswith("-1") and int(
        j.group.split()[1]) < 50 else j.score, j.class_scores) for j in judged]  # fmt: skip
    found = named(judged, line(0.1))
    assert found["precision"].value == pytest.approx(0.1 * 0.5 / (0.1 * 0.5 + 0.1 * 0.25))


def test_nothing_flagged_is_no_precision_and_not_a_pass():
    found = named(pictures(50, 50, 50, 0), line(0.1))["precision"]
    assert found.value is None
    assert found.answer is not Answer.PASS


def test_it_decides_only_where_the_limits_say_so_and_leaving_that_out_is_looser():
    asked = Limits(precision_at_site=0.6)
    (first, *others) = at_share(pictures(40, 40, 1, 1), ("CRACK",), asked, line(0.1))
    assert (first.decides, first.limit) == (True, 0.6)
    assert not any(one.decides for one in others)
    assert Limits().looser_than(asked) == ["precision at the site of 0, not 0.6"]
    assert asked.looser_than(Limits()) == []
    assert Limits.from_json(asked.to_json()) == asked
    assert Limits.from_json(Limits().to_json()) == Limits()
    with pytest.raises(BadInput):
        Limits(precision_at_site=1.0)
