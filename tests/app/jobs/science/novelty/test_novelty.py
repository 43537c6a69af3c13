"""Memories of good parts from labels to the line: fit, put in force, hold what is novel, propose classes."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import save_file

from app import cli
from app.jobs.intake.imports import import_labels
from app.jobs.intake.ingest import ingest
from app.jobs.science.novelty.judging import Comparing, open_memory
from app.jobs.science.novelty.memories import fit_novelty, judge_pictures, propose_classes
from core.errors import BadInput, NotFound
from core.learn.novelty.records import ProposalState
from core.records import Outcome, Review, Verdict
from core.roles import Actor, Role
from models import nets

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def _draw(path: Path, seed: int, flaw: bool = False) -> Path:
    """A striped surface; with a block of salt and pepper where a flaw is wanted."""
    rng = np.random.default_rng(seed)
    grey = 120 + 12 * np.sin(np.arange(96) / 3)[None, :] + rng.normal(0, 6, (72, 96))
    if flaw:
        y, x = rng.integers(8, 40), rng.integers(8, 60)
        grey[y : y + 24, x : x + 24] = rng.choice([0, 255], (24, 24))
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB").save(path)
    return path


def _weights(folder: Path) -> Path:
    """Of a frozen net that this machine has."""
    torch.manual_seed(8)
    path = folder / "frozen.safetensors"
    save_file(nets.build("test_resnet", (), False, "scratch", size=64).trunk.state_dict(), path)
    return path


@pytest.fixture
def good_known(held, current, tmp_path):
    """Thirty good parts, labelled by an import; nobody has ever seen a defect here."""
    folder = tmp_path / "good"
    for number in range(30):
        _draw(folder / "ok" / f"g{number:02}.png", number)
    import_labels(held, current, folder, "lyon", format="folder")
    return held


@pytest.fixture
def fitted(good_known, current, model_folder):
    from app.jobs.science.models import add_model

    add_model(good_known, current, model_folder)
    return fit_novelty(good_known, current, "lyon", model="tiny", rate=0.1, budget_bytes=1 << 18, name="good-1")


def test_a_memory_is_fitted_from_good_pictures_alone_and_entered(fitted, good_known, current):
    assert fitted["limit"]["parts"] + fitted["parts"] == 30
    assert fitted["limit"]["more_needed"] == 0
    assert fitted["bytes"] <= 1 << 18
    memory = good_known.memories.get("good-1")
    assert (current.home / memory.path).is_file()
    assert good_known.memories.in_force("lyon") == {}
    judge = open_memory(good_known, current, memory)
    assert judge.kept.card.net == "tiny"


def test_too_few_good_parts_are_said(held, current, tmp_path, model_folder):
    with pytest.raises(NotFound, match="good"):
        fit_novelty(held, current, "lyon", model=str(model_folder))
    _draw(tmp_path / "one" / "ok" / "a.png", 1)
    import_labels(held, current, tmp_path / "one", "lyon", format="folder")
    with pytest.raises(BadInput, match="1 good part"):
        fit_novelty(held, current, "lyon", model=str(model_folder))
    for number in range(5):
        _draw(tmp_path / "few" / "ok" / f"b{number}.png", 10 + number)
    import_labels(held, current, tmp_path / "few", "lyon", format="folder")
    made = fit_novelty(held, current, "lyon", model=str(model_folder), name="few")
    assert "Too few good parts" in made["sentence"]
    assert made["limit"]["more_needed"] > 0


def test_on_the_line_a_novel_part_is_held_under_its_reason_and_the_others_go_on(
    fitted, good_known, current, line_ready, tmp_path
):
    line_ready.memories.put_in_force("lyon", "good-1", "a test")
    line_ready.sites.set_calibrated("lyon", True, "a test")
    inbox = tmp_path / "in"
    usual = [_draw(inbox / f"u{number}.png", 500 + number) for number in range(12)]
    odd = [_draw(inbox / f"x{number}.png", 600 + number, flaw=True) for number in range(3)]
    report = ingest(line_ready, current, [str(inbox)], "lyon")
    decided = {Path(one["file"]).name: one["decision"] for one in report.to_json()["files"]}
    assert {decided[one.name] for one in odd} == {"HOLD"}
    # Ten held-out parts promise a tenth on average over such draws; this one holds 23 of 80.
    assert sum(decided[one.name] == "PASS" for one in usual) >= 6
    (image,) = [one for one in line_ready.images.find(site="lyon", limit=100) if one.path.endswith("x0.png")]
    said = line_ready.images.prediction(image.id)
    assert said is not None
    assert said.model == "tiny"
    assert said.novelty is not None
    assert said.novelty > 1
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert [one.code for one in decision.reasons] == ["novelty"]


def test_on_the_first_day_without_any_model_the_queue_is_sorted_by_novelty_and_shows_where(
    fitted, good_known, current, tmp_path
):
    good_known.memories.put_in_force("lyon", "good-1", "a new part type")
    inbox = tmp_path / "in"
    _draw(inbox / "u.png", 700)
    _draw(inbox / "x.png", 701, flaw=True)
    report = ingest(good_known, current, [str(inbox)], "lyon").to_json()
    assert report["decisions"] == {"PASS": 0, "HOLD": 2, "FAIL": 0}
    pictures = {Path(one.path).name: one for one in good_known.images.find(site="lyon", limit=4)}
    odd, usual = (good_known.images.prediction(pictures[name].id) for name in ("x.png", "u.png"))
    assert odd is not None
    assert usual is not None
    assert odd.model == "good-1"
    assert odd.score > usual.score
    assert odd.heatmap is not None
    assert odd.heatmap.values.max() > usual.heatmap.values.max()
    decision = good_known.parts.decision(pictures["x.png"].part_id)
    assert decision is not None
    assert {one.code for one in decision.reasons} >= {"no model", "novelty"}
    good_known.people.add("ines", "kettle orbit velvet nine", Role.INSPECTOR)
    first = good_known.acting_as(Actor("ines")).queue.next(1)[0]
    assert first.part_id == pictures["x.png"].part_id


@pytest.mark.parametrize("trunk", ["shared", "frozen"])
def test_a_memory_through_the_model_in_use_costs_no_second_pass_and_another_one_does(
    line_ready, good_known, current, tmp_path, monkeypatch, trunk
):
    from models.engine import Engine
    from models.novelty import eye, judge

    made = fit_novelty(line_ready, current, "lyon", rate=0.1, budget_bytes=1 << 18, name="m", trunk=trunk,
                       arch="test_resnet", weights=str(_weights(tmp_path)))  # fmt: skip
    assert made["shared"] == (trunk == "shared")
    line_ready.memories.put_in_force("lyon", "m", "a test")
    judge._open_judges.clear()
    _draw(tmp_path / "in" / "u.png", 500)
    _draw(tmp_path / "in" / "x.png", 601, flaw=True)
    passes, own = [], eye.own_eye
    seen = Engine.patches_of
    monkeypatch.setattr(Engine, "patches_of", lambda self, tiles: passes.append(len(tiles)) or seen(self, tiles))
    monkeypatch.setattr(judge, "own_eye", lambda *given: passes.append("own") or own(*given))
    ingest(line_ready, current, [str(tmp_path / "in")], "lyon")
    assert passes == ([2] if trunk == "shared" else ["own"])  # the probe's two tiles, and none of the pictures'
    said = {
        Path(one.path).name: line_ready.images.prediction(one.id)
        for one in line_ready.images.find(site="lyon", limit=2)
    }
    assert said["x.png"].novelty > said["u.png"].novelty
    again = judge_pictures(line_ready, current, "lyon", [str(tmp_path / "in")])
    for one in again:
        assert one["novelty"] == pytest.approx(said[Path(one["file"]).name].novelty, rel=0.03)


def test_a_memory_put_in_force_shares_the_pass_from_the_next_delivery_on(line_ready, good_known, current, tmp_path):
    from app.jobs.intake.line import Line, Wanted
    from app.jobs.intake.sources import find

    fit_novelty(line_ready, current, "lyon", rate=0.1, budget_bytes=1 << 18, name="m", trunk="shared")
    with Line(line_ready, current, "lyon") as line:
        levels = []
        for number in range(2):
            _draw(tmp_path / f"in{number}" / "u.png", 500 + number)
            found = find([str(tmp_path / f"in{number}")], current.uploads, current.upload_bytes)
            line.take([Wanted(one) for one in found])
            levels.append(line._engine.levels)
            if not number:
                line_ready.memories.put_in_force("lyon", "m", "a test")
    assert levels[0] == ()
    assert levels[1] != ()


def test_a_fit_measures_both_nets_on_planted_defects_and_says_so_in_the_card(line_ready, good_known, current, tmp_path):
    weights = _weights(tmp_path)
    made = fit_novelty(line_ready, current, "lyon", rate=0.1, budget_bytes=1 << 18, name="both", arch="test_resnet",
                       weights=str(weights))  # fmt: skip
    assert "planted defects" in made["chosen"]
    assert made["shared"] == ("not worse" in made["chosen"])
    card = line_ready.memories.get("both").card
    assert (card["chosen"], card["shared"]) == (made["chosen"], made["shared"])
    alone = fit_novelty(line_ready, current, "lyon", rate=0.1, budget_bytes=1 << 18, name="alone")
    assert alone["shared"]
    assert "nothing was compared" in alone["chosen"]


def test_a_blind_model_is_not_shared(line_ready, good_known, current, tmp_path, monkeypatch):
    """One to which planted defects look better than good parts."""
    from app.jobs.science.novelty import nets as choosing

    tried = choosing._through

    def blinded(candidate, asked, compare):
        found = tried(candidate, asked, compare)
        if not candidate.shared:
            return found
        planted = found.fitted.planted
        blind = replace(planted, planted=np.zeros_like(planted.planted))
        return replace(found, fitted=replace(found.fitted, planted=blind))

    monkeypatch.setattr(choosing, "_through", blinded)
    made = fit_novelty(line_ready, current, "lyon", rate=0.1, budget_bytes=1 << 18, name="m", arch="test_resnet",
                       weights=str(_weights(tmp_path)))  # fmt: skip
    assert not made["shared"]
    assert made["net"] == "test_resnet-frozen"
    assert "net of its own" in made["chosen"]


@pytest.mark.parametrize("harm", ["gone", "changed", "net"])
def test_whatever_is_wrong_with_the_memory_holds_the_part(fitted, line_ready, current, tmp_path, harm):
    line_ready.memories.put_in_force("lyon", "good-1", "a test")
    line_ready.sites.set_calibrated("lyon", True, "a test")
    from models import engine
    from models.novelty import judge

    judge._open_judges.clear()  # as in a process that has just started
    engine._open_engines.clear()
    path = current.home / line_ready.memories.get("good-1").path
    if harm == "gone":
        path.unlink()
    elif harm == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    else:
        weights = current.home / "models" / "tiny" / "weights.safetensors"
        if not weights.is_file():
            pytest.skip("the model lies elsewhere")
        weights.unlink()
    _draw(tmp_path / "in" / "u.png", 800)
    ingest(line_ready, current, [str(tmp_path / "in")], "lyon")
    (image,) = [one for one in line_ready.images.find(site="lyon", limit=50) if one.path.endswith("in/u.png")]
    decision = line_ready.parts.decision(image.part_id)
    assert decision is not None
    assert decision.outcome is Outcome.HOLD
    assert any(one.code == "model error" for one in decision.reasons)


def test_a_picture_that_is_only_tried_never_passes_where_a_memory_judges(line_ready, fitted):
    from app.jobs.intake.at_site import at_site
    from core.decide.decision import PartPicture
    from core.records import Prediction, Quality

    line_ready.sites.set_calibrated("lyon", True, "a test")
    picture = PartPicture(0, quality=Quality(50, 0.5, 0.2, 0, 0), prediction=Prediction("tiny", 0.1, {}))
    assert at_site(line_ready, "lyon", None, None, NOW).decide(picture).outcome is Outcome.PASS
    line_ready.memories.put_in_force("lyon", "good-1", "a test")
    held = at_site(line_ready, "lyon", None, None, NOW).decide(picture)
    assert held.outcome is Outcome.HOLD
    assert [one.code for one in held.reasons] == ["not compared"]


def test_a_batch_is_judged_by_the_memory_that_was_in_force_when_it_began(fitted, good_known, current):
    comparing = Comparing(good_known, current, "lyon")
    pixels = np.zeros((72, 96, 3), np.uint8)
    batch, later = object(), object()
    assert comparing.compared(batch, None, pixels, None, "no model") == (None, "no model")
    good_known.memories.put_in_force("lyon", "good-1", "a test")
    assert comparing.compared(batch, None, pixels, None, "no model")[0] is None
    assert comparing.compared(later, None, pixels, None, "no model")[0] is not None
    assert comparing.compared(later, None, pixels, None, "the net failed") == (None, "the net failed")


def test_the_commands_fit_compare_and_put_in_force(good_known, current, model_folder, tmp_path, capsys):
    asked = ["novelty", "fit", "--site", "lyon", "--model", str(model_folder), "--rate", "0.1", "--name", "by-hand",
             "--megabytes", "0.25", "--use", "--reason", "the first day", "--json"]  # fmt: skip
    assert cli.main(asked) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["memory"] == "by-hand"
    assert made["in_force"]["quota"] == 20
    _draw(tmp_path / "in" / "u.png", 900)
    _draw(tmp_path / "in" / "x.png", 901, flaw=True)
    assert cli.main(["novelty", "judge", str(tmp_path / "in"), "--site", "lyon", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert Path(found[0]["file"]).name == "x.png"
    assert found[0]["held"]
    assert cli.main(["novelty", "show", "--site", "lyon"]) == 0
    assert "by-hand" in capsys.readouterr().out
    assert cli.main(["novelty", "stop", "--site", "lyon", "--reason", "too strict"]) == 0
    assert "no more" in capsys.readouterr().out
    assert cli.main(["novelty", "judge", str(tmp_path / "in"), "--site", "lyon"]) == 1
    assert "No memory is in force" in capsys.readouterr().err
    assert cli.main(["novelty", "use", "by-hand", "--site", "lyon", "--reason", "again", "--quota", "3"]) == 0
    assert "by-hand judges lyon" in capsys.readouterr().out


def test_a_picture_that_cannot_be_read_is_held_and_named_first(fitted, good_known, current, tmp_path):
    good_known.memories.put_in_force("lyon", "good-1", "a test")
    _draw(tmp_path / "in" / "u.png", 910)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG broken")
    found = judge_pictures(good_known, current, "lyon", [str(tmp_path / "in")])
    assert Path(found[0]["file"]).name == "broken.png"
    assert found[0]["held"]
    assert found[0]["error"]


def test_novel_parts_that_people_cannot_name_are_proposed_as_a_class(fitted, good_known, current, tmp_path):
    good_known.memories.put_in_force("lyon", "good-1", "a test")
    assert propose_classes(good_known, current, "lyon")["proposed"] == []
    inbox = tmp_path / "in"
    for number in range(5):
        _draw(inbox / f"x{number}.png", 950 + number, flaw=True)
    ingest(good_known, current, [str(inbox)], "lyon")
    good_known.people.add("ines", "kettle orbit velvet nine", Role.INSPECTOR)
    ines = good_known.acting_as(Actor("ines"))
    while (task := ines.queue.lease()) is not None:
        ines.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, "ines"))
    told = propose_classes(good_known, current, "lyon", model="tiny")
    assert told["parts"] == 5
    (made,) = good_known.proposals.all("lyon", ProposalState.OPEN)
    assert len(made.part_ids) >= 3
    assert propose_classes(good_known, current, "lyon", model="tiny")["proposed"] == []  # not twice
