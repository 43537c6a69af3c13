import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.jobs.imports import ImportReport, import_labels
from app.settings import Settings
from core.errors import BadInput
from core.records import LabelStatus, Severity, Verdict
from core.taxonomy import Taxonomy
from data.formats.runs import mask_of
from data.store import Store, open_store
from data.taxonomies import shipped

REAL = Path(__file__).parents[4] / "shared" / "data"
Import = Callable[..., ImportReport]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    settings.home.mkdir()
    store = open_store(settings.database_url)
    yield store
    store.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    folder.mkdir()
    return folder


@pytest.fixture
def bring_in(store: Store, settings: Settings, source: Path) -> Import:
    def run(**arguments: Any) -> ImportReport:
        return import_labels(
            store, settings, arguments.pop("source", source), arguments.pop("site", "Lyon"), **arguments
        )

    return run


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Pil.fromarray(noise).save(path, quality=90)
    return path


def table(folder: Path, rows: Sequence[dict[str, Any]], draw: bool = True) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    for seed, row in enumerate(rows):
        name = str(row["file"])
        if draw and name and not name.startswith(("/", "..", "http")):
            picture(folder / name, seed)


def labels(store: Store, site: str = "Lyon") -> dict[str, Any]:
    return {Path(one.image.path).name: one.label for one in store.labels.find(site=site)}


def everything(store: Store) -> dict[str, int]:
    from sqlalchemy import func, select

    from data.tables import Table

    with store.database.reading() as connection:
        return {
            table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in Table.metadata.sorted_tables
        }


def test_a_table_becomes_images_labels_and_a_report(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {
                "file": "a.png",
                "label": "scratch",
                "boxes": '[[1,2,11,22,"Edge-Burr"]]',
                "group": "tile 1",
                "split": "train",
            },
            {"file": "b.png", "label": "ok", "boxes": "[]", "group": "tile 1", "split": "train"},
            {"file": "c.png", "label": "rust", "boxes": "", "group": "tile 2", "split": "valid"},
            {"file": "d.png", "label": "", "boxes": "", "group": "", "split": ""},
        ],
    )
    report = bring_in()
    assert (report.format, report.read, report.new, report.known, report.quarantined) == ("csv", 4, 4, 0, {})
    assert report.labels == {"BURR": 1, "NO_DEFECT": 1, "SURFACE_SCRATCH": 1}
    assert (report.unmatched, report.unmapped, report.unlabelled) == (1, {"rust": 1}, 1)
    found = labels(store)
    assert found.keys() == {"a.png", "b.png", "c.png"}  # d says nothing: no evidence of anything
    assert found["a.png"].classes == ("BURR", "SURFACE_SCRATCH")
    assert (found["a.png"].by, found["a.png"].status) == ("import:delivery", LabelStatus.SINGLE)
    (region,) = found["a.png"].regions
    assert (region.x, region.y, region.width, region.height, region.name) == (1, 2, 10, 20, "Edge-Burr")
    assert (found["b.png"].defective, found["b.png"].verdict) == (False, Verdict.PASS)
    assert (found["c.png"].defective, found["c.png"].classes, found["c.png"].unmapped) == (True, (), ("rust",))
    assert found["c.png"].source["split"] == "val"
    assert len({one.image.part_id for one in store.labels.find() if one.label.source.get("group") == "tile 1"}) == 1


def test_an_import_decides_nothing_and_asks_nobody(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "ok"}])
    bring_in()
    counts = everything(store)
    assert (counts["decisions"], counts["tasks"], counts["predictions"], counts["outbox"]) == (0, 0, 0, 0)


def test_the_second_run_changes_nothing(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {"file": "a.png", "label": "crack", "boxes": '[[1,2,11,22,"crack"]]'},
            {"file": "b.png", "label": "ok"},
            {"file": "broken.png", "label": "ok"},
            {"file": "gone.png", "label": "ok"},
            {"file": "../up.png", "label": "ok"},
        ],
    )
    (source / "broken.png").write_bytes((source / "broken.png").read_bytes()[:200])
    (source / "gone.png").unlink()
    first = bring_in(taxonomy="own")
    before = everything(store)
    second = bring_in(taxonomy="own")
    assert everything(store) == before
    assert (second.new, second.known, second.read) == (0, 2, 5)
    assert (second.quarantined, second.labels) == (first.quarantined, first.labels)


