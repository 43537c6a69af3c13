"""One tool doing one thing with labels, in a process of its own; started by bench_formats.

It is run by path, under Holdpoint's interpreter or that of the peers, so nothing of Holdpoint is imported at its top.
Usage: formats_tools.py TOOL TASK FOLDER IMAGES; prints {"seconds", "peak_mb", "boxes"}.
"""

import json
import random
import resource
import sys
import time
from pathlib import Path

PER_IMAGE = 10
WIDTH, HEIGHT = 64, 48
CLASSES = ["CRACK", "BURR", "PIT", "SCRATCH", "CHIP", "STAIN", "DENT", "BUBBLE"]


def boxes(images):
    """(number, [(x, y, width, height, class number)]) of each picture; the same for every tool."""
    rng = random.Random(1)
    for number in range(images):
        yield number, [
            (round(rng.uniform(0, 40), 2), round(rng.uniform(0, 30), 2), round(rng.uniform(3, 20), 2),
             round(rng.uniform(3, 16), 2), rng.randrange(len(CLASSES)))
            for _ in range(PER_IMAGE)
        ]  # fmt: skip


def name(number):
    return f"p{number:06}.png"


# --- Holdpoint ------------------------------------------------------------------------------------------------------


def holdpoint_records(images):
    from datetime import UTC, datetime

    from core.plant import LabelledImage
    from core.records import Capture, Image, ImageState, Label, LabelStatus, Region, Verdict

    at = datetime(2026, 3, 1, tzinfo=UTC)
    found = []
    for number, own in boxes(images):
        capture = Capture(name(number), f"part {number}", order="55120", camera="cam 1", taken_at=at)
        image = Image(number, "Lyon", number, capture, f"/plant/{name(number)}", f"{number:064x}", WIDTH, HEIGHT,
                      ImageState.OK, "", None, at)  # fmt: skip
        regions = tuple(Region(x, y, w, h, CLASSES[kind], CLASSES[kind]) for x, y, w, h, kind in own)
        label = Label(number, True, Verdict.FAIL, (CLASSES[own[0][4]],), (), regions, LabelStatus.SINGLE, "Ines", at,
                      number, "net-1", 1, False)  # fmt: skip
        found.append(LabelledImage(image, label))
    return found


def holdpoint_export(task, folder, images):
    from data.formats.files import Folder
    from data.formats.provenance import Entry, facts
    from data.formats.registry import FORMATS

    found = holdpoint_records(images)
    started = time.monotonic()
    entries = [
        Entry(f"images/{name(number)}", one.image, one.label, facts(one.image, one.label, one.image.sha256))
        for number, one in enumerate(found)
    ]
    with Folder(folder / "out") as made:
        for file, pieces in FORMATS[task].write(entries, [(one, None) for one in CLASSES]):
            made.write(file, pieces)
    return time.monotonic() - started, images * PER_IMAGE


def holdpoint_import(folder):
    from data.formats.registry import read

    started = time.monotonic()
    count = sum(len(record.regions) for record in read(folder, "coco"))
    return time.monotonic() - started, count


# --- datumaro -------------------------------------------------------------------------------------------------------


def datumaro_export(task, folder, images):
    from datumaro.components.annotation import AnnotationType, Bbox, LabelCategories
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    items = [
        DatasetItem(
            id=Path(name(number)).stem,
            subset="train",
            media=Image.from_file(path=str(folder / "images" / name(number)), size=(HEIGHT, WIDTH)),
            annotations=[Bbox(x, y, w, h, label=kind) for x, y, w, h, kind in own],
        )
        for number, own in boxes(images)
    ]
    made = Dataset.from_iterable(items, categories={AnnotationType.label: LabelCategories.from_iterable(CLASSES)})
    started = time.monotonic()
    made.export(str(folder / "out"), "coco_instances" if task == "coco" else "yolo", save_media=False)
    return time.monotonic() - started, images * PER_IMAGE


def datumaro_import(folder):
    from datumaro.components.dataset import Dataset

    started = time.monotonic()
    found = Dataset.import_from(str(folder), "coco_instances")
    count = sum(len(item.annotations) for item in found)
    return time.monotonic() - started, count


# --- supervision ----------------------------------------------------------------------------------------------------


def supervision_set(folder, images):
    import numpy as np
    import supervision as sv

    annotations = {}
    for number, own in boxes(images):
        corners = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in own], np.float32)
        kinds = np.array([kind for *_, kind in own])
        annotations[str(folder / "images" / name(number))] = sv.Detections(xyxy=corners, class_id=kinds)
    return sv.DetectionDataset(CLASSES, list(annotations), annotations)


def supervision_export(task, folder, images):
    made = supervision_set(folder, images)
    (folder / "out").mkdir()
    started = time.monotonic()
    if task == "coco":
        made.as_coco(annotations_path=str(folder / "out" / "annotations.json"))
    else:
        made.as_yolo(annotations_directory_path=str(folder / "out" / "labels"))
    return time.monotonic() - started, images * PER_IMAGE


def supervision_import(folder):
    import supervision as sv

    started = time.monotonic()
    found = sv.DetectionDataset.from_coco(str(folder / "images"), str(folder / "annotations" / "instances_train.json"))
    count = sum(len(own) for own in found.annotations.values())
    return time.monotonic() - started, count


def coco_file(folder, images):
    """A COCO file as other tools write it, on one line and without anything of our own."""
    listed = [{"id": n + 1, "file_name": name(n), "width": WIDTH, "height": HEIGHT} for n in range(images)]
    annotations = []
    for number, own in boxes(images):
        for x, y, w, h, kind in own:
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number + 1, "category_id": kind + 1, "bbox": [x, y, w, h],
                 "area": round(w * h, 2), "segmentation": [], "iscrowd": 0}
            )  # fmt: skip
    categories = [{"id": n + 1, "name": one, "supercategory": ""} for n, one in enumerate(CLASSES)]
    (folder / "annotations").mkdir()
    with (folder / "annotations" / "instances_train.json").open("w") as file:
        json.dump({"images": listed, "annotations": annotations, "categories": categories}, file)


def main():
    tool, task, folder, images = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    if task == "file":
        coco_file(folder, images)
        return
    own = globals()
    if task == "import":
        seconds, count = own[f"{tool}_import"](folder)
    else:
        seconds, count = own[f"{tool}_export"](task, folder, images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"seconds": round(seconds, 2), "peak_mb": round(peak), "boxes": count}))


if __name__ == "__main__":
    main()
