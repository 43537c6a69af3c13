"""What customers report: what is kept, and what is told of a row that is not."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.kpis.escapes import COLUMNS, MOST_PARTS, Escape, read_csv


def test_a_file_with_every_column_is_read():
    text = (
        "reported_on,parts,reference,customer,part,class,shipped_on,note\n"
        '2026-03-02,3,C-17,"Maier, Graz",S-1,CRACK,2026-02-20,found at assembly\n'
        "2026-03-05\n".replace("2026-03-05\n", "2026-03-05,,,,,,,\n")
    )
    found = read_csv(text)
    assert found.bad == ()
    assert found.good[2] == Escape(
        date(2026, 3, 2), 3, "C-17", "Maier, Graz", "S-1", "CRACK", date(2026, 2, 20), "found at assembly"
    )
    assert found.good[3] == Escape(date(2026, 3, 5))


def test_only_the_day_has_to_be_there():
    assert list(read_csv("\ufeffReported_On\n2026-01-01\n\n").good.values()) == [Escape(date(2026, 1, 1))]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("yesterday,1", "reported_on is 'yesterday'"),
        ("2026-03-02,some", "parts is 'some'"),
        ("2026-03-02,0", "1 to"),
        (f"2026-03-02,{MOST_PARTS + 1}", "1 to"),
        ("2026-03-02,1,2", "3 cells"),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_the_others_are_taken(row: str, why: str):
    found = read_csv(f"reported_on,parts\n2026-03-01,2\n{row}\n2026-03-03,1\n")
    assert [one.line for one in found.bad] == [3]
    assert why in found.bad[0].why
    assert sorted(found.good) == [2, 4]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column reported_on"),
        ("day,parts\n2026-03-01,1\n", "no column reported_on"),
        ("reported_on,colour\n2026-03-01,red\n", "colour"),
        ("reported_on,reported_on\n2026-03-01,2026-03-01\n", "twice"),
        ("reported_on\n", "no report"),
        ('reported_on\n"2026\n', "no CSV"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, why: str):
    with pytest.raises(BadInput, match=why):
        read_csv(text)


def test_parts_cannot_be_reported_before_they_were_shipped():
    with pytest.raises(BadInput, match="shipped"):
        Escape(date(2026, 3, 1), shipped_on=date(2026, 3, 2))


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=9), max_size=6))
def test_whatever_stands_in_a_file_is_read_or_refused_with_a_sentence(rows: list[list[str]]):
    text = ",".join(COLUMNS) + "\n" + "\n".join(",".join(row) for row in rows)
    with suppress(BadInput):  # any other error is a bug
        assert all(one.why for one in read_csv(text).bad)
