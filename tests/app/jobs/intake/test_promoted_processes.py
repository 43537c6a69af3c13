"""Two watchers in processes of their own: both obey a promotion and a roll back, and neither loses a picture."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.jobs.science.models import add_model
from app.settings import CHECKOUT, Settings
from data.store import Store

Draw = Callable[..., Path]
SLOW_S = 180.0  # for two processes to load a net and score a few pictures on a machine that is busy


@pytest.fixture
def two(line_ready: Store, current: Settings, model_folder: Path, tmp_path: Path) -> Store:
    """Lyon with `tiny` in use, and `second`, which is the same net under another name."""
    folder = tmp_path / "second"
    shutil.copytree(model_folder, folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "name": "second"}))
    add_model(line_ready, current, folder)
    return line_ready


@pytest.fixture
def inboxes(two: Store, tmp_path: Path) -> Iterator[list[Path]]:
    """Two folders, each with a watcher."""
    folders = [tmp_path / f"inbox{number}" for number in (1, 2)]
    running = []
    for folder in folders:
        folder.mkdir()
        command = [sys.executable, "-m", "app.cli", "watch", str(folder), "--site", "lyon"]
        with (tmp_path / f"{folder.name}.log").open("w") as log:
            running.append(
                subprocess.Popen(
                    command, cwd=CHECKOUT, env={**os.environ, "HOLDPOINT_BATCH_IMAGES": "4"}, stdout=log, stderr=log
                )
            )
    yield folders
    for process in running:
        process.terminate()
        process.wait(60)


def wait_for(store: Store, many: int) -> None:
    end = time.monotonic() + SLOW_S
    while store.images.count("lyon") < many and time.monotonic() < end:
        time.sleep(0.2)
    assert store.images.count("lyon") == many


def said(store: Store, wave: str) -> Counter[str]:
    found = [one for one in store.images.find(site="lyon", limit=500) if wave in one.capture.source]
    predictions = store.images.predictions([one.id for one in found])
    assert len(predictions) == len(found)
    return Counter(one.model for one in predictions.values())


def test_every_process_obeys_on_its_next_batch_and_no_picture_is_dropped(
    two: Store, inboxes: list[Path], draw_picture: Draw
) -> None:
    def send(wave: str, seed: int, each: int = 6) -> None:
        for place, folder in enumerate(inboxes):
            for number in range(each):
                draft = draw_picture(
                    folder.parent / "drafts" / f"{wave}-{place}-{number}.png", seed + 100 * place + number
                )
                draft.rename(folder / draft.name)

    send("first", 1)
    wait_for(two, 12)
    assert said(two, "first") == {"tiny": 12}
    two.sites.set_model("lyon", "second", "promoted for a test")
    send("second", 1000)
    wait_for(two, 24)
    assert said(two, "second") == {"second": 12}
    send("between", 2000, each=40)
    two.promotions.rollback("lyon", "while both are at work")
    wait_for(two, 104)
    assert set(said(two, "between")) <= {"tiny", "second"}
    send("last", 3000)
    wait_for(two, 116)
    assert said(two, "last") == {"tiny": 12}
    ids = [one.capture.source for one in two.images.find(site="lyon", limit=500)]
    assert len(ids) == len(set(ids)) == 116
