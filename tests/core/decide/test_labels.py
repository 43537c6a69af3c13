"""The truth of one image from everything that was said of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.labels import Answer, derive, differs
from core.records import LabelStatus, Outcome, Prediction, Region, Review, TaskKind, Verdict
from core.taxonomy import DefectClass, Taxonomy

CLASSES = Taxonomy("t", "1", (DefectClass("CRACK", aliases=("fracture",)), DefectClass("BURR")))
START = datetime(2026, 3, 2, tzinfo=UTC)
CRACK = Region(10, 10, 20, 20, "CRACK", "CRACK")
SAID = Prediction("net", 0.9, {"CRACK": 0.8, "BURR": 0.2}, (CRACK,))


def said(number: int, by: str, verdict: Verdict, **more) -> Answer:
    about = {name: more.pop(name) for name in ("kind", "image_id", "outcome", "predictions") if name in more}
    return Answer(Review(verdict, by, id=number, reviewed_at=START + timedelta(minutes=number), **more), **about)


answers = st.lists(
    st.tuples(st.sampled_from(["ana", "ben", "eve", "import:x"]), st.sampled_from(Verdict), st.sampled_from(TaskKind)),
    max_size=6,
).map(lambda rows: [said(n, by, verdict, kind=kind) for n, (by, verdict, kind) in enumerate(rows, 1)])


def test_nothing_said_is_no_label() -> None:
    assert derive(1, [], CLASSES) is None


@given(answers)
def test_there_is_a_label_exactly_when_somebodys_last_word_is_sure(given_answers) -> None:
    last = {answer.review.by: answer for answer in given_answers}
    sure = [answer for answer in last.values() if answer.review.verdict is not Verdict.UNSURE]
    label = derive(1, given_answers, CLASSES)
    assert (label is not None) == bool(sure)
    if label is not None:
        assert label.verdict is not Verdict.UNSURE
        assert label.review_id in {answer.review.id for answer in sure}
        assert label.by.startswith("import:") == all(answer.imported for answer in sure)


@given(answers, st.sampled_from([Verdict.PASS, Verdict.FAIL]))
def test_a_second_look_settles_what_others_had_said(given_answers, verdict) -> None:
    before = [answer for answer in given_answers if answer.review.by != "zoe"]
    label = derive(1, [*before, said(99, "zoe", verdict, kind=TaskKind.SECOND_LOOK)], CLASSES)
    assert label.verdict is verdict
    assert label.status is (LabelStatus.ADJUDICATED if before else LabelStatus.SINGLE)


def test_the_last_word_of_one_person_counts() -> None:
    label = derive(1, [said(1, "ana", Verdict.FAIL), said(2, "ana", Verdict.PASS)], CLASSES)
    assert (label.defective, label.status) == (False, LabelStatus.SINGLE)


def test_names_get_their_class_and_others_stay_unmapped() -> None:
    box = Region(0, 0, 5, 5, "Fracture")
    label = derive(1, [said(1, "ana", Verdict.FAIL, regions={1: (box,)}, classes=("odd stain", "defective"))], CLASSES)
    assert (label.classes, label.unmapped) == (("CRACK",), ("odd stain",))
    assert (label.regions[0].name, label.regions[0].class_id) == ("Fracture", "CRACK")


def test_an_import_about_one_image_says_nothing_of_another() -> None:
    answer = said(1, "import:x", Verdict.PASS, image_id=1)
    assert derive(1, [answer], CLASSES) is not None
    assert derive(2, [answer], CLASSES) is None


def test_a_pass_has_no_regions_left() -> None:
    label = derive(1, [said(1, "ana", Verdict.FAIL, regions={1: (CRACK,)}), said(2, "ana", Verdict.PASS)], CLASSES)
    assert (label.regions, label.classes) == ((), ())


@pytest.mark.parametrize(
    ("verdict", "regions", "outcome", "changed"),
    [
        (Verdict.FAIL, {1: (CRACK,)}, Outcome.HOLD, False),
        (Verdict.FAIL, {1: (Region(10.5, 9.5, 20, 20, "CRACK", "CRACK"),)}, Outcome.HOLD, False),
        (Verdict.FAIL, {1: (Region(10.6, 10, 20, 20, "CRACK", "CRACK"),)}, Outcome.HOLD, True),
        (Verdict.FAIL, {1: (Region(10, 10, 20, 20, "BURR", "BURR"),)}, Outcome.HOLD, True),
        (Verdict.FAIL, {1: (CRACK, CRACK)}, Outcome.HOLD, True),
        (Verdict.FAIL, {1: ()}, Outcome.HOLD, True),
        (Verdict.FAIL, {}, Outcome.HOLD, False),
        (Verdict.FAIL, {}, Outcome.PASS, True),
        (Verdict.PASS, {}, Outcome.HOLD, True),
        (Verdict.PASS, {}, Outcome.PASS, False),
    ],
)
def test_changed_means_that_the_review_differs_from_what_the_model_said(verdict, regions, outcome, changed) -> None:
    label = derive(1, [said(1, "ana", verdict, regions=regions, outcome=outcome, predictions={1: SAID})], CLASSES)
    assert label.changed is changed


def test_where_no_model_spoke_nothing_was_changed() -> None:
    label = derive(1, [said(1, "ana", Verdict.FAIL)], CLASSES)
    assert not differs(label, None, Outcome.HOLD)
