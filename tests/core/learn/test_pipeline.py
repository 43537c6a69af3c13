"""Steps, schedules, curves and figures of a pipeline: pure rules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, Conflict
from core.learn.metrics import Counts, proportion_interval
from core.learn.pipeline import ORDER, RunState, Step, StepName, StepState, again, next_step, stopped
from core.learn.pipeline_curves import overfitting
from core.learn.pipeline_experiment import figures, paired, rates, slowest
from core.learn.pipeline_schedule import MOST_MISSED, check, late, missed, next_times

PARIS = "Europe/Paris"


def steps(*states: StepState) -> list[Step]:
    return [Step(name, state) for name, state in zip(ORDER, states, strict=False)]


# --- steps ----------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_with_the_step_that_ran_and_else_with_the_first_that_waits():
    done, running, waiting = StepState.DONE, StepState.RUNNING, StepState.WAITING
    assert next_step(steps(done, running, waiting)) is StepName.AUGMENT
    assert next_step(steps(done, waiting, waiting)) is StepName.AUGMENT
    assert next_step(steps(done, StepState.NOT_RUN)) is None
    assert next_step([]) is None


def test_a_run_that_stops_leaves_the_later_steps_not_run():
    found = stopped(steps(StepState.DONE, StepState.RUNNING, StepState.WAITING), StepState.FAILED, "no disk", "later")
    assert found == {
        StepName.AUGMENT: (StepState.FAILED, "no disk"),
        StepName.TRAIN: (StepState.NOT_RUN, "later"),
    }


def test_only_a_run_that_ended_early_goes_on_and_what_was_done_stays_done():
    ended = steps(StepState.DONE, StepState.FAILED, StepState.NOT_RUN)
    assert again(RunState.FAILED, ended) == [StepName.AUGMENT, StepName.TRAIN]
    for state in (RunState.WAITING, RunState.RUNNING, RunState.DONE):
        with pytest.raises(Conflict):
            again(state, ended)


# --- schedules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [("0 2 * *", "4 fields"), ("* * * * * *", "6 fields"), ("0 2 * * 9", "day-of-week"), ("61 * * * *", "minute"),
     ("0 0 31 2 *", "day-of-month"), ("", "0 fields")],
)  # fmt: skip
def test_what_is_no_cron_line_is_refused_in_a_sentence(line, said):
    with pytest.raises(BadInput, match=said):
        check(line)


def test_an_unknown_time_zone_is_named():
    with pytest.raises(BadInput, match="Europe/Atlantis"):
        next_times("0 2 * * 6", "Europe/Atlantis", datetime(2026, 3, 1, tzinfo=UTC))


def test_saturdays_at_two_are_two_on_the_sites_clock_the_whole_year():
    found = next_times("0  2 * * 6", PARIS, datetime(2026, 1, 1, tzinfo=UTC), 52)
    there = [one.astimezone(ZoneInfo(PARIS)) for one in found]
    assert all((one.weekday(), one.hour, one.minute) == (5, 2, 0) for one in there)
    assert {one.hour for one in found} == {0, 1}
    assert len({one.date() for one in there}) == 52


def test_a_time_that_summer_skips_comes_right_after_the_gap_and_one_that_comes_twice_counts_once():
    gap = next_times("30 2 * * *", PARIS, datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert gap == [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    twice = next_times("30 2 * * *", PARIS, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert twice == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


@given(
    st.sampled_from(["0 2 * * 6", "*/15 * * * *", "30 2 1 * *", "0 */6 * * 1-5"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", PARIS, "America/New_York", "Australia/Lord_Howe"]),
)
def test_next_times_lie_ahead_and_grow(line, after, zone):
    found = next_times(line, zone, after, 4)
    assert len(found) == 4
    assert found[0] > after
    assert found == sorted(set(found))
    assert missed(line, zone, found[0], found[3]) == 3
    assert next_times(line, zone, found[0])[0] == found[1]


def test_missed_times_are_counted_to_a_thousand_and_no_further():
    due = datetime(2026, 1, 1, tzinfo=UTC)
    assert missed("* * * * *", "UTC", due, due + timedelta(minutes=9)) == 9
    assert missed("* * * * *", "UTC", due, due + timedelta(days=30)) == MOST_MISSED
    assert not late(due, due + timedelta(minutes=4))
    assert late(due, due + timedelta(minutes=6))


# --- curves ---------------------------------------------------------------------------------------------------------


def test_validation_that_rises_while_training_falls_is_overfitting_from_where_they_part():
    training = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1]
    validation = [1.0, 0.7, 0.5, 0.45, 0.44, 0.5, 0.56, 0.62, 0.7, 0.8]
    found = overfitting(training, validation)
    assert found is not None
    assert found.last == 10
    assert found.first <= 6
    assert found.training < 0 < found.validation
    assert "learns these pictures by heart" in found.sentence


@pytest.mark.parametrize(
    ("training", "validation"),
    [
        ([1.0, 0.8, 0.6, 0.5, 0.4, 0.3], [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]),  # both fall
        ([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),  # both rise: it comes apart, no overfitting
        ([1.0, 0.8, 0.6, 0.5, 0.4, 0.3], [0.5, 0.501, 0.5, 0.502, 0.5, 0.501]),  # noise
        ([1.0, 0.8, 0.6], [0.5, 0.7, 0.9]),  # too few
        ([1.0, 0.8, 0.6, 0.5, 0.4], [0.5, 0.6, None, 0.8, 0.9]),  # the validation pictures could not tell
        ([], []),
    ],
)
def test_no_overfitting_is_claimed_of_anything_else(training, validation):
    assert overfitting(training, validation) is None


@given(st.lists(st.floats(0.01, 2.0), min_size=5, max_size=30))
def test_a_validation_curve_that_never_rises_is_never_overfitting(values):
    falling = sorted(values, reverse=True)
    assert overfitting(list(range(len(values), 0, -1)), falling) is None


def test_curves_of_different_lengths_are_refused():
    with pytest.raises(BadInput):
        overfitting([1.0], [])


# --- figures --------------------------------------------------------------------------------------------------------


def picture(number, defective, score, classes=(), said="", view=None, group=None):
    return {"file": f"{number}.png", "group": group or f"part-{number}", "defective": defective, "score": score,
            "classes": list(classes), "said": said, "view": view}  # fmt: skip


def test_each_figure_has_its_exact_interval_and_its_n():
    found = rates(Counts(tp=90, fn=10, fp=5, tn=895))
    assert found["recall"] == {"value": 0.9, "interval": list(proportion_interval(90, 100)), "n": 100}
    assert found["precision"]["n"] == 95
    assert found["accuracy"]["value"] == 0.985
    low, high = found["f1"]["interval"]
    assert low < found["f1"]["value"] == Counts(90, 10, 5, 895).f(1) < high


def test_what_cannot_be_measured_is_none_and_never_nought():
    found = rates(Counts(0, 0, 0, 7))
    assert found["recall"] == found["precision"] == found["f1"] == {"value": None, "interval": None, "n": 0}


@given(st.tuples(*[st.integers(0, 60)] * 4))
def test_intervals_hold_their_value(cells):
    for one in rates(Counts(*cells)).values():
        if one["value"] is not None:
            assert one["interval"][0] - 1e-12 <= one["value"] <= one["interval"][1] + 1e-12


def test_the_pictures_of_a_part_count_once_and_a_class_by_picture():
    rows = [picture(1, True, 0.9, ["CRACK"], "CRACK", group="a"), picture(2, False, 0.1, group="a"),
            picture(3, True, 0.2, ["CRACK"], "NO_DEFECT", group="b"), picture(4, False, 0.1, group="c")]  # fmt: skip
    found = figures(rows)
    assert (found["parts"], found["recall"]["n"], found["recall"]["value"]) == (3, 2, 0.5)
    assert found["per_class"]["CRACK"]["recall"]["value"] == 0.5
    assert found["per_class"]["CRACK"]["n"] == 2


def test_two_models_are_compared_part_by_part_and_only_on_the_same_pictures():
    new = [picture(n, n < 5, 0.9 if n < 5 else 0.1) for n in range(10)]
    old = [picture(n, n < 5, 0.9 if n < 2 else 0.1) for n in reversed(range(10))]
    found = paired(new, old)
    assert (found.n, found.gained, found.lost) == (10, 3, 0)
    with pytest.raises(BadInput, match="different pictures"):
        paired(new, old[1:])
    with pytest.raises(BadInput, match="different pictures or labels"):
        paired(new, [picture(n, n < 4, 0.9) for n in range(10)])


def test_p99_has_an_open_end_until_there_are_pictures_enough():
    few = slowest(np.arange(100.0))
    assert (few["value"], few["n"], few["interval"][1]) == (98.0, 100, None)
    many = slowest(np.arange(10_000.0))
    low, high = many["interval"]
    assert low < many["value"] < high
    assert slowest([])["value"] is None


def test_the_interval_of_p99_holds_what_it_promises():
    rng = np.random.default_rng(5)
    draws = [slowest(rng.exponential(1.0, 2000)) for _ in range(300)]
    truth = -np.log(0.01)
    held = sum(one["interval"][0] <= truth <= one["interval"][1] for one in draws)
    assert held / 300 > 0.92
