"""Choosing what to label next: from pictures on disk to tasks in the queue."""

import json
from pathlib import Path

import numpy as np
import pytest

from app import cli
from app.jobs.intake.ingest import ingest
from app.jobs.intake.opening import open_model
from app.jobs.science.embedding import columns, compute, embeddings_of
from app.jobs.science.select import select
from core.errors import BadInput, NotFound
from core.learn.select.batches import BatchState
from core.records import Review, TaskKind, Verdict
from core.roles import Actor, Role


@pytest.fixture
def pool(line_ready, current, pictures):
    """Twenty parts at Lyon that passed by themselves, as the tiny model saw them."""
    found = pictures(*(f"p{n:02}.png" for n in range(20)))
    ingest(line_ready, current, [str(path) for path in found], "lyon")
    return line_ready


def test_a_batch_is_chosen_kept_and_asked_for_only_when_sent(pool, current):
    before = pool.queue.counts().kinds
    done = select(pool, current, "k-center", 6)
    assert done["strategy"] == "k-center"
    assert len(set(done["chosen"])) == 6
    assert done["arms"] == {"random": 1, "strategy": 5}
    assert pool.queue.counts().kinds == before
    sent = select(pool, current, "diversity-uncertainty", 4, send=True)
    assert pool.queue.counts().kinds["label"] == 4
    assert pool.selections.get(sent["selection"]).state is BatchState.SENT
    [item] = [one for one in pool.selections.items(sent["selection"]) if one.arm == "random"]
    assert item.chance == pytest.approx(1 / sent["pool"])


def test_what_was_asked_is_not_chosen_again(pool, current):
    first = select(pool, current, "random", 8, send=True)
    second = select(pool, current, "k-center", 8, send=True)
    assert not set(first["chosen"]) & set(second["chosen"])
    assert second["pool"] == first["pool"] - 8


def test_the_same_question_has_the_same_answer(pool, current):
    one, two = (select(pool, current, "badge", 5, seed=7)["chosen"] for _ in range(2))
    assert one == two
    assert select(pool, current, "badge", 5, seed=8)["chosen"] != one


def test_embeddings_are_computed_once_and_say_what_the_prediction_says(pool, current, monkeypatch):
    select(pool, current, "entropy", 3)
    engine = open_model(pool, current, "tiny")
    pictures = pool.selections.candidates("lyon", model="tiny")
    found = embeddings_of(current, engine).read([one.image_id for one in pictures])
    said = pool.images.predictions([one.image_id for one in pictures])
    assert columns(engine) == ("NO_DEFECT", "BURR", "CRACK")
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(
        found.probabilities[:, 0], [1 - said[i].score for i in found.image_ids.tolist()], atol=2e-3
    )
    calls = []
    monkeypatch.setattr(type(engine), "observe", lambda *given: calls.append(given))
    assert compute(current, engine, pictures, store=pool).new == 0
    assert calls == []


def test_a_stopped_computation_goes_on_where_it_was(pool, current, monkeypatch):
    from app.jobs.science import embedding

    monkeypatch.setattr(embedding, "PICTURES_A_FILE", 4)
    monkeypatch.setenv("HOLDPOINT_BATCH_IMAGES", "4")
    few = type(current)()
    engine = open_model(pool, few, "tiny")
    pictures = pool.selections.candidates("lyon")

    def stop(done, total, _message):
        if done >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute(few, engine, pictures, progress=stop)
    kept = len(pictures) - len(embeddings_of(few, engine).missing({p.image_id: p.sha256 for p in pictures}))
    assert 0 < kept < len(pictures)
    assert compute(few, engine, pictures).new == len(pictures) - kept


def test_a_picture_that_changed_is_left_out_and_counted(pool, current):
    victim = pool.selections.candidates("lyon")[3]
    Path(victim.path).write_bytes(b"no picture any more")
    done = select(pool, current, "random", 25)
    assert done["unreadable"] == 1
    assert victim.image_id not in done["chosen"]


def test_a_pool_that_does_not_fit_into_memory_is_cut_by_chance(pool, current):
    whole = select(pool, current, "random", 25)
    width = embeddings_of(current, open_model(pool, current, "tiny")).width()
    some = select(pool, current, "random", 25, memory=4 * width * 7)
    assert len(some["chosen"]) == some["pool"] == 7 < whole["pool"]
    assert pool.selections.get(some["selection"]).facts["cut"] == whole["pool"] - 7


def test_suspects_are_looked_for_among_labels_and_asked_again(pool, current):
    pool.people.add("dora", "nine quiet looms at noon", Role.DATA_SCIENTIST)
    sent = select(pool, current, "random", 10, send=True)
    dora = pool.acting_as(Actor("dora"))
    while (task := dora.queue.lease(kinds=[TaskKind.LABEL])) is not None:
        verdict = Verdict.FAIL if task.part_id % 2 else Verdict.PASS
        dora.reviews.add(task.id, task.revision, task.fence, Review(verdict, "dora"))
    found = select(pool, current, "relabel-suspects", 4, send=True)
    assert set(found["chosen"]) <= set(sent["chosen"])
    assert pool.queue.asks_again("lyon")


def test_disagreement_asks_a_second_model(pool, current):
    done = select(pool, current, "disagreement", 4, shadow="tiny")
    assert len(done["chosen"]) == 4
    with pytest.raises(BadInput, match="second model"):
        select(pool, current, "disagreement", 4)


def test_what_cannot_be_answered_is_said(pool, current, held):
    with pytest.raises(NotFound, match="no strategy"):
        select(pool, current, "best", 4)
    with pytest.raises(NotFound, match="no site"):
        select(pool, current, "random", 4, site="Oslo")
    pool.sites.add("turin")
    with pytest.raises(BadInput, match="No model is in use"):
        select(pool, current, "random", 4, site="turin")


def test_the_command_prints_what_was_chosen(pool, current, capsys):
    assert cli.main(["select", "--strategy", "entropy", "--budget", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["strategy"] == "entropy"
    assert len(found["chosen"]) == 3
    assert found["seconds"] >= 0
    assert cli.main(["select", "--strategy", "margin", "--budget", "1h", "--label-seconds", "900", "--send"]) == 0
    assert "Batch 2 of 4 pictures" in capsys.readouterr().out
    assert pool.queue.counts().kinds["label"] == 4


def test_the_command_refuses_in_a_sentence(pool, current, capsys):
    assert cli.main(["select", "--strategy", "entropy"]) == 1
    assert "--budget 50" in capsys.readouterr().err
    quota = ["--quota", "CRACK=5"]
    assert cli.main(["select", "--strategy", "entropy", "--budget", "3", *quota]) == 1
    assert "class:CRACK=5" in capsys.readouterr().err
    assert cli.main(["select", "--list"]) == 0
    assert "k-center:" in capsys.readouterr().out


def test_quotas_come_through_the_command(pool, current, capsys):
    asked = ["select", "--strategy", "random", "--budget", "6", "--quota", "site:lyon=0..3", "--json"]
    assert cli.main(asked) == 0
    assert len(json.loads(capsys.readouterr().out)["chosen"]) == 3
