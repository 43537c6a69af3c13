"""Memories of good parts: put in force, taken out, and what novel parts become; on both databases."""

import pytest
import sqlalchemy as sa

from core.decide.decision import NO_MODEL
from core.decide.urgency import SOONER
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.learn.novelty.records import QUOTA, scope_of
from core.plant import Arrival
from core.records import Decision, Outcome, Prediction
from core.roles import Role
from data.store import Store
from data.tables import novel_parts, parts, tasks
from tests.data.store.plant import arrival, file, person, site

CARD = {"name": "good-1", "limit": {}}


def _memory(store: Store, name: str = "good-1", part_type: str | None = None, at: str = "Lyon") -> None:
    store.memories.add(at, part_type, f"novelty/{name}.safetensors", "a" * 64, {**CARD, "name": name})


def _novel(number: int, novelty: float | None, score: float = 0.1, **capture: object) -> Arrival:
    made = arrival(number, None, **capture)
    said = Prediction("net-1", score, {"CRACK": 1.0}, novelty=novelty)
    return Arrival(made.capture, made.path, made.sha256, 640, 480, made.quality, said)


def _id(store: Store, number: int) -> int:
    return store.parts.find("Lyon", f"part-{number}").id


def _decided(store: Store, number: int) -> Decision:
    found = store.parts.decision(_id(store, number))
    assert found is not None
    return found


def _ranks(store: Store) -> dict[str, float]:
    with store.database.reading() as connection:
        query = sa.select(parts.c.name, tasks.c.rank).join(parts, parts.c.id == tasks.c.part_id)
        return dict(connection.execute(query).all())


def _first(store: Store) -> set[int]:
    asked = {one.part_id for one in store.proposals.novel("Lyon") if one.asked}
    return {number for number in range(1, 10) if asked & {getattr(store.parts.find("Lyon", f"part-{number}"), "id", 0)}}


def test_a_memory_judges_from_the_act_on_and_every_act_is_on_record(store: Store) -> None:
    site(store)
    _memory(store)
    assert store.memories.in_force("Lyon") == {}
    made = store.memories.put_in_force("Lyon", "good-1", "good parts of May", 7)
    assert (made.memory, made.before, made.uncalibrated) == ("good-1", None, False)
    found = store.memories.in_force("Lyon")[None]
    assert (found.memory.sha256, found.quota) == ("a" * 64, 7)
    assert store.sites.get("Lyon").calibrated
    with pytest.raises(Conflict):
        store.memories.put_in_force("Lyon", "good-1", "again", 7)
    store.memories.put_in_force("Lyon", "good-1", "a smaller quota", 3)
    assert store.sites.get("Lyon").calibrated  # the same memory holds the same parts
    assert [one.quota for one in store.memories.history("Lyon")] == [3, 7]
    acts = [one.action for one in store.audit.recent(20)]
    assert acts.count("memory in force") == 2
    assert "memory added" in acts


def test_another_memory_or_none_ends_the_calibration(store: Store) -> None:
    site(store)
    for name in ("good-1", "good-2"):
        _memory(store, name)
    store.memories.put_in_force("Lyon", "good-1", "first")
    changed = store.memories.put_in_force("Lyon", "good-2", "newer")
    assert (changed.before, changed.uncalibrated) == ("good-1", True)
    assert not store.sites.get("Lyon").calibrated
    store.sites.set_calibrated("Lyon")
    gone = store.memories.stop("Lyon", None, "the lamp was changed")
    assert (gone.memory, gone.uncalibrated) == (None, True)
    assert not store.sites.get("Lyon").calibrated
    assert store.memories.in_force("Lyon") == {}
    with pytest.raises(NotFound):
        store.memories.stop("Lyon", None, "again")


def test_a_part_type_has_its_own_memory_before_that_of_the_site(store: Store) -> None:
    site(store)
    _memory(store)
    _memory(store, "good-shaft", "shaft")
    store.memories.put_in_force("Lyon", "good-shaft", "first")
    found = store.memories.in_force("Lyon")
    assert scope_of(found, "bracket") is None
    store.memories.put_in_force("Lyon", "good-1", "the rest")
    found = store.memories.in_force("Lyon")
    assert scope_of(found, "shaft").memory.name == "good-shaft"
    assert scope_of(found, "bracket").memory.name == scope_of(found, None).memory.name == "good-1"
    store.memories.stop("Lyon", "shaft", "too old")
    assert scope_of(store.memories.in_force("Lyon"), "shaft").memory.name == "good-1"


def test_what_cannot_be_put_in_force_is_said(store: Store) -> None:
    site(store)
    store.sites.add("Turin")
    _memory(store, at="Turin")
    with pytest.raises(BadInput, match="fitted on parts of Turin"):
        store.memories.put_in_force("Lyon", "good-1", "why")
    with pytest.raises(BadInput, match="reason"):
        store.memories.put_in_force("Turin", "good-1", " ")
    with pytest.raises(BadInput, match="quota"):
        store.memories.put_in_force("Turin", "good-1", "why", -1)
    with pytest.raises(NotFound):
        store.memories.put_in_force("Turin", "good-9", "why")
    with pytest.raises(Conflict):
        _memory(store, at="Turin")
    inspector = person(store, "ines", Role.INSPECTOR)
    with pytest.raises(NotAllowed):
        inspector.memories.put_in_force("Turin", "good-1", "why")


