import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import ExifTags
from PIL import Image as Pil

from app.jobs.intake.imports import import_labels
from app.jobs.science.exports import export_labels
from app.settings import Settings
from core.errors import BadInput
from core.plant import Arrival
from core.records import Capture, Prediction, Region, Review, Rle, Severity, Verdict
from data.formats.registry import READABLE, WRITABLE
from data.store import Store, open_store
from data.taxonomies import shipped

NOW = datetime(2026, 11, 3, 14, 2, 11, 123_000, tzinfo=UTC)
BOTH = sorted(set(READABLE) & set(WRITABLE))
Plant = tuple[Store, Settings]


@pytest.fixture
def open_plant(tmp_path: Path) -> Iterator[Callable[[str], Plant]]:
    opened = []

    def make(name: str) -> Plant:
        settings = Settings(home=tmp_path / name)
        settings.home.mkdir()
        store = open_store(settings.database_url)
        opened.append(store)
        return store, settings

    yield make
    for store in opened:
        store.close()


def draw(path: Path, seed: int, **save: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)).save(path, **save)
    return path


def file(store: Store, path: Path, part: str, prediction: Prediction | None = None, now: datetime = NOW) -> int:
    from core.pictures.decode import sha256_of

    capture = Capture(str(path), part, order="55120", camera="cam 3", view="top", taken_at=NOW - timedelta(seconds=9))
    arrival = Arrival(capture, str(path), sha256_of(path.read_bytes()), 64, 48, prediction=prediction)
    (filed,) = store.arrivals.file("Lyon", [arrival], close_parts=prediction is not None, now=now)
    assert filed.image_id is not None
    return filed.image_id


def answer(store: Store, image_id: int, verdict: Verdict, regions: tuple[Region, ...] = (), **more: Any) -> int:
    """Through the queue, as an inspector does; the task's id."""
    part_id = store.images.get(image_id).part_id
    store.queue.send(part_id, "label", now=NOW)
    task = store.queue.lease(kinds=["label"], site="Lyon", now=NOW)
    assert task is not None
    assert task.part_id == part_id
    store.reviews.add(task.id, task.revision, task.fence, Review(verdict, "x", {image_id: regions}, **more), now=NOW)
    return task.id


@pytest.fixture
def plant(open_plant: Callable[[str], Plant], tmp_path: Path) -> Plant:
    """Five labelled pictures: an outline, boxes with severity, an unmapped name, a good one, a correction."""
    store, settings = open_plant("home")
    store.sites.add("Lyon", shipped("machined"))
    said = Prediction("v12", 0.9, {"CRACK": 0.8, "BURR": 0.2}, (Region(1, 1, 9, 9, "CRACK", "CRACK", score=0.7),))
    ids = [file(store, draw(tmp_path / "nas" / f"{n}" / "same.png", n), f"part {n}") for n in range(4)]
    ids.append(file(store, draw(tmp_path / "nas" / "4.jpg", 4), "part 4", said))
    rle = Rle((48, 64), (5 * 48 + 4, 8, 40, 8, 64 * 48 - 5 * 48 - 60))
    answer(store, ids[0], Verdict.FAIL, (Region(5, 4, 2, 8, "CRACK", "CRACK", mask=rle),))
    boxes = (
        Region(1.25, 2.5, 10, 20.125, "edge burr", "BURR", Severity.MINOR),
        Region(30, 5, 4, 4, "scratch", "SURFACE_SCRATCH", Severity.CRITICAL),
        Region(30, 15, 4, 4, "Riss & <Bruch>"),
    )
    answer(store, ids[1], Verdict.REWORK, boxes)
    answer(store, ids[2], Verdict.FAIL, (), classes=("DIMENSIONAL_OOS",))
    answer(store, ids[3], Verdict.PASS)
    answer(store, ids[4], Verdict.FAIL, (Region(20, 20, 9, 9, "BURR", "BURR"),))
    return store, settings


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", BOTH)
def test_what_is_exported_imported_into_an_empty_store_and_exported_again_is_the_same_to_the_byte(
    plant: Plant, open_plant: Callable[[str], Plant], tmp_path: Path, name: str
):
    first = tmp_path / "first"
    report = export_labels(*plant, first, name)
    assert (report.images, report.pictures) == (5, {"copied": 5})
    other = open_plant("empty")
    other[0].sites.add("Graz", shipped("machined"))
    taken = import_labels(*other, first, "Graz", format=name)
    assert (taken.new, taken.quarantined) == (5, {})
    second = tmp_path / "second"
    export_labels(*other, second, name)
    one, two = contents(first), contents(second)
    assert one.keys() == two.keys()
    assert [file for file in one if one[file] != two[file]] == []


