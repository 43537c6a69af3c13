"""What the databases are really told, and what they refuse."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pysqlite3 import dbapi2 as sqlite

from core.decide.policy import Policy
from core.errors import BadInput
from core.gates.limits import Limits
from core.gates.records import Verdict
from core.kpis.baseline import Baseline
from core.kpis.escapes import Escape
from core.pictures.covering import Covering
from core.plant import PartType
from core.privacy import Mode
from core.roles import Role
from core.seals import Key
from core.watch.alarms import Raised
from core.watch.rules import DEFAULTS, RuleKind
from core.words.complaints.records import Reading, Sight, Told
from core.words.labelling.registry import LabelRules
from core.words.print_check import PrintRules
from core.words.text import Span
from core.words.votes import Labelled
from data import columns, migrations, tables
from data.store import Store, open_store
from data.store.engine import database
from data.store.engine.turns import Turns
from data.store.words.complaints import Understood
from data.store.words.notes_rows import NewNote
from tests.data.store.plant import answer, arrival, file, person, site

SPAWN = multiprocessing.get_context("spawn")


def test_sqlite_is_told_to_keep_what_it_acknowledges(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.database.transaction() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert sqlite.sqlite_version_info >= (3, 51, 3)
    assert "warning" not in store.database.facts()


def test_an_old_sqlite_gets_a_rollback_journal_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SAFE_WAL", (99, 0, 0))
    facts = open_store(f"sqlite:///{tmp_path / 'old.sqlite3'}").database.facts()
    assert facts["journal_mode"] == "delete"
    assert facts["synchronous"] == "2"
    assert "install a pysqlite3" in facts["warning"]


def test_the_schema_is_what_the_tables_say(store: Store) -> None:
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, columns.METADATA) == []


def test_every_check_and_partial_index_of_the_tables_is_in_the_schema(sqlite_url: str, tmp_path: Path) -> None:
    migrated = open_store(sqlite_url).database.engine
    made = sa.create_engine(f"sqlite:///{tmp_path / 'made.sqlite3'}", module=sqlite)
    columns.METADATA.create_all(made)
    assert _schema(migrated) == _schema(made)


def test_the_newest_migration_is_the_head_that_is_checked() -> None:
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == migrations.HEAD


def test_the_first_migration_can_be_undone(store: Store) -> None:
    from alembic import command

    with store.database.transaction() as connection:
        command.downgrade(migrations.config(connection), "base")
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
        migrations.upgrade(connection)
    assert store.sites.all() == []


def test_an_older_version_finds_nothing_that_it_would_read_more_loosely(store: Store) -> None:
    """It knows no policy of a line and no limit of a class: such a site is paused on the way back to it."""
    from alembic import command

    site(store)
    site(store, "Turin")
    store.sites.add_name("Lyon", "line", "A")
    lea, max_ = (person(store, one, Role.QA_LEAD) for one in ("lea", "max"))
    made = lea.policies.propose("Lyon", 0.6, 0.8, "line A is harmless", line="A")
    max_.policies.approve("Lyon", made.number, "fine")
    lea.policies.tighten(Policy(0, "Turin", 0.2, 0.8), "a crack slipped through")
    with store.database.transaction() as connection:
        command.downgrade(migrations.config(connection), "0005")
        found = connection.execute(sa.text("SELECT name, paused FROM sites ORDER BY name")).all()
        last = connection.scalar(
            sa.text("SELECT p.pass_below FROM policies p JOIN policy_approvals a ON a.policy_id = p.id "
                    "WHERE p.site_id = (SELECT id FROM sites WHERE name = 'Lyon') ORDER BY a.id DESC LIMIT 1")
        )  # fmt: skip
        assert [(row.name, bool(row.paused)) for row in found] == [("Lyon", True), ("Turin", False)]
        assert last == 0.3
        migrations.upgrade(connection)
    assert store.policies.in_force("Lyon").pass_below == 0.3
    assert (store.policies.in_force("Turin").pass_below, store.policies.in_force("Turin").approved_by) == (
        0.2, "lea (alone)",
    )  # fmt: skip
    assert "older version" in store.sites.get("Lyon").paused


@pytest.mark.parametrize("name", tables.APPEND_ONLY)
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_history_refuses_to_be_changed(store: Store, name: str, act: str) -> None:
    site(store)
    ana = person(store, "ana")
    file(store, arrival(1))
    answer(ana, ana.queue.lease())
    store.sites.pause("Lyon", "lamp flickers")
    lea, max_ = (person(store, one, Role.QA_LEAD) for one in ("lea", "max"))
    max_.requests.agree(lea.requests.ask_resume("Lyon", "a new lamp").number, "seen")
    _raise_an_alarm(store, lea, max_)
    lea.reported.set_baseline("Lyon", Baseline(), "typed")
    store.pipelines.configure("weekly", "Lyon", {})
    lea.book.write("Lyon", "CRACK", "A break that goes on.")
    lea.reported.report("Lyon", [Escape(date(2026, 3, 1))], "test")
    store.gates.add("Lyon", "net-1", "0" * 64, "first", "test", None, Verdict((), 0.05), Limits(), {})
    store.memories.add("Lyon", None, "novelty/m.safetensors", "0" * 64, {"name": "m"})
    store.memories.put_in_force("Lyon", "m", "a test")
    store.detectors.add({"name": "d"}, "models/d", "0" * 64)
    store.detectors.keep_trial("Lyon", "d", "0" * 64, "net-1", "first", "test", "", {})
    store.detectors.put_in_force("Lyon", "d", "a test")
    store.part_types.put("Lyon", PartType("carton"))
    store.prints.set_rules("Lyon", "carton", PrintRules(), "a test")
    store.privacy.set_rule("Lyon", Mode.NEVER, "a test")
    store.privacy.found([(1, Covering())])
    store.claims.set_limits("Lyon", None, "a test")
    store.claims.keep(1, "a test", {})
    kept = store.complaints.keep("Lyon", [Understood(Told("R-1", date(2026, 3, 2), "x", part="part-1"), {}, Reading())],
                                 "test")  # fmt: skip
    lea.complaints.answer(kept.new[0], Sight.VISIBLE)
    _a_labelled_note(store, ana)
    store.seals.seal(Key(b"k" * 32))
    with store.database.reading() as connection:
        assert connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) > 0
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.database.transaction() as connection:
        connection.execute(sa.text(act.format(name, columns.METADATA.tables[name].primary_key.columns[0].name)))


def _a_labelled_note(store: Store, ana: Store) -> None:
    """A note with rules, labels, a person's word and a check."""
    store.notes.file("Lyon", "notes.txt", [NewNote("f", "burrs on line 3")], {})
    store.notes.set_rules("Lyon", LabelRules(off=("digits",)), "a test")
    version = store.notes.begin_version("Lyon", 1, "f", {})
    store.notes.keep_labels(version.id, [(1, Labelled(), None)], {}, whole=True)
    ana.notes.override(1, 0, 5, "defect")
    ana.notes.check(1, [Span(0, 5, "defect")])


