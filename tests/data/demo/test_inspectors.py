import numpy as np
import pytest

from core.records import Region, Verdict
from core.roles import Role
from data.demo.inspectors import answer, chance_to_see
from data.demo.plant import PEOPLE, Worker, inspectors_at
from data.taxonomies import shipped

SIZE = (640, 480)
AMELIE = inspectors_at("Lyon")[0]


def scratch(side: float = 40, x: float = 100) -> Region:
    return Region(x=x, y=90, width=side, height=side / 2, name="SURFACE_SCRATCH", class_id="SURFACE_SCRATCH")


def answers(truth: dict, n: int = 400, worker: Worker = AMELIE, alone: bool = True) -> list:
    taxonomy = shipped("machined")
    return [answer(worker, truth, {7: SIZE}, taxonomy, np.random.default_rng(k), alone) for k in range(n)]


def test_the_same_generator_gives_the_same_answer():
    assert answers({7: [scratch()]}, 5) == answers({7: [scratch()]}, 5)


def test_small_defects_are_missed_more_often_than_large_ones():
    assert chance_to_see(AMELIE, scratch(6)) < chance_to_see(AMELIE, scratch(20)) < chance_to_see(AMELIE, scratch(80))


def test_most_defective_parts_are_stopped_and_some_are_missed():
    told = [one.verdict for one in answers({7: [scratch(14)]}) if one.verdict is not Verdict.UNSURE]
    assert 0.02 < np.mean([verdict is Verdict.PASS for verdict in told]) < 0.35


def test_good_parts_pass_but_for_a_few_false_alarms():
    told = [one.verdict for one in answers({}) if one.verdict is not Verdict.UNSURE]
    assert 0.90 < np.mean([verdict is Verdict.PASS for verdict in told]) < 0.995


def test_doubt_gives_no_regions_and_ends_with_the_second_person():
    unsure = [one for one in answers({7: [scratch(10)]}) if one.verdict is Verdict.UNSURE]
    assert unsure
    assert all(not one.regions for one in unsure)
    assert not any(one.verdict is Verdict.UNSURE for one in answers({7: [scratch(10)]}, alone=False))


@pytest.mark.parametrize("x", [0.0, 100.0, 598.0])
def test_boxes_stay_inside_the_picture_and_near_the_truth(x):
    for one in answers({7: [scratch(40, x)]}, 100):
        for region in one.regions.get(7, ()):
            assert 0 <= region.x < region.x + region.width <= SIZE[0]
            assert 0 <= region.y < region.y + region.height <= SIZE[1]
            assert abs(region.x - x) < 25 or one.verdict is Verdict.PASS or region.key == "person-0"


def test_people_take_seconds_and_not_always_the_same():
    seconds = [one.seconds for one in answers({})]
    assert 4 < np.median(seconds) < 14
    assert np.std(seconds) > 1


def test_only_inspectors_are_simulated():
    assert {person.name for site in ("Lyon", "Rotterdam", "Linz") for person in inspectors_at(site)} == {
        person.name for person in PEOPLE if person.role is Role.INSPECTOR
    }