def test_coco_carries_verdict_source_severity_and_class(plant: Plant, tmp_path: Path):
    export_labels(*plant, tmp_path / "out", "coco")
    document = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [one["name"] for one in document["categories"]] == [*shipped("machined").ids, "Riss & <Bruch>"]
    facts = [image["holdpoint"] for image in document["images"]]
    assert sorted(fact["verdict"] for fact in facts) == ["FAIL", "FAIL", "FAIL", "PASS", "REWORK"]
    assert {fact["by"] for fact in facts} == {"command line"}
    assert {(fact["at"], fact["status"]) for fact in facts} == {("2026-11-03T14:02:11.123Z", "single")}
    assert [fact["model"] for fact in facts if fact["changed"]] == ["v12"]
    burr = next(one for one in document["annotations"] if one.get("holdpoint", {}).get("name") == "edge burr")
    assert (burr["bbox"], burr["holdpoint"]["severity"]) == ([1.25, 2.5, 10.0, 20.12], "minor")


def test_names_are_unique_although_the_pictures_were_called_the_same(plant: Plant, tmp_path: Path):
    export_labels(*plant, tmp_path / "out", "csv")
    names = [path.name for path in (tmp_path / "out" / "images").iterdir()]
    assert len(set(names)) == 5
    assert sum(name.startswith("same-") for name in names) == 4


def test_only_corrected_shows_old_and_new_side_by_side(plant: Plant, tmp_path: Path):
    report = export_labels(*plant, tmp_path / "out.csv", "csv", only_corrected=True)
    assert report.images == 1
    (row,) = csv.DictReader((tmp_path / "out.csv").open())
    assert (row["defect_codes"], row["model_classes"], row["model_score"]) == ("BURR", "CRACK", "0.900000")
    assert json.loads(row["boxes"]) == [[20, 20, 29, 29, "BURR"]]
    assert json.loads(row["model_boxes"]) == [[1, 1, 10, 10, "CRACK"]]
    assert row["model_decision"] == "HOLD"


def test_filters_choose_by_class_site_and_time(plant: Plant, tmp_path: Path):
    def count(n: int, **filters: Any) -> int:
        return export_labels(*plant, tmp_path / f"{n}.parquet", "parquet", **filters).images

    assert count(1, class_id="BURR") == 2
    assert count(2, site="Lyon") == 5
    assert count(3, since=NOW + timedelta(seconds=1)) == 0
    assert count(4, until=NOW + timedelta(seconds=1)) == 5
    assert count(5, as_of=NOW - timedelta(days=1)) == 0


def test_parquet_has_typed_columns(plant: Plant, tmp_path: Path):
    export_labels(*plant, tmp_path / "labels.parquet", "parquet")
    table = pq.read_table(tmp_path / "labels.parquet").to_pydict()
    assert table["width"] == [64] * 5
    assert sorted(table["defect_codes"]) == [
        [],
        ["BURR"],
        ["BURR", "SURFACE_SCRATCH", "Riss & <Bruch>"],
        ["CRACK"],
        ["DIMENSIONAL_OOS"],
    ]


def test_the_same_store_exports_the_same_bytes(plant: Plant, tmp_path: Path):
    for name in WRITABLE:
        for n in (1, 2):
            export_labels(*plant, tmp_path / f"{name}{n}", name)
        assert contents(tmp_path / f"{name}1") == contents(tmp_path / f"{name}2")


def test_a_picture_that_vanished_or_changed_stays_behind_with_its_label(plant: Plant, tmp_path: Path):
    (tmp_path / "nas" / "0" / "same.png").unlink()
    draw(tmp_path / "nas" / "1" / "same.png", 99)
    report = export_labels(*plant, tmp_path / "out", "coco")
    assert (report.images, report.left_out) == (3, {"file missing": 1, "evidence changed": 1})