def test_a_corrected_list_adds_a_review_and_keeps_the_old_one(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "ok"}])
    bring_in()
    table(source, [{"file": "a.png", "label": "crack"}])
    report = bring_in()
    assert (report.new, report.known) == (0, 1)
    label = labels(store)["a.png"]
    assert label.classes == ("CRACK",)
    image = store.images.find(site="Lyon")[0]
    assert [review.verdict for review in store.reviews.of_part(image.part_id)] == [Verdict.PASS, Verdict.FAIL]


def test_an_import_that_was_stopped_goes_on(
    source: Path, bring_in: Import, store: Store, monkeypatch: pytest.MonkeyPatch
):
    table(source, [{"file": f"{n}.png", "label": "crack"} for n in range(6)])
    monkeypatch.setattr("app.jobs.imports.BATCH", 2)
    stops = iter([False, True])

    def stop(done: int, total: int, message: str) -> None:
        if message == "filing" and next(stops):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(progress=stop)
    assert 0 < len(labels(store)) < 6
    report = bring_in()
    assert (report.new + report.known, report.labels) == (6, {"CRACK": 6})
    assert len(labels(store)) == 6
    assert everything(store)["reviews"] == 6


def test_images_whose_review_was_lost_to_a_kill_are_reviewed_by_the_next_run(
    source: Path, bring_in: Import, store: Store, monkeypatch: pytest.MonkeyPatch
):
    table(source, [{"file": "a.png", "label": "crack", "boxes": '[[1,2,3,4,"crack"]]'}])

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(store.reviews), "imported", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_in()
    assert labels(store) == {}
    report = bring_in()
    assert (report.new, report.known) == (0, 1)
    assert len(labels(store)["a.png"].regions) == 1


def test_a_dry_run_reports_the_same_and_files_nothing(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "rust"}, {"file": "c.png", "label": "ok"}],
    )
    (source / "c.png").write_bytes(b"")
    before = everything(store)
    dry = bring_in(dry_run=True, taxonomy="own").to_json()
    assert everything(store) == before
    assert {**dry, "dry_run": False} == bring_in(taxonomy="own").to_json()


def test_whatever_leads_out_of_the_folder_is_quarantined(source: Path, bring_in: Import, store: Store, tmp_path: Path):
    picture(tmp_path / "secret.png")
    (source / "link.png").symlink_to(tmp_path / "secret.png")
    files = ["../secret.png", str(tmp_path / "secret.png"), "https://example.org/a.png", "link.png", "C:\\a.png",
             "a/../../secret.png", "file:///etc/passwd", "~/a.png"]  # fmt: skip
    table(source, [{"file": file, "label": "ok"} for file in files] + [{"file": "fine.png", "label": "ok"}], draw=False)
    picture(source / "fine.png")
    report = bring_in()
    assert report.quarantined == {"path outside the source folder": len(files)}
    assert (report.read, report.new) == (len(files) + 1, 1)
    assert not any(one["text"].startswith("/") for one in report.problems)
    assert list(labels(store)) == ["fine.png"]


@pytest.mark.parametrize(
    "row",
    [
        {"boxes": '[[1,2,NaN,4,"a"]]'},
        {"boxes": '[[1,2,Infinity,4,"a"]]'},
        {"boxes": '[[1,2,1e999,4,"a"]]'},
        {"boxes": '[[10,2,5,4,"a"]]'},
        {"boxes": '[[1,2,500,4,"a"]]'},
        {"boxes": "[[1,2,3]]"},
        {"boxes": '[[1,2,"3",4,"a"]]'},
        {"boxes": '{"x": 1}'},
        {"boxes": "[[1,2"},
        {"boxes": "[" * 5000},
        {"boxes": '[[1,2,3,4,"ok"]]'},
        {"boxes": '[[1,2,3,4,"burr","critical"]]', "label": "burr"},
        {"boxes": '[[1,2,3,4,"burr"]]', "label": "ok"},
        {"label": "nan"},
        {"label": "0.5", "verdict": "MAYBE"},
        {"label": "crack", "time": "yesterday"},
        {"label": "crack", "severity": "awful"},
        {"label": "crack", "confidence": "many"},
        {"label": "crack", "width": "-4", "height": "x"},
        {"label": "crack", "width": "48", "height": "64", "boxes": '[[1,2,3,4,"crack"]]'},
        {"label": "x" * 300},
    ],
    ids=lambda row: str(next(iter(row.items())))[:40],
)
def test_one_bad_record_loses_only_itself(source: Path, bring_in: Import, store: Store, row: dict[str, str]):
    table(
        source,
        [
            {"file": "a.png", "label": "crack"},
            {"file": "bad.png", "label": "", **row},
            {"file": "c.png", "label": "ok"},
        ],
    )
    report = bring_in()
    assert (report.quarantined, report.new) == ({"bad record": 1}, 2)
    assert report.problems[0]["where"] == "index.csv line 3"
    assert labels(store).keys() == {"a.png", "c.png"}


