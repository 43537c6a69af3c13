"""Publishing facts: one process writes each file once, renames it into place, and then names it in the manifest.

A small file joins its neighbours as more come, so that there are a handful of them whatever their number of rows: the
largest is written again only when the rest has grown to a quarter of it.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb

from data.analytics.schema import ROLLUPS, TABLES, VERSION
from data.sql import query

if TYPE_CHECKING:
    from data.store.science.facts import Facts

MANIFEST = "manifest.json"
ENOUGH = 2_000  # new rows that are worth a file at once
PATIENCE_S = 20.0  # after which fewer are published, too
GROWTH = 4  # a file stays as it is until those after it have a quarter of its rows
KEPT_S = 600.0  # how long a file outlives its place in the manifest: somebody may be about to open it
MEMORY = "512MB"


@dataclass(frozen=True)
class Segment:
    """One immutable file.

    Attributes:
        rows: of all its tables of facts.
    """

    file: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """Which files are the facts, and how far they reach.

    Attributes:
        generation: grows with every change.
        basis: each site's clock and classes when these were made; other ones make all anew.
        marks: the largest id of each table that is in them.
        stamps: when the rows of those ids came to be.
        next: ids that were there at the last look, and the transaction that had not begun then.
        segments: oldest first.
    """

    generation: int = 0
    basis: Mapping[str, Any] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)
    stamps: Mapping[str, str | None] = field(default_factory=dict)
    next: Mapping[str, Any] | None = None
    segments: tuple[Segment, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        return {
            "version": VERSION,
            "generation": self.generation,
            "basis": dict(self.basis),
            "marks": dict(self.marks),
            "stamps": dict(self.stamps),
            "next": self.next,
            "segments": [{"file": one.file, "rows": one.rows} for one in self.segments],
        }


def read_manifest(folder: Path) -> Manifest:
    """What is published; nothing where there is no manifest, or one of another version."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return Manifest()
    if found.get("version") != VERSION:
        return Manifest()
    segments = tuple(Segment(Path(one["file"]).name, int(one["rows"])) for one in found["segments"])
    return Manifest(found["generation"], found["basis"], found["marks"], found["stamps"], found["next"], segments)


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[bool]:
    """Whether this process may publish: one at a time does, and the others leave it to that one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def publish(facts: "Facts", folder: Path, *, now: float | None = None, at_once: bool = False) -> int:
    """Publish what is new, where there is enough of it or it has waited long enough.

    Args:
        facts: of the store, bound to a process of the plant.
        folder: of the files.
        now: seconds since 1970.
        at_once: whatever there is.

    Returns:
        How many rows were published; 0 also where another process is the one that publishes.
    """
    moment = time.time() if now is None else now
    with only_writer(folder) as mine:
        if not mine:
            return 0
        before = read_manifest(folder)
        basis = facts.places().basis
        known = _known_again(facts, before, basis)
        start = before if known else Manifest(generation=before.generation)
        marks = facts.marks()
        until = marks.ids if not marks.before else _settled(start, marks.finished)
        since = _since(start, until, moment)
        ahead = {"ids": dict(marks.ids), "before": marks.before, "since": since}
        new = sum(until[kind] - start.marks.get(kind, 0) for kind in TABLES)
        if known and not _worth_it(new, since, moment, at_once):
            if ahead != before.next:
                _write_manifest(folder, replace(before, next=ahead))
            return 0
        segment = _fresh(facts, folder, start.marks, until)
        segments = _joined(folder, (*start.segments, segment) if segment else start.segments)
        stamps = {kind: None if at is None else at.isoformat() for kind, at in facts.stamps(until).items()}
        done = Manifest(start.generation + 1, basis, dict(until), stamps, {**ahead, "since": None}, segments)
        _write_manifest(folder, done)
        _sweep(folder, done, moment)
        return segment.rows if segment else 0


def _known_again(facts: "Facts", manifest: Manifest, basis: Mapping[str, Any]) -> bool:
    """Whether these files were made of this very store, under the clocks and classes that are in force now."""
    if not manifest.generation or dict(manifest.basis) != dict(basis):
        return False
    found = facts.stamps(manifest.marks)
    return all(manifest.stamps.get(kind) == (None if at is None else at.isoformat()) for kind, at in found.items())


def _settled(manifest: Manifest, finished: int) -> Mapping[str, int]:
    """Ids below which no row can appear any more.

    PostgreSQL gives out ids in one order and commits in another. Once every transaction that had begun at the last
    look has ended, all ids of that look are there or will never be.
    """
    seen = manifest.next
    if seen is None or finished < int(seen["before"]):
        return {kind: manifest.marks.get(kind, 0) for kind in TABLES}
    return {kind: int(seen["ids"].get(kind, 0)) for kind in TABLES}


def _since(manifest: Manifest, until: Mapping[str, int], moment: float) -> float | None:
    """Since when rows wait to be published."""
    if all(until[kind] <= manifest.marks.get(kind, 0) for kind in TABLES):
        return None
    before = (manifest.next or {}).get("since")
    return moment if before is None else float(before)


def _worth_it(new: int, since: float | None, moment: float, at_once: bool) -> bool:
    if new <= 0:
        return False
    return at_once or new >= ENOUGH or (since is not None and moment - since >= PATIENCE_S)


# --- files ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _file(folder: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A database to be filled, that gets its name when it is whole."""
    name = f"facts-{uuid4().hex}.duckdb"
    draft = folder / f".{name}.part"
    spill = folder / f".{name}.spill"
    connection = duckdb.connect(config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(spill),
                                        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
                                        "allow_community_extensions": False})  # fmt: skip
    try:
        connection.execute(f"ATTACH '{quoted(draft)}' AS facts")
        connection.execute("USE facts")
        yield connection, name
        connection.execute("CHECKPOINT facts")
        connection.execute("USE memory")
        connection.execute("DETACH facts")
        connection.close()
        handle = os.open(draft, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        draft.replace(folder / name)
    finally:
        connection.close()
        for left in (draft, draft.with_name(draft.name + ".wal")):
            left.unlink(missing_ok=True)
        if spill.is_dir():
            for left in spill.iterdir():
                left.unlink(missing_ok=True)
            spill.rmdir()


def quoted(path: Path) -> str:
    """A path of ours between the quotes of an ATTACH, which takes no parameter."""
    return str(path).replace("'", "''")


def _fresh(facts: "Facts", folder: Path, after: Mapping[str, int], until: Mapping[str, int]) -> Segment | None:
    """A file of the rows between two marks; None where there are none."""
    total = 0
    with _file(folder) as (connection, name):
        for kind, schema in TABLES.items():
            connection.register("batch", schema.empty_table())
            connection.execute(f"CREATE TABLE {kind} AS SELECT * FROM batch")
            last = after.get(kind, 0)
            while last < until[kind]:
                batch = facts.rows(kind, last, until[kind])
                if not batch.num_rows:
                    break
                connection.register("batch", batch)
                connection.execute(f"INSERT INTO {kind} SELECT * FROM batch")
                last = int(batch.column("id")[-1].as_py())
                total += batch.num_rows
            connection.unregister("batch")
        count_up(connection)
    if not total:
        (folder / name).unlink()
        return None
    return Segment(name, total)


def count_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the counts of the facts that lie in the database in use."""
    for name, source in ROLLUPS.items():
        connection.execute(f"CREATE VIEW source AS SELECT * FROM {source}")
        connection.execute(f"CREATE TABLE {name} AS {query(f'rollup_{name}').text}")
        connection.execute("DROP VIEW source")


def _joined(folder: Path, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The same facts in fewer files: the last ones become one while they have grown against the one before."""
    first = len(segments) - 1
    tail = segments[-1].rows if segments else 0
    while first > 0 and segments[first - 1].rows < GROWTH * tail:
        first -= 1
        tail += segments[first].rows
    if first >= len(segments) - 1:
        return segments
    with _file(folder) as (connection, name):
        together = segments[first:]
        for place, one in enumerate(together):
            connection.execute(f"ATTACH '{quoted(folder / one.file)}' AS old{place} (READ_ONLY)")
        for table in TABLES:
            every = " UNION ALL ".join(f"SELECT * FROM old{place}.{table}" for place in range(len(together)))
            connection.execute(f"CREATE TABLE {table} AS {every}")
        for table in ROLLUPS:
            every = " UNION ALL ".join(f"SELECT * FROM old{place}.{table}" for place in range(len(together)))
            connection.execute(f"CREATE VIEW source AS {every}")
            connection.execute(f"CREATE TABLE {table} AS {query(f'join_{table}').text}")
            connection.execute("DROP VIEW source")
        for place in range(len(together)):
            connection.execute(f"DETACH old{place}")
    return (*segments[:first], Segment(name, tail))


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    draft = folder / f".{MANIFEST}.{uuid4().hex}.part"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(manifest.to_json(), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / MANIFEST)


def _sweep(folder: Path, manifest: Manifest, now: float) -> None:
    """Delete what no manifest has named for a while, and what a killed process has left."""
    kept = {one.file for one in manifest.segments}
    for path in folder.iterdir():
        ours = path.name.startswith(("facts-", ".facts-", f".{MANIFEST}."))
        if ours and path.name not in kept and path.is_file():
            with contextlib.suppress(FileNotFoundError):
                if now - path.stat().st_mtime > KEPT_S:
                    path.unlink()
