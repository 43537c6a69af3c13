from pathlib import Path

import pytest

from core.errors import BadInput, QuarantineReason, Unreadable
from data.formats import sources
from data.formats.registry import FORMATS, READABLE, read
from data.formats.sources import Folder, json_of, rows_of, xml_of, yaml_of


@pytest.mark.parametrize(
    "listed",
    ["/etc/passwd", "../x.png", "a/../../x.png", "http://h/x.png", "C:/x.png", "\\\\host\\x.png", "~/x.png", "..\\x"],
)
def test_only_plain_paths_below_the_folder_are_followed(tmp_path: Path, listed: str):
    with pytest.raises(Unreadable) as refused:
        Folder(tmp_path).inside(listed)
    assert refused.value.reason is QuarantineReason.OUTSIDE


def test_links_are_followed_before_they_are_judged(tmp_path: Path):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir()
    outer.mkdir()
    (outer / "x.png").write_bytes(b"x")
    (inner / "real.png").write_bytes(b"x")
    (inner / "good.png").symlink_to(inner / "real.png")
    (inner / "bad.png").symlink_to(outer / "x.png")
    (inner / "folder").symlink_to(outer)
    folder = Folder(inner)
    assert folder.inside("good.png") == (inner / "real.png").resolve()
    for listed in ("bad.png", "folder/x.png"):
        with pytest.raises(Unreadable) as refused:
            folder.inside(listed)
        assert refused.value.reason is QuarantineReason.OUTSIDE


@pytest.mark.parametrize("listed", ["", "a\0b", "x" * 5000])
def test_a_name_that_is_none_is_a_bad_record(tmp_path: Path, listed: str):
    with pytest.raises(Unreadable) as refused:
        Folder(tmp_path).inside(listed)
    assert refused.value.reason is QuarantineReason.BAD_RECORD


def test_a_name_too_long_for_the_disk_is_missing(tmp_path: Path):
    with pytest.raises(Unreadable) as refused:
        Folder(tmp_path).inside("x" * 1000 + ".png")
    assert refused.value.reason is QuarantineReason.MISSING


def test_csv_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.csv"
    path.write_text("file,label\n" + "a.png,ok\n" * 5)
    assert len(list(rows_of(path)[1])) == 5
    monkeypatch.setattr(sources, "MAX_CSV_ROWS", 4)
    with pytest.raises(BadInput, match="more than 4 rows"):
        list(rows_of(path)[1])
    monkeypatch.setattr(sources, "MAX_CSV_BYTES", 10)
    with pytest.raises(BadInput, match="larger than"):
        rows_of(path)
    path.write_text(",".join(f"c{n}" for n in range(600)) + "\n")
    monkeypatch.setattr(sources, "MAX_CSV_BYTES", 1 << 20)
    with pytest.raises(BadInput, match="600 columns"):
        rows_of(path)
    monkeypatch.setattr(sources, "MAX_CSV_FIELD", 100)
    path.write_text("file,label\n" + "x" * 200 + ",ok\n")
    with pytest.raises(BadInput, match="line 2"):
        list(rows_of(path)[1])


@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_spreadsheets_of_all_kinds_are_read(tmp_path: Path, divider: str, encoding: str):
    (tmp_path / "a.csv").write_bytes(
        divider.join(["File", "Label"]).encode(encoding)
        + f"\r\nä.png{divider}Riß\r\n".encode(encoding.removesuffix("-sig"))
    )
    header, rows = rows_of(tmp_path / "a.csv")
    assert header == ["file", "label"]
    assert [row.cells for row in rows] == [{"file": "ä.png", "label": "Riß"}]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<!DOCTYPE a><a/>",
        "<a>" * 100 + "</a>" * 100,
        "<a><b></a>",
        "",
        "<a>&undefined;</a>",
    ],
)
def test_xml_is_plain_or_refused(tmp_path: Path, text: str):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(BadInput):
        xml_of(tmp_path / "a.xml")
    (tmp_path / "b.xml").write_bytes(text.encode("utf-16"))
    with pytest.raises(BadInput):
        xml_of(tmp_path / "b.xml")


@pytest.mark.parametrize("text", ["{", "[" * 200_000, "{'a': 1}", ""])
def test_json_is_json_or_refused(tmp_path: Path, text: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadInput, match="not JSON"):
        json_of(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.system ['true']", "[" * 100_000])
def test_yaml_runs_nothing(tmp_path: Path, text: str):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(BadInput, match="not YAML"):
        yaml_of(tmp_path / "a.yaml")


@pytest.mark.parametrize("name", READABLE)
def test_no_reader_chokes_on_an_empty_folder_or_a_strange_file(tmp_path: Path, name: str):
    found = FORMATS[name].found
    assert found is not None
    assert not found(tmp_path)
    (tmp_path / "noise.json").write_bytes(bytes(range(256)))
    (tmp_path / "noise.xml").write_bytes(bytes(range(256)))
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)))
    (tmp_path / "noise.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)))
    assert not found(tmp_path)
    with pytest.raises(BadInput):
        list(read(tmp_path, name))
