import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decide.decision import (
    NO_MODEL,
    Decided,
    PartEvidence,
    PartPicture,
    SiteRules,
    decide,
    join,
    join_classes,
    short,
    supersede,
)
from core.decide.policy import Policy
from core.errors import BadInput
from core.pictures.quality import QualityLimits
from core.records import ImageState, Outcome, Prediction, Quality, Reason, Route

CLEAR = Quality(sharpness=500.0, brightness=0.5, contrast=0.2, dark=0.0, bright=0.0)
POLICY = Policy(4, "lyon", 0.2, 0.8, proposed_by="ada", approved_by="grace")
RULES = SiteRules(POLICY, calibrated=True)
STRICTNESS = {Outcome.PASS: 0, Outcome.HOLD: 1, Outcome.FAIL: 2}


def prediction(score: float = 0.05, **more: object) -> Prediction:
    return Prediction(**{"model": "m1", "score": score, "class_scores": {"CRACK": 0.7, "BURR": 0.3}, **more})  # type: ignore[arg-type]


def picture(score: float = 0.05, image_id: int = 1, **more: object) -> PartPicture:
    return PartPicture(**{"image_id": image_id, "quality": CLEAR, "prediction": prediction(score), **more})  # type: ignore[arg-type]


def codes(decided: Decided) -> list[str]:
    return [reason.code for reason in decided.reasons]


def only(one: PartPicture, rules: SiteRules = RULES) -> Decided:
    return decide(PartEvidence([one]), rules)


@pytest.mark.parametrize(
    ("score", "outcome", "route", "code"),
    [
        (0.05, Outcome.PASS, Route.SHIP, "pass"),
        (0.5, Outcome.HOLD, Route.HOLD, "band"),
        (0.95, Outcome.FAIL, Route.REWORK, "fail"),
    ],
)
def test_a_healthy_part_is_decided_by_its_score(score: float, outcome: Outcome, route: Route, code: str):
    decided = only(picture(score))
    assert (decided.outcome, decided.route, codes(decided), decided.score) == (outcome, route, [code], score)


def test_a_failed_part_goes_where_the_policy_sends_it():
    assert only(picture(0.95), SiteRules(replace(POLICY, fail_route=Route.DIVERT), True)).route is Route.DIVERT


def test_the_reason_names_score_and_band():
    assert only(picture(0.61)).reasons == (Reason("band", "Score .61 lies in the HOLD band .20–.80."),)


BROKEN: dict[str, Callable[[float], PartPicture]] = {
    "unreadable": lambda s: picture(s, state=ImageState.QUARANTINED, quality=None, prediction=None),
    "missing file": lambda s: picture(s, state=ImageState.MISSING),
    "changed": lambda s: picture(s, state=ImageState.CHANGED),
    "same picture": lambda s: picture(s, same_as=7),
    "quality": lambda s: picture(s, quality=replace(CLEAR, flags=("blurry",))),
    "quality unknown": lambda s: picture(s, quality=None),
    "quality nan": lambda s: picture(s, quality=replace(CLEAR, sharpness=math.nan)),
    "no model": lambda s: picture(s, prediction=None, error=NO_MODEL),
    "model error": lambda s: picture(s, prediction=None, error="the net gave up"),
    "model error after all": lambda s: picture(s, error="the net gave up"),
    "no prediction": lambda s: picture(s, prediction=None),
    "score nan": lambda s: picture(math.nan),
    "score infinite": lambda s: picture(math.inf),
    "score negative": lambda s: picture(-0.01),
    "class nan": lambda s: picture(s, prediction=prediction(s, class_scores={"CRACK": math.nan})),
    "novelty nan": lambda s: picture(s, prediction=prediction(s, novelty=math.nan)),
    "novelty": lambda s: picture(s, prediction=prediction(s, novelty=1.2)),
}
healthy = st.builds(
    lambda score, view, number: picture(score, number, view=view),
    st.floats(0, 1),
    st.sampled_from([None, "top", "side"]),
    st.integers(2, 99),
)


