"""The worker keeps the facts in step, and follows up answers against the model."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.jobs.quality.facts import FactsKeeper, publish_facts
from app.jobs.quality.override_actions import follow_up, reader_of
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


def test_another_process_counts_an_answer_at_its_first_look_after_it_was_given(
    plant: Store, current: Settings, record_property
) -> None:
    """The promise is five seconds. A reader takes the newest rows from the store itself, so it waits for no publishing.

    What is asserted does not depend on how busy the machine is: no look that began after the answer was kept may miss
    it. The lag that was measured is written down beside the test.
    """
    file(plant, arrival(1))
    ines = person(plant, "Ines")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    url = plant.database.engine.url.render_as_string(hide_password=False)
    child = context.Process(target=_look_until_counted, args=(url, str(current.home), there))
    with FactsKeeper(plant, current):
        child.start()
        assert here.poll(PATIENCE_S)
        assert here.recv() == "looking"
        answer(ines, ines.queue.lease(), Verdict.FAIL)
        kept = time.time()
        assert here.poll(PATIENCE_S)
        looks = here.recv()
    child.join(PATIENCE_S)
    assert looks[-1][2] == 1
    assert [n for began, _, n in looks if began > kept] == [1] * sum(began > kept for began, _, _ in looks)
    record_property("seconds_until_counted", max(0.0, looks[-1][1] - kept))


def _look_until_counted(url: str, home: str, pipe: Connection) -> None:
    """In a process of its own: (began, ended, answers counted) of each look, until one sees an answer."""
    store, reader = open_store(url), reader_of(Settings(home=Path(home)))
    looks = []
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        began = time.time()
        with reader.asking(store.facts) as question:
            counted = sum(row["n"] for row in question.ask("exact_overrides"))
        looks.append((began, time.time(), counted))
        if len(looks) == 1:
            pipe.send("looking")
        if counted:
            break
        time.sleep(0.02)
    pipe.send(looks)
    reader.close()
    store.close()


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