def test_pictures_that_cannot_be_opened_are_quarantined_by_reason(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": f"{name}.png", "label": "ok"} for name in ("empty", "cut", "text", "gone", "fine")])
    (source / "empty.png").write_bytes(b"")
    (source / "cut.png").write_bytes((source / "cut.png").read_bytes()[:300])
    (source / "text.png").write_bytes(b"not a picture at all, only words" * 9)
    (source / "gone.png").unlink()
    report = bring_in()
    assert report.quarantined.keys() >= {"empty file", "truncated", "file missing"}
    assert (sum(report.quarantined.values()), report.new) == (4, 1)


def test_a_number_is_a_probability_and_half_of_it_is_defective(source: Path, bring_in: Import, store: Store):
    table(
        source, [{"file": f"{n}.png", "label": label} for n, label in enumerate(["0.0000", "0.3333", "0.5", "1.0000"])]
    )
    report = bring_in()
    found = labels(store)
    assert [found[f"{n}.png"].probability for n in range(4)] == [0, 0.3333, 0.5, 1]
    assert [found[f"{n}.png"].defective for n in range(4)] == [False, False, True, True]
    assert (report.labels, report.unmatched) == ({"DEFECTIVE": 2, "NO_DEFECT": 2}, 0)


def test_whole_numbers_beyond_one_are_class_ids(source: Path, bring_in: Import):
    table(source, [{"file": f"{n}.png", "label": str(n)} for n in range(1, 5)])
    assert bring_in(taxonomy="own").labels == {"1": 1, "2": 1, "3": 1, "4": 1}


def test_a_probability_out_of_range_beside_fractions_is_a_bad_record(source: Path, bring_in: Import):
    table(
        source, [{"file": "a.png", "label": "0.5"}, {"file": "b.png", "label": "1.7"}, {"file": "c.png", "label": "2"}]
    )
    assert bring_in().quarantined == {"bad record": 2}


def test_an_inspectors_verdict_may_name_classes_without_boxes(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {"file": "a.png", "verdict": "rework", "defect_codes": "burr;rust", "severity": "", "confidence": "4"},
            {"file": "b.png", "verdict": "PASS", "defect_codes": "", "severity": "", "confidence": "5"},
            {"file": "c.png", "verdict": "UNSURE", "defect_codes": "", "severity": "", "confidence": "1"},
        ],
    )
    report = bring_in()
    found = labels(store)
    assert found.keys() == {"a.png", "b.png"}
    assert (found["a.png"].verdict, found["a.png"].classes, found["a.png"].unmapped) == (
        Verdict.REWORK,
        ("BURR",),
        ("rust",),
    )
    assert (report.labels, report.unlabelled) == ({"BURR": 1, "NO_DEFECT": 1}, 1)
    image = next(one for one in store.images.find(site="Lyon") if one.path.endswith("a.png"))
    assert [review.sure for review in store.reviews.of_part(image.part_id)] == [4]


