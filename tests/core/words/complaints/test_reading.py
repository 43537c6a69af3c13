"""A file of complaints: one bad row costs itself alone, and nothing else is lost."""

import time
from datetime import date

import pytest

from core.errors import BadInput
from core.words.complaints.reading import COLUMNS, read_complaints, read_parts_of
from core.words.complaints.records import ComplaintKind

TODAY = date(2026, 3, 2)
HEAD = "id,told_on,text,order\n"


def read(text: str | bytes):
    return read_complaints(text if isinstance(text, bytes) else text.encode(), TODAY)


def why(found, line: int) -> str:
    return next(one.why for one in found.bad if one.line == line)


def test_every_column_is_read_and_has_its_place():
    row = "R-1,2026-02-01,torn,return,O-1,SKU-1,P-1,1Z999,Nordic,B-7,2026-01-20"
    [one] = read(",".join(COLUMNS) + "\n" + row + "\n").good.values()
    assert one.kind is ComplaintKind.RETURN
    assert (one.reference, one.order, one.item, one.part) == ("R-1", "O-1", "SKU-1", "P-1")
    assert (one.tracking, one.seller, one.batch) == ("1Z999", "Nordic", "B-7")
    assert (one.told_on, one.shipped_on) == (date(2026, 2, 1), date(2026, 1, 20))


def test_other_systems_names_of_columns_are_known_and_what_nobody_asked_for_is_not_read():
    found = read("Complaint ID;Date;Message;Customer Name;E-Mail\n7;2026-02-01T10:15:00Z;broken;Eva;e@x.example\n")
    [one] = found.good.values()
    assert (one.reference, one.told_on, one.text) == ("7", date(2026, 2, 1), "broken")
    assert found.left_out == ("Customer Name", "E-Mail")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2,02/03/2026,x,", "told_on is '02/03/2026': it has to be a day such as 2026-03-01."),
        ("2,2026-02-30,x,", "told_on is '2026-02-30'"),
        ("2,,x,", "told_on is ''"),
        ("2,2026-03-03,x,", "still to come"),
        (",2026-02-01,x,", "It has no id"),
        ("2,2026-02-01,,", "It has no text"),
        ("2,2026-02-01,x", "it has 3 cells, the head has 4"),
        ("2,2026-02-01,x,a,b", "it has 5 cells, the head has 4"),
        ("1,2026-02-01,x,", "id 1 stands in line 2 already"),
        (f"2,2026-02-01,{'x' * 4001},", "4,001 characters"),
        (f"{'2' * 201},2026-02-01,x,", "printable characters"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_the_others_are_kept(row: str, told: str):
    found = read(f"{HEAD}1,2026-02-01,good,\n{row}\n3,2026-02-02,good too,\n")
    assert [one.reference for one in found.good.values()] == ["1", "3"]
    assert told in why(found, 3)


def test_bytes_of_another_encoding_cost_their_own_row_alone():
    data = HEAD.encode() + "1,2026-02-01,größer,\n".encode("latin-1") + "2,2026-02-01,größer,\n".encode()
    found = read(data)
    assert [one.text for one in found.good.values()] == ["größer"]
    assert "not UTF-8" in why(found, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_an_encoding_are_heard(encoding: str):
    assert [one.text for one in read((HEAD + "1,2026-02-01,größer,\n").encode(encoding)).good.values()] == ["größer"]


def test_an_open_quote_costs_one_row_and_not_the_rest_of_the_file():
    rows = ['1,2026-02-01,"torn, wet",', '2,2026-02-01,"never closed,', "3,2026-02-01,fine,", '4,2026-02-01,"ok",']
    found = read(HEAD + "\n".join(rows) + "\n")
    assert [one.reference for one in found.good.values()] == ["1", "3", "4"]
    assert "close its quotes" in why(found, 3)


def test_a_quoted_cell_may_have_lines_and_rows_are_told_by_the_line_that_they_begin_in():
    found = read(HEAD + '1,2026-02-01,"two\nlines",\n2,x,y,\n')
    assert found.good[2].text == "two lines"
    assert [one.line for one in found.bad] == [4]


def test_control_characters_become_spaces():
    [one] = read(HEAD + "1,2026-02-01,a\x00b\x1bc\u2028d,\n").good.values()
    assert one.text == "a b c d"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is no head"),
        ("id,text\n1,x\n", "There is no column told_on"),
        ("told_on,text\n2026-01-01,x\n", "There is no column id"),
        ("id,told_on,text,message\n1,2026-01-01,x,y\n", "names text twice"),
        (HEAD, "no complaint"),
        (b"\xff\xfe\x00", "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(text, told: str):
    with pytest.raises(BadInput, match=told):
        read(text)


def test_a_hundred_thousand_rows_are_read_and_one_more_is_refused():
    rows = [f"{n},2026-02-01,the mug came cracked number {n},O-{n % 900}\n" for n in range(100_001)]
    began = time.monotonic()
    assert len(read(HEAD + "".join(rows[:-1])).good) == 100_000
    assert time.monotonic() - began < 60
    with pytest.raises(BadInput, match="divide the file"):
        read(HEAD + "".join(rows))


def test_many_open_quotes_do_not_take_for_ever():
    rows = [f'{n},2026-02-01,"open {n},\n' for n in range(3000)]
    began = time.monotonic()
    found = read(HEAD + "".join(rows) + "9999,2026-02-01,good,\n")
    assert "9999" in [one.reference for one in found.good.values()]
    assert time.monotonic() - began < 60


def test_parts_of_sellers_and_batches_are_read_row_by_row():
    good, bad = read_parts_of(b"about,name,parts\nseller,Nordic,1200\nbatch,B-7,0\nshop,X,3\nbatch,B-8,40\n")
    assert good == {("seller", "Nordic"): 1200, ("batch", "B-8"): 40}
    assert [one.line for one in bad] == [3, 4]
    with pytest.raises(BadInput, match="about"):
        read_parts_of(b"name,parts\nx,1\n")
