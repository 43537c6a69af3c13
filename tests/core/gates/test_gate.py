import math

import numpy as np
import pytest

from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.questions import (
    Where,
    beyond_baselines,
    beyond_prior,
    beyond_production,
    calibrated,
    fast,
    of_class,
    of_counts,
    of_pictures,
)
from core.gates.rates import Answer, judge, plain
from core.learn.by_size import Drawn
from core.learn.evaluation import Judged
from core.learn.metrics import Counts
from core.learn.paired import Paired
from core.records import Quality

LIMITS = Limits()


def answers(verdict):
    return {one.name: one.answer for one in verdict.criteria}


def test_a_model_that_flags_everything_is_refused_whatever_its_recall():
    counts = Counts(tp=6053, fn=2, fp=8618, tn=1)
    verdict = gate([*of_counts(counts, LIMITS), *beyond_baselines(counts)], LIMITS.joint)
    assert verdict.answer is Answer.FAIL
    said = answers(verdict)
    assert said["recall"] is Answer.PASS
    assert said["precision"] is said["false rejects"] is Answer.FAIL
    assert said["F2 above flagging everything"] is not Answer.PASS
    found = next(one for one in verdict.criteria if one.name == "F2 above flagging everything")
    assert found.value == pytest.approx(0.7782 - 0.7784, abs=1e-4)
    assert found.more_needed is None


def test_passing_everything_is_refused_too():
    counts = Counts(tp=0, fn=300, fp=0, tn=3000)
    said = answers(gate([*of_counts(counts, LIMITS), *beyond_baselines(counts)], LIMITS.joint))
    assert said["recall"] is Answer.FAIL
    assert said["F2 above passing everything"] is not Answer.PASS


TABLE = {
    "NO_DEFECT": (0.98, 0.97),
    "SURFACE_SCRATCH": (0.95, 0.94),
    "BURR": (0.96, 0.95),
    "SURFACE_PIT": (0.93, 0.92),
    "CRACK": (0.99, 0.99),
    "DIMENSIONAL_OOS": (0.91, 0.89),
}


def test_the_table_of_six_classes_passes_and_fails_as_the_arithmetic_says():
    n = 20_000
    asked = [
        one
        for name, (precision, recall) in TABLE.items()
        for one in of_class(name, plain(round(n * precision), n), plain(round(n * recall), n), LIMITS)
    ]
    verdict = gate(asked, LIMITS.joint)
    said = answers(verdict)
    for name in ("NO_DEFECT", "BURR"):
        assert said[f"precision of {name}"] is said[f"recall of {name}"] is Answer.PASS
    for name in ("SURFACE_PIT", "DIMENSIONAL_OOS"):
        assert said[f"precision of {name}"] is said[f"recall of {name}"] is Answer.FAIL
    assert said["recall of SURFACE_SCRATCH"] is said["precision of CRACK"] is Answer.PASS
    at_the_limit = [one for one in verdict.criteria if one.value == one.limit]
    assert {one.name for one in at_the_limit} == {"precision of SURFACE_SCRATCH", "recall of CRACK"}
    assert all((one.answer, one.more_needed) == (Answer.UNSURE, None) for one in at_the_limit)
    assert verdict.answer is Answer.FAIL
    assert "precision of SURFACE_PIT" in verdict.sentence


def test_the_better_half_of_the_table_passes_with_a_little_room():
    n = 20_000
    better = {"NO_DEFECT": (0.98, 0.97), "BURR": (0.96, 0.95), "CRACK": (0.99, 0.995)}
    asked = [
        one
        for name, (precision, recall) in better.items()
        for one in of_class(name, plain(round(n * precision), n), plain(round(n * recall), n), LIMITS)
    ]
    assert gate(asked, LIMITS.joint).answer is Answer.PASS
    few = [one for name in better for one in of_class(name, plain(49, 50), plain(49, 50), LIMITS)]
    assert gate(few, LIMITS.joint).answer is Answer.UNSURE