@pytest.mark.parametrize("kind", BROKEN)
@given(others=st.lists(healthy, max_size=4), at=st.integers(0, 4), score=st.floats(0, 1))
def test_one_picture_with_anything_wrong_holds_the_part(kind: str, others: list[PartPicture], at: int, score: float):
    pictures = [*others[:at], BROKEN[kind](score), *others[at:]]
    assert decide(PartEvidence(pictures), RULES).outcome is Outcome.HOLD


def test_an_unreadable_picture_asks_for_a_rescan_in_words():
    decided = only(BROKEN["unreadable"](0.0))
    assert decided.reasons == (Reason("unreadable", "picture unreadable: rescan"),)
    assert decided.route is Route.SECOND_SCAN
    assert decided.score is None


def test_an_unreadable_picture_is_not_hidden_by_a_clear_fail():
    decided = decide(PartEvidence([picture(0.99), BROKEN["unreadable"](0.0)]), RULES)
    assert decided.outcome is Outcome.HOLD
    assert codes(decided) == ["unreadable", "fail"]


def test_a_frozen_camera_is_named_with_the_earlier_image():
    assert "same picture as image 7" in only(BROKEN["same picture"](0.0)).reasons[0].text


def test_a_part_without_pictures_is_held():
    assert decide(PartEvidence([]), RULES).outcome is Outcome.HOLD


@pytest.mark.parametrize(
    "rules", [SiteRules(), SiteRules(None, True), SiteRules(replace(POLICY, approved_by=None), True)]
)
@given(score=st.floats(0, 1))
def test_without_an_approved_policy_everything_is_held(rules: SiteRules, score: float):
    decided = only(picture(score), rules)
    assert decided.outcome is Outcome.HOLD
    assert "no policy" in codes(decided)


@given(st.floats(0, 1))
def test_a_site_that_is_not_calibrated_decides_nothing_by_itself(score: float):
    decided = only(picture(score), SiteRules(POLICY, calibrated=False))
    assert decided.outcome is Outcome.HOLD
    assert "not calibrated" in codes(decided)


@pytest.mark.parametrize(("score", "leaning"), [(0.39, "PASS"), (0.40, "HOLD"), (0.65, "HOLD"), (0.66, "FAIL")])
def test_without_a_policy_40_and_65_only_sort_the_queue(score: float, leaning: str):
    decided = only(picture(score), SiteRules())
    assert (decided.outcome, decided.leaning) == (Outcome.HOLD, Outcome(leaning))


def test_a_pause_holds_what_would_pass_and_says_why():
    decided = only(picture(0.05), replace(RULES, paused="camera 3 was moved"))
    assert decided.outcome is Outcome.HOLD
    assert decided.reasons == (Reason("paused", "Auto-PASS is paused at this site: camera 3 was moved."),)


@pytest.mark.parametrize("paused", ["", "camera 3 was moved"])
def test_a_pause_leaves_a_fail_a_fail(paused: str):
    assert only(picture(0.95), replace(RULES, paused=paused)).outcome is Outcome.FAIL


def test_a_pause_without_a_reason_still_pauses():
    assert only(picture(0.05), replace(RULES, paused="")).outcome is Outcome.HOLD


@pytest.mark.parametrize(
    ("expected", "timed_out"), [(("top", "side"), True), (("top", "side"), False), (2, True), (2, False)]
)
def test_a_missing_view_is_held(expected: tuple[str, ...] | int, timed_out: bool):
    decided = decide(PartEvidence([picture(view="top")], expected, timed_out), RULES)
    assert (decided.outcome, codes(decided), decided.route) == (Outcome.HOLD, ["missing view"], Route.SECOND_SCAN)


def test_a_view_under_the_wrong_name_does_not_stand_in_for_the_expected_one():
    decided = decide(PartEvidence([picture(view="top"), picture(image_id=2, view="sdie")], ("top", "side")), RULES)
    assert decided.outcome is Outcome.HOLD


def test_all_expected_views_pass():
    pictures = [picture(view="top"), picture(image_id=2, view="side")]
    assert decide(PartEvidence(pictures, ("top", "side")), RULES).outcome is Outcome.PASS