def test_every_optional_column_arrives(source: Path, bring_in: Import, store: Store):
    row = {"file": "a.png", "label": "crack", "boxes": '[[1,2,11,22,"crack"]]', "part": "7781-B", "order": "55120",
           "machine": "M4", "camera": "3", "time": "2026-11-03T14:02:11.250+01:00", "part_type": "shaft",
           "annotator": "Mia", "confidence": "0.9", "severity": "major", "extra": "ignored"}  # fmt: skip
    table(source, [row, row | {"file": "b.png", "part": "7781-B", "confidence": "0.2"}])
    bring_in()
    first = next(one for one in store.labels.find() if one.image.path.endswith("a.png"))
    capture = first.image.capture
    assert (capture.part, capture.order, capture.machine, capture.camera, capture.part_type) == (
        "7781-B", "55120", "M4", "3", "shaft",
    )  # fmt: skip
    assert capture.taken_at is not None
    assert capture.taken_at.isoformat() == "2026-11-03T13:02:11.250000+00:00"
    assert first.label.by == "import:delivery/Mia"
    assert first.label.regions[0].severity is Severity.MAJOR


def test_two_annotators_who_agree_are_agreed(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "crack", "annotator": who} for who in ("Mia", "Noor")])
    bring_in()
    before = everything(store)
    bring_in()
    assert everything(store) == before
    assert labels(store)["a.png"].status is LabelStatus.AGREED


def test_rows_of_one_picture_are_one_record(source: Path, bring_in: Import, store: Store):
    rows = [
        {"file": "a.png", "label": name, "boxes": f'[[{n},2,{n + 5},9,"{name}"]]'}
        for n, name in enumerate(["crack", "burr"])
    ]
    table(source, rows)
    report = bring_in()
    assert (report.read, report.new) == (1, 1)
    assert len(labels(store)["a.png"].regions) == 2


def test_exif_orientation_is_honoured_once(source: Path, bring_in: Import, store: Store):
    exif = Pil.Exif()
    exif[0x0112] = 6
    Pil.fromarray(np.zeros((48, 64, 3), np.uint8)).save(source / "a.jpg", exif=exif)
    table(
        source,
        [{"file": "a.jpg", "label": "crack", "width": 48, "height": 64, "boxes": '[[1,2,40,60,"crack"]]'}],
        draw=False,
    )
    assert bring_in().new == 1
    image = store.images.find(site="Lyon")[0]
    assert (image.width, image.height) == (48, 64)


def test_a_mask_gives_boxes_their_shape_and_makes_regions_where_there_are_none(
    source: Path, bring_in: Import, store: Store
):
    mask = np.zeros((48, 64), np.uint8)
    mask[5:10, 5:15] = mask[30:40, 20:30] = 255
    (source / "m").mkdir()
    Pil.fromarray(mask).save(source / "m" / "a.png")
    table(
        source,
        [
            {"file": "a.png", "label": "crack", "boxes": '[[4,4,16,12,"crack"]]', "mask": "m/a.png"},
            {"file": "b.png", "label": "crack", "boxes": "", "mask": "m/a.png"},
        ],
    )
    bring_in()
    found = labels(store)
    (region,) = found["a.png"].regions
    assert (region.x, region.y, region.width, region.height) == (4, 4, 12, 8)
    assert int(mask_of(region.mask).sum()) == 50
    assert [(r.x, r.y, r.width, r.height) for r in found["b.png"].regions] == [(5, 5, 10, 5), (20, 30, 10, 10)]


def test_a_mask_of_another_size_is_a_bad_record(source: Path, bring_in: Import):
    Pil.fromarray(np.full((10, 10), 255, np.uint8)).save(source / "m.png")
    table(source, [{"file": "a.png", "label": "crack", "mask": "m.png"}])
    assert bring_in().quarantined == {"bad record": 1}


