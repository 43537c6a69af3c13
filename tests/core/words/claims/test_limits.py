import numpy as np
import pytest

from core.errors import BadInput
from core.words.claims.constructing import constructed
from core.words.claims.limits import Constructed, calibrate, limits_document, limits_of, measure
from core.words.claims.records import Ruling
from tests.core.words.claims.evidence import evidence, label, prediction, region, seen


def drawn(rng: np.random.Generator, parts: int, false: tuple[float, float] = (1, 6)) -> list[Constructed]:
    """Claims of which every other part's is true, with strengths that overlap."""
    return [
        Constructed(
            f"{number}", "CRACK", False, number % 2 == 0, float(rng.beta(*((6, 2) if number % 2 == 0 else false)))
        )
        for number in range(parts)
    ]


def test_few_parts_put_nothing_in_force_and_say_how_many_are_missing() -> None:
    found = calibrate(drawn(np.random.default_rng(1), 80), "net-1")
    (limit,) = found.all
    assert (limit.confirm, limit.absent) == (None, None)
    assert "more parts" in limit.said(found.rate)


def test_a_part_counts_once_however_many_claims_were_made_of_it() -> None:
    many = [Constructed("one part", "CRACK", True, False, 0.01) for _ in range(500)]
    (limit,) = calibrate(many, "net-1").all
    assert limit.false_parts == 1
    assert limit.confirm is None


def test_a_looser_strength_is_not_tried_behind_one_that_fails() -> None:
    """Five of sixty false claims are as strong as can be: no strength is safe, though the others are all weak."""
    claims = [Constructed(f"{number}", "A", False, False, 1.0 if number < 5 else 0.0) for number in range(60)]
    assert calibrate(claims, "net-1").all[0].confirm is None


def test_false_confirmations_on_new_parts_keep_to_the_rate_as_often_as_promised() -> None:
    """300 calibrations; the true rate of each limit is measured on 4,000 parts that had no part in setting it."""
    rng = np.random.default_rng(7)
    held_out = drawn(rng, 8000)
    false = np.sort([one.support for one in held_out if not one.true])
    over = in_force = 0
    for _ in range(300):
        (limit,) = calibrate(drawn(rng, 400), "net-1").all
        if limit.confirm is not None:
            in_force += 1
            over += float((false >= limit.confirm).mean()) > 0.05
    assert in_force > 250
    assert over <= 27  # 5% of 300, and what chance adds in one of a thousand runs


def test_limits_find_most_true_claims_where_the_model_is_good() -> None:
    rng = np.random.default_rng(3)
    limits = calibrate(drawn(rng, 800, (1, 20)), "net-1")
    found = measure(drawn(rng, 800, (1, 20)), limits)
    assert found.true_confirmed > 0.8 * found.true_claims
    assert found.interval[0] <= 0.05
    assert found.false_parts == 400


@pytest.mark.parametrize(("rate", "confidence"), [(0, 0.95), (0.6, 0.95), (0.05, 1.0), (0.05, 0.3)])
def test_rates_that_are_none_are_refused(rate: float, confidence: float) -> None:
    with pytest.raises(BadInput):
        calibrate([], "net-1", rate, confidence)


def test_limits_survive_being_written_down() -> None:
    limits = calibrate(drawn(np.random.default_rng(2), 400), "net-1")
    assert limits_of(limits_document(limits)) == limits
    with pytest.raises(BadInput):
        limits_of({"model": "net-1"})


def test_claims_are_made_of_parts_that_are_labelled_in_full() -> None:
    crack = seen(1, label=label(region(60, 40)), prediction=prediction(0.9, hot=(0, 0)))
    good = seen(2, label=label(), prediction=prediction(0.1))
    made = list(constructed("p", [crack, good], ("CRACK", "SCRATCH")))
    plain = {(one.class_id, one.true) for one in made if not one.placed}
    assert plain == {("", True), ("CRACK", True), ("SCRATCH", False)}
    placed = [one for one in made if one.placed and one.class_id == "CRACK"]
    assert any(one.true for one in placed)
    assert any(not one.true for one in placed)
    assert max(one.support for one in placed if one.true) == pytest.approx(0.81)
    assert {one.unit for one in made} == {"p"}


@pytest.mark.parametrize(
    "image",
    [
        seen(1, prediction=prediction(0.9)),
        seen(1, label=label(region(60, 40), probability=0.33), prediction=prediction(0.9)),
        seen(1, label=label(region(60, 40)), prediction=prediction(0.9), unusable="blurry"),
        seen(1, label=label(region(60, 40))),
    ],
)
def test_a_part_in_doubt_gives_no_claims(image) -> None:
    assert list(constructed("p", [image], ("CRACK",))) == []


def test_an_unmapped_name_gives_no_claims_about_classes() -> None:
    image = seen(1, label=label(region(60, 40), unmapped=("rust",)), prediction=prediction(0.9))
    assert {one.class_id for one in constructed("p", [image], ("CRACK",))} == {""}


def test_constructed_claims_and_judged_ones_are_held_to_the_same_strength() -> None:
    """What a limit is set on is what it is applied to."""
    from core.words.claims.judging import check_text
    from tests.core.words.claims.evidence import limits

    image = seen(1, label=label(region(60, 40)), prediction=prediction(0.9, hot=(0, 0)))
    strengths = {(one.class_id, one.placed): one.support for one in constructed("p", [image], ("CRACK",)) if one.true}
    bare = evidence(seen(1, prediction=prediction(0.9, hot=(0, 0))))
    for text, key in (("A crack.", ("CRACK", False)), ("A crack at the top left.", ("CRACK", True))):
        (sentence,) = check_text(text, bare, limits())
        assert sentence.findings[0].support == strengths[key]
        assert sentence.findings[0].ruling is Ruling.CONFIRMED
