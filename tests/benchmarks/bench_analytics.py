"""Charts over 10,000,000 predictions and 1,000,000 reviews: exact, beside bare DuckDB on its own file, and rolled up.

The rows are drawn by DuckDB itself, once, and lie in four published files, as the worker's sync job makes them; the
newest 2,000 of each kind come beside them as Arrow, as from the store. Bare DuckDB has all of them in one plain table
each, no views, no newest rows, no lock. Each side runs in a process of its own, which also tells its peak memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from data.analytics.publish import (
    MANIFEST,
    Manifest,
    Segment,
    _file,
    _joined,
    _write_manifest,
    count_up,
    read_manifest,
)
from data.analytics.read import Reader
from data.analytics.schema import REPORTED, TABLES
from data.sql import query
from data.store.science.facts import Places
from tests.benchmarks.fresh import freshness

PREDICTIONS, REVIEWS, NEW = 10_000_000, 1_000_000, 2_000
SHARES = (0.80, 0.16, 0.03, 0.01)  # of the rows, by file
TURNS = 5
QUERIES = ("overrides", "hours", "latency", "confidence")
_START, _DAYS = "TIMESTAMP '2026-01-05 00:00:00'", 90

# i is the row's number, n how many there are; a site has three lines, a line two cameras.
_PLACE = """
    1 + hash(i, 1) % 4 AS site_id, 1 + hash(i, 1) % 4 * 3 + hash(i, 2) % 3 AS line_id,
    1 + (hash(i, 1) % 4 * 3 + hash(i, 2) % 3) * 2 + hash(i, 3) % 2 AS camera_id, 1 + hash(i, 1) % 4 AS part_type_id"""
_WHEN = f"""{_START} + to_microseconds((i * {_DAYS}::DOUBLE * 86400e6 / n)::BIGINT)"""
_SCORE = "pow(hash(i, 4) % 1000000 / 1e6, CASE WHEN hash(i, 5) % 10 = 0 THEN 0.3 ELSE 4 END)"
_NAMES = "['SCRATCH', 'PIT', 'BURR', 'CRACK', 'DIMENSIONAL']"
_CLASS, _OTHER = (f"{_NAMES}[(1 + hash(i, {seed}) % 5)::INTEGER]" for seed in (7, 11))
_POLICY = "CASE WHEN i < n / 3 THEN 1 ELSE 2 END"
_OUTCOME = "CASE WHEN score < 0.3 THEN 'PASS' WHEN score > 0.9 THEN 'FAIL' ELSE 'HOLD' END"
_MODEL = "CASE WHEN i < n / 2 THEN 'net-1' ELSE 'net-2' END"
_DRAWN = {
    "predictions": f"""SELECT i AS id, i AS image_id, {_PLACE}, {_MODEL} AS model, {_SCORE} AS score,
        20 + 400 * pow(hash(i, 6) % 1000000 / 1e6, 6) AS milliseconds, {_WHEN} AS at_utc, {_WHEN} AS local_at""",
    "decisions": f"""SELECT * REPLACE ({_OUTCOME} AS outcome) FROM (SELECT i AS id, i AS part_id, i AS image_id,
        {_PLACE}, 1 AS number, '' AS outcome, {_SCORE} AS score, {_CLASS} AS model_class,
        'band' AS reason, {_POLICY} AS policy, {_MODEL} AS model, 0.02 AS audit_share,
        hash(i, 8) % 50 = 0 AS audited, {_WHEN} AS at_utc, {_WHEN} AS local_at""",
    "reviews": f"""SELECT * REPLACE ({_OUTCOME} AS outcome) FROM (SELECT i AS id, i AS review_id, 1 AS sign,
        i AS part_id, i AS image_id, {_PLACE}, i AS task_id, 'triage' AS kind,
        CASE WHEN hash(i, 9) % 20 = 0 THEN 'UNSURE' WHEN hash(i, 5) % 10 < 4 THEN 'FAIL' ELSE 'PASS' END AS verdict,
        CASE WHEN hash(i, 10) % 8 = 0 THEN {_OTHER} ELSE {_CLASS} END AS class,
        1 + hash(i, 12) % 20 AS person, 4 + hash(i, 13) % 200 / 10 AS seconds, i * 10 AS decision_id, '' AS outcome,
        {_SCORE} AS score, {_CLASS} AS model_class, {_POLICY} AS policy,
        {_MODEL} AS model, 0.02 AS audit_share, hash(i, 8) % 50 = 0 AS audited, {_WHEN} AS decided_at,
        {_WHEN} AS decided_local, {_WHEN} AS asked_at, {_WHEN} AS at_utc, {_WHEN} AS local_at""",
    "tasks": f"""SELECT i AS id, i AS part_id, {_PLACE}, 'triage' AS kind, {_WHEN} AS at_utc, {_WHEN} AS local_at""",
}
_CLOSED = {"decisions", "reviews"}  # whose select ends in a bracket
_ROWS = {"predictions": PREDICTIONS, "decisions": PREDICTIONS, "reviews": REVIEWS, "tasks": REVIEWS}


def drawn(kind: str, first: int, last: int) -> str:
    """Rows of one table of facts, as a query; values are numbers of ours."""
    columns = ", ".join(f"{name}::{_kind(field.type)} AS {name}" for name, field in zip(
        TABLES[kind].names, TABLES[kind], strict=True))  # fmt: skip
    rows = f"FROM (SELECT range AS i, {_ROWS[kind]} AS n FROM range({first}, {last}))"
    return f"SELECT {columns} FROM ({_DRAWN[kind]} {rows}{')' if kind in _CLOSED else ''})"


def _kind(kind: pa.DataType) -> str:
    return {"int64": "BIGINT", "int32": "INTEGER", "double": "DOUBLE", "string": "VARCHAR", "bool": "BOOLEAN"}.get(
        str(kind), "TIMESTAMP"
    )


class Drawn:
    """What a store would say: four sites, and the newest rows."""

    def places(self) -> Places:
        return Places({number: (f"site {number}", "UTC", 1) for number in range(1, 5)}, every=True)

    def newest(self, _after: Any, _most: int) -> dict[str, pa.Table]:
        with duckdb.connect() as connection:
            return {
                kind: connection.sql(drawn(kind, rows - NEW, rows)).to_arrow_table().cast(TABLES[kind])
                for kind, rows in _ROWS.items()
            }

    def reported(self) -> pa.Table:
        return REPORTED.empty_table()


def make(folder: Path) -> None:
    """The four files and the manifest."""
    folder.mkdir()
    segments, before = [], 0.0
    for share in SHARES:
        total = 0
        with _file(folder) as (connection, name):
            for kind, rows in _ROWS.items():
                first, last = int((rows - NEW) * before), int((rows - NEW) * (before + share))
                connection.execute(f"CREATE TABLE {kind} AS {drawn(kind, first, last)}")
                total += last - first
            count_up(connection)
        segments.append(Segment(name, total))
        before = round(before + share, 9)
    _write_manifest(folder, Manifest(1, {}, dict.fromkeys(_ROWS, 0), {}, None, tuple(segments)))


def make_bare(path: Path) -> None:
    with duckdb.connect(str(path), config={"threads": 2}) as connection:
        for kind, rows in _ROWS.items():
            connection.execute(f"CREATE TABLE {kind} AS {drawn(kind, 0, rows)}")


def ours(folder: Path) -> None:
    """Answer queries by name, one a line, until there are no more; then tell the peak memory."""
    with Reader(folder).asking(Drawn()) as question:  # type: ignore[arg-type]
        _serve(question.ask)
    began = time.perf_counter()
    with Reader(folder).asking(Drawn()):  # type: ignore[arg-type]
        _tell({"seconds": time.perf_counter() - began})


def bare(path: Path) -> None:
    """The same on plain tables."""
    with duckdb.connect(str(path), read_only=True, config={"threads": 2}) as connection:

        def ask(name: str) -> list[dict[str, Any]]:
            answer = connection.execute(query(name).text)
            columns = [column[0] for column in answer.description]
            return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

        _serve(ask)


def _serve(ask: Callable[[str], Any]) -> None:
    answer: Any = None
    for line in sys.stdin:
        if line.strip() == "answer":
            _tell(answer)
        elif line.strip() == "end":
            _tell({"peak_mb": _peak()})
            return
        else:
            began = time.perf_counter()
            answer = ask(line.strip())
            _tell({"seconds": time.perf_counter() - began})


def _tell(document: Any) -> None:
    print(json.dumps(document, default=str), flush=True)


class Served:
    """A process that answers queries."""

    def __init__(self, what: str, place: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.bench_analytics", what, str(place)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: str) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(self._child.stdout.readline())

    def end(self) -> float:
        found = self.ask("end")
        return float(found["peak_mb"])


def joined(folder: Path) -> dict[str, Any]:
    """All files written as one, which is the most that publishing ever does."""
    began = time.perf_counter()
    segments = read_manifest(folder).segments
    together = _joined(
        folder, tuple(Segment(one.file, 1) for one in segments)
    )  # as if each had outgrown the one before
    size = (folder / together[-1].file).stat().st_size
    return {"seconds": time.perf_counter() - began, "peak_mb": _peak(), "gb": size / 1e9}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _child(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_analytics", *arguments], stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> dict[str, object]:
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        made = [_child("make", str(place / "facts")), _child("make_bare", str(place / "bare.duckdb"))]
        mine, theirs = Served("ours", place / "facts"), Served("bare", place / "bare.duckdb")
        seconds: dict[str, list[float]] = {}
        answers: dict[str, Any] = {}
        for turn in range(TURNS + 1):
            for name in QUERIES:  # side by side: whoever else uses the machine then disturbs both
                for who, served, kind in (("ours", mine, "exact"), ("bare", theirs, "exact"), ("ours", mine, "rolled")):
                    took = served.ask(f"{kind}_{name}")["seconds"]
                    if turn:  # the first one reads the file
                        seconds.setdefault(f"{who} {kind} {name}", []).append(took)
                    else:
                        answers[f"{who} {kind} {name}"] = served.ask("answer")
        peaks = (mine.end(), theirs.end())
        opened = mine.hear()["seconds"]
        joining = _child("joined", str(place / "facts"))
        fresh = freshness(place)
        files = sum(file.stat().st_size for file in (place / "facts").iterdir() if file.name != MANIFEST)
    _same(answers)
    exact, bare_s, rolled = (
        [sum(seconds[f"{who} {name}"][turn] for name in QUERIES) for turn in range(TURNS)]
        for who in ("ours exact", "bare exact", "ours rolled")
    )
    within = max(
        abs(a / b - 1)
        for one, other in zip(answers["ours rolled latency"], answers["bare exact latency"], strict=True)
        for a, b in zip(one["percentiles"], other["percentiles"], strict=True)
    )
    return {
        "fresh": fresh,
        "rows": _ROWS,
        "exact_s": round(median(exact), 3),
        "bare_s": round(median(bare_s), 3),
        "exact_to_bare": round(median(a / b for a, b in zip(exact, bare_s, strict=True)), 2),
        "rolled_s": round(median(rolled), 4),
        "bare_to_rolled": round(median(a / b for a, b in zip(bare_s, rolled, strict=True)), 1),
        "median_s": {name: round(median(found), 4) for name, found in sorted(seconds.items())},
        "attach_and_newest_s": round(opened, 3),
        "latency_rolled_within": round(within, 4),
        "peak_mb": round(peaks[0]),
        "peak_bare_mb": round(peaks[1]),
        "joining": {name: round(value, 2) for name, value in joining.items()},
        "making_s": [round(one["seconds"], 1) for one in made],
        "files_gb": round(files / 1e9, 2),
    }


def _same(answers: dict[str, Any]) -> None:
    for name in QUERIES:
        if answers[f"ours exact {name}"] != answers[f"bare exact {name}"]:
            sys.exit(f"{name}: not the answer of bare DuckDB.")
        if name != "latency" and answers[f"ours rolled {name}"] != answers[f"bare exact {name}"]:
            sys.exit(f"{name}: rolled up, not the exact answer.")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(json.dumps(main(), indent=1))
    else:
        what, where = sys.argv[1], Path(sys.argv[2])
        started = time.perf_counter()
        if what in ("make", "make_bare"):
            (make if what == "make" else make_bare)(where)
            _tell({"seconds": time.perf_counter() - started, "peak_mb": _peak()})
        elif what == "joined":
            _tell(joined(where))
        else:
            (ours if what == "ours" else bare)(where)