def test_the_sites_own_quality_limits_replace_the_flags_but_not_a_partial_picture():
    dim = replace(CLEAR, flags=("blurry",))
    judged = SiteRules(replace(POLICY, quality_limits=QualityLimits()), True)
    assert only(picture(quality=dim), judged).outcome is Outcome.PASS
    assert only(picture(quality=replace(CLEAR, flags=("partial",))), judged).outcome is Outcome.HOLD


def test_a_policy_that_limits_novelty_holds_where_the_model_does_not_measure_it():
    assert only(picture(), SiteRules(replace(POLICY, novelty_limit=0.9), True)).outcome is Outcome.HOLD


def test_a_policys_novelty_limit_replaces_the_models_own():
    strange = picture(prediction=prediction(novelty=1.5))
    assert only(strange, SiteRules(replace(POLICY, novelty_limit=2.0), True)).outcome is Outcome.PASS


# --- properties -----------------------------------------------------------------------------------------------------

rules = st.builds(
    lambda edges, calibrated, paused, approved, confidence: SiteRules(
        replace(
            POLICY,
            pass_below=min(edges),
            fail_above=max(edges),
            minimum_confidence=confidence,
            approved_by="grace" if approved else None,
        ),
        calibrated,
        paused,
    ),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.booleans(),
    st.sampled_from([None, "moved"]),
    st.booleans(),
    st.sampled_from([None, 0.5, 0.8, 1.0]),
)
anything = st.one_of(
    healthy,
    st.builds(
        lambda kind, score, number: replace(BROKEN[kind](score), image_id=number),
        st.sampled_from(sorted(BROKEN)),
        st.floats(0, 1),
        st.integers(2, 99),
    ),
)
parts = st.lists(anything, max_size=5)


@given(parts, rules, st.randoms())
def test_the_order_of_pictures_does_not_matter(pictures: list[PartPicture], in_force: SiteRules, chance: object):
    unique = list({one.image_id: one for one in pictures}.values())
    shuffled = list(unique)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(PartEvidence(unique), in_force) == decide(PartEvidence(shuffled), in_force)


@given(st.lists(healthy, min_size=1, max_size=5), rules, st.integers(0, 4), st.floats(0, 1))
def test_a_higher_score_is_never_decided_more_loosely(
    pictures: list[PartPicture], in_force: SiteRules, which: int, raised: float
):
    which %= len(pictures)
    before = pictures[which].prediction
    assert before is not None
    worse = replace(pictures[which], prediction=replace(before, score=max(before.score, raised)))
    after = decide(PartEvidence([*pictures[:which], worse, *pictures[which + 1 :]]), in_force)
    assert STRICTNESS[after.outcome] >= STRICTNESS[decide(PartEvidence(pictures), in_force).outcome]


@given(parts, rules, st.sampled_from(sorted(BROKEN)), st.floats(0, 1))
def test_adding_a_reason_to_hold_never_makes_a_part_pass(
    pictures: list[PartPicture], in_force: SiteRules, kind: str, score: float
):
    added = decide(PartEvidence([*pictures, BROKEN[kind](score)]), in_force)
    assert added.outcome is Outcome.HOLD
    paused = decide(PartEvidence(pictures), replace(in_force, paused="a new reason"))
    assert STRICTNESS[paused.outcome] >= STRICTNESS[decide(PartEvidence(pictures), in_force).outcome]
    missing = decide(PartEvidence(pictures, ("a view nobody sent",)), in_force)
    assert missing.outcome is Outcome.HOLD


@given(parts, rules)
def test_every_decision_gives_at_least_one_reason_and_a_fitting_route(pictures: list[PartPicture], in_force: SiteRules):
    decided = decide(PartEvidence(pictures), in_force)
    assert decided.reasons
    assert all(reason.text for reason in decided.reasons)
    assert (decided.route is Route.SHIP) == (decided.outcome is Outcome.PASS)


@given(parts, rules)
def test_pass_needs_every_picture_scored_under_the_threshold_of_an_approved_policy(
    pictures: list[PartPicture], in_force: SiteRules
):
    decided = decide(PartEvidence(pictures), in_force)
    if decided.outcome is Outcome.PASS:
        assert in_force.policy is not None
        assert in_force.policy.approved
        assert in_force.calibrated
        assert in_force.paused is None
        assert all(one.prediction is not None and one.error is None for one in pictures)
        assert decided.score is not None
        assert decided.score < in_force.policy.pass_below


