"""What one person may put in force alone: only what decides no possible part less strictly."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from core.decide.attendance import Attendance
from core.decide.by_policy import STRICTNESS
from core.decide.decision import PartEvidence, PartPicture, SiteRules, decide, decide_strictly
from core.decide.policy import ClassRule, Costs, Nobody, Policy, chosen
from core.decide.tighter import differences, looser, looser_anywhere
from core.pictures.quality import QualityLimits
from core.records import Outcome, Prediction, Quality, Region, Route, Severity

POLICY = Policy(1, "lyon", 0.3, 0.8, proposed_by="ada", approved_by="grace")

EDGES = [0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.5, 0.6, 0.8, 0.9, 1.0]
edge = st.sampled_from(EDGES)
shares = st.dictionaries(st.sampled_from(["CRACK", "BURR"]), edge, max_size=2)
limits = st.builds(
    lambda contrast, sharpness, dark, bright, partial: QualityLimits(contrast, sharpness, dark, bright, partial),
    st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 1.0, 9.0]), st.sampled_from([0.5, 0.9]),
    st.sampled_from([0.5, 0.9]), st.booleans(),
)  # fmt: skip


def rule(below: float | None, above: float | None, report: float | None) -> ClassRule:
    if below is not None and above is not None and below > above:
        below, above = above, below
    return ClassRule(below, above, report)


maybe = st.none() | edge
changes = st.fixed_dictionaries(
    {},
    optional={
        "pass_below": edge,
        "fail_above": edge,
        "minimum_confidence": st.none() | st.sampled_from(EDGES[1:]),
        "novelty_limit": st.none() | st.sampled_from([0.5, 1.0, 2.0]),
        "quality_limits": st.none() | limits,
        "audit_pass": edge,
        "classes": st.dictionaries(st.sampled_from(["CRACK", "BURR"]), st.builds(rule, maybe, maybe, maybe)),
        "fail_route": st.sampled_from([Route.REWORK, Route.DIVERT]),
        "when_nobody": st.sampled_from(list(Nobody)),
        "attendance": st.none() | st.just(Attendance(inspectors=2)),
    },
)


def with_changes(policy: Policy, values: dict[str, object]) -> Policy:
    low, high = (values.get(name, getattr(policy, name)) for name in ("pass_below", "fail_above"))
    if low > high:  # type: ignore[operator]
        values = {**values, "pass_below": high, "fail_above": low}
    return replace(policy, **values)  # type: ignore[arg-type]


policies = changes.map(lambda values: with_changes(POLICY, values))
qualities = st.builds(
    lambda sharpness, contrast, dark, bright, flags: Quality(sharpness, 0.5, contrast, dark, bright, flags),
    st.sampled_from([0.5, 5.0, 50.0]), st.sampled_from([0.05, 0.2]), st.sampled_from([0.0, 0.7]),
    st.sampled_from([0.0, 0.7]), st.sampled_from([(), ("blurry",), ("partial",)]),
)  # fmt: skip
pictures = st.builds(
    lambda number, score, classes, novelty, quality: PartPicture(
        number, quality=quality, prediction=Prediction("m", score, classes, novelty=novelty)
    ),
    st.integers(1, 9), st.floats(0, 1) | edge, shares, st.none() | st.sampled_from([0.2, 0.7, 1.5, 3.0]), qualities,
)  # fmt: skip
parts = st.lists(pictures, min_size=1, max_size=3, unique_by=lambda one: one.image_id).map(PartEvidence)
rules_for = st.tuples(st.booleans(), st.sampled_from([None, "moved"]))


def outcome(part: PartEvidence, policy: Policy | None, calibrated: bool = True, paused: str | None = None) -> int:
    return STRICTNESS[decide(part, SiteRules(policy, calibrated, paused)).outcome]


def toward(old: Policy, values: dict[str, object]) -> Policy:
    """Changes that are mostly tighter, so that not most of what is tried is looser at once."""
    kept = {name: value for name, value in values.items() if name not in ("fail_route", "attendance", "when_nobody")}
    for name in ("pass_below", "fail_above"):
        kept[name] = min(float(kept.get(name, 1.0)), getattr(old, name))  # type: ignore[arg-type]
    kept["audit_pass"] = max(float(kept.get("audit_pass", 0.0)), old.audit_pass)  # type: ignore[arg-type]
    kept["classes"] = {**old.classes, **kept.get("classes", {})}  # type: ignore[dict-item]
    return with_changes(old, kept)


@settings(max_examples=250, suppress_health_check=[HealthCheck.filter_too_much])
@given(policies, changes, parts, rules_for, st.booleans())
def test_what_is_called_tighter_decides_no_part_less_strictly(old, values, part, site, mostly):
    new = toward(old, values) if mostly else with_changes(old, values)
    assume(not looser(new, old))
    assert outcome(part, new, *site) >= outcome(part, old, *site)


GRID = {
    "pass_below": [0.0, 0.1, 0.3, 0.5],
    "fail_above": [0.5, 0.8, 0.9, 1.0],
    "minimum_confidence": [None, 0.3, 0.6, 0.9],
    "novelty_limit": [None, 0.5, 1.0, 2.0],
    "quality_limits": [None, QualityLimits(), QualityLimits(sharpness=9), QualityLimits(dark=0.5, partial=False)],
    "classes": [
        {},
        *({"CRACK": one} for one in (ClassRule(0.1), ClassRule(0.2), ClassRule(None, 0.4), ClassRule(0.1, 0.6))),
    ],
}
GRID_PARTS = [
    PartEvidence([PartPicture(1, quality=quality, prediction=Prediction("m", score, classes, novelty=novelty))])
    for score in (0.05, 0.15, 0.25, 0.45, 0.55, 0.85, 0.95)
    for classes in ({}, {"CRACK": 0.95}, {"CRACK": 0.5, "BURR": 0.5}, {"BURR": 0.4})
    for novelty in (None, 0.7, 1.5)
    for quality in (
        Quality(50, 0.5, 0.2, 0, 0),
        Quality(5, 0.5, 0.2, 0, 0),
        Quality(50, 0.5, 0.2, 0.7, 0),
        Quality(50, 0.5, 0.2, 0, 0, ("partial",)),
        Quality(50, 0.5, 0.2, 0, 0, ("blurry",)),
    )
]


@pytest.mark.parametrize("fails", [True, False], ids=["something fails", "nothing fails"])
@pytest.mark.parametrize("name", GRID)
def test_no_single_change_that_is_called_tighter_loosens_a_part(name, fails):
    """Every pair of values of every rule against a grid of parts; what chance above may never come to."""
    base = POLICY if fails else replace(POLICY, fail_above=1.0)
    policies_of = [replace(base, **{name: value}) for value in GRID[name]]
    outcomes = [[outcome(part, policy) for part in GRID_PARTS] for policy in policies_of]
    called, loosens = set(), set()
    for one, old in enumerate(policies_of):
        for other, new in enumerate(policies_of):
            if any(after < before for before, after in zip(outcomes[one], outcomes[other], strict=True)):
                loosens.add((one, other))
            if looser(new, old):
                called.add((one, other))
    assert loosens <= called
    assert loosens or (name == "minimum_confidence" and not fails)


@given(policies, st.booleans(), parts, rules_for)
def test_against_no_policy_only_what_passes_nothing_is_tighter(policy, shut, part, site):
    policy = replace(policy, pass_below=0.0) if shut else policy
    assert bool(looser(policy, None)) == (not policy.flags_everything)
    if policy.flags_everything:
        assert outcome(part, policy, *site) >= outcome(part, None, *site)


@given(policies, st.booleans(), parts, rules_for)
def test_ending_a_policy_is_tighter_only_where_it_failed_nothing(policy, shut, part, site):
    policy = replace(policy, fail_above=1.0, classes={}) if shut else policy
    assert bool(looser(None, policy)) == (not policy.fails_nothing)
    if policy.fails_nothing:
        assert outcome(part, None, *site) >= outcome(part, policy, *site)


@given(edge, edge, edge, edge)
@example(0.3, 0.8, 0.3, 0.8)
def test_thresholds_alone_are_tighter_exactly_where_no_score_tells_otherwise(a, b, c, d):
    old = replace(POLICY, pass_below=min(a, b), fail_above=max(a, b))
    new = replace(POLICY, pass_below=min(c, d), fail_above=max(c, d))
    scores = sorted({value + step for value in EDGES for step in (-1e-6, 0, 1e-6) if 0 <= value + step <= 1})
    never_looser = all(STRICTNESS[new.sort(score)] >= STRICTNESS[old.sort(score)] for score in scores)
    assert (looser(new, old) == []) == never_looser


@given(policies)
def test_the_same_again_is_not_looser(policy):
    assert looser(policy, policy) == []


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(policies, changes, changes)
def test_tightening_twice_is_tightening(old, first, second):
    middle = toward(old, first)
    new = toward(middle, second)
    assume(not looser(middle, old))
    assume(not looser(new, middle))
    assert looser(new, old) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"pass_below": 0.31}, "passes below .31, now below .30"),
        ({"fail_above": 0.9}, "fails above .90, now above .80"),
        ({"minimum_confidence": 0.9}, "would fail"),
        ({"novelty_limit": 2.0}, "stranger"),
        ({"novelty_limit": 0.5}, "would fail"),
        ({"quality_limits": QualityLimits()}, "poorer"),
        ({"audit_pass": 0.01}, "fewer"),
        ({"fail_route": Route.DIVERT}, "divert"),
        ({"when_nobody": Nobody.HOLD}, "nobody"),
        ({"costs": Costs({Severity.MINOR: 5.0})}, "costs"),
        ({"attendance": Attendance(inspectors=3)}, "staffed hours"),
        ({"classes": {}}, "CRACK: pass below is none, now .20"),
        ({"classes": {"CRACK": ClassRule(0.2, 0.7, 0.5)}}, "report limit is .50, now .40"),
    ],
)
def test_what_is_looser_is_named(values, says):
    old = replace(POLICY, audit_pass=0.05, when_nobody=Nobody.STOP, classes={"CRACK": ClassRule(0.2, 0.7, 0.4)})
    [found] = [one for one in looser(replace(old, **values), old) if says in one]
    assert found


@pytest.mark.parametrize(
    "values",
    [
        {"pass_below": 0.1},
        {"fail_above": 0.5},
        {"pass_below": 0.0, "fail_above": 0.3},
        {"audit_pass": 0.5},
        {"classes": {"CRACK": ClassRule(0.1, 0.5, 0.2), "BURR": ClassRule(0.3)}},
        {"when_nobody": Nobody.STOP},
    ],
)
def test_what_only_tightens_needs_nobody_else(values):
    old = replace(POLICY, classes={"CRACK": ClassRule(0.2, 0.7, 0.4)})
    assert looser(replace(old, **{"classes": old.classes, **values}), old) == []


def test_where_nothing_fails_stricter_limits_of_pictures_are_tighter():
    """Elsewhere they would hold parts that fail now, and a held part can still be passed."""
    nothing_fails = replace(POLICY, fail_above=1.0)
    assert looser(replace(nothing_fails, novelty_limit=0.5, minimum_confidence=0.9), nothing_fails) == []


# --- lines and part types -------------------------------------------------------------------------------------------

names = st.sampled_from([None, "A", "B"])
scoped = st.builds(
    lambda policy, line, kind, ends: replace(
        policy, line=line, part_type=kind, ends=ends and (line is not None or kind is not None)
    ),
    policies, names, names, st.booleans(),
)  # fmt: skip
plants = st.lists(scoped, max_size=4, unique_by=lambda one: (one.line, one.part_type))


@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
@given(plants, scoped, parts, st.sampled_from([None, "A", "B", "C"]), st.sampled_from([None, "A", "B", "C"]))
def test_nowhere_at_the_site_is_a_part_decided_less_strictly(in_force, new, part, line, kind):
    assume(not looser_anywhere(in_force, new))
    after = [one for one in in_force if (one.line, one.part_type) != (new.line, new.part_type)] + [new]
    assert outcome(part, chosen(after, line, kind)) >= outcome(part, chosen(in_force, line, kind))


def test_the_narrowest_policy_decides():
    site, line, kind, both = (
        replace(POLICY, number=number, line=line, part_type=kind)
        for number, (line, kind) in enumerate([(None, None), ("A", None), (None, "bolt"), ("A", "bolt")], start=1)
    )
    everything = [site, line, kind, both]
    assert [chosen(everything, *scope) for scope in (("A", "bolt"), ("B", "bolt"), ("A", "nut"), ("B", None))] == [
        both, kind, line, site,
    ]  # fmt: skip
    assert chosen([site, replace(kind, ends=True)], "A", "bolt") == site
    assert chosen([line], "B", None) is None


def test_a_line_of_its_own_may_be_stricter_than_the_site_and_not_looser():
    assert looser_anywhere([POLICY], replace(POLICY, line="A", pass_below=0.1)) == []
    assert looser_anywhere([POLICY], replace(POLICY, line="A", pass_below=0.4)) != []
    lax = replace(POLICY, line="A", pass_below=0.4)
    assert looser_anywhere([POLICY, lax], replace(lax, ends=True)) == []
    strict = replace(POLICY, line="A", pass_below=0.1)
    assert looser_anywhere([POLICY, strict], replace(strict, ends=True)) != []


def test_a_part_from_two_lines_is_decided_by_the_stricter_policy():
    part = PartEvidence([PartPicture(1, quality=Quality(50, 0.5, 0.2, 0, 0), prediction=Prediction("m", 0.2, {}))])
    lax, strict = SiteRules(POLICY, True), SiteRules(replace(POLICY, number=2, pass_below=0.1), True)
    for order in ([lax, strict], [strict, lax]):
        decided, used = decide_strictly(part, order)
        assert (decided.outcome, used.policy.number) == (Outcome.HOLD, 2)


# --- words ----------------------------------------------------------------------------------------------------------


def test_differences_are_said_in_words():
    new = replace(POLICY, pass_below=0.2419, audit_pass=0.02, costs=Costs({Severity.CRITICAL: 2000.0}))
    assert differences(new, POLICY) == [
        "pass below .30 → .2419",
        "audited passes 0% → 2%",
        "cost of a miss none → critical 2,000",
    ]
    assert differences(POLICY, POLICY) == []
    assert "pass below .30" in differences(POLICY, None)


@given(policies, changes)
def test_a_change_that_is_looser_or_tighter_is_never_without_words(old, values):
    new = with_changes(old, values)
    if new != old and looser(new, old):
        assert differences(new, old)


# --- what a decision makes of them ----------------------------------------------------------------------------------


def part_of(score: float, classes: dict[str, float], *regions: Region) -> PartEvidence:
    prediction = Prediction("m", score, classes, regions)
    return PartEvidence([PartPicture(1, quality=Quality(50, 0.5, 0.2, 0, 0), prediction=prediction)])


def answer(policy: Policy, part: PartEvidence, staffed: bool = True):
    return decide(part, SiteRules(policy, True, staffed=staffed))


def test_a_part_that_would_fail_without_a_sure_class_goes_to_a_person():
    careful = replace(POLICY, minimum_confidence=0.7)
    decided = answer(careful, part_of(0.9, {"CRACK": 0.5, "BURR": 0.5}))
    assert (decided.outcome, [one.code for one in decided.reasons]) == (Outcome.HOLD, ["class unsure", "fail"])
    assert answer(careful, part_of(0.9, {"CRACK": 0.7, "BURR": 0.3})).outcome is Outcome.FAIL
    assert answer(careful, part_of(0.9, {})).outcome is Outcome.HOLD


@given(st.floats(0, 1), shares, st.sampled_from(EDGES[1:]))
def test_a_minimum_confidence_passes_nothing_and_holds_nothing_that_passes(score, classes, least):
    without, limited = (
        answer(replace(POLICY, minimum_confidence=limit), part_of(score, classes)).outcome for limit in (None, least)
    )
    assert (without is Outcome.PASS) == (limited is Outcome.PASS)


@given(st.floats(0, 1), shares, policies)
def test_limits_of_classes_only_ever_make_it_stricter(score, classes, policy):
    part = part_of(score, classes)
    plain = replace(policy, classes={}, minimum_confidence=None)
    limited = replace(policy, minimum_confidence=None)
    assert outcome(part, limited) >= outcome(part, plain)


def test_a_dangerous_class_is_held_at_a_risk_that_others_pass():
    policy = replace(POLICY, classes={"CRACK": ClassRule(0.05, 0.15)})
    assert answer(policy, part_of(0.2, {"CRACK": 0.1, "BURR": 0.9})).outcome is Outcome.PASS
    held = answer(policy, part_of(0.2, {"CRACK": 0.5, "BURR": 0.5}))
    assert held.reasons[0].text == "Risk of CRACK .10 is not below .05."
    assert answer(policy, part_of(0.2, {"CRACK": 0.9, "BURR": 0.1})).outcome is Outcome.FAIL


def test_a_class_that_the_model_does_not_name_cannot_be_kept_within_its_limits():
    policy = replace(POLICY, classes={"CRACK": ClassRule(0.2)})
    assert answer(policy, part_of(0.01, {"BURR": 1.0})).reasons[0].code == "class unknown"
    assert answer(policy, part_of(0.99, {"BURR": 1.0})).outcome is Outcome.FAIL


def test_every_region_above_its_classes_limit_is_reported_whatever_is_decided():
    policy = replace(POLICY, classes={"CRACK": ClassRule(report_above=0.4)})
    regions = [Region(0, 0, 9, 9, "CRACK", "CRACK", score=score) for score in (0.41, 0.4, 0.9)]
    for score in (0.1, 0.5, 0.9):
        decided = answer(policy, part_of(score, {"CRACK": 1.0}, *regions, Region(0, 0, 9, 9, "BURR", "BURR", score=1)))
        assert decided.reasons[-1].text == "2 regions of CRACK above the report limit .40: .90, .41."
    assert answer(policy, part_of(0.1, {"CRACK": 1.0})).reasons[-1].code == "pass"


@pytest.mark.parametrize(
    ("when_nobody", "route"),
    [(Nobody.HOLD, Route.HOLD), (Nobody.SECOND_SCAN, Route.SECOND_SCAN), (Nobody.STOP, Route.STOP)],
)
def test_a_held_part_goes_where_the_policy_says_while_nobody_is_there(when_nobody, route):
    policy = replace(POLICY, when_nobody=when_nobody)
    assert answer(policy, part_of(0.5, {}), staffed=False).route is route
    assert answer(policy, part_of(0.5, {}), staffed=True).route is Route.HOLD
    assert answer(policy, part_of(0.1, {}), staffed=False).route is Route.SHIP
    assert answer(policy, part_of(0.9, {}), staffed=False).route is Route.REWORK
