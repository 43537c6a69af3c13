"""Each leak planted in a hundred datasets is found every time; fair datasets are hardly ever called leaking."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.learn.datasets.agreement import Limits, TwoLooks
from core.learn.datasets.certificate import Evidence, certify, stops
from core.learn.datasets.checks import Result
from core.learn.datasets.rows import TRAIN, Row
from tests.core.learn.datasets.made_up import CLASSES, cut, on, rows

PLANTED = range(40)
FAIR = range(200)
GOOD = frozenset({"NO_DEFECT"})


def answers(rng: np.random.Generator, n: int = 300, agree: float = 0.985) -> list[TwoLooks]:
    """Second looks of two people who agree that often."""
    found = []
    for number in range(n):
        kind = int(rng.integers(0, 6))
        one = frozenset({CLASSES[kind]}) if kind < len(CLASSES) else GOOD
        other = one if rng.random() < agree else (frozenset({CLASSES[(kind + 1) % len(CLASSES)]}))
        found.append(TwoLooks((f"/pictures/{number:05}.png",), one, other, ("Ines", "Tomas")))
    return found


def evidence(found: list[Row], rng: np.random.Generator, **more) -> Evidence:
    """Of a fair dataset: no look-alikes, people who agree, an adversary that only guesses."""
    fair = {
        "classes": CLASSES,
        "looks": answers(rng),
        "limits": Limits(0.9, {"CRACK": 0.9}, {("BURR", "PIT"): 0.8}),
        "adversary": rng.normal(size=len(found)).tolist(),
        "asked": range(len(found)),
    }
    return Evidence(**{**fair, **more})


def found_by(name: str, found: list[Row], given: Evidence):
    return next(check for check in certify(found, given) if check.name == name)


def same_bytes(found, rng):
    one, other = on(found, "train")[3], on(found, "test")[3]
    found[other] = replace(found[other], sha256=found[one].sha256)
    return "hash overlap", found, {}, {found[one].path, found[other].path}


def same_part(found, rng):
    one, other = on(found, "train")[5], on(found, "val")[2]
    found[other] = replace(found[other], part=found[one].part)
    return "group overlap", found, {}, {found[other].path}


def same_source_group(found, rng):
    one, other = on(found, "train")[5], on(found, "test")[2]
    for number in (one, other):
        found[number] = replace(found[number], source_group="Lyon/tile 9")
    return "group overlap", found, {}, {found[one].path, found[other].path}


def same_order(found, rng):
    one, other = on(found, "train")[0], on(found, "test")[0]
    found[other] = replace(found[other], order=found[one].order)
    return "order overlap", found, {}, {found[other].path}


def look_alikes(found, rng):
    pair = (on(found, "train")[7], on(found, "test")[1])
    return "near-duplicate overlap", found, {"pairs": [pair]}, {found[number].path for number in pair}


def from_the_future(found, rng):
    found = cut(found)
    one = on(found, "train")[4]
    found[one] = replace(found[one], taken_at=found[on(found, "test")[-1]].taken_at + timedelta(days=1))
    return "time order", found, {"cut": True}, {found[one].path}


def own_guess_in_validation(found, rng):
    one = on(found, "val")[0]
    found[one] = replace(found[one], pseudo=True, weight=0.5)
    return "pseudo-labels", found, {}, {found[one].path}


def heavy_guess(found, rng):
    one = on(found, "train")[0]
    found[one] = replace(found[one], pseudo=True, weight=1.5)
    return "pseudo-labels", found, {}, {found[one].path}


def repeated_in_test(found, rng):
    one = on(found, "test")[0]
    found[one] = replace(found[one], repeat=3)
    return "pseudo-labels", found, {}, {found[one].path}


def a_camera_of_its_own(found, rng):
    for number in on(found, "test"):
        found[number] = replace(found[number], camera="Lyon/cam 9")
    return "camera balance", found, {}, set()


def another_light(found, rng):
    outside = np.array([row.side != TRAIN for row in found])
    return "adversarial validation", found, {"adversary": (outside * 2.0 + rng.normal(size=len(found))).tolist()}, set()


def people_who_differ(found, rng):
    return "label agreement", found, {"looks": answers(rng, agree=0.75)}, set()


def a_pair_mixed_up(found, rng):
    looks = answers(rng, 600, 1.0)
    mixed = [
        replace(look, other=frozenset({"PIT"})) if look.one == {"BURR"} and rng.random() < 0.95 else look
        for look in looks
    ]
    return "label agreement", found, {"looks": mixed}, set()


def a_class_never_learned(found, rng):
    one = on(found, "test")[6]
    found[one] = replace(found[one], classes=("CHIP",), defective=True)
    return "class set", found, {"classes": (*CLASSES, "CHIP")}, {found[one].path}


def too_few(found, rng):
    return "minimum rows", found, {"least": {"test": 5000}}, set()


LEAKS = (
    same_bytes, same_part, same_source_group, same_order, look_alikes, from_the_future, own_guess_in_validation,
    heavy_guess, repeated_in_test, a_camera_of_its_own, another_light, people_who_differ, a_pair_mixed_up,
    a_class_never_learned, too_few,
)  # fmt: skip


@pytest.mark.parametrize("plant", LEAKS, ids=lambda one: one.__name__)
def test_a_planted_leak_is_found_every_time_with_its_pictures(plant):
    for seed in PLANTED:
        rng = np.random.default_rng(seed)
        name, found, more, guilty = plant(rows(seed, parts=120), rng)
        check = found_by(name, found, evidence(found, rng, **more))
        assert check.result is Result.FAIL, (seed, check)
        assert guilty <= set(check.images), (seed, check)


@pytest.mark.parametrize("by", ["groups", "time"])
def test_fewer_than_five_in_a_hundred_fair_datasets_are_called_leaking(by):
    alarms = []
    for seed in FAIR:
        rng = np.random.default_rng(10_000 + seed)
        found = rows(10_000 + seed, parts=120)
        found = cut(found) if by == "time" else found
        given = evidence(found, rng, cut=by == "time")
        alarms += [(seed, [check.name for check in stops(certify(found, given))])] * bool(stops(certify(found, given)))
    assert len(alarms) < 0.05 * len(FAIR), alarms


def test_a_fair_and_large_dataset_passes_every_check_that_applies():
    rng = np.random.default_rng(5)
    found = rows(5, parts=2400)
    results = {check.name: check.result for check in certify(found, evidence(found, rng, looks=answers(rng, 3000)))}
    assert results.pop("time order") is Result.UNSURE  # mixed in time, and said so
    assert results.pop("pseudo-labels") is Result.ABSENT
    assert set(results.values()) == {Result.PASS}, results


def test_what_nobody_noted_is_not_applicable():
    bare = [replace(row, order=None, camera=None, taken_at=None) for row in rows(1)]
    results = {check.name: check.result for check in certify(bare, Evidence(classes=CLASSES))}
    absent = ("order overlap", "time order", "camera balance", "adversarial validation", "label agreement")
    assert {results[name] for name in absent} == {Result.ABSENT}


def test_pictures_without_a_signature_are_missing_evidence_and_no_pass():
    found = rows(1)
    assert found_by("near-duplicate overlap", found, Evidence(unseen=3)).result is Result.UNSURE


def test_an_order_that_holds_nearly_everything_cannot_be_kept_to_one_side():
    found = [replace(row, order="Lyon/55120") for row in rows(2)]
    check = found_by("order overlap", found, Evidence())
    assert check.result is Result.UNSURE
    assert "says nothing of other orders" in check.sentence


def test_look_alikes_that_are_nearly_everything_cannot_be_kept_to_one_side():
    found = rows(2)
    chain = [(number, number + 1) for number in range(len(found) - 1)]
    check = found_by("near-duplicate overlap", found, Evidence(pairs=chain))
    assert check.result is Result.UNSURE


def test_one_side_alone_leaks_nothing():
    found = [replace(row, side="test") for row in rows(3)]
    given = evidence(found, np.random.default_rng(3), adversary=None, asked=())
    assert not stops(certify(found, given))


def test_agreement_marks_what_is_close_to_its_limit():
    rng = np.random.default_rng(1)
    check = found_by("label agreement", rows(1), Evidence(looks=answers(rng, 400, 0.91)))
    overall = check.details[0]
    assert (overall.name, overall.marginal) == ("all", True)
    assert "Marginal: all" in check.sentence
    assert overall.interval[0] < overall.value < overall.interval[1]
