"""The dataset commands, from an import to labels in doubt."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli import main
from data.store import Store

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def bolts(tmp_path: Path, held: Store, capsys: Capture) -> Path:
    """Twelve parts; a copy of the first has another label, and two annotators differ about the last."""
    folder = tmp_path / "bolts"
    folder.mkdir()
    rng = np.random.default_rng(2)
    rows = []
    for n in range(12):
        coarse = rng.normal(128, 40, (12, 16)).astype(np.float32)
        cv2.imwrite(str(folder / f"{n:02}.png"), cv2.resize(coarse, (96, 72)).clip(0, 255))
        rows.append({"file": f"{n:02}.png", "label": "crack" if n % 3 == 0 else "ok", "part": f"p{n}", "annotator": "a",
                     "boxes": '[[10,10,12,40,"crack"]]' if n % 3 == 0 else ""})  # fmt: skip
    (folder / "copy.png").write_bytes((folder / "00.png").read_bytes())
    rows.append({"file": "copy.png", "label": "ok", "part": "p99", "annotator": "a", "boxes": ""})
    rows.append({**rows[11], "label": "crack", "annotator": "b", "boxes": '[[5,5,25,25,"crack"]]'})
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main(["import", str(folder), "--site", "lyon"]) == 0
    capsys.readouterr()
    return folder


def printed(capsys: Capture):
    return json.loads(capsys.readouterr().out)


def test_a_dataset_is_built_shown_checked_and_compared(bolts: Path, capsys: Capture):
    assert main(["dataset", "build", "one", "--split", "train=.5,val=.5", "--balance", "rare=8", "--json"]) == 0
    made = printed(capsys)
    assert made["balance"] == {"good": None, "rare": 8}
    assert main(["dataset", "show", "one"]) == 0
    shown = capsys.readouterr().out
    assert "hash overlap" in shown
    assert "NO_DEFECT" in shown
    assert main(["dataset", "check", "one", "--json"]) == 0
    assert printed(capsys)["ok"] is True
    assert main(["dataset", "build", "two", "--split", "train=.5,val=.5", "--seed", "5", "--json"]) == 0
    capsys.readouterr()
    assert main(["dataset", "diff", "one", "two", "--json"]) == 0
    assert printed(capsys)["settings"]["seed"] == [0, 5]
    assert main(["dataset", "diff", "one", "two"]) == 0
    assert "seed: 0 → 5" in capsys.readouterr().out


def test_labels_in_doubt_are_listed_with_their_reason(bolts: Path, capsys: Capture):
    assert main(["dataset", "suspects", "--site", "lyon", "--json"]) == 0
    found = printed(capsys)
    assert found["counts"]["same picture, other label"] == 2
    assert found["counts"]["two people differ"] == 1
    assert found["confusions"][0]["classes"] == ["CRACK", "NO_DEFECT"]
    assert main(["dataset", "suspects", "--site", "lyon"]) == 0
    assert "in doubt" in capsys.readouterr().out


def test_a_split_by_rows_is_not_to_be_had(bolts: Path, capsys: Capture):
    assert main(["dataset", "build", "rows", "--by", "rows"]) == 1
    assert "Rows are never divided" in capsys.readouterr().err
