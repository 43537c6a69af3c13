"""Which epoch is kept: chosen by validation pictures where they can tell, else the last."""

from dataclasses import replace

import pytest

from models import nets
from models.training.course import Course, Epoch, too_few
from models.training.examples import Example
from models.training.validate import Progress

GOOD = Example("a", "a", "val", "a", False, 64, 64)


def groups(defective, good):
    """Two pictures each of so many groups."""
    kinds = [True] * defective + [False] * good
    return [replace(GOOD, group=f"g{n}", defective=bad) for n, bad in enumerate(kinds) for _ in range(2)]


def course(chooses, losses, settled=1):
    """After one epoch for each loss."""
    net = nets.build("test_resnet", (), False, "scratch", size=64)
    found = Course("training", settled, chooses)
    for number, loss in enumerate(losses, 1):
        found.add(Epoch(number, 1.0, 1.0, Progress(loss, 0.9, None)), net)
    return found


@pytest.mark.parametrize(("defective", "good", "chooses"), [(4, 4, True), (3, 9, False), (9, 3, False), (6, 0, False)])
def test_it_takes_groups_of_both_kinds_to_choose(defective, good, chooses):
    said = too_few(groups(defective, good), 4)
    assert (not said) is chooses
    if not chooses:
        assert f"{defective} hold a defective picture and {good} a good one" in said


def test_a_group_with_both_kinds_of_picture_counts_for_both():
    mixed = [replace(GOOD, group=f"g{n}", defective=bad) for n in range(4) for bad in (True, False)]
    assert too_few(mixed, 4) == ""


def test_without_validation_pictures_it_says_so():
    assert "without validation" in too_few([], 4)


def test_the_best_epoch_is_kept_where_validation_chooses():
    assert course(True, [0.9, 0.2, 0.5]).best == 2


def test_the_last_epoch_is_kept_and_nothing_stops_early_where_it_does_not():
    found = course(False, [0.9, 0.2, 0.5, 0.6, 0.7])
    assert found.best == 5
    assert not found.over(1)


def test_it_is_over_after_epochs_without_a_better_one():
    found = course(True, [0.9, 0.2, 0.5, 0.6])
    assert found.over(2)
    assert not found.over(3)
