"""The provenance table: spelt column by column, the same to the byte as cell by cell."""

import csv
import io
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data.formats.provenance import COLUMNS, cell, safe, table

TEXTS = st.one_of(st.sampled_from(["", "=1+1", "-3", "-3.5e2", "@x", "'=a", "'", "a", "9", "\u00e9", "a,b",
                                   'say "no"']), st.text(max_size=6))  # fmt: skip
VALUES = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(-3, 3), st.floats(0, 1), st.lists(TEXTS, max_size=3),
    st.lists(st.one_of(st.integers(0, 2), st.booleans()), max_size=2),
    st.dictionaries(st.sampled_from(["iso", "aperture"]), st.floats(0, 2), max_size=2),
)  # fmt: skip


def one_by_one(entries: list[Any]) -> str:
    out = io.StringIO()
    rows = [["file", *COLUMNS]]
    rows += [[one.file, *(cell(one.facts.get(key)) for key in COLUMNS)] for one in entries]
    csv.writer(out, lineterminator="\n").writerows([safe(text) for text in row] for row in rows)
    return out.getvalue()


def entries_of(facts: list[dict[str, Any]]) -> list[Any]:
    return [SimpleNamespace(file=f"images/{number}.png", facts=one) for number, one in enumerate(facts)]


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6), max_size=8))
def test_columns_are_spelt_as_their_cells_are(facts):
    entries = entries_of(facts)
    assert "".join(table(entries)) == one_by_one(entries)


@given(st.sampled_from(["changed", "policy", "classes", "by"]), st.lists(VALUES, min_size=1, max_size=12))
def test_a_column_of_one_kind_or_of_many_is_spelt_alike(key, values):
    entries = entries_of([{key: value} for value in values])
    assert "".join(table(entries)) == one_by_one(entries)


def test_yes_and_one_are_not_taken_for_each_other():
    entries = entries_of([{"changed": True}, {"changed": 1}, {"changed": 1.0}, {"changed": "1"}])
    column = COLUMNS.index("changed") + 1
    assert [row[column] for row in csv.reader(io.StringIO("".join(table(entries))))][1:] == ["yes", "1", "1.0", "1"]


def test_more_lines_than_are_spelt_together_come_in_order_and_none_twice():
    entries = entries_of([{"part": f"p{number}"} for number in range(1234)])
    assert "".join(table(entries)) == one_by_one(entries)
