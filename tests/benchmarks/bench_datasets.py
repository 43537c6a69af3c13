"""Building a dataset of 250,000 images' metadata with its certificate: everything but opening pictures.

Signatures and the embeddings of the model in use are there, as after `holdpoint select`; a thousand look-alikes are
planted in each, half of the embeddings' own.
"""

import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.science.datasets import build_dataset, manifest_path
from app.jobs.science.datasets.looking import cache_of
from app.settings import Settings
from core.pictures.signature import LENGTH
from core.roles import Actor
from data.embeddings import Embedded, Embeddings
from data.store import Store, open_store
from tests.benchmarks.desk_plant import _copy
from tests.data.store.plant import site

IMAGES = int(os.environ.get("HOLDPOINT_BENCH_IMAGES", "250000"))
SITE = "Lyon"
CAMERAS, PER_ORDER, COPIES = 8, 400, 1000
WIDTH = int(os.environ.get("HOLDPOINT_BENCH_WIDTH", "1280"))  # numbers in an embedding: efficientnet_b0's; 0 for none
KINDS, DIRECTIONS = 12, 160  # what features vary in: parts of some kinds, and many directions of falling strength
TWICE = os.environ.get("HOLDPOINT_BENCH_ONCE", "") == ""
AIM_S = 60.0