@pytest.mark.parametrize("name", sorted(WRITABLE))
def test_a_label_that_is_undone_while_pictures_are_copied_stays_out_with_its_picture(
    open_plant: Callable[[str], Plant], tmp_path: Path, name: str
):
    store, settings = open_plant("home")
    store.sites.add("Lyon", shipped("machined"))
    tasks = []
    for n in range(2):
        image_id = file(store, draw(tmp_path / "nas" / f"{n}.png", n), f"part {n}")
        tasks.append(answer(store, image_id, Verdict.PASS))
    waiting = [tasks[1]]

    def undo(_done: int, _total: int, message: str) -> None:
        if waiting and message in ("pictures", "labels"):
            store.reviews.undo(task_id=waiting.pop(), now=NOW)

    report = export_labels(store, settings, tmp_path / "out", name, progress=undo)
    assert not waiting
    if name == "parquet":  # it takes no pictures, so nothing passes between choosing and writing
        assert report.images == 2
        return
    assert (report.images, report.pictures, report.left_out) == (1, {"copied": 1}, {"label undone": 1})
    assert [path.name for path in (tmp_path / "out" / "images").iterdir()] == ["0.png"]
    assert not [path for path in contents(tmp_path / "out") if "1." in path]


def test_linked_pictures_take_no_space_and_none_are_taken_on_request(plant: Plant, tmp_path: Path):
    assert export_labels(*plant, tmp_path / "linked", "voc", pictures="link").pictures == {"linked": 5}
    assert (tmp_path / "linked" / "images" / "4.jpg").stat().st_ino == (tmp_path / "nas" / "4.jpg").stat().st_ino
    assert export_labels(*plant, tmp_path / "bare", "voc", pictures="none").pictures == {}
    assert not (tmp_path / "bare" / "images").exists()


def test_the_place_where_a_picture_was_taken_is_not_exported(open_plant: Callable[[str], Plant], tmp_path: Path):
    store, settings = open_plant("home")
    store.sites.add("Lyon", shipped("machined"))
    exif = Pil.Exif()
    exif[0x010F] = "Kamerawerk"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (45.0, 45.0, 12.25)
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    for n, ending in enumerate(("jpg", "png", "webp")):
        draw(tmp_path / "nas" / f"{n}.{ending}", n, exif=exif)
        image = file(store, tmp_path / "nas" / f"{n}.{ending}", f"part {n}")
        answer(store, image, Verdict.PASS)
    for pictures in ("copy", "link"):
        report = export_labels(store, settings, tmp_path / pictures, "coco", pictures=pictures)
        assert report.pictures == {"place removed": 3, "copied": 3}
        for path in (tmp_path / pictures / "images").iterdir():
            with Pil.open(path) as shown, Pil.open(tmp_path / "nas" / path.name) as original:
                assert not any(shown.getexif().get_ifd(ExifTags.IFD.GPSInfo).values())
                assert original.getexif().get_ifd(ExifTags.IFD.GPSInfo)
                assert shown.getexif()[0x010F] == "Kamerawerk"
                assert shown.convert("RGB").tobytes() == original.convert("RGB").tobytes()


def test_an_export_that_fails_leaves_nothing_and_keeps_the_old_one(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    export_labels(*plant, out, "coco")
    before = contents(out)

    def broken(*_: object) -> Iterator[tuple[str, list[str]]]:
        yield "annotations.json", ["half"]
        raise OSError("disk full")

    from app.jobs.science import exports

    spoiled = {**exports.FORMATS, "coco": replace(exports.FORMATS["coco"], write=broken)}
    monkeypatch.setattr(exports, "FORMATS", spoiled)
    with pytest.raises(OSError, match="disk full"):
        export_labels(*plant, out, "coco")
    assert contents(out) == before
    assert not [path for path in tmp_path.iterdir() if ".partial" in path.name]


def test_a_folder_that_no_export_wrote_is_not_touched(plant: Plant, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="no export wrote"):
        export_labels(*plant, tmp_path / "mine", "coco")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("dest", "name"), [("out", "severstal"), ("out.json", "yolo"), ("out.csv", "coco"), ("out", "excel")]
)
def test_what_cannot_be_written_is_refused_in_words(plant: Plant, tmp_path: Path, dest: str, name: str):
    with pytest.raises(BadInput, match="cannot be"):
        export_labels(*plant, tmp_path / dest, name)
