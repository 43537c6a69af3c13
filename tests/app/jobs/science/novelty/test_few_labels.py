"""A few labels compared on a labelled dataset, by function and command."""

import json
from pathlib import Path

import pytest

from app import cli
from app.jobs.science.novelty.few_labels import few_labels
from core.errors import BadInput, NotFound
from core.learn.few_labels import METHODS
from tests.app.jobs.small_dataset import drawn

FEW = {"train": 24, "val": 12, "test": 12}


def test_every_way_is_compared_and_the_figures_are_kept(line_ready, current):
    drawn(current, "pits", FEW)
    done = few_labels(line_ready, current, "pits", model="tiny", labels=(5, 10, 500), seeds=2)
    assert tuple(done["methods"]) == METHODS
    assert (done["pictures"], done["defective"], done["groups"], done["labels"]) == (48, 24, 24, [5, 10])
    for steps in done["methods"].values():
        for one in steps.values():
            assert 0 <= one["low"] <= one["mean"] <= one["high"] <= 1
    assert done["methods"]["novelty, all good"]["5"]["mean"] > 0.8  # a black block on noise resembles nothing good
    (kept,) = (current.home / "fewlabels").glob("*.json")
    assert json.loads(kept.read_text())["methods"] == done["methods"]


def test_the_command_says_it_in_a_table(line_ready, current, capsys):
    drawn(current, "pits", FEW)
    asked = ["fewlabels", "pits", "--model", "tiny", "--labels", "5,10", "--seeds", "1"]
    assert cli.main(asked) == 0
    out = capsys.readouterr().out
    assert "48 pictures (24 defective) of 24 groups" in out
    assert "novelty, all good" in out
    assert cli.main(["fewlabels", "pits", "--labels", "five"]) == 1
    assert "no list of numbers" in capsys.readouterr().err


def test_what_cannot_be_compared_is_said(line_ready, current):
    manifest = drawn(current, "pits", FEW)
    with pytest.raises(NotFound, match="no dataset"):
        few_labels(line_ready, current, "none", model="tiny")
    Path(manifest["items"][0]["path"]).write_bytes(b"gone")
    with pytest.raises(BadInput, match="gone or has changed"):
        few_labels(line_ready, current, "pits", model="tiny")