def fill(store: Store, images: int) -> None:
    """Parts of two pictures, one in five defective with two boxes; every tenth part answered by two people."""
    site(store, SITE)
    at = "strftime('%Y-%m-%d %H:%M:%f000', '2026-03-01 08:00:00', '+' || (i / 2) || ' minutes')"
    bad = "(i / 2) % 5 = 0"
    class_id = "CASE WHEN (i / 10) % 3 = 0 THEN 'CRACK' ELSE 'BURR' END"
    site_id = "(SELECT id FROM sites)"
    with store.database.transaction() as connection:
        _copy(connection, "cameras", 1, CAMERAS, site_id=site_id, name="'cam ' || i")
        _copy(connection, "orders", 1, images // PER_ORDER + 1, site_id=site_id, name="'order ' || i")
        _copy(connection, "parts", 1, images // 2 + 1, site_id=site_id, name="'part-' || i", state="'decided'",
              first_at="'2026-03-01 08:00:00.000000'", last_at="'2026-03-01 08:00:00.000000'")  # fmt: skip
        _copy(connection, "images", 1, images, site_id=site_id, part_id="1 + i / 2", source="'inbox/' || i || '.png'",
              path="'/plant/inbox/' || i || '.png'", sha256="printf('%064x', i)", width="640", height="480",
              state="'ok'", state_note="''", camera_id=f"1 + (i / 2) % {CAMERAS}", order_id=f"1 + i / {PER_ORDER}",
              taken_at=at, arrived_at=at,
              quality="""json_object('sharpness', 50 + i % 40, 'brightness', 0.5 + (i % 17) * 0.01, 'contrast', 0.2,
              'dark', 0.01, 'bright', 0.0,
              'flags', json(CASE WHEN i % 50 = 0 THEN '["blurry"]' ELSE '[]' END))""")  # fmt: skip
        for first, by in ((1, "'Ines'"), (10_000_001, "'Tomas'")):
            own = f"(i - {first - 1})"
            count = images // 2 if first == 1 else images // 20
            part = own if first == 1 else f"(10 * {own})"
            said = bad.replace("(i / 2)", f"({part} - 1)")
            _copy(connection, "reviews", first, count, site_id=site_id, part_id=part, task_kind="'triage'",
                  verdict=f"CASE WHEN {said} THEN 'FAIL' ELSE 'PASS' END", by=by,
                  images=f"CASE WHEN {said} THEN json_array(2 * {part} - 2, 2 * {part} - 1) ELSE '[]' END",
                  classes="'[]'", note="''", reasons="'[]'", source="'{}'", taxonomy="1", sure="3 + i % 3",
                  reviewed_at="'2026-05-01 08:00:00.000000'")  # fmt: skip
        connection.exec_driver_sql(
            "INSERT INTO regions (image_id, review_id, x, y, width, height, name, class_id, key) "
            f"SELECT i.id, r.id, 10 + i.id % 500, 20 + i.id % 300, 12 + i.id % 90, 9 + i.id % 50, c.name, c.name, '' "
            "FROM images i JOIN reviews r ON r.part_id = i.part_id "
            f"JOIN (SELECT i.id AS id, {class_id.replace('(i / 10)', '(i.id / 10)')} AS name FROM images i) c "
            "ON c.id = i.id WHERE r.verdict = 'FAIL'"
        )
        connection.exec_driver_sql(
            "INSERT INTO labels (image_id, site_id, defective, verdict, status, by, labelled_at, review_id, changed) "
            "SELECT i.id, i.site_id, r.verdict = 'FAIL', r.verdict, 'single', r.by, r.reviewed_at, r.id, 0 "
            "FROM images i JOIN reviews r ON r.part_id = i.part_id WHERE r.by = 'Ines'"
        )


def signatures(settings: Settings, images: int) -> None:
    """One for each picture, as if they had been looked at: a scene, light, and what is each picture's own."""
    rng = np.random.default_rng(1)
    scene = rng.normal(128, 30, LENGTH)
    own = rng.normal(0, 6, (images, LENGTH)).astype(np.float32)
    copies = rng.choice(images // 32 * 16 - 16, COPIES, replace=False)
    own[copies + images // 32 * 16] = own[copies]  # look-alikes of other parts and times, before the same camera
    made = (scene + own + rng.normal(0, 1.5, (images, LENGTH))).clip(0, 255).astype(np.uint8)
    cache_of(settings).add({f"{n + 1:064x}": made[n] for n in range(images)})


def embeddings(store: Store, settings: Settings, images: int) -> int:
    """One for each picture, as of the model in use; says how many look-alikes only they show."""
    rng = np.random.default_rng(2)
    spread = (3.0 / (1 + np.arange(DIRECTIONS)) ** 0.7).astype(np.float32)
    seen = rng.normal(0, 1, (DIRECTIONS, WIDTH)).astype(np.float32) / np.sqrt(DIRECTIONS, dtype=np.float32)
    kinds = rng.normal(0, 2, (KINDS, DIRECTIONS)).astype(np.float32)
    store.models.add({"name": "seer"}, "/models/seer", "b" * 64)
    store.sites.set_model(SITE, "seer")
    kept = Embeddings(settings.home / "embeddings", "b" * 64)
    shares = np.array([0.5, 0.5])
    first = images // 2 // 16 * 16  # a copy lies as many on: same camera, another part and time
    with kept.writing():
        again: dict[int, Any] = {}
        for start in range(0, images, 8192):
            count = min(8192, images - start)
            own = rng.normal(0, 1, (count, DIRECTIONS)).astype(np.float32) + kinds[rng.integers(0, KINDS, count)]
            made = (own * spread) @ seen + 3
            made += rng.normal(0, 0.02, made.shape).astype(np.float32)
            for row in range(count):
                at = start + row
                if at < COPIES // 2:
                    again[at + first] = made[row] + rng.normal(0, 0.02, WIDTH).astype(np.float32)
                elif at in again:
                    made[row] = again.pop(at)
            kept.add([Embedded(start + row + 1, f"{start + row + 1:064x}", made[row], shares) for row in range(count)])
    return COPIES // 2


def main() -> dict[str, Any]:
    """Build twice: the second time shows that the bytes are the same."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        store = open_store(settings.database_url, Actor("bench", system=True))
        fill(store, IMAGES)
        signatures(settings, IMAGES)
        only_seen = embeddings(store, settings, IMAGES) if WIDTH else 0
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        stages: list[tuple[str, float]] = []

        def say(_done: int, _total: int, message: str) -> None:
            if not stages or stages[-1][0] != message:
                stages.append((message, time.monotonic()))

        started, processor = time.monotonic(), time.process_time()
        made = build_dataset(store, settings, "large", {"site": SITE}, "train=.7,val=.15,test=.15", progress=say)
        seconds, processor = time.monotonic() - started, time.process_time() - processor
        first = manifest_path(settings, "large").read_bytes()
        same = None
        if TWICE:
            build_dataset(store, settings, "large", {"site": SITE}, "train=.7,val=.15,test=.15")
            same = manifest_path(settings, "large").read_bytes() == first
        store.close()
    ends = [at for _, at in stages[1:]] + [started + seconds]
    return {
        "images": len(made["items"]),
        "build_seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "aim_seconds": AIM_S,
        "stages": {what: round(end - at, 1) for (what, at), end in zip(stages, ends, strict=True)},
        "look_alikes_found": made["certificate"]["near_duplicates"],
        "look_alikes_planted": COPIES + only_seen,
        "numbers_in_an_embedding": WIDTH,
        "peak_mb_before": round(before / 1e3),
        "certificate": {check["name"]: check["result"] for check in made["certificate"]["checks"]},
        "same_bytes_again": same,
        "manifest_mb": round(len(first) / 1e6, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
