"""What a confusion matrix does not show, and who may agree to what."""

from datetime import UTC, datetime, timedelta

import pytest

from core.decide.requests import Request, Wish, caveats, check_agreement, check_schedule
from core.errors import BadInput, NotAllowed
from core.learn.metrics import Counts
from core.plant import why_stopped

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_matrix_that_flags_everything_is_called_what_it_is():
    [said] = caveats(Counts(tp=6053, fn=2, fp=8618, tn=1))
    assert said == "This is no better than flagging everything (F2 77.82%): the model tells nothing."


def test_a_good_matrix_has_nothing_against_it():
    assert caveats(Counts(118, 9, 6, 127)) == []


@pytest.mark.parametrize("counts", [Counts(0, 0, 5, 95), Counts(40, 2, 0, 0), Counts(0, 0, 0, 0)])
def test_a_matrix_of_one_kind_shows_nothing(counts):
    assert "needs both" in caveats(counts)[0]


def test_few_pictures_are_called_few():
    assert caveats(Counts(9, 0, 1, 900)) == ["Only 9 defective pictures: too few to show much."]
    with pytest.raises(BadInput):
        caveats(Counts(9, -1, 1, 900))


def test_nobody_agrees_to_their_own_wish():
    request = Request(1, "lyon", Wish.RESUME, "ada", "a new lamp", NOW)
    with pytest.raises(NotAllowed):
        check_agreement(request, "ada", "sure")
    with pytest.raises(BadInput):
        check_agreement(request, "grace", " ")
    check_agreement(request, "grace", "seen")


def test_a_calibration_is_looked_at_again_within_a_year():
    check_schedule(NOW + timedelta(days=366), NOW)
    for days in (0, -1, 367):
        with pytest.raises(BadInput):
            check_schedule(NOW + timedelta(days=days), NOW)


def test_auto_pass_rests_while_paused_and_from_the_day_a_calibration_is_due():
    assert why_stopped(None, None, NOW) is None
    assert why_stopped(None, NOW + timedelta(seconds=1), NOW) is None
    assert why_stopped(None, NOW, NOW) == "the calibration was to be looked at again by 02 Mar 2026"
    assert why_stopped("moved", NOW, NOW) == "moved"
