import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from core.pictures.masks import mask_of
from data.store import Store
from tests.app.jobs.delivery import Import, labels, picture, table


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
