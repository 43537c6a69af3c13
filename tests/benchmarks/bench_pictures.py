"""Reading pictures beside its peers: one decode, previews by a reduced read, what the child processes cost."""

import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from core.pictures.decode import decode
from core.pictures.preview import preview
from core.pictures.quality import measure
from core.pictures.sandbox import DecodePool, Read

ROUNDS = 9
SMALL_PICTURES = 1_000


def photograph(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Smooth shapes with a sensor's noise, so that the JPEG is as large as a camera's."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (max(2, height // 60), max(2, width // 60), 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def jpeg(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


def alternate(candidates: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each, run in turn so that a busy moment meets all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()  # warm
    for _ in range(rounds):
        for name, run in candidates.items():
            begun = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begun)
    return {name: round(statistics.median(taken) * 1e3, 2) for name, taken in seconds.items()}


def pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def pillow_thumbnail(data: bytes, side: int) -> bytes:
    """The usual way: open, thumbnail, save; through a full read."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((side, side))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def opencv(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def drain(pool: DecodePool, paths: list[Path]) -> int:
    return sum(isinstance(read, Read) for read in pool.decode(paths))


def main() -> dict[str, Any]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _measure()
    finally:
        cv2.setNumThreads(threads)


def _measure() -> dict[str, Any]:
    large_picture, strip_picture = photograph(4000, 3000), photograph(1600, 256)
    large, strip, small = jpeg(large_picture), jpeg(strip_picture), jpeg(photograph(224, 224))
    full = alternate(
        {
            "pillow": lambda: pillow(large),
            "opencv": lambda: opencv(large),
            "holdpoint": lambda: decode(large),
            "preview 320": lambda: preview(large, 320),
            "preview 1024": lambda: preview(large, 1024),
            "pillow thumbnail 320": lambda: pillow_thumbnail(large, 320),
            "quality": lambda: measure(large_picture),
        }
    )
    strips = alternate(
        {
            "pillow": lambda: pillow(strip),
            "opencv": lambda: opencv(strip),
            "holdpoint": lambda: decode(strip),
            "quality": lambda: measure(strip_picture),
        },
        rounds=40,
    )
    with tempfile.TemporaryDirectory() as name, DecodePool(workers=1) as one, DecodePool(workers=2) as two:
        folder = Path(name)
        larges, strip_paths, smalls = [folder / "large.jpg"] * 8, [folder / "strip.jpg"] * 100, []
        (folder / "large.jpg").write_bytes(large)
        (folder / "strip.jpg").write_bytes(strip)
        for number in range(SMALL_PICTURES):
            smalls.append(folder / f"{number}.jpg")
            smalls[-1].write_bytes(small)
        pools = alternate(
            {
                "12 MP x 8, opencv in this process": lambda: [opencv(path.read_bytes()) for path in larges],
                "12 MP x 8, one child": lambda: drain(one, larges),
                "12 MP x 8, two children": lambda: drain(two, larges),
                "strip x 100, opencv in this process": lambda: [opencv(path.read_bytes()) for path in strip_paths],
                "strip x 100, two children": lambda: drain(two, strip_paths),
                "small x 1000, opencv in this process": lambda: [opencv(path.read_bytes()) for path in smalls],
                "small x 1000, one child": lambda: drain(one, smalls),
                "small x 1000, two children": lambda: drain(two, smalls),
            },
            rounds=5,
        )
    overhead = (pools["small x 1000, one child"] - pools["small x 1000, opencv in this process"]) / SMALL_PICTURES
    return {
        "12 MP JPEG, ms": full,
        "256x1600 JPEG, ms": strips,
        "pools, ms": pools,
        "ratios": {
            "decode against bare opencv": round(full["holdpoint"] / full["opencv"], 2),
            "decode against pillow": round(full["pillow"] / full["holdpoint"], 2),
            "preview 320 against pillow's full read": round(full["pillow"] / full["preview 320"], 2),
            "preview 1024 against pillow's full read": round(full["pillow"] / full["preview 1024"], 2),
            "preview 320 against pillow's thumbnail": round(full["pillow thumbnail 320"] / full["preview 320"], 2),
            "12 MP in one child against bare opencv": round(
                pools["12 MP x 8, one child"] / pools["12 MP x 8, opencv in this process"], 2
            ),
        },
        "child's overhead per small picture, ms": round(overhead, 3),
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
