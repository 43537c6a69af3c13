"""Which model decides is asked before each batch: a promotion in the middle of a delivery is obeyed by the next one."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import app.jobs.intake.line as line_module
from app.jobs.intake.ingest import ingest
from app.jobs.science.models import add_model
from app.jobs.science.shadow import Looker, catch_up
from app.jobs.science.shadowed import comparison
from app.settings import Settings
from core.errors import ModelError
from core.records import Outcome
from core.roles import WORKER
from data.store import Store

Draw = Callable[..., list[Path]]
MANY = [f"{number}.png" for number in range(24)]


@pytest.fixture
def two(line_ready: Store, current: Settings, model_folder: Path, tmp_path: Path) -> Store:
    """Lyon with `tiny` in use, and `second`, which is the same net under another name."""
    folder = tmp_path / "second"
    shutil.copytree(model_folder, folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "name": "second"}))
    add_model(line_ready, current, folder)
    return line_ready


def models_of(store: Store) -> list[str]:
    found = [store.images.prediction(one.id) for one in reversed(store.images.find(site="lyon", limit=100))]
    return ["none" if one is None else one.model for one in found]


def test_the_batch_after_a_promotion_is_scored_by_the_other_model_and_no_picture_is_lost(
    two: Store, current: Settings, pictures: Draw
) -> None:
    folder = pictures(*MANY)[0].parent
    small = current.model_copy(update={"batch_images": 4})
    changed = False

    def promote(done: int, total: int, message: str) -> None:
        nonlocal changed
        if done >= 4 and not changed:
            changed = True
            two.sites.set_model("lyon", "second", "in the middle")

    report = ingest(two, small, [str(folder)], "lyon", progress=promote)
    assert report.images == len(MANY)
    said = models_of(two)
    assert set(said) == {"tiny", "second"}
    per_batch = [set(said[start : start + 4]) for start in range(0, len(said), 4)]
    assert all(len(one) == 1 for one in per_batch)
    assert said == sorted(said, key=["tiny", "second"].index)
    assert report.decisions["PASS"] + report.decisions["HOLD"] == len(MANY)
    held = [two.parts.decision(one.part_id).outcome for one in two.images.find(site="lyon", limit=100)
            if two.images.prediction(one.id).model == "second"]  # fmt: skip
    assert set(held) == {Outcome.HOLD}  # nobody has calibrated it


def test_an_open_line_obeys_a_roll_back_on_its_next_delivery(two: Store, current: Settings, pictures: Draw) -> None:
    files = pictures("a.png", "b.png", "c.png")
    two.sites.set_model("lyon", "second", "tried")
    assert ingest(two, current, [str(files[0])], "lyon").decisions["HOLD"] == 1
    two.promotions.rollback("lyon", "no better")
    assert ingest(two, current, [str(files[1])], "lyon").decisions["PASS"] == 1
    assert models_of(two) == ["second", "tiny"]


def test_a_model_put_in_use_that_cannot_be_opened_holds_everything_and_says_why(
    two: Store, current: Settings, pictures: Draw
) -> None:
    (file,) = pictures("a.png")
    two.sites.set_model("lyon", "second", "tried")
    weights = current.models / "second" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    card = current.models / "second" / "card.json"
    card.write_text(card.read_text() + " ")  # the engine of the sound one may still be open
    report = ingest(two, current, [str(file)], "lyon")
    assert report.decisions == {"PASS": 0, "HOLD": 1, "FAIL": 0}
    (image,) = two.images.find(site="lyon")
    reasons = two.parts.decision(image.part_id).reasons
    assert any("not those of its card" in one.text for one in reasons)


def test_a_shadow_scores_what_production_filed_and_changes_nothing(
    two: Store, current: Settings, pictures: Draw
) -> None:
    first, *rest = pictures("a.png", "b.png", "c.png")
    ingest(two, current, [str(first)], "lyon")
    two.shadows.start("lyon", "second")
    ingest(two, current, [str(one) for one in rest], "lyon")
    before = [(one.id, two.parts.history(one.part_id)) for one in two.images.find(site="lyon")]
    assert catch_up(two, current, "lyon") == 2
    assert catch_up(two, current, "lyon") == 0
    assert [(one.id, two.parts.history(one.part_id)) for one in two.images.find(site="lyon")] == before
    found = comparison(two, "lyon")
    assert (found["pictures"], found["differ"], found["errors"]) == (2, 0, {})
    assert "2 pictures compared" in found["sentence"]
    assert models_of(two) == ["tiny"] * 3


def test_a_shadow_that_cannot_be_opened_says_so_and_production_never_hears_of_it(
    two: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app.jobs.science.shadow as shadow_module

    two.shadows.start("lyon", "second")
    (file,) = pictures("a.png")

    def fails(*_: object) -> None:
        raise ModelError("the card is on fire")

    monkeypatch.setattr(shadow_module, "open_model", fails)
    assert ingest(two, current, [str(file)], "lyon").decisions["PASS"] == 1
    assert catch_up(two, current) == 0
    assert two.shadows.latest("lyon").trouble == "the card is on fire"
    monkeypatch.setattr(shadow_module, "open_model", line_module.open_model)
    assert catch_up(two, current) == 1
    assert two.shadows.latest("lyon").trouble == ""


def test_a_picture_that_is_gone_or_changed_is_noted_and_not_tried_for_ever(
    two: Store, current: Settings, pictures: Draw
) -> None:
    two.shadows.start("lyon", "second")
    gone, other, good = pictures("a.png", "b.png", "c.png")
    ingest(two, current, [str(gone.parent)], "lyon")
    gone.unlink()
    shutil.copy(good, other)
    with Looker(two.acting_as(WORKER), current) as looker:
        shadow = two.shadows.latest("lyon")
        assert looker.look(shadow) == 3
        assert looker.look(shadow) == 0
    errors = two.shadows.errors(shadow.id)
    assert sum(errors.values()) == 2
    assert "the file has changed since it was filed" in errors
    assert len(two.shadows.seen(shadow.id)) == 1


def test_the_weights_of_a_shadow_are_those_it_was_started_with(two: Store, current: Settings, pictures: Draw) -> None:
    shadow = two.shadows.start("lyon", "second")
    ingest(two, current, [str(pictures("a.png")[0])], "lyon")
    with Looker(two, current) as looker:
        assert looker.look(replace(shadow, sha256="0" * 64)) == 0
    assert "start it again" in two.shadows.latest("lyon").trouble
