from pathlib import Path

import pytest

from app.jobs.intake.sources import Naming, find, keep, naming, part_pattern, settle, temporary
from core.errors import BadInput, NotFound

LARGEST = 1 << 20


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())


def names(found: list[object]) -> list[str]:
    return [one.path.name for one in found]  # type: ignore[attr-defined]


def test_a_folder_means_its_pictures_and_not_the_lists_beside_them(tmp_path: Path):
    touch(
        *(tmp_path / name for name in ("b.png", "a.jpg", "index.csv", "a.json", ".hidden.png", "c.png.tmp", "x/d.png"))
    )
    assert names(find([str(tmp_path)], tmp_path, LARGEST)) == ["a.jpg", "b.png", "d.png"]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path):
    touch(tmp_path / "a.csv")
    assert names(find([str(tmp_path / "a.csv")], tmp_path, LARGEST)) == ["a.csv"]


def test_patterns_and_file_urls_with_odd_names(tmp_path: Path):
    touch(tmp_path / "ä b%.png", tmp_path / "c.png")
    assert names(find([(tmp_path / "ä b%.png").as_uri()], tmp_path, LARGEST)) == ["ä b%.png"]
    assert names(find([str(tmp_path / "[ä]*.png")], tmp_path, LARGEST)) == ["ä b%.png"]
    assert len(find([str(tmp_path / "**" / "*.png")], tmp_path, LARGEST)) == 2


def test_a_relative_path_and_an_absolute_one_are_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    touch(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert len(find(["a.png", str(tmp_path / "a.png"), "./a.png"], tmp_path, LARGEST)) == 1


@pytest.mark.parametrize("text", ["nothing.png", "*.none", "x" * 5000])
def test_what_is_not_there_is_said(tmp_path: Path, text: str):
    with pytest.raises(NotFound):
        find([str(tmp_path / text)], tmp_path, LARGEST)


def test_a_url_that_leads_nowhere_is_said(tmp_path: Path):
    with pytest.raises((NotFound, BadInput)):
        find(["memory://nowhere/at-all.png"], tmp_path, LARGEST)
    with pytest.raises(BadInput, match="cannot be fetched"):
        find(["nosuch://a/b.png"], tmp_path, LARGEST)


@pytest.mark.parametrize(
    ("name", "so"),
    [
        (".a.png", True),
        ("~a.png", True),
        ("a.png~", True),
        ("a.png.part", True),
        ("a.crdownload", True),
        ("a.png", False),
    ],
)
def test_temporary_names_are_known(name: str, so: bool):
    assert temporary(name) is so


def test_a_pattern_reads_the_first_group_or_named_ones():
    assert naming(part_pattern(r"^(\d+)_"), "77_top.png") == Naming("77")
    assert naming(part_pattern(r"(?P<part>\d+)_(?P<view>[a-z]+)_?(?P<camera>c\d)?"), "77_top_c3.png") == Naming(
        "77", "top", "c3"
    )
    assert naming(part_pattern(r"^(\d+)_"), "x.png") == Naming()
    assert naming(None, "77.png") == Naming()


def test_an_original_is_kept_once_under_its_hash(tmp_path: Path):
    first = keep(b"abc", tmp_path, ".png")
    assert keep(b"abc", tmp_path, ".png") == first
    assert first.read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_settling_waits_only_for_files_that_were_just_touched(tmp_path: Path):
    touch(tmp_path / "new.png")
    waits: list[float] = []
    settle([tmp_path / "new.png", tmp_path / "gone.png"], 5.0, sleep=waits.append)
    assert waits == [5.0]


def test_settling_ends_for_a_file_that_never_stops_growing(tmp_path: Path):
    path = tmp_path / "log.png"
    touch(path)
    waits: list[float] = []

    def grow(seconds: float) -> None:
        waits.append(seconds)
        path.write_bytes(path.read_bytes() + b"x")

    settle([path], 5.0, patience=20.0, sleep=grow)
    assert sum(waits) == 20.0
