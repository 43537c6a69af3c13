"""The queries: values as parameters only, and roll-ups that say what every single row says."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import NotFound
from data.analytics.publish import publish
from data.analytics.read import Reader
from data.sql import names, query
from data.store import Store
from tests.kpi_plant import NOW

FOLDER = Path(__file__).parents[3] / "data" / "sql"


def test_every_query_begins_with_what_it_means():
    assert [name for name in names() if len(query(name).definition) < 20] == []


def test_an_unknown_query_is_not_found():
    with pytest.raises(NotFound):
        query("../../etc/passwd")


def test_no_query_has_a_place_for_text_to_be_put_in():
    """Whatever comes from outside is a $parameter; nothing is formatted into the text."""
    for name in names():
        text = query(name).text
        assert not re.search(r"[{}]|%s|%\(", text.replace("{%}", "")), name


SHARED = ("($camera IS NULL", "($policy IS NULL", "THEN camera_id::VARCHAR", "WHERE sign < 0",
          "coalesce(class, 'FAIL')", "1 / audit_share", "verdict <> 'UNSURE' AND kind")  # fmt: skip


@pytest.mark.parametrize("piece", SHARED)
def test_what_queries_share_is_written_in_one_place(piece: str):
    """Filters, groups, answers that stand, what model and inspector said: a block each, and no query spells one out."""
    assert [file.name for file in FOLDER.glob("*.sql") if piece in file.read_text()] == []
    assert len([file.name for file in (FOLDER / "blocks").glob("*.sql") if piece in file.read_text()]) == 1
    assert any(piece in query(name).text for name in names())


def test_no_program_puts_anything_but_its_own_names_into_sql():
    """The f-strings of the analytics name our tables, our files and numbers; none of them takes a value."""
    root = FOLDER.parents[1]
    allowed = {"kind", "name", "source", "table", "every", "place", "only", "quoted(draft)"}
    allowed |= {"quoted(folder / one.file)", "quoted(folder / segment.file)"}
    allowed |= {"query(f'rollup_{name}').text", "query(f'join_{table}').text"}
    for file in (root / "data" / "analytics").glob("*.py"):
        for line in file.read_text().splitlines():
            if ".execute(f" in line or "SELECT * FROM" in line:
                found = set(re.findall(r"\{((?:[^{}]|\{[^{}]*\})+)\}", line))
                assert found <= allowed, (file.name, line, found - allowed)


@pytest.mark.parametrize("published", [True, False])
def test_roll_ups_say_what_every_row_says(plant: Store, tmp_path: Path, published: bool):
    if published:
        for _ in range(3):
            publish(plant.facts, tmp_path, at_once=True)
    with Reader(tmp_path).asking(plant.facts) as question:
        for name in ("overrides", "hours", "confidence"):
            exact = question.ask(f"exact_{name}")
            rolled = question.ask(f"rolled_{name}")
            if name == "overrides":  # what was taken back leaves a nought there
                exact, rolled = ([row for row in rows if row["n"]] for rows in (exact, rolled))
            assert rolled == exact, name
            assert len(exact) > 5, name
        exact, rolled = question.ask("exact_latency"), question.ask("rolled_latency")
        assert [row["n"] for row in exact] == [row["n"] for row in rolled]
        for one, other in zip(exact, rolled, strict=True):
            assert other["percentiles"] == pytest.approx(one["percentiles"], rel=0.0151)


CRAFTED = (
    "x' OR '1'='1",
    "net-1'; DROP TABLE predictions; --",
    "1) OR (1=1",
    "$since",
    "') UNION SELECT * FROM read_csv('/etc/passwd') --",
    "\\'; ATTACH '/tmp/x' --",
    "\x00",
)


def test_a_crafted_value_is_a_value_that_nothing_equals(plant: Store, tmp_path: Path):
    values = {"since": NOW.replace(tzinfo=None) - timedelta(days=400), "until": NOW.replace(tzinfo=None)}
    with Reader(tmp_path).asking(plant.facts) as question:
        every = len(question.ask("line_parts", values))
        for text in CRAFTED:
            for name in ("overrides", "rates", "rates_decided", "throughput", "latency", "confidence", "held", "labour",
                         "defects", "line_parts"):  # fmt: skip
                assert question.ask(name, {**values, "grain": "day", "by": None, "model": text}) == [], (name, text)
            # A group that does not exist counts all together, as none does.
            assert question.ask("rates_decided", {**values, "grain": "day", "by": text})
        assert len(question.ask("line_parts", values)) == every