def test_a_model_that_breaks_one_limit_of_ten_passes_at_most_as_often_as_was_promised():
    """20,000 gates of ten criteria, one exactly at its limit and the others well within; then all ten at it."""
    rng = np.random.default_rng(3)
    n, gates = 1500, 20_000
    least = next(x for x in range(n + 1) if judge_low(x, n, LIMITS.joint / 10) >= LIMITS.recall)
    for broken in (1, 10):
        rates = np.full(10, 0.985)
        rates[:broken] = LIMITS.recall
        passed = (rng.binomial(n, rates, size=(gates, 10)) >= least).all(axis=1).mean()
        assert passed <= LIMITS.joint + 3 * math.sqrt(LIMITS.joint / gates)
    sound = (rng.binomial(n, 0.985, size=(gates, 10)) >= least).all(axis=1).mean()
    assert sound > 0.99


def test_all_bounds_of_a_gate_hold_together_as_often_as_was_promised():
    """2,000 gates of eight rates: in at most 5% of them is any lower bound above the truth, within chance."""
    rng = np.random.default_rng(5)
    rates = np.array([0.5, 0.8, 0.9, 0.93, 0.95, 0.97, 0.99, 0.995])
    broken = 0
    for _ in range(2000):
        asked = [of_class(str(i), plain(0, 0), plain(int(rng.binomial(200, p)), 200), LIMITS)[1]
                 for i, p in enumerate(rates)]  # fmt: skip
        verdict = gate(asked, LIMITS.joint)
        broken += any(one.low > p for one, p in zip(verdict.criteria, rates, strict=True))
    assert broken <= 2000 * 0.05 + 3 * math.sqrt(2000 * 0.05 * 0.95)


def judge_low(hits: int, n: int, level: float) -> float:
    (found,) = of_class("X", plain(0, 0), plain(hits, n), LIMITS)[1:]
    return judge(found, level).low