@pytest.mark.parametrize(("empty", "good"), [(None, 0), ("good", 2)])
def test_a_picture_that_merely_has_no_box_is_unlabelled_unless_it_is_said_to_be_good(
    source: Path, bring_in: Import, store: Store, empty: Any, good: int
):
    for n in range(3):
        picture(source / "images" / f"{n}.jpg", n)
    (source / "labels").mkdir()
    (source / "labels" / "0.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    (source / "labels" / "1.txt").write_text("")
    (source / "data.yaml").write_text("names: [crack]\n")
    report = bring_in(empty=empty)
    assert (report.format, report.new) == ("yolo", 3)
    assert sum(not label.defective for label in labels(store).values()) == good
    assert report.unlabelled == 2 - good


def test_severstal_keeps_its_own_class_ids_and_counts_down_the_columns(source: Path, bring_in: Import, store: Store):
    for n in range(3):
        picture(source / "train_images" / f"{n}.jpg", n, (160, 32))
    (source / "train.csv").write_text(
        "ImageId,ClassId,EncodedPixels\n0.jpg,3,33 4 65 4\n0.jpg,1,1 2 1000 5\n1.jpg,4,\n"
    )
    report = bring_in(taxonomy="own")
    assert report.format == "severstal"
    assert report.labels == {"1": 1, "3": 1, "NO_DEFECT": 1}
    assert report.unlabelled == 1  # in no row: nobody says that it is good
    found = labels(store)
    by_class = {(r.class_id, r.x, r.y, r.width, r.height) for r in found["0.jpg"].regions}
    assert by_class == {("3", 1, 0, 2, 4), ("1", 0, 0, 1, 2), ("1", 31, 7, 1, 5)}
    assert store.sites.get("Lyon").taxonomy.ids == ("1", "3")


def test_severstals_older_table_names_picture_and_class_in_one_cell(source: Path, bring_in: Import):
    picture(source / "0.jpg", 0, (160, 32))
    (source / "train.csv").write_text("ImageId_ClassId,EncodedPixels\n0.jpg_1,\n0.jpg_2,1 5\n0.jpg_3,\n0.jpg_4,\n")
    assert bring_in(taxonomy="own").labels == {"2": 1}


@pytest.mark.parametrize("runs", ["1", "0 5", "1 0", "1 99999999", "5 5 6 2", "a b", "1 2 3"])
def test_runs_that_leave_the_picture_are_bad_records(source: Path, bring_in: Import, runs: str):
    picture(source / "0.jpg", 0, (160, 32))
    (source / "train.csv").write_text(f"ImageId,ClassId,EncodedPixels\n0.jpg,3,{runs}\n")
    assert bring_in().quarantined == {"bad record": 1}


def test_a_folder_per_class(source: Path, bring_in: Import, store: Store):
    for n, name in enumerate(["good", "good", "Hairline Crack", "rust", "bad"]):
        picture(source / name / f"{n}.png", n)
    report = bring_in()
    assert report.format == "folder"
    assert report.labels == {"NO_DEFECT": 2, "CRACK": 1, "DEFECTIVE": 1}
    assert report.unmapped == {"rust": 1}


def test_mvtec_folders(source: Path, bring_in: Import, store: Store):
    for n, path in enumerate(["train/good/000", "test/good/000", "test/crack/000", "test/crack/001"]):
        picture(source / "bottle" / f"{path}.png", n)
    mask = np.zeros((48, 64), np.uint8)
    mask[5:10, 5:15] = 255
    for n in range(2):
        path = source / "bottle" / "ground_truth" / "crack" / f"00{n}_mask.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Pil.fromarray(mask).save(path)
    report = bring_in()
    assert (report.format, report.new) == ("masks", 4)
    assert report.labels == {"CRACK": 2, "NO_DEFECT": 2}
    cracked = [one for one in store.labels.find() if one.label.defective]
    assert [(r.x, r.y, r.width, r.height) for r in cracked[0].label.regions] == [(5, 5, 10, 5)]
    assert cracked[0].image.capture.part_type == "bottle"
    assert {one.label.source["split"] for one in store.labels.find()} == {"train", "test"}


def test_pascal_voc_and_its_hostile_cousins(source: Path, bring_in: Import, store: Store):
    def annotation(name: str, body: str) -> None:
        (source / "Annotations").mkdir(exist_ok=True)
        (source / "Annotations" / f"{name}.xml").write_text(body)

    for n, name in enumerate(["fine", "bomb", "word", "bare"]):
        picture(source / "JPEGImages" / f"{name}.jpg", n)
    corners = "<xmin>{}</xmin><ymin>2</ymin><xmax>11</xmax><ymax>22</ymax>"
    box = f"<object><name>crack</name><bndbox>{corners}</bndbox></object>"
    start = "<annotation><filename>{}.jpg</filename><size><width>64</width><height>48</height></size>"
    annotation("fine", start.format("fine") + box.format(1) + "</annotation>")
    annotation("word", start.format("word") + box.format("one") + "</annotation>")
    entity = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    annotation("bomb", entity + start.format("bomb") + box.format("&x;") + "</annotation>")
    report = bring_in()
    assert report.format == "voc"
    assert report.quarantined == {"bad record": 2}
    assert [(r.x, r.y, r.width, r.height) for r in labels(store)["fine.jpg"].regions] == [(1, 2, 10, 20)]


def test_coco_with_boxes_outlines_and_both_kinds_of_run_lengths(source: Path, bring_in: Import, store: Store):
    from pycocotools import mask as oracle

    pixels = np.zeros((48, 64), np.uint8, order="F")
    pixels[5:10, 5:15] = pixels[20:40, 30:31] = 1
    packed = oracle.encode(pixels)
    runs = [int(n) for n in np.diff(np.flatnonzero(np.diff(np.r_[0, pixels.ravel(order="F"), 0])), prepend=0)]
    runs.append(48 * 64 - sum(runs))
    annotations = [
        {"id": 1, "image_id": 9, "category_id": 3, "bbox": [1, 2, 10, 20]},
        {"id": 2, "image_id": 9, "category_id": 3, "segmentation": [[1, 1, 9, 1, 9, 9]]},
        {"id": 3, "image_id": 9, "category_id": 5, "iscrowd": 1,
         "segmentation": {"size": [48, 64], "counts": packed["counts"].decode()}},
        {"id": 4, "image_id": 9, "category_id": 5, "segmentation": {"size": [48, 64], "counts": runs}},
        {"id": 5, "image_id": 10, "category_id": 99, "bbox": [1, 2, 10, 20]},
        {"id": 6, "image_id": 777, "category_id": 3, "bbox": [1, 2, 10, 20]},
    ]  # fmt: skip
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in (9, 10, 11)],
        "annotations": annotations,
        "categories": [{"id": 3, "name": "scratch"}, {"id": 5, "name": "dent"}],
    }
    for n in (9, 10, 11):
        picture(source / "images" / f"{n}.jpg", n)
    (source / "annotations").mkdir()
    (source / "annotations" / "instances_train.json").write_text(json.dumps(document))
    report = bring_in(taxonomy="own")
    assert report.format == "coco"
    assert report.quarantined == {"bad record": 2}
    assert (report.labels, report.unlabelled) == ({"dent": 1, "scratch": 1}, 1)
    regions = labels(store)["9.jpg"].regions
    masks = [mask_of(region.mask) for region in regions if region.class_id == "dent"]
    assert all((mask == pixels.astype(bool)).all() for mask in masks)
    assert len(masks) == 2
    assert Counter(one.label.source["split"] for one in store.labels.find()) == {"train": 1}