@given(st.sampled_from(list(Outcome)), parts, rules)
def test_a_later_decision_is_never_looser(before: Outcome, pictures: list[PartPicture], in_force: SiteRules):
    fresh = decide(PartEvidence(pictures), in_force)
    after = supersede(before, fresh)
    assert STRICTNESS[after.outcome] == max(STRICTNESS[before], STRICTNESS[fresh.outcome])
    assert (after.route is Route.SHIP) == (after.outcome is Outcome.PASS)


# --- joining --------------------------------------------------------------------------------------------------------


def test_nothing_joins_to_nothing():
    assert join([]) is None


def test_exposures_of_one_view_are_averaged_in_log_odds():
    assert join([("top", 0.9), ("top", 0.1)]) == pytest.approx(0.5)


def test_views_join_by_the_largest():
    assert join([("top", 0.1), ("side", 0.7), ("end", 0.2)]) == 0.7


def test_pictures_whose_view_nobody_named_never_dilute_each_other():
    assert join([(None, 0.1), (None, 0.7)]) == 0.7


def test_unnamed_exposures_are_averaged_where_the_part_type_says_so():
    assert join([(None, 0.9), (None, 0.1)], exposures=True) == pytest.approx(0.5)
    assert join([(None, 0.9), (None, 0.1), ("side", 0.7)], exposures=True) == 0.7


def test_a_part_of_unnamed_exposures_is_decided_by_their_average():
    pictures = [picture(0.05), picture(0.3, image_id=2)]
    assert decide(PartEvidence(pictures), RULES).outcome is Outcome.HOLD
    decided = decide(PartEvidence(pictures, exposures=True), RULES)
    assert decided.outcome is Outcome.PASS
    assert decided.score == join([(None, 0.05), (None, 0.3)], exposures=True)


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1])
def test_what_is_no_probability_is_not_joined(score: float):
    with pytest.raises(BadInput):
        join([("top", score)])


@given(
    st.lists(st.tuples(st.sampled_from([None, "top", "side"]), st.floats(0, 1)), min_size=1, max_size=8), st.randoms()
)
def test_joining_stays_inside_the_scores_and_ignores_their_order(
    scores: list[tuple[str | None, float]], chance: object
):
    joined = join(scores)
    shuffled = list(scores)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert joined == join(shuffled)
    assert joined is not None
    assert min(value for _, value in scores) <= joined <= max(value for _, value in scores)


def test_the_picture_that_shows_the_defect_names_its_class():
    clean = prediction(0.01, class_scores={"BURR": 1.0})
    bad = prediction(0.99, class_scores={"CRACK": 1.0})
    joined = join_classes([clean, bad])
    assert joined["CRACK"] == pytest.approx(0.99)
    assert joined["BURR"] == pytest.approx(0.01)


def test_a_score_is_written_with_the_digits_that_tell_it_from_the_threshold():
    assert [short(0.61, 0.2), short(0.1999, 0.2), short(0.2, 0.2), short(1.0)] == [".61", ".1999", ".20", "1.00"]
    assert [short(0.997, 0.76), short(0.99999, 0.76), short(0.9999, 1.0)] == [".997", ".9999", ".9999"]


@pytest.mark.parametrize(
    ("score", "outcome"), [(0.05, Outcome.HOLD), (0.5, Outcome.HOLD), (0.95, Outcome.FAIL), (math.nan, Outcome.HOLD)]
)
def test_a_fault_of_the_printed_label_holds_what_would_pass_and_leaves_a_fail(score: float, outcome: Outcome):
    fault = Reason("expired", "The goods are expired.")
    decided = decide(PartEvidence([picture(score)], print_faults=(fault,)), RULES)
    assert decided.outcome is outcome
    assert fault in decided.reasons


def test_a_fault_of_the_printed_label_is_told_where_no_picture_has_a_score():
    fault = Reason("expired", "The goods are expired.")
    decided = decide(PartEvidence([picture(prediction=None, error="out of memory")], print_faults=(fault,)), RULES)
    assert decided.outcome is Outcome.HOLD
    assert fault in decided.reasons
