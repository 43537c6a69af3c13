"""One tool doing one thing with labels, in a process of its own; started by bench_formats.

It is run by path, under Holdpoint's interpreter or that of the peers, so nothing of Holdpoint is imported at its top.
Usage: formats_tools.py TOOL TASK FOLDER IMAGES; prints {"seconds", "processor_s", "peak_mb", "boxes"}.
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


class Times:
    """Time on the wall and of the processor since it was made; beside other work only the latter means anything."""

    def __init__(self):
        self.began = self.read()

    @staticmethod
    def read():
        import numpy as np

        return np.array([time.monotonic(), time.process_time()])

    def now(self):
        return self.read() - self.began


def boxes(folder, images):
    """(number, [(x, y, width, height, class number)]) of each picture; the same for every tool."""
    import numpy as np

    drawn = np.load(folder / "boxes.npy")
    for number in range(images):
        own = drawn[number * PER_IMAGE : (number + 1) * PER_IMAGE].tolist()
        yield number, [(x, y, w, h, int(kind)) for x, y, w, h, kind in own]


def draw_boxes(folder, images):
    import numpy as np

    rng = random.Random(1)
    drawn = [
        (round(rng.uniform(0, 40), 2), round(rng.uniform(0, 30), 2), round(rng.uniform(3, 20), 2),
         round(rng.uniform(3, 16), 2), rng.randrange(len(CLASSES)))
        for _ in range(images * PER_IMAGE)
    ]  # fmt: skip
    np.save(folder / "boxes.npy", np.array(drawn))


def name(number):
    return f"p{number:06}.png"


# --- Holdpoint ------------------------------------------------------------------------------------------------------


class HoldpointStore:
    """What a store holds, in columns; it hands out pages of records as a store does, and notes the time that takes.

    The peers are given their own records before their time begins, so reading is not counted here either; the whole
    command with a real store is measured besides.
    """

    def __init__(self, folder, images):
        import numpy as np

        self.images, self.spent = images, np.zeros(2)
        drawn = np.load(folder / "boxes.npy")
        self.xywh, self.kinds = drawn[:, :4], drawn[:, 4].astype(np.int8)

    def pages(self, most=500):
        for start in range(0, self.images, most):
            started = Times()
            page = [self.record(number) for number in range(start, min(start + most, self.images))]
            self.spent = self.spent + started.now()
            yield page

    def record(self, number):
        from datetime import UTC, datetime

        from core.plant import LabelledImage
        from core.records import Capture, Image, ImageState, Label, LabelStatus, Region, Verdict

        at = datetime(2026, 3, 1, 8, number // 60 % 60, number % 60, tzinfo=UTC)
        own = slice(number * PER_IMAGE, (number + 1) * PER_IMAGE)
        kinds = [CLASSES[kind] for kind in self.kinds[own]]
        regions = tuple(map(Region, *self.xywh[own].T.tolist(), kinds, kinds))
        capture = Capture(name(number), f"part {number}", order="55120", camera="cam 1", taken_at=at)
        image = Image(number, "Lyon", number, capture, f"/plant/{name(number)}", f"{number:064x}", WIDTH, HEIGHT,
                      ImageState.OK, "", None, at)  # fmt: skip
        label = Label(number, True, Verdict.FAIL, tuple(sorted(set(kinds))), (), regions, LabelStatus.SINGLE, "Ines",
                      at, number, "net-1", 1, False)  # fmt: skip
        return LabelledImage(image, label)


def holdpoint_export(task, folder, images):
    from data.formats.files import Folder
    from data.formats.provenance import Entry, facts
    from data.formats.registry import FORMATS

    store = HoldpointStore(folder, images)

    def entries():
        for page in store.pages():
            for one in page:
                file = f"images/{one.image.capture.source}"
                yield Entry(file, one.image, one.label, facts(one.image, one.label, one.image.sha256))

    started = Times()
    with Folder(folder / "out") as made:
        for file, pieces in FORMATS[task].write(entries(), [(one, None) for one in CLASSES]):
            made.write(file, pieces)
    return started.now() - store.spent, images * PER_IMAGE


def holdpoint_fill(folder, images):
    """A real store with as many labelled pictures, each a part that one person answered."""
    from core.roles import Actor
    from data.store import open_store
    from tests.benchmarks.desk_plant import _copy
    from tests.data.store.plant import site

    store = open_store(f"sqlite:///{folder / 'plant' / 'holdpoint.sqlite3'}", Actor("bench", system=True))
    site(store, "Lyon")
    at = "strftime('%Y-%m-%d %H:%M:%f000', '2026-03-01 08:00:00', '+' || i || ' seconds')"
    site_id = "(SELECT id FROM sites)"
    with store.database.transaction() as connection:
        _copy(connection, "cameras", 1, 8, site_id=site_id, name="'cam ' || i")
        _copy(connection, "parts", 1, images, site_id=site_id, name="'part ' || i", state="'decided'", first_at=at,
              last_at=at)  # fmt: skip
        _copy(connection, "images", 1, images, site_id=site_id, part_id="i", source="'inbox/' || i || '.png'",
              path="printf('/plant/p%06d.png', i)", sha256="printf('%064x', i)", width=str(WIDTH), height=str(HEIGHT),
              state="'ok'", state_note="''", camera_id="1 + i % 8", taken_at=at, arrived_at=at)  # fmt: skip
        _copy(connection, "reviews", 1, images, site_id=site_id, part_id="i", task_kind="'triage'", verdict="'FAIL'",
              by="'Ines'", images="json_array(i)", classes="'[]'", note="''", reasons="'[]'", source="'{}'",
              taxonomy="1", sure="4", reviewed_at=at)  # fmt: skip
        rows = (
            (number + 1, number + 1, x, y, w, h, CLASSES[kind % 2], CLASSES[kind % 2])  # those that the site has
            for number, own in boxes(folder, images)
            for x, y, w, h, kind in own
        )
        connection.connection.driver_connection.executemany(
            "INSERT INTO regions (image_id, review_id, x, y, width, height, name, class_id, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')", rows,
        )  # fmt: skip
        connection.exec_driver_sql(
            "INSERT INTO labels (image_id, site_id, defective, verdict, status, by, labelled_at, review_id, changed) "
            "SELECT i.id, i.site_id, 1, 'FAIL', 'single', r.by, r.reviewed_at, r.id, 0 "
            "FROM images i JOIN reviews r ON r.part_id = i.part_id"
        )
    store.close()


def holdpoint_command(task, folder, images):
    """The whole job from that store, pictures left where they lie."""
    from app.jobs.science.exports import export_labels
    from app.settings import Settings
    from core.roles import Actor
    from data.store import open_store

    settings = Settings(home=folder / "plant")
    started = Times()
    store = open_store(settings.database_url, Actor("bench", system=True))
    done = export_labels(store, settings, folder / "out", task, pictures="none")
    store.close()
    assert done.images == images
    return started.now(), done.regions


def holdpoint_import(folder):
    from data.formats.registry import read

    started = Times()
    count = sum(len(record.regions) for record in read(folder, "coco"))
    return started.now(), count


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
        for number, own in boxes(folder, images)
    ]
    made = Dataset.from_iterable(items, categories={AnnotationType.label: LabelCategories.from_iterable(CLASSES)})
    started = Times()
    made.export(str(folder / "out"), "coco_instances" if task == "coco" else "yolo", save_media=False)
    return started.now(), images * PER_IMAGE


def datumaro_import(folder):
    from datumaro.components.dataset import Dataset

    started = Times()
    found = Dataset.import_from(str(folder), "coco_instances")
    count = sum(len(item.annotations) for item in found)
    return started.now(), count


# --- supervision ----------------------------------------------------------------------------------------------------


def supervision_set(folder, images):
    import numpy as np
    import supervision as sv

    annotations = {}
    for number, own in boxes(folder, images):
        corners = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in own], np.float32)
        kinds = np.array([kind for *_, kind in own])
        annotations[str(folder / "images" / name(number))] = sv.Detections(xyxy=corners, class_id=kinds)
    return sv.DetectionDataset(CLASSES, list(annotations), annotations)


def supervision_export(task, folder, images):
    made = supervision_set(folder, images)
    (folder / "out").mkdir()
    started = Times()
    if task == "coco":
        made.as_coco(annotations_path=str(folder / "out" / "annotations.json"))
    else:
        made.as_yolo(annotations_directory_path=str(folder / "out" / "labels"))
    return started.now(), images * PER_IMAGE


def supervision_import(folder):
    import supervision as sv

    started = Times()
    found = sv.DetectionDataset.from_coco(str(folder / "images"), str(folder / "annotations" / "instances_train.json"))
    count = sum(len(own) for own in found.annotations.values())
    return started.now(), count


def coco_file(folder, images):
    """A COCO file as other tools write it, on one line and without anything of our own."""
    listed = [{"id": n + 1, "file_name": name(n), "width": WIDTH, "height": HEIGHT} for n in range(images)]
    annotations = []
    for number, own in boxes(folder, images):
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
        draw_boxes(folder, images)
        coco_file(folder, images)
        return
    if task == "fill":
        (folder / "plant").mkdir()
        holdpoint_fill(folder, images)
        return
    own = globals()
    if task == "import":
        spent, count = own[f"{tool}_import"](folder)
    elif task.startswith("command "):
        spent, count = own[f"{tool}_command"](task.removeprefix("command "), folder, images)
    else:
        spent, count = own[f"{tool}_export"](task, folder, images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    seconds, processor = (round(float(one), 2) for one in spent)
    print(json.dumps({"seconds": seconds, "processor_s": processor, "peak_mb": round(peak), "boxes": count}))


if __name__ == "__main__":
    main()