def test_an_index_wins_over_every_other_format(source: Path, bring_in: Import):
    table(source, [{"file": "images/a.png", "label": "crack"}])
    (source / "data.yaml").write_text("names: [burr]\n")
    (source / "images" / "a.txt").write_text("0 .5 .5 .1 .1\n")
    assert bring_in().format == "csv"


def test_a_folder_without_labels_is_refused_in_words(source: Path, bring_in: Import):
    picture(source / "a.png")
    with pytest.raises(BadInput, match="No labels were recognised"):
        bring_in()
    with pytest.raises(BadInput, match="cannot be imported"):
        bring_in(format="parquet")
    with pytest.raises(BadInput, match="does not exist"):
        bring_in(source=source / "nowhere")


def test_a_site_is_made_with_the_taxonomy_that_is_asked_for(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "torn cover"}])
    assert bring_in(site="A").unmapped == {"torn cover": 1}
    assert bring_in(site="B", taxonomy="fulfilment").labels == {"TORN_COVER": 1}
    assert bring_in(site="C", taxonomy="own").labels == {"torn cover": 1}
    with pytest.raises(BadInput, match="own, fulfilment, machined"):
        bring_in(site="D", taxonomy="food")
    assert {site.name for site in store.sites.all()} == {"A", "B", "C"}


def test_own_classes_are_added_to_a_site_that_has_some(source: Path, bring_in: Import, store: Store):
    store.sites.add("Lyon", shipped("machined"))
    table(source, [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "rust"}])
    assert bring_in(taxonomy="own").labels == {"CRACK": 1, "rust": 1}
    assert store.sites.get("Lyon").taxonomy.ids == (*shipped("machined").ids, "rust")


