"""From answers to agreement and training needs."""

import numpy as np
import pytest

from core.audits.facts import Said
from core.audits.people import GOOD, OVERALL, agreement, mix_ups, person, region_agreement, sentence
from core.records import Region

BOX = Region(10, 10, 20, 20, "CRACK", "CRACK")


def rng():
    return np.random.default_rng(2)


def said(part, by, *classes, known=None, known_classes=(), regions=()):
    """FAIL with classes, or PASS without any."""
    return Said(part, by, bool(classes), classes, {1: regions} if regions else {}, known, known_classes)


def test_each_question_has_its_own_agreement():
    answers = []
    for part in range(20):
        first = () if part % 2 else ("CRACK",)
        second = ("BURR",) if part in (0, 2) else first
        answers += [said(part, "ana", *first), said(part, "ben", *second)]
    found = {one.question: one for one in agreement(answers, rng())}
    assert list(found) == [OVERALL, "BURR", "CRACK"]
    assert found[OVERALL].cohen.value == 1
    assert found["CRACK"].cohen.value == pytest.approx((0.9 - 0.5) / (1 - 0.5))
    assert found["BURR"].cohen.value == pytest.approx(0, abs=1e-9)
    assert all(one.parts == 20 for one in found.values())


def test_a_third_answer_and_known_parts_count_for_no_agreement():
    twice = [said(1, "ana", "CRACK"), said(1, "ben"), said(1, "eve"), said(2, "ana"), said(2, "ben")]
    known = [said(9, name, "CRACK", known=True) for name in ("ana", "ben")]
    alone = agreement(twice, rng())
    assert agreement(twice + known, rng()) == alone
    assert alone[0].parts == 2


def test_nothing_said_is_no_agreement_and_no_lesson():
    assert [(one.parts, one.cohen) for one in agreement([], rng())] == [(0, None)]
    assert mix_ups([]) == []
    assert person([], "ana") is None


def test_boxes_are_compared_where_both_called_the_part_defective():
    answers = [said(1, "ana", "CRACK", regions=(BOX,)), said(1, "ben", "CRACK", regions=(BOX,)),
               said(2, "ana", "CRACK", regions=(BOX,)), said(2, "ben")]  # fmt: skip
    found = region_agreement([*answers, *(said(3, name, "CRACK", regions=(BOX,)) for name in ("ana", "ben"))], rng())
    assert found.found.value == found.overlap.value == 1
    assert found.found.n == 4


def test_what_is_often_taken_for_something_else_is_worth_a_lesson():
    gold = [
        said(part, "ana", "BURR" if part < 12 else "CRACK", known=True, known_classes=("CRACK",)) for part in range(40)
    ]
    gold += [said(100 + part, "ben", known=False) for part in range(40)]
    [found] = mix_ups(gold)
    assert (found.was, found.said, found.rate.n) == ("CRACK", "BURR", 40)
    assert found.rate.value == pytest.approx(0.3)
    assert sentence(found) == "CRACK is called BURR in 30% of 40 answers (17% to 47%)."


def test_one_slip_is_no_lesson():
    gold = [
        said(part, "ana", *(() if part == 0 else ("CRACK",)), known=True, known_classes=("CRACK",)) for part in range(9)
    ]
    assert mix_ups(gold) == []


def test_a_persons_own_picture_stands_beside_everybodys():
    gold = []
    for part in range(60):
        seen = ("CRACK",)
        gold += [said(part, name, *seen, known=True, known_classes=seen) for name in ("ana", "eve")]
        gold.append(said(part, "ben", *(() if part < 24 else seen), known=True, known_classes=seen))
        gold += [said(100 + part, name, known=False) for name in ("ana", "ben", "eve")]
    mine = person(gold, "ben")
    assert mine.answers == 120
    assert 0.6 < mine.sees.value < 0.72  # 0.6 by itself, drawn a little towards everybody's 0.87
    assert mine.sees.low < mine.sees.value < mine.sees.high < mine.everybody[0]
    [found] = mine.mix_ups
    assert (found.was, found.said, found.others) == ("CRACK", GOOD, 0)
    assert sentence(found).startswith("CRACK is passed as good in 40% of 60 answers")
    assert person(gold, "ana").mix_ups == ()
    assert person(gold, "zoe") is None
