"""Facts are published once, whole, by one process, and never twice; on both databases."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from core.errors import Busy
from core.roles import Actor
from data import tables as t
from data.analytics import publish as publishing
from data.analytics import read as reading
from data.analytics.publish import only_writer, publish, read_manifest
from data.analytics.read import Reader
from data.analytics.schema import TABLES
from data.store import Store
from tests.kpi_plant import NOW

ROOT = Path(__file__).parents[3]


def everything(store: Store, folder: Path, **values: object) -> dict[str, list[dict[str, object]]]:
    reader = Reader(folder)
    wanted = {"since": NOW - timedelta(days=200), "until": NOW, "grain": "day", **values}
    with reader.asking(store.facts) as question:
        found = {
            name: question.ask(name, {one: value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value
                                      for one, value in wanted.items()})
            for name in ("overrides", "rates", "rates_decided", "latency", "confidence", "labour", "defects")
        }  # fmt: skip
    reader.close()
    return found


def settle(store: Store, folder: Path) -> int:
    """Publish all; PostgreSQL needs a second look to be sure that nothing came late."""
    return sum(publish(store.facts, folder, at_once=True) for _ in range(3))


def test_published_facts_say_what_the_store_says(plant: Store, tmp_path: Path) -> None:
    before = everything(plant, tmp_path / "facts")
    assert settle(plant, tmp_path / "facts") == sum(_count(plant, kind) for kind in TABLES)
    assert everything(plant, tmp_path / "facts") == before
    assert all(before.values())


def test_publishing_again_changes_nothing(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert settle(plant, tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == files


def test_many_small_files_become_few_and_say_the_same(plant: Store, tmp_path: Path, monkeypatch) -> None:
    before = everything(plant, tmp_path)
    marks = plant.facts.marks
    real = marks()
    for step in range(1, 9):
        part = {kind: last * step // 8 for kind, last in real.ids.items()}
        monkeypatch.setattr(type(plant.facts), "marks", lambda _self, part=part: type(real)(part))
        publish(plant.facts, tmp_path, at_once=True)
        monkeypatch.undo()
        assert everything(plant, tmp_path) == before, f"after file {step}"
    manifest = read_manifest(tmp_path)
    assert len(manifest.segments) <= 3
    assert sum(one.rows for one in manifest.segments) == sum(_count(plant, kind) for kind in TABLES)


def test_a_few_new_rows_wait_a_little_and_are_counted_all_the_same(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    before = everything(plant, tmp_path)
    _one_more(plant)
    for _ in range(2):  # PostgreSQL looks twice before it is sure
        assert publish(plant.facts, tmp_path, now=1000.0) == 0
    seen = everything(plant, tmp_path)
    assert sum(row["decided"] for row in seen["rates_decided"]) == 1 + sum(
        row["decided"] for row in before["rates_decided"]
    )
    assert publish(plant.facts, tmp_path, now=1000.0 + publishing.PATIENCE_S + 1) == 1
    assert everything(plant, tmp_path) == seen


def test_another_time_zone_or_taxonomy_makes_them_anew(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    plant.sites.set_timezone("Lyon", "America/New_York")
    assert settle(plant, tmp_path) == sum(_count(plant, kind) for kind in TABLES)


def test_facts_of_another_store_are_never_taken(plant: Store, tmp_path: Path, sqlite_template: Path) -> None:
    settle(plant, tmp_path)
    with plant.database.transaction() as connection:
        moved = sa.update(t.decisions).where(t.decisions.c.id == plant.facts.marks().ids["decisions"])
        connection.execute(moved.values(decided_at=NOW))
    assert settle(plant, tmp_path) == sum(_count(plant, kind) for kind in TABLES)


def test_one_process_publishes_and_the_others_leave_it_to_that_one(plant: Store, tmp_path: Path) -> None:
    with only_writer(tmp_path) as mine:
        assert mine
        with only_writer(tmp_path) as other:
            assert not other
        assert publish(plant.facts, tmp_path, at_once=True) == 0


def test_a_process_that_is_killed_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from data.analytics import publish\n"
        "with publish._file(Path(sys.argv[1])) as (connection, name):\n"
        "    connection.execute('CREATE TABLE predictions AS SELECT 1 AS id')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    tmp_path.mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert [path for path in tmp_path.iterdir() if path.name.startswith("facts-")] == []
    assert read_manifest(tmp_path).segments == ()


def test_a_person_sees_only_their_sites_whatever_is_published(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    _one_more(plant)
    ines = plant.acting_as(Actor("Ines"))
    reader = Reader(tmp_path)
    sites = {row.name: row.id for row in plant.database.engine.connect().execute(sa.select(t.sites))}
    with reader.asking(ines.facts) as question:
        seen = {row["site_id"] for row in question.ask("line_parts", _all_time())}
    assert seen == {sites["Lyon"]}
    with reader.asking(ines.facts, frozenset({sites["Oslo"]})) as question:
        assert question.ask("line_parts", _all_time()) == []
    with reader.asking(plant.facts) as question:
        assert {row["site_id"] for row in question.ask("line_parts", _all_time())} == set(sites.values())


def test_what_was_taken_back_counts_for_nothing(plant: Store, tmp_path: Path) -> None:
    with plant.database.reading() as connection:
        undos = connection.scalar(sa.select(sa.func.count()).where(t.reviews.c.undoes.is_not(None)))
        answers = connection.scalar(
            sa.select(sa.func.count()).where(t.reviews.c.undoes.is_(None), t.reviews.c.task_id.is_not(None))
        )
    assert undos > 5
    found = everything(plant, tmp_path)
    assert sum(row["items"] for row in found["labour"]) == answers - undos


def test_too_much_that_is_new_is_published_first(plant: Store, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(reading, "MOST_NEW", 10)
    with pytest.raises(Busy, match="being made ready"):
        everything(plant, tmp_path)
    settle(plant, tmp_path)
    assert everything(plant, tmp_path)["rates"]


def test_the_database_that_answers_reads_no_file_and_keeps_its_settings(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    reader = Reader(tmp_path)
    with reader.asking(plant.facts) as question:
        cursor = question._cursor
        for attempt in (
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            "ATTACH '/tmp/other.duckdb'",
            "COPY (SELECT 1) TO '/tmp/out.csv'",
            "INSTALL httpfs",
            "LOAD sqlite",
            "SET enable_external_access = true",
            "SET memory_limit = '10GB'",
            "DELETE FROM s0.decisions",
            "CREATE TABLE s0.mine (a INTEGER)",
        ):
            with pytest.raises(duckdb.Error):
                cursor.execute(attempt)


def test_a_manifest_names_no_file_outside_its_folder(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    path = tmp_path / publishing.MANIFEST
    document = json.loads(path.read_text())
    document["segments"][0]["file"] = "../../etc/passwd"
    path.write_text(json.dumps(document))
    assert read_manifest(tmp_path).segments[0].file == "passwd"


def test_a_reader_goes_on_while_files_are_replaced(plant: Store, tmp_path: Path) -> None:
    settle(plant, tmp_path)
    reader = Reader(tmp_path)
    with reader.asking(plant.facts) as question:
        before = question.ask("line_parts", _all_time())
        plant.sites.set_timezone("Oslo", "UTC")
        settle(plant, tmp_path)
        for one in tmp_path.glob("facts-*"):
            if one.name not in {segment.file for segment in read_manifest(tmp_path).segments}:
                one.unlink()
        assert question.ask("line_parts", _all_time()) == before
    with reader.asking(plant.facts) as question:
        assert len(question.ask("line_parts", _all_time())) == len(before)


def _all_time() -> dict[str, object]:
    return {"since": NOW.replace(tzinfo=None) - timedelta(days=400), "until": NOW.replace(tzinfo=None)}


def _count(store: Store, kind: str) -> int:
    table = {"predictions": t.predictions, "decisions": t.decisions, "reviews": t.reviews, "tasks": t.tasks}[kind]
    with store.database.reading() as connection:
        query = sa.select(sa.func.count()).select_from(table)
        if kind == "reviews":
            query = query.where(table.c.task_id.is_not(None))
        return int(connection.scalar(query) or 0)


def _one_more(store: Store) -> None:
    """A second decision about a part, of yesterday."""
    with store.database.transaction() as connection:
        row = connection.execute(sa.select(t.decisions).order_by(t.decisions.c.id).limit(1)).one()
        values = dict(row._mapping) | {"id": store.facts.marks().ids["decisions"] + 1, "number": 2,
                                       "decided_at": NOW - timedelta(days=1)}  # fmt: skip
        connection.execute(sa.insert(t.decisions).values(values))