def test_an_unmapped_name_is_mapped_later_and_its_labels_follow(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "Riss", "boxes": '[[1,2,3,4,"Riss"]]'}])
    bring_in()
    (unmapped,) = store.taxonomies.unmapped("Lyon")
    assert (unmapped.name, unmapped.count) == ("Riss", 1)
    store.taxonomies.map_name("Lyon", "Riss", "CRACK")
    label = labels(store)["a.png"]
    assert (label.classes, label.regions[0].class_id, label.regions[0].name) == (("CRACK",), "CRACK", "Riss")


def test_pictures_that_name_no_part_type_get_the_imports(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "good", "part_type": "cap"}, {"file": "b.png", "label": "good"}])
    bring_in(part_type="tile")
    kinds = {Path(i.path).name: i.capture.part_type for i in store.images.find(site="Lyon")}
    assert kinds == {"a.png": "cap", "b.png": "tile"}


def test_labels_that_describe_print_do_not_make_a_picture_defective(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": '{"date": "2026-01-01"}', "boxes": '[[1,2,3,4,"TOTAL 9.00"]]'}])
    report = bring_in(taxonomy="own", empty="good")
    assert (report.new, report.labels, report.unmatched, report.unlabelled) == (1, {}, 0, 1)


def test_an_imports_taxonomy_file_is_read(source: Path, bring_in: Import, tmp_path: Path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(Taxonomy("mine", "3", ()).to_json() | {"classes": [{"id": "X", "aliases": ["Riss"]}]}))
    table(source, [{"file": "a.png", "label": "riss"}])
    assert bring_in(taxonomy=os.fspath(path)).labels == {"X": 1}


SETS: dict[str, tuple[int, dict[str, int]]] = {
    "measure_only/magnetic_tile": (225, {"NO_DEFECT": 112, "uneven": 31, "blowhole": 26, "break": 26, "crack": 18,
                                         "fray": 12}),
    "measure_only/deeppcb": (212, {"NO_DEFECT": 62, "copper": 130, "pin-hole": 128, "mousebite": 126, "open": 126,
                                   "spur": 120, "short": 110}),
    "measure_only/neu_det": (360, {"inclusion": 82, "patches": 66, "crazing": 60, "pitted_surface": 60,
                                   "rolled-in_scale": 60, "scratches": 60}),
    "measure_only/elpv": (143, {"NO_DEFECT": 88, "DEFECTIVE": 55}),
    "measure_only/crackforest": (28, {"crack": 28}),
    "measure_only/sroie": (21, {}),
    "measure_only/expdate": (12, {}),
    "open/bsdata": (90, {"NO_DEFECT": 36, "pitting": 54}),
    "open/ocr_scene": (10, {"text boxes": 5, "ignore": 4, "text": 3, "03/09/2009": 1, "ATTACK": 1, "GRAND": 1,
                            "HOTEL": 1, "Virgin": 1}),
}  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("name", SETS)
def test_every_real_set_comes_in_whole(bring_in: Import, store: Store, name: str):
    if not (REAL / name).is_dir():
        pytest.skip("the pictures in ../shared/data are absent")
    count, classes = SETS[name]
    report = bring_in(source=REAL / name, taxonomy="own")
    assert (report.format, report.read, report.new, report.quarantined) == ("csv", count, count, {})
    assert report.labels == classes
    assert report.unmatched == 0
    again = bring_in(source=REAL / name, taxonomy="own")
    assert (again.new, again.known) == (0, count)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "format_", "classes"),
    [
        ("neu_det", "voc", SETS["measure_only/neu_det"][1]),
        ("magnetic_tile", "masks", SETS["measure_only/magnetic_tile"][1]),
        ("crackforest", "masks", {"DEFECTIVE": 28}),
    ],
)
def test_real_sets_in_their_own_formats_say_the_same(
    bring_in: Import, name: str, format_: str, classes: dict[str, int]
):
    if not (REAL / "measure_only" / name).is_dir():
        pytest.skip("the pictures in ../shared/data are absent")
    report = bring_in(source=REAL / "measure_only" / name, taxonomy="own", format=format_)
    assert (report.quarantined, report.labels) == ({}, classes)
