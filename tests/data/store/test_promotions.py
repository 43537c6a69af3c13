"""What a model has shown, which one looks on, which one decides: on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.decide.requests import Matrix, Wish
from core.decide.score_map import ScoreMap
from core.errors import BadInput, Conflict, GateFailed, NotAllowed, NotFound
from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.rates import Answer, plain, rate_question
from core.gates.records import Verdict
from core.learn.metrics import Counts
from core.records import Outcome, Prediction
from core.roles import Role
from core.serving import Change, ShadowScore
from core.watch.rules import RuleKind, Step
from data.store import Store
from tests.data.store.plant import arrival, file, person, site

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MATRIX = Matrix(Counts(90, 4, 6, 100), "net-1", "made up")


@pytest.fixture
def plant(store: Store) -> Store:
    """Lyon with net-1 in use and calibrated, and net-2 beside it."""
    site(store)
    store.models.add({"name": "net-2"}, "/models/net-2", "2" * 64)
    return store


def verdict(hits: int, n: int = 1000) -> Verdict:
    return gate([rate_question("recall", plain(hits, n), 0.93, "defective pictures")], 0.05)


def gated(store: Store, hits: int = 990, model: str = "net-2", against: str | None = "net-1", **more):
    sha256 = store.models.get(model).sha256
    return store.gates.add("Lyon", model, sha256, "first", more.pop("split", "test"), against, verdict(hits),
                           more.pop("limits", Limits()), {"counted": {}}, **more)  # fmt: skip


def promoted(store: Store):
    gated(store)
    return store.promotions.promote("Lyon", "net-2", "finds more cracks", now=START)


def test_a_model_that_passed_its_gate_is_promoted_in_one_audited_act(plant: Store) -> None:
    dora = person(plant, "Dora", Role.DATA_SCIENTIST)
    kept = gated(dora)
    assert kept.answer is Answer.PASS
    made = dora.promotions.promote("Lyon", "net-2", "finds more cracks", now=START)
    assert (made.kind, made.model, made.before, made.gate) == (Change.PROMOTION, "net-2", "net-1", kept.id)
    assert plant.promotions.in_use("Lyon") == "net-2"
    (event,) = [one for one in plant.audit.recent(20, "Lyon") if one.action == "model promoted"]
    assert event.by == "Dora"
    assert event.reason == "finds more cracks"
    assert event.old == {"model": "net-1", "calibrated": True}
    assert event.new["alternatives"] == [{"model": "net-1", "in_use": True, "gate": None, "answer": None}]
    assert not plant.sites.get("Lyon").calibrated


def test_a_promoted_model_passes_nothing_by_itself_until_two_have_calibrated_it(plant: Store) -> None:
    [before] = file(plant, arrival(1, 0.1))
    promoted(plant)
    [after] = plant.arrivals.file("Lyon", [said_by("net-2", 2)])
    assert plant.parts.decision(before.part_id).outcome is Outcome.PASS
    assert plant.parts.decision(after.part_id).outcome is Outcome.HOLD


def said_by(model: str, number: int):
    return replace(arrival(number), prediction=Prediction(model, 0.1, {"CRACK": 0.9}))


def test_what_another_model_said_is_no_calibrated_score(plant: Store) -> None:
    """A batch that was scored before a roll back and filed after it."""
    [filed] = plant.arrivals.file("Lyon", [said_by("net-2", 1)])
    decision = plant.parts.decision(filed.part_id)
    assert decision.outcome is Outcome.HOLD
    assert plant.parts.decision(file(plant, arrival(2, 0.1))[0].part_id).outcome is Outcome.PASS


@pytest.mark.parametrize(("hits", "says"), [(0, "fail"), (940, "not enough evidence")])
def test_a_model_without_a_passed_gate_is_refused(plant: Store, hits: int, says: str) -> None:
    with pytest.raises(GateFailed, match="has not been through the gate"):
        plant.promotions.promote("Lyon", "net-2", "why not")
    gated(plant, hits)
    with pytest.raises(GateFailed, match=says):
        plant.promotions.promote("Lyon", "net-2", "why not")
    assert plant.promotions.in_use("Lyon") == "net-1"


def test_a_gate_counts_only_for_these_weights_this_opponent_these_limits_and_unseen_pictures(plant: Store) -> None:
    gated(plant, against="net-0")
    assert "compared it with net-0" in plant.promotions.hindered("Lyon", "net-2")
    gated(plant, split="val")
    assert "helped to make it" in plant.promotions.hindered("Lyon", "net-2")
    gated(plant, limits=Limits(recall=0.5))
    assert "asked for less than is usual here: recall of 0.5" in plant.promotions.hindered("Lyon", "net-2")
    gated(plant, 0)
    assert "its gate says: fail" in plant.promotions.hindered("Lyon", "net-2")
    gated(plant)
    assert plant.promotions.hindered("Lyon", "net-2") == ""
    with pytest.raises(Conflict, match="other weights"):
        plant.gates.add("Lyon", "net-2", "9" * 64, "first", "test", "net-1", verdict(990), Limits(), {})


def test_a_refused_gate_raises_one_alarm_that_asks_for_a_retraining(plant: Store) -> None:
    kept = gated(plant, 500, channels=["quality"])
    gated(plant, 500)
    (alarm,) = plant.alarms.find("Lyon")
    assert (alarm.kind, alarm.subject, alarm.paused) == (RuleKind.GATE, "net-2", False)
    assert "was refused by its gate: broken: recall" in alarm.text
    assert alarm.evidence == {"gate": kept.id}
    (asked,) = plant.alarms.follow_ups(alarm_id=alarm.id)
    assert asked.kind is Step.RETRAIN
    assert [one.channel for one in plant.alarms.told(alarm.id)] == ["quality"]
    assert plant.sites.get("Lyon").paused is None


def test_a_passed_gate_raises_no_alarm(plant: Store) -> None:
    gated(plant)
    assert plant.alarms.find("Lyon") == []
    assert [one.answer for one in plant.gates.of("net-2", "Lyon")] == [Answer.PASS]


def test_two_people_may_override_a_gate_and_neither_alone(plant: Store) -> None:
    dora, lea = person(plant, "Dora", Role.DATA_SCIENTIST), person(plant, "Lea", Role.QA_LEAD)
    gated(plant, 940)
    asked = dora.promotions.ask_override("Lyon", "net-2", "the old camera is gone")
    assert asked.wish is Wish.PROMOTION
    assert "not enough evidence" in asked.content["hindrance"]
    with pytest.raises(NotAllowed):
        dora.requests.agree(asked.number, "me too")
    assert plant.promotions.in_use("Lyon") == "net-1"
    lea.requests.agree(asked.number, "looked at the pictures")
    assert plant.promotions.in_use("Lyon") == "net-2"
    newest = plant.promotions.history("Lyon")[0]
    assert (newest.kind, newest.request, newest.by) == (Change.PROMOTION, asked.number, "Lea")
    assert "asked by Dora" in newest.reason
    assert not plant.sites.get("Lyon").calibrated


def test_nobody_agrees_to_their_own_override_nor_to_one_that_is_out_of_date(plant: Store) -> None:
    lea, max_ = person(plant, "Lea", Role.QA_LEAD), person(plant, "Max", Role.QA_LEAD)
    asked = lea.promotions.ask_override("Lyon", "net-2", "why")
    with pytest.raises(NotAllowed, match="somebody else"):
        lea.requests.agree(asked.number, "me too")
    plant.sites.set_model("Lyon", None, "taken out")
    assert lea.requests.waiting("Lyon") == []
    with pytest.raises(Conflict, match="no longer so"):
        max_.requests.agree(asked.number, "yes")


def test_a_passed_gate_needs_no_override(plant: Store) -> None:
    gated(plant)
    with pytest.raises(Conflict, match="promote it"):
        plant.promotions.ask_override("Lyon", "net-2", "why")


def test_rolling_back_restores_what_was_in_force_with_its_calibration(plant: Store) -> None:
    promoted(plant)
    assert plant.promotions.way_back("Lyon") == "net-1"
    made = plant.promotions.rollback("Lyon", "it misses burrs", now=START)
    assert (made.kind, made.model, made.restored) == (Change.ROLLBACK, "net-1", True)
    assert plant.sites.get("Lyon").calibrated
    assert plant.parts.decision(file(plant, arrival(3, 0.1))[0].part_id).outcome is Outcome.PASS
    (event,) = [one for one in plant.audit.recent(20, "Lyon") if one.action == "model rolled back"]
    assert event.reason == "it misses burrs"


def test_the_reading_of_scores_goes_with_its_model_and_comes_back_with_it(plant: Store) -> None:
    one, two = person(plant, "Lea", Role.QA_LEAD), person(plant, "Max", Role.QA_LEAD)
    fitted = replace(MATRIX, reading=ScoreMap("net-1", 2.0, 0.5))
    asked = one.requests.ask_calibration("Lyon", fitted, START + timedelta(days=90), "fitted", now=START)
    two.requests.agree(asked.number, "checked", now=START)
    promoted(plant)
    assert plant.sites.get("Lyon").score_map is None
    assert plant.promotions.rollback("Lyon", "worse").restored
    assert plant.sites.get("Lyon").score_map == ScoreMap("net-1", 2.0, 0.5).to_json()


def test_a_calibration_whose_time_is_over_does_not_come_back(plant: Store) -> None:
    one, two = person(plant, "Lea", Role.QA_LEAD), person(plant, "Max", Role.QA_LEAD)
    asked = one.requests.ask_calibration("Lyon", MATRIX, START + timedelta(days=7), "measured", now=START)
    two.requests.agree(asked.number, "checked", now=START)
    promoted(plant)
    made = plant.promotions.rollback("Lyon", "worse", now=START + timedelta(days=8))
    assert (made.restored, plant.sites.get("Lyon").calibrated) == (False, False)


def test_a_calibration_does_not_come_back_under_other_policies(plant: Store) -> None:
    one, two = person(plant, "Lea", Role.QA_LEAD), person(plant, "Max", Role.QA_LEAD)
    promoted(plant)
    proposed = one.policies.propose("Lyon", 0.6, 0.9, "for the new model")
    two.policies.approve("Lyon", proposed.number, "agreed")
    made = plant.promotions.rollback("Lyon", "worse")
    assert (made.restored, plant.sites.get("Lyon").calibrated) == (False, False)


def test_going_back_twice_goes_to_the_one_before_and_then_no_further(plant: Store) -> None:
    plant.models.add({"name": "net-3"}, "/models/net-3", "3" * 64)
    promoted(plant)
    gated(plant, model="net-3", against="net-2")
    plant.promotions.promote("Lyon", "net-3", "better still")
    assert plant.promotions.rollback("Lyon", "no").model == "net-2"
    assert plant.promotions.rollback("Lyon", "no").model == "net-1"
    assert plant.promotions.way_back("Lyon") is None
    with pytest.raises(NotFound, match="no way back"):
        plant.promotions.rollback("Lyon", "no")
    kinds = [one.kind for one in plant.promotions.history("Lyon")]
    assert kinds == [Change.ROLLBACK, Change.ROLLBACK, Change.PROMOTION, Change.PROMOTION, Change.SET]


def test_an_act_without_a_reason_is_none(plant: Store) -> None:
    gated(plant)
    with pytest.raises(BadInput, match="reason"):
        plant.promotions.promote("Lyon", "net-2", " ")
    with pytest.raises(BadInput, match="reason"):
        plant.promotions.rollback("Lyon", "")


def test_a_person_cannot_replace_a_model_around_the_gate(plant: Store) -> None:
    dora = person(plant, "Dora", Role.DATA_SCIENTIST)
    with pytest.raises(NotAllowed, match="promoted"):
        dora.sites.set_model("Lyon", "net-2")
    dora.sites.set_model("Lyon", None, "taken out")
    dora.sites.set_model("Lyon", "net-2", "the site has none")
    assert plant.promotions.in_use("Lyon") == "net-2"


def test_a_shadow_sees_live_pictures_only_and_decides_nothing(plant: Store) -> None:
    file(plant, arrival(1, 0.2), now=START)
    shadow = plant.shadows.start("Lyon", "net-2", 2, "looks promising", now=START)
    filed = file(plant, arrival(2, 0.1), arrival(3, None), now=START + timedelta(hours=1))
    file(plant, arrival(4, 0.1), now=START + timedelta(hours=3))
    waiting = plant.shadows.waiting(shadow.id, 10)
    assert [one.id for one in waiting] == [filed[0].image_id]
    before = plant.parts.decision(filed[0].part_id)
    assert plant.shadows.keep(shadow.id, [ShadowScore(waiting[0].id, 0.9, {"CRACK": 1.0}, 12.0)]) == 1
    assert plant.shadows.keep(shadow.id, [ShadowScore(waiting[0].id, 0.1)]) == 0
    assert plant.shadows.waiting(shadow.id, 10) == []
    (seen,) = plant.shadows.seen(shadow.id)
    assert (seen.old, seen.new, seen.defective) == (0.1, 0.9, None)
    assert plant.parts.decision(filed[0].part_id) == before
    assert plant.images.prediction(waiting[0].id).model == "net-1"


def test_one_shadow_at_a_time_and_never_the_model_that_decides(plant: Store) -> None:
    with pytest.raises(Conflict, match="decides at Lyon"):
        plant.shadows.start("Lyon", "net-1")
    with pytest.raises(NotFound):
        plant.shadows.start("Lyon", "net-9")
    with pytest.raises(BadInput, match="hours"):
        plant.shadows.start("Lyon", "net-2", 0)
    first = plant.shadows.start("Lyon", "net-2", 1, now=START)
    assert first.until == START + timedelta(hours=1)
    with pytest.raises(Conflict, match="looks on"):
        plant.shadows.start("Lyon", "net-2", 1, now=START)
    second = plant.shadows.start("Lyon", "net-2", 1, now=START + timedelta(hours=2))
    assert [one.id for one in plant.shadows.due()] == [second.id]
    assert plant.shadows.stop("Lyon", "enough").ended_at is not None
    with pytest.raises(NotFound, match="No model looks on"):
        plant.shadows.stop("Lyon")


def test_a_shadow_ends_when_its_time_is_over_and_nothing_waits_and_when_it_comes_to_decide(plant: Store) -> None:
    shadow = plant.shadows.start("Lyon", "net-2", 1, now=START)
    plant.shadows.note(shadow.id, "the file is gone", START)
    assert plant.shadows.latest("Lyon").trouble == "the file is gone"
    plant.shadows.note(shadow.id, "", START + timedelta(hours=1))
    assert plant.shadows.latest("Lyon").ended_at == START + timedelta(hours=1)
    plant.shadows.start("Lyon", "net-2", 48)
    made = promoted(plant)
    assert made.shadow == plant.shadows.latest("Lyon").id
    assert plant.shadows.latest("Lyon").ended_at is not None


def test_what_a_shadow_could_not_score_is_counted_by_reason(plant: Store) -> None:
    shadow = plant.shadows.start("Lyon", "net-2")
    ids = [one.image_id for one in file(plant, arrival(1, 0.2), arrival(2, 0.2))]
    plant.shadows.keep(shadow.id, [ShadowScore(one, error="the file has changed") for one in ids])
    assert plant.shadows.errors(shadow.id) == {"the file has changed": 2}
    assert plant.shadows.seen(shadow.id) == []
