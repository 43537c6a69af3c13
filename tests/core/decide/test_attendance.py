"""Who is at the desk when, and where typed figures contradict each other or what was measured."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.attendance import Attendance, Rates, Shift, contradictions, hours_in_words, pace, parse_hours
from core.errors import BadInput

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - a moment by the site's own clock
NOTHING = Rates(28, 0, 0, 0, 0, None)

shifts = st.builds(
    lambda first, count, start, end: Shift(tuple((first + step) % 7 for step in range(count)), start, end),
    st.integers(0, 6), st.integers(1, 7), st.integers(0, 1439), st.integers(1, 1440),
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "hour", "there"),
    [(0, 6, True), (0, 5.99, False), (0, 21.99, True), (0, 22, False), (4, 12, True), (5, 12, False), (5, 7, False)],
)
def test_staffed_hours_begin_with_their_first_minute_and_end_before_their_last(day, hour, there):
    typed = Attendance(parse_hours("Mon-Fri 06:00-22:00, Sat 08:00-12:00"))
    assert typed.at_desk(MONDAY + timedelta(days=day, hours=hour)) == there


@pytest.mark.parametrize(
    ("day", "hour", "there"), [(0, 23, True), (1, 5, True), (1, 6, False), (0, 5, False), (6, 23, False)]
)
def test_a_night_shift_ends_on_the_next_day(day, hour, there):
    assert Attendance(parse_hours("Mon-Sat 22:00-06:00")).at_desk(MONDAY + timedelta(days=day, hours=hour)) == there


def test_without_hours_somebody_is_always_there():
    assert parse_hours(" ") == ()
    assert Attendance().at_desk(MONDAY)
    assert Attendance().hours_per_week == 168


@given(st.lists(shifts, max_size=3).map(tuple))
def test_hours_in_words_are_read_back_as_they_were(hours):
    assert parse_hours(hours_in_words(hours)) == hours


@given(shifts)
def test_a_week_has_as_many_staffed_minutes_as_the_shift_says(shift):
    minutes = sum(shift.covers(MONDAY + timedelta(minutes=minute)) for minute in range(7 * 1440))
    assert minutes == min(shift.minutes, 7 * 1440)


@pytest.mark.parametrize(
    "text", ["Mon", "06:00-22:00", "Mon 6-22", "Foo 06:00-22:00", "Mon 25:00-26:00", "Mon 06:70-22:00"]
)
def test_hours_that_nobody_understands_are_refused(text):
    with pytest.raises(BadInput):
        parse_hours(text)


@pytest.mark.parametrize(
    "wrong", [{"inspectors": 0}, {"seconds_per_part": -1}, {"parts_per_shift": float("nan")}, {"shift_h": 25}]
)
def test_figures_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(BadInput):
        Attendance(**wrong)


def test_200_parts_of_45_seconds_are_two_and_a_half_hours_of_a_shift():
    typed = Attendance(seconds_per_part=45, parts_per_shift=200)
    assert contradictions(typed, NOTHING) == [
        "200 parts × 45 s is 2.5 h of a shift of 8 h: one of the figures is not what a shift really does."
    ]
    assert contradictions(Attendance(seconds_per_part=140, parts_per_shift=200), NOTHING) == []
    assert len(contradictions(Attendance(seconds_per_part=150, parts_per_shift=200), NOTHING)) == 1


def test_a_typed_pace_that_the_answers_contradict_is_not_used():
    typed = Attendance(seconds_per_part=45)
    measured = Rates(28, 900, 100, 90, 412, 72.0)
    assert contradictions(typed, measured) == [
        "45 s a part were typed, but 412 answers took 72 s on average: the measured figure is used."
    ]
    assert pace(typed, measured) == (72.0, False)
    assert pace(typed, Rates(28, 900, 100, 90, 19, 72.0)) == (45, True)
    assert pace(None, Rates(28, 900, 100, 90, 19, 72.0)) == (72.0, True)
    assert pace(None, NOTHING) == (None, True)


def test_a_queue_that_must_grow_is_pointed_out():
    measured = Rates(28, 12_000, 100, 9_000, 400, 48.0)  # 90 an hour × 48 s
    [said] = contradictions(Attendance(inspectors=1), measured)
    assert said == "90.0 held parts an hour × 48 s keep 1.2 inspectors busy, and 1 are there: the queue grows."
    assert contradictions(Attendance(inspectors=2), measured) == []


def test_parts_a_shift_are_compared_with_what_comes():
    measured = Rates(28, 1_000, 100, 1_000, 0, None)  # 10 an hour, 80 a shift
    assert "80 come to each inspector" in contradictions(Attendance(parts_per_shift=200), measured)[0]
    assert contradictions(Attendance(parts_per_shift=90), measured) == []
    assert contradictions(None, measured) == []