def _raise_an_alarm(store: Store, lea: Store, max_: Store) -> None:
    """A looser rule that two agreed to, and an alarm."""
    looser = replace(DEFAULTS[RuleKind.MISSES], limit=0.02)
    lea.alarms.set_rule("Lyon", looser, "too nervous", 0)
    max_.alarms.approve_rule("Lyon", RuleKind.MISSES, 1, "agreed")
    raised = Raised(RuleKind.MISSES, "", 1, "more than 2%", {}, False)
    store.watching.keep("Lyon", 0, {"figures": []}, [raised], [], store.database.clock())


def test_foreign_keys_are_in_force(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.database.transaction() as connection:
        connection.execute(sa.insert(tables.lines).values(site_id=99, name="nowhere"))


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="no time zone"), store.database.transaction() as connection:
        connection.execute(
            sa.insert(tables.workers).values(name="w", heartbeat_at=store.database.clock().replace(tzinfo=None))
        )


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.database.reading() as before:
        assert before.scalar(sa.select(sa.func.count()).select_from(tables.sites)) == 0
        store.sites.add("Lyon")
        assert before.scalar(sa.select(sa.func.count()).select_from(tables.sites)) == 0
    assert len(store.sites.all()) == 1


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_url_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(BadInput):
        open_store(url)


