"""Replaying rounds on a labelled dataset, and measuring what answered batches were worth."""

import json
import os
from pathlib import Path

import pytest

from app import cli
from app.jobs.intake.imports import import_labels
from app.jobs.intake.ingest import ingest
from app.jobs.science import backtest as module
from app.jobs.science.backtest import backtest, kept_backtests, measure_arms, sentence
from app.jobs.science.datasets import build_dataset
from app.jobs.science.select import select
from core.errors import BadInput, NotFound
from core.records import Review, TaskKind, Verdict
from core.roles import Actor, Role
from tests.app.jobs.small_dataset import drawn

FEW = {"train": 20, "val": 12, "test": 12}


def test_a_backtest_compares_strategies_with_random_and_is_kept(line_ready, current):
    drawn(current, "pits", FEW)
    done = backtest(line_ready, current, "pits", strategies=("k-center", "entropy"), seeds=2, model="tiny")
    assert list(done["strategies"]) == ["random", "k-center", "entropy"]
    assert (done["pictures"], done["defective"], done["groups"], done["seeds"]) == (44, 22, 22, 2)
    for one in done["strategies"].values():
        assert len(one["labels"]) == len(one["mean"]) == len(one["low"])
        assert 0 < one["to_target"] <= one["labels"][-1]
    last = {one["mean"][-1] for one in done["strategies"].values()}
    assert len(last) == 1  # the whole pool is the whole pool
    assert [one["dataset"] for one in kept_backtests(current)] == ["pits"]
    assert backtest(line_ready, current, "pits", strategies=("k-center", "entropy"), seeds=2, model="tiny")[
        "strategies"
    ] == done["strategies"]  # fmt: skip


def test_the_command_replays_a_dataset_and_says_in_words_what_came_of_it(line_ready, current, capsys):
    drawn(current, "pits", FEW)
    asked = ["select", "--backtest", "pits", "--strategy", "margin", "--seeds", "2", "--model", "tiny"]
    assert cli.main(asked) == 0
    out = capsys.readouterr().out
    assert "44 pictures (22 defective) of 22 groups" in out
    assert "Margin" in out
    assert cli.main([*asked, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["strategies"]) == {"random", "margin"}


def test_frozen_features_of_any_architecture_will_do(line_ready, current):
    drawn(current, "pits", FEW)
    done = backtest(line_ready, current, "pits", strategies=(), seeds=1, arch="test_resnet", weights="scratch")
    assert done["features"] == "test_resnet-frozen (test_resnet), frozen"
    assert list(done["strategies"]) == ["random"]


def test_what_cannot_be_replayed_is_said(line_ready, current):
    manifest = drawn(current, "pits", FEW)
    with pytest.raises(NotFound, match="no strategy"):
        backtest(line_ready, current, "pits", strategies=("best",), model="tiny")
    with pytest.raises(NotFound, match="no dataset"):
        backtest(line_ready, current, "none", model="tiny")
    Path(manifest["items"][0]["path"]).write_bytes(b"gone")
    with pytest.raises(BadInput, match="1 pictures"):
        backtest(line_ready, current, "pits", model="tiny")


def test_sentences_say_no_better_than_random_where_that_is_so():
    told = {"to_target": 50.0, "saved": 0.2, "saved_interval": [-0.1, 0.4], "better": False, "money_saved": 5.0}
    assert "no better than random here" in sentence("entropy", told)
    assert "saves 20%" in sentence("entropy", told | {"better": True, "saved_interval": [0.1, 0.4]})
    assert "too few groups" in sentence("entropy", told | {"saved_interval": None})
    assert sentence("random", told) == "Random needs 50 labels."


@pytest.fixture
def answered(line_ready, current, pictures):
    """Parts of which half were labelled anyway, and a batch that dora has answered."""
    found = pictures(*(f"p{n:02}.png" for n in range(44)))
    ingest(line_ready, current, [str(path) for path in found], "lyon")
    pool = line_ready.selections.candidates("lyon")
    pairs = [
        (one.image_id, Review(Verdict.FAIL if n % 2 else Verdict.PASS, "import:test", source={"source": "test"}))
        for n, one in enumerate(pool[:20])
    ]
    line_ready.reviews.imported("lyon", pairs)
    line_ready.people.add("dora", "nine quiet looms at noon", Role.DATA_SCIENTIST)
    select(line_ready, current, "k-center", 16, control=0.4, send=True, similar=None)
    dora = line_ready.acting_as(Actor("dora"))
    while (task := dora.queue.lease(kinds=[TaskKind.LABEL])) is not None:
        verdict = Verdict.FAIL if task.part_id % 2 else Verdict.PASS
        dora.reviews.add(task.id, task.revision, task.fence, Review(verdict, "dora"))
    return line_ready


def test_what_answered_batches_were_worth_is_measured_beside_their_random_arms(answered, current, capsys):
    done = measure_arms(answered, current, seeds=3)
    assert list(done["strategies"]) == ["random", "k-center"]
    assert done["pictures"] == 36
    assert done["strategies"]["k-center"]["labels"][-1] == 16
    assert [one["dataset"] for one in kept_backtests(current)] == [module.LABELS_SO_FAR]
    assert cli.main(["select", "--learned", "--seeds", "2"]) == 0
    assert "k-center" in capsys.readouterr().out


def test_before_a_batch_is_answered_nothing_is_measured(line_ready, current, pictures):
    with pytest.raises(BadInput, match="Nothing is labelled"):
        measure_arms(line_ready, current, model="tiny")


REAL = Path(os.environ.get("REAL_PICTURES", Path(__file__).parents[5] / "shared" / "data"))


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="no real pictures here")
def test_a_backtest_runs_on_real_pictures(held, current):
    index = next(iter(sorted(REAL.glob("**/elpv/index.csv"))))
    import_labels(held, current, index, "lyon", format="csv", taxonomy="own")
    build_dataset(held, current, "cells")
    weights = next(iter(sorted(REAL.glob("**/mobilenetv2_100_imagenet_fp16.safetensors"))))
    done = backtest(held, current, "cells", strategies=("k-center",), seeds=1, weights=str(weights))
    assert done["pictures"] == 143
    assert done["full"] > 0.6