def pictures(n: int, miss: float = 0.0, reject: float = 0.0, seed: int = 0, **more) -> list[Judged]:
    """Half of them defective, cracks and burrs in turn, each a part of its own."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        bad = number % 2 == 0
        wrong = rng.random() < (miss if bad else reject)
        score = rng.uniform(0.01, 0.05) if bad == wrong else rng.uniform(0.95, 0.99)
        name = "CRACK" if number % 4 == 0 else "BURR"
        found.append(
            Judged(
                f"{number}.png", f"part {number}", bad, (name,) if bad else (), score,
                {"CRACK": 0.9 if name == "CRACK" else 0.1, "BURR": 0.1 if name == "CRACK" else 0.9},
                drawn=(Drawn(30.0 + 60 * (number % 3), True),) if bad else (), **more,
            )
        )  # fmt: skip
    return found


def asked_of(judged, **more):
    return gate(of_pictures(judged, ("CRACK", "BURR"), LIMITS, rng=np.random.default_rng(1), **more), LIMITS.joint)


def test_a_sound_model_passes_every_criterion_given_enough_pictures():
    verdict = asked_of(pictures(6000), milliseconds=[20.0] * 1000)
    assert verdict.answer is Answer.PASS, verdict.sentence
    names = [one.name for one in verdict.deciding]
    assert {"precision", "recall", "false rejects", "recall of CRACK", "precision of NO_DEFECT",
            "recall of defects under 50 px", "recall of defects 50 to 100 px", "recall of defects 100 px and more",
            "calibration error", "share slower than 200 ms", "Brier score below the prior's"} <= set(names)  # fmt: skip
    assert len(names) == len(set(names))
    assert verdict.level == pytest.approx(LIMITS.joint / len(names))


def test_the_same_model_on_few_pictures_is_not_enough_evidence_and_each_criterion_says_how_many_more():
    verdict = asked_of(pictures(120), milliseconds=[20.0] * 1000)
    assert verdict.answer is Answer.UNSURE
    waiting = [one for one in verdict.deciding if one.answer is Answer.UNSURE]
    assert {"recall of CRACK", "recall"} <= {one.name for one in waiting}
    assert all(one.more_needed and one.more_needed > 0 for one in waiting)


def test_a_model_that_misses_cracks_is_refused_by_name():
    verdict = asked_of(pictures(6000, miss=0.2))
    assert verdict.answer is Answer.FAIL
    assert answers(verdict)["recall of CRACK"] is Answer.FAIL


def test_each_site_has_criteria_of_its_own_and_one_site_none():
    judged = pictures(400)
    two = [Where("Lyon" if number % 4 < 2 else "Turin") for number in range(400)]
    names = set(answers(asked_of(judged, where=two)))
    assert {"recall at Lyon", "recall at Turin", "false rejects at Turin", "precision at Lyon"} <= names
    assert not any(" at " in name for name in answers(asked_of(judged, where=[Where("Lyon")] * 400)))


def test_blurry_dark_and_partial_pictures_are_reported_and_do_not_decide():
    judged = pictures(400)
    where = [
        Where("Lyon", Quality(100 + number, 0.2 + number / 1000, 0.2, 0, 0, ("partial",) if number % 50 == 0 else ()))
        for number in range(400)
    ]
    verdict = asked_of(judged, where=where)
    sliced = {one.name: one for one in verdict.criteria if "pictures" in one.name}
    assert set(sliced) == {
        f"{rate} on {name} pictures"
        for rate in ("precision", "recall", "false rejects")
        for name in ("blurry", "dark", "partial")
    }
    assert not any(one.decides for one in sliced.values())
    assert sliced["recall on blurry pictures"].n + sliced["false rejects on blurry pictures"].n == 40
    assert sliced["recall on partial pictures"].n == 8


def test_a_gate_that_asked_nothing_shows_nothing():
    assert gate([], 0.05).answer is Answer.UNSURE


def test_scores_that_say_too_much_break_the_calibration_limit():
    rng = np.random.default_rng(2)
    honest = [Judged(f"{n}", f"{n}", bool(rng.random() < p), (), p) for n, p in enumerate(rng.uniform(0, 1, 4000))]
    boastful = [Judged(j.file, j.group, j.defective, (), float(j.score > 0.5)) for j in honest]
    good, bad = (judge(calibrated(one, 0.05, np.random.default_rng(1)), 0.005) for one in (honest, boastful))
    assert good.answer is Answer.PASS
    assert bad.answer is Answer.FAIL
    assert bad.more_needed is None


def test_a_constant_score_is_no_better_than_the_prior():
    flat = [Judged(str(n), str(n), n % 4 == 0, (), 0.25) for n in range(400)]
    found = judge(beyond_prior(flat), 0.05)
    assert found.answer is Answer.UNSURE
    assert found.value == pytest.approx(0)
    assert judge(beyond_prior(pictures(400)), 0.05).answer is Answer.PASS
    assert judge(beyond_prior([Judged(j.file, j.group, not j.defective, (), j.score) for j in pictures(400)]),
                 0.05).answer is Answer.FAIL  # fmt: skip


def test_slow_pictures_are_counted_against_the_share_that_may_be_slow():
    assert judge(fast([10.0] * 1000, LIMITS), 0.05).answer is Answer.PASS
    assert judge(fast([10.0] * 900 + [500.0] * 100, LIMITS), 0.05).answer is Answer.FAIL
    few = judge(fast([10.0] * 100, LIMITS), 0.05)
    assert (few.answer, few.more_needed) == (Answer.UNSURE, 199)


def test_better_than_production_is_asked_of_the_parts_where_the_two_differ():
    assert judge(beyond_production(Paired(900, 60, 10, 30), "net-1"), 0.05).answer is Answer.PASS
    assert judge(beyond_production(Paired(900, 10, 60, 30), "net-1"), 0.05).answer is Answer.FAIL
    near = judge(beyond_production(Paired(960, 12, 8, 20), "net-1"), 0.05)
    assert near.answer is Answer.UNSURE
    assert near.more_needed is not None
    assert near.more_needed > 1000  # parts, of which one in fifty differs
    even = judge(beyond_production(Paired(980, 10, 10, 0), "net-1"), 0.05)
    assert (even.answer, even.more_needed) == (Answer.UNSURE, None)