def test_the_database_file_is_its_owners_only(sqlite_url: str, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 'deep' / 'new.sqlite3'}")
    assert (tmp_path / "deep" / "new.sqlite3").stat().st_mode & 0o077 == 0


def test_writers_pass_in_turn(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "db")
    order: list[str] = []

    def write(name: str, times: int) -> None:
        for _ in range(times):
            with turns.take():
                order.append(name)
                time.sleep(0.005)

    writers = [threading.Thread(target=write, args=(name, 10)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    longest = max(len(run) for run in _runs(order[3:-6]))
    assert longest <= 2  # nobody overtakes those who wait


def test_a_turn_ends_with_the_process_that_had_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from data.store.engine.turns import Turns\n"
        f"with Turns(Path({str(tmp_path / 'db')!r})).take():\n    print('in', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"in\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Turns(tmp_path / "db").take():
        pass


def test_processes_that_start_at_once_make_one_schema(tmp_path: Path, postgresql_server: str) -> None:
    from tests.conftest import _run, _with_database

    _run(postgresql_server, "CREATE DATABASE started_at_once")
    urls = [f"sqlite:///{tmp_path / 'new.sqlite3'}", _with_database(postgresql_server, "started_at_once")]
    for url in urls:
        starters = [SPAWN.Process(target=_open, args=(url,)) for _ in range(3)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join(60)
        assert [starter.exitcode for starter in starters] == [0, 0, 0]
        assert open_store(url).sites.all() == []


def test_two_processes_never_hold_the_same_task(store: Store, url: str) -> None:
    site(store)
    for name in ("ana", "ben"):
        person(store, name)
    file(store, *(arrival(number) for number in range(40)))
    answers = SPAWN.Queue()
    workers = [SPAWN.Process(target=_clear, args=(url, name, answers)) for name in ("ana", "ben")]
    for worker in workers:
        worker.start()
    taken = [answers.get(timeout=60) for _ in range(42)]
    for worker in workers:
        worker.join(30)
    tasks = [task for task in taken if task is not None]
    assert len(tasks) == len(set(tasks)) == 40
    assert store.queue.counts().waiting == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_writer_leaves_whole_batches_only(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    store = open_store(url)
    site(store)
    for attempt in range(3):
        code = (
            "from data.store import open_store; from tests.data.store.plant import arrival\n"
            f"store = open_store({url!r})\n"
            "for start in range(0, 100000, 10):\n"
            f"    store.arrivals.file('Lyon', [arrival({attempt} * 1000000 + start + n) for n in range(10)])\n"
            "    print(start, flush=True)"
        )
        writer = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
        )
        assert writer.stdout is not None
        acknowledged = 0
        for _ in writer.stdout:
            acknowledged += 1
            if acknowledged == 5 + attempt:
                time.sleep(0.003 * attempt)
                writer.send_signal(signal.SIGKILL)
                break
        writer.wait()
        counts = _counts(store)
        assert counts["images"] >= 10 * acknowledged
        assert len(set(counts.values())) == 1, counts
        assert counts["images"] % 10 == 0
    if kind == "sqlite":
        with store.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def _counts(store: Store) -> dict[str, int]:
    names = ("images", "predictions", "regions", "decisions", "tasks", "outbox", "parts")
    with store.database.reading() as connection:
        return {name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in names}


def _schema(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql NOT NULL"
        )
        statements = {" ".join(row[0].replace('"', "").split()) for row in rows}
    found = set()
    for statement in statements:
        if "alembic_version" in statement or "sqlite_sequence" in statement:
            continue
        head, _, body = statement.partition("(")
        found.add(
            head.strip() + " " + " ".join(sorted(part.strip(" ,)(") for part in body.replace(", ", ",\n").split("\n")))
        )
    return found


def _runs(order: list[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for name in order:
        if runs[-1] and runs[-1][-1] != name:
            runs.append([])
        runs[-1].append(name)
    return runs


def _open(url: str) -> None:
    open_store(url).close()


def _clear(url: str, name: str, answers) -> None:
    from core.roles import Actor

    store = open_store(url, Actor(name))
    while (task := store.queue.lease()) is not None:
        answers.put(task.id)
        answer(store, task)
    answers.put(None)
