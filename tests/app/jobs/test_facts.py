"""The worker keeps the facts in step, and follows up answers against the model."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.jobs.facts import FactsKeeper, publish_facts
from app.jobs.override_actions import follow_up, reader_of
from app.kpis.charts import facts_folder
from app.settings import Settings
from core.records import TaskKind, Verdict
from core.roles import Actor
from data import tables as t
from data.analytics.publish import read_manifest
from data.store import Store, open_store
from tests.data.store.plant import answer, arrival, file, person, site

PATIENCE_S = 120.0


@pytest.fixture
def current(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture(params=["sqlite", "postgresql"])
def plant(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = open_store(str(request.getfixturevalue(f"{request.param}_url")))
    site(opened)
    yield opened
    opened.close()


def decided(store: Store, current: Settings) -> int:
    reader = reader_of(current)
    with reader.asking(store.facts) as question:
        found = sum(row["n"] for row in question.ask("exact_hours"))
    reader.close()
    return found


def wait_for(what: object, moment: float = PATIENCE_S) -> None:
    end = time.monotonic() + moment
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_is_decided_is_counted_at_once_whether_or_not_a_worker_runs(plant: Store, current: Settings) -> None:
    assert decided(plant, current) == 0
    file(plant, arrival(1))
    assert decided(plant, current) == 1
    publish_facts(plant, current, at_once=True)
    file(plant, arrival(2))
    assert decided(plant, current) == 2


def test_the_worker_publishes_by_itself_and_another_one_goes_on(plant: Store, current: Settings, monkeypatch) -> None:
    monkeypatch.setattr("data.analytics.publish.PATIENCE_S", 0.0)
    file(plant, *(arrival(number) for number in range(1, 9)))
    folder = facts_folder(current)
    with FactsKeeper(plant, current, every_s=0.05) as one, FactsKeeper(plant, current, every_s=0.05) as other:
        wait_for(lambda: read_manifest(folder).marks.get("decisions") == 8)
        file(plant, arrival(9))
        wait_for(lambda: read_manifest(folder).marks.get("decisions") == 9)
        assert (one.trouble, other.trouble) == ("", "")
    assert decided(plant, current) == 9


def test_a_defect_that_the_model_passed_is_a_case_and_another_class_is_labelled_once(
    plant: Store, current: Settings
) -> None:
    file(plant, arrival(1, 0.35), arrival(2, 0.75), arrival(3, 0.75), arrival(4, 0.75))
    ines = person(plant, "Ines")
    names = {1: "CRACK", 2: "BURR", 3: "CRACK"}
    parts = {}
    while (task := ines.queue.lease()) is not None:
        number = int(plant.parts.get(task.part_id).name.removeprefix("part-"))
        parts[number] = task.part_id
        verdict = Verdict.FAIL if number in names else Verdict.PASS
        answer(ines, task, verdict, classes=(names[number],) if number in names else ())
    reader = reader_of(current)
    now = plant.database.clock()
    assert follow_up(reader, plant, now) == {"cases": 0, "labels": 0}  # they may still be taken back
    now += timedelta(minutes=11)
    assert follow_up(reader, plant, now) == {"cases": 1, "labels": 1}
    assert follow_up(reader, plant, now) == {"cases": 0, "labels": 0}
    (event,) = plant.outbox.pending(topic="case")
    assert event.part_id == parts[1]
    with plant.database.reading() as connection:
        query = sa.select(t.tasks.c.part_id).where(t.tasks.c.kind == "label", t.tasks.c.state == "open")
        assert list(connection.scalars(query)) == [parts[2]]
    assert [one.action for one in plant.audit.recent(2)] == ["sent to labelling", "case opened"]


def test_one_part_can_be_taken_to_correct_and_comes_with_its_open_task(plant: Store) -> None:
    file(plant, arrival(1), arrival(2))
    ines, tomas = person(plant, "Ines"), person(plant, "Tomas")
    first = ines.queue.lease()
    assert first is not None
    other = 3 - first.part_id
    taken = ines.casebook.take(other)
    assert (taken.part_id, taken.kind, taken.leased_by) == (other, TaskKind.TRIAGE, "Ines")
    assert plant.queue.task(first.id).leased_by is None
    again = ines.casebook.take(other)
    assert (again.id, again.fence) == (taken.id, taken.fence)
    from core.errors import Conflict

    with pytest.raises(Conflict, match="Ines has this part"):
        tomas.casebook.take(other)
    answer(ines, again, Verdict.PASS)
    labelled = tomas.casebook.take(other)
    assert (labelled.kind, labelled.leased_by) == (TaskKind.LABEL, "Tomas")
    assert plant.acting_as(Actor("worker", system=True)).queue.task(labelled.id).fence == 1