def test_a_novel_part_is_held_under_its_reason_though_its_score_would_pass(store: Store) -> None:
    site(store)
    _memory(store)
    store.memories.put_in_force("Lyon", "good-1", "first")
    file(store, _novel(1, 0.4), _novel(2, 1.6))
    usual, odd = _decided(store, 1), _decided(store, 2)
    assert usual.outcome is Outcome.PASS
    assert odd.outcome is Outcome.HOLD
    assert [one.code for one in odd.reasons] == ["novelty"]
    assert "resembles nothing known good: novelty 1.60" in odd.reasons[0].text
    (found,) = store.proposals.novel("Lyon")
    assert (found.part_id, found.novelty, found.asked, found.defective) == (_id(store, 2), 1.6, True, None)


def test_where_a_memory_judges_a_picture_that_it_has_not_seen_never_passes(store: Store) -> None:
    site(store)
    _memory(store, "good-shaft", "shaft")
    store.memories.put_in_force("Lyon", "good-shaft", "first")
    file(store, _novel(1, None, part_type="shaft"), _novel(2, None, part_type="bracket"))
    shaft, bracket = _decided(store, 1), _decided(store, 2)
    assert shaft.outcome is Outcome.HOLD
    assert [one.code for one in shaft.reasons] == ["not compared"]
    assert bracket.outcome is Outcome.PASS


def test_only_the_days_quota_comes_first_and_all_are_held(store: Store, clock) -> None:
    site(store)
    _memory(store)
    store.memories.put_in_force("Lyon", "good-1", "first", quota=2)
    file(store, *(_novel(number, 1 + number / 10) for number in range(1, 6)))
    assert all(_decided(store, number).outcome is Outcome.HOLD for number in range(1, 6))
    assert _first(store) == {4, 5}  # the most novel of the batch
    ranks = _ranks(store)
    assert ranks["part-5"] == ranks["part-4"] == pytest.approx(min(ranks[f"part-{n}"] for n in (1, 2, 3)) - SOONER)
    file(store, _novel(6, 9.0))
    assert _first(store) == {4, 5}
    clock.pass_(days=1)
    file(store, _novel(7, 1.2))
    assert _first(store) == {4, 5, 7}


def test_a_novel_part_that_is_decided_again_keeps_its_place_and_counts_once(store: Store) -> None:
    site(store)
    _memory(store)
    store.memories.put_in_force("Lyon", "good-1", "first")
    file(store, _novel(1, 2.0, part="part-1", source="a"))
    before = _ranks(store)["part-1"]
    file(store, _novel(2, 2.5, part="part-1", source="b"))
    assert _ranks(store)["part-1"] == pytest.approx(before)
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(novel_parts)) == 1


def test_without_a_memory_the_usual_quota_holds(store: Store) -> None:
    site(store)
    file(store, *(_novel(number, 2.0) for number in range(1, QUOTA + 4)))
    assert sum(one.asked for one in store.proposals.novel("Lyon")) == QUOTA


def test_where_no_model_is_in_use_a_memory_sorts_and_nothing_passes(store: Store) -> None:
    site(store)
    store.sites.set_model("Lyon", None)
    store.sites.set_calibrated("Lyon")
    _memory(store)
    store.memories.put_in_force("Lyon", "good-1", "a new part type")
    arrivals = []
    for number, novelty in ((1, 0.2), (2, 3.0)):
        made = _novel(number, novelty)
        said = Prediction("good-1", novelty / (1 + novelty), {}, novelty=novelty)
        arrivals.append(Arrival(made.capture, made.path, made.sha256, 640, 480, made.quality, said, error=NO_MODEL))
    file(store, *arrivals)
    for number in (1, 2):
        decided = _decided(store, number)
        assert decided.outcome is Outcome.HOLD
        assert "no model" in [one.code for one in decided.reasons]
    assert person(store, "ines").queue.next(1)[0].part_id == _id(store, 2)
    sources = [(one.capture.source, one.sha256) for one in arrivals]
    assert store.arrivals.known("Lyon", sources, scored=True) == {}  # a model that comes later scores them


def test_a_roll_back_of_the_model_does_not_bring_a_calibration_back_over_another_memory(store: Store) -> None:
    site(store)
    _memory(store)
    store.memories.put_in_force("Lyon", "good-1", "first")
    store.models.add({"name": "net-2"}, "/models/net-2", "1" * 64)
    store.sites.set_calibrated("Lyon")
    store.sites.set_model("Lyon", "net-2")
    store.memories.stop("Lyon", None, "too strict")
    store.promotions.rollback("Lyon", "net-2 is slow")
    assert not store.sites.get("Lyon").calibrated
