"""Label formats beside datumaro and supervision: 100,000 pictures with 1,000,000 boxes, each in a process of its own.

The peers are no part of Holdpoint's environment. HOLDPOINT_BENCH_PEERS names a Python that has them; without it, and
where a peer is missing there, that is said and nothing is compared with. HOLDPOINT_BENCH_FOLDER says where files lie:
in memory (/dev/shm) no tool waits for a disk that others share, and Holdpoint's syncing, which no peer does, is free.

Reading from the store is not counted for "coco" and "yolo", since the peers have their records in memory before their
time begins; "command" is the whole job, from a real store of that size.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

IMAGES = int(os.environ.get("HOLDPOINT_BENCH_IMAGES", "100000"))
TURNS = 3  # of Holdpoint; a peer takes one, being many times slower
TOOLS = Path(__file__).with_name("formats_tools.py")
ROOT = Path(__file__).parents[2]
TASKS = os.environ.get("HOLDPOINT_BENCH_TASKS", "coco,import,yolo,command coco,command yolo").split(",")
AIMS = {("coco", "datumaro"): 5, ("coco", "supervision"): 10, ("import", "datumaro"): 4, ("import", "supervision"): 4,
        ("yolo", "datumaro"): 2}  # fmt: skip
_LINKS = 20_000  # names of one file; a file system has a limit


def run(python: str, tool: str, task: str, folder: Path) -> dict[str, Any]:
    """One tool, one task; an empty place to write to."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if tool == "holdpoint" else ""}
    done = subprocess.run(
        [python, str(TOOLS), tool, task, str(folder), str(IMAGES)], capture_output=True, text=True, env=environment,
        timeout=900, check=False,
    )  # fmt: skip
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{tool} {task}: {found['seconds']} s, {found['peak_mb']} MB", file=sys.stderr, flush=True)
    return found


def pictures(folder: Path) -> None:
    """A small picture under each name: some tools open every one to learn its size."""
    (folder / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    data = cv2.imencode(".png", pixels)[1].tobytes()
    original = folder / "images" / "p000000.png"
    for number in range(IMAGES):
        path = folder / "images" / f"p{number:06}.png"
        if number % _LINKS == 0:
            path.write_bytes(data)
            original = path
        else:
            os.link(original, path)


def make(folder: Path, what: str) -> None:
    """What the tools are to read."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(TOOLS), "any", what, str(folder), str(IMAGES)], check=True, env=environment)


def has(python: str, tool: str) -> bool:
    """Whether that interpreter has the peer."""
    return subprocess.run([python, "-c", f"import {tool}"], capture_output=True, check=False).returncode == 0


def main() -> dict[str, Any]:
    """Every tool at every task; ratios are the peer's time divided by Holdpoint's."""
    peers = os.environ.get("HOLDPOINT_BENCH_PEERS", sys.executable)
    found: dict[str, Any] = {"images": IMAGES, "boxes": IMAGES * 10}
    missing = [tool for tool in ("datumaro", "supervision") if not has(peers, tool)]
    if missing:
        found["not_installed"] = f"{' and '.join(missing)}: compared with nothing; see HOLDPOINT_BENCH_PEERS"
    with tempfile.TemporaryDirectory(dir=os.environ.get("HOLDPOINT_BENCH_FOLDER")) as name:
        folder = Path(name)
        pictures(folder)
        make(folder, "file")
        if any(task.startswith("command") for task in TASKS):
            make(folder, "fill")
        for task in TASKS:
            command = task.startswith("command")
            turns = [run(sys.executable, "holdpoint", task, folder) for _ in range(1 if command else TURNS)]
            ours = {"seconds": statistics.median(one["seconds"] for one in turns),
                    "processor_s": statistics.median(one["processor_s"] for one in turns),
                    "peak_mb": max(one["peak_mb"] for one in turns)}  # fmt: skip
            found[task] = {"holdpoint": ours}
            for tool in () if command else ("datumaro", "supervision"):
                if tool in missing:
                    continue
                theirs = run(peers, tool, task, folder)
                if "failed" not in theirs:
                    theirs["ratio"] = round(theirs["seconds"] / ours["seconds"], 1)
                    theirs["processor_ratio"] = round(theirs["processor_s"] / ours["processor_s"], 1)
                    theirs["memory_ratio"] = round(ours["peak_mb"] / theirs["peak_mb"], 2)
                    if (task, tool) in AIMS:
                        theirs["aim"] = AIMS[task, tool]
                found[task][tool] = theirs
    return found
