"""One contract for every format that is written and read: what comes back is what was said, within half a pixel."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.pictures.masks import mask_of
from core.records import (
    Capture,
    Image,
    ImageState,
    Label,
    LabelStatus,
    Polygons,
    Region,
    Rle,
    Verdict,
)
from data.formats.files import Folder
from data.formats.provenance import Entry, facts, px
from data.formats.record import Record, placed
from data.formats.registry import FORMATS, READABLE, WRITABLE, detect, read
from data.formats.runs import binary, regions_of_mask

BOTH = sorted(set(READABLE) & set(WRITABLE))
CLASSES = [("CRACK", "STRUCTURAL_DEFECT"), ("BURR", "EDGE_DEFECT"), ("7", None)]
WHEN = datetime(2026, 11, 3, 14, 2, 11, 123_000, tzinfo=UTC)


def entry(
    name: str, size: tuple[int, int], regions: tuple[Region, ...] = (), verdict: Verdict | None = None, **more: Any
) -> Entry:
    image = Image(1, "Lyon", 1, Capture(name, f"part of {name}", order="55120", view="top"), name, "ab" * 32, *size,
                  ImageState.OK, "", None, WHEN)  # fmt: skip
    known = {c for c, _ in CLASSES}
    named = {region.class_id or region.name for region in regions} | set(more.pop("classes", ()))
    verdict = verdict or (Verdict.FAIL if regions else Verdict.PASS)
    classes, unmapped = tuple(sorted(named & known)), tuple(sorted(named - known))
    label = Label(1, bool(verdict.defective), verdict, classes, unmapped, regions, LabelStatus.AGREED,
                  "Mia", WHEN, 1, "v12", 4, False, **more)  # fmt: skip
    return Entry(f"images/{name}", image, label, facts(image, label, image.sha256))


def written(folder: Path, name: str, entries: list[Entry]) -> Path:
    write = FORMATS[name].write
    assert write is not None
    with Folder(folder) as made:
        for one in entries:
            made.write(one.file, [b"not opened by readers"])
        for file, pieces in write(entries, CLASSES):
            made.write(file, pieces)
    return folder


def records(folder: Path, name: str) -> dict[str, Record]:
    found = list(read(folder, name))
    assert all(isinstance(one, Record) for one in found), found
    return {Path(one.file).name: one for one in found if isinstance(one, Record)}


def regions_in(record: Record, size: tuple[int, int]) -> tuple[Region, ...]:
    found = placed(record, *size)
    if not found:
        for mask in record.masks:
            pixels = cv2.imread(str(mask.path), cv2.IMREAD_COLOR_RGB)
            found = (*found, *regions_of_mask(binary(pixels), mask.name))
    return found


def corners(region: Region) -> tuple[float, float, float, float]:
    return region.x, region.y, region.x + region.width, region.y + region.height


def called(region: Region) -> str:
    return region.class_id or region.name


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[Region, ...]]:
    width, height = draw(st.integers(16, 5000)), draw(st.integers(16, 5000))
    found = []
    for _ in range(draw(st.integers(0, 5))):
        x = draw(st.floats(0, width - 2, allow_nan=False))
        y = draw(st.floats(0, height - 2, allow_nan=False))
        w = draw(st.floats(1, width - x, allow_nan=False))
        h = draw(st.floats(1, height - y, allow_nan=False))
        name = draw(st.sampled_from(["CRACK", "BURR", "7", "Riss & Bruch <1>"]))
        found.append(Region(x, y, w, h, name, None if name.startswith("R") else name))
    # The very same box twice, to the hundredth of a pixel in which they are written, is one to a table.
    written = {(px(r.x), px(r.y), px(r.width), px(r.height), r.name): r for r in found}
    return (width, height), tuple(written.values())


@pytest.mark.parametrize("name", BOTH)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picture=pictures())
def test_no_corner_moves_by_more_than_half_a_pixel(tmp_path_factory, name, picture):
    size, regions = picture
    if name == "masks" and overlapping(regions):
        return  # two boxes that lie over each other are still two files, but their corners are tested below
    folder = written(tmp_path_factory.mktemp("export") / "out", name, [entry("a.png", size, regions)])
    found = regions_in(records(folder, name)["a.png"], size)
    assert len(found) == len(regions)
    rest = list(found)
    for region in regions:
        near = min(rest, key=lambda other: distance(region, other) + (folded(called(other)) != folded(called(region))))
        assert distance(region, near) <= 0.5 + 1e-6
        assert folded(called(near)) == folded(called(region))
        rest.remove(near)


def folded(name: str) -> str:
    return "".join(c for c in name if c.isalnum())


def overlapping(regions: tuple[Region, ...]) -> bool:
    return any(a is not b and called(a) == called(b) for a in regions for b in regions) and len(regions) > 3


def distance(one: Region, other: Region) -> float:
    return max(abs(a - b) for a, b in zip(corners(one), corners(other), strict=True))


@pytest.mark.parametrize("name", BOTH)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picture=pictures())
def test_what_was_exported_and_read_is_exported_the_same(tmp_path_factory, name, picture):
    size, regions = picture
    folder = tmp_path_factory.mktemp("twice")
    first = written(folder / "one", name, [entry("a.png", size, regions), entry("b.png", size)])
    known = {c for c, _ in CLASSES}
    again = []
    for file, record in sorted(records(first, name).items()):
        found = regions_in(record, size)
        taken = tuple(
            Region(r.x, r.y, r.width, r.height, r.name, r.class_id or (r.name if r.name in known else None), r.severity,
                   mask=r.mask)
            for r in found
        )  # fmt: skip
        one = entry(file, size, taken, record.verdict, source=record.source)
        again.append(one)
    second = written(folder / "two", name, again)
    for path in sorted(first.rglob("*")):
        if path.is_file():
            other = second / path.relative_to(first)
            if name == "masks" and path.suffix == ".png" and path.parent.name != "images":
                assert other.exists()
            else:
                assert other.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("name", BOTH)
def test_verdict_part_and_provenance_come_back(tmp_path: Path, name: str):
    boxes = (Region(1, 2, 3, 4, "scratchy", None), Region(10, 10, 5, 5, "CRACK", "CRACK"))
    entries = [entry("a.png", (64, 48), boxes), entry("b.png", (64, 48)), entry("c.png", (64, 48), (), Verdict.REWORK,
               classes=("BURR",))]  # fmt: skip
    found = records(written(tmp_path / "out", name, entries), name)
    assert [found[file].verdict for file in ("a.png", "b.png", "c.png")] == [Verdict.FAIL, Verdict.PASS, Verdict.REWORK]
    assert set(found["c.png"].names) == {"BURR"}
    assert {one.part for one in found.values()} == {f"part of {file}" for file in found}
    assert found["a.png"].order == "55120"
    assert found["a.png"].view == "top"
    kept = found["a.png"].source["provenance"]
    assert (kept["by"], kept["at"], kept["status"], kept["model"], kept["policy"]) == (
        "Mia", "2026-11-03T14:02:11.123Z", "agreed", "v12", 4,
    )  # fmt: skip


@pytest.mark.parametrize("name", BOTH)
def test_an_export_is_recognised_for_what_it_is(tmp_path: Path, name: str):
    folder = written(tmp_path / "out", name, [entry("a.png", (64, 48), (Region(1, 2, 3, 4, "CRACK", "CRACK"),))])
    assert detect(folder) == name


@pytest.mark.parametrize("name", sorted(WRITABLE))
def test_an_export_of_nothing_is_written_too(tmp_path: Path, name: str):
    assert written(tmp_path / "out", name, []).is_dir()


@pytest.mark.parametrize("name", sorted(WRITABLE))
def test_no_cell_or_line_of_an_export_begins_a_formula(tmp_path: Path, name: str):
    regions = (Region(1, 2, 3, 4, "=cmd|' /C calc'!A0", None),)
    folder = written(tmp_path / "out", name, [entry("a.png", (64, 48), regions)])
    for path in folder.rglob("*.csv"):
        for line in path.read_text().splitlines():
            assert ",=" not in line
            assert not line.startswith(("=", "+", "-", "@"))


def test_run_lengths_and_outlines_survive_coco(tmp_path: Path):
    rle = Rle((48, 64), (100, 20, 28, 20, 48 * 64 - 168))
    ring = Polygons(((1.5, 2.25, 9.0, 2.25, 9.0, 8.75),))
    regions = (Region(2, 4, 2, 20, "CRACK", "CRACK", mask=rle), Region(1.5, 2.25, 7.5, 6.5, "BURR", "BURR", mask=ring))
    folder = written(tmp_path / "out", "coco", [entry("a.png", (64, 48), regions)])
    found = {region.name: region.mask for region in regions_in(records(folder, "coco")["a.png"], (64, 48))}
    assert found["BURR"] == ring
    assert (mask_of(found["CRACK"]) == mask_of(rle)).all()


def test_outlines_survive_yolo_where_they_span_their_box(tmp_path: Path):
    ring = Polygons(((1.5, 2.25, 9.0, 2.25, 9.0, 8.75),))
    folder = written(
        tmp_path / "out", "yolo", [entry("a.png", (64, 48), (Region(1.5, 2.25, 7.5, 6.5, "7", "7", mask=ring),))]
    )
    (found,) = regions_in(records(folder, "yolo")["a.png"], (64, 48))
    assert found.mask == ring


def test_touching_regions_of_one_class_stay_two_in_masks(tmp_path: Path):
    regions = (Region(0, 0, 10, 10, "CRACK", "CRACK"), Region(10, 0, 10, 10, "CRACK", "CRACK"))
    folder = written(tmp_path / "out", "masks", [entry("a.png", (64, 48), regions)])
    found = regions_in(records(folder, "masks")["a.png"], (64, 48))
    assert sorted(corners(region) for region in found) == [(0, 0, 10, 10), (10, 0, 20, 10)]
