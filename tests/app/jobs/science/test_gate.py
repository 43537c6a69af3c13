"""The gate as a job: measured through the engine, kept, alarmed about, and its mistakes looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import app.jobs.science.gate as gate_module
from app.jobs.intake.imports import import_labels
from app.jobs.quality.alarms import look
from app.jobs.science.datasets import build_dataset
from app.jobs.science.gate import run_gate, told
from app.jobs.science.models import add_model
from app.settings import Settings
from core.errors import BadInput, GateFailed, NotFound
from core.gates.limits import Limits
from core.gates.records import Answer
from core.learn.metrics import precision_at_prevalence
from core.pictures.tiling import Look
from core.plant import Arrival
from core.records import Capture, Prediction, TaskKind, Verdict
from core.roles import WORKER
from core.watch.rules import RuleKind
from data.store import Store
from data.taxonomies import shipped
from models import checkpoint, nets
from tests.app.jobs.small_dataset import drawn, keep
from tests.data.store.plant import answer, arrival, person

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def model(store: Store, settings: Settings, tmp_path: Path, name: str) -> None:
    torch.manual_seed(5)
    net = nets.build("test_resnet", ("SURFACE_PIT",), False, "scratch", size=64).eval()
    checkpoint.save(tmp_path / "made" / name, net, checkpoint.card_of(net, name, NOW, look=Look(64, 32)))
    add_model(store, settings, tmp_path / "made" / name)


@pytest.fixture
def plant(store: Store, settings: Settings, tmp_path: Path) -> Store:
    """Lyon with an untrained net `old` in use, another `new`, and 480 pictures of 240 parts to measure them on."""
    store.sites.add("Lyon", shipped("machined"), now=NOW)
    for name in ("old", "new"):
        model(store, settings, tmp_path, name)
    store.sites.set_model("Lyon", "old", "set up")
    manifest = drawn(settings, per_split={"train": 4, "val": 4, "test": 480})
    store.datasets.add("pits", manifest, manifest["hash"])
    return store


class Told:
    """An engine that answers as a test tells it to: by whether the picture has a pit."""

    def __init__(self, name: str, pit: float, clean: float, every: int = 0) -> None:
        self.card, self.back_end = SimpleNamespace(name=name, look=Look(64, 32)), "told"
        self.pit, self.clean, self.every = pit, clean, every
        self.number = 0

    def stream(self, images: Iterable[Any], look: Look | None = None) -> Iterator[Prediction]:
        for pixels in images:
            self.number += 1
            bad = bool((pixels < 40).any())
            wrong = self.every and self.number % self.every == 0
            score = self.pit if bad != bool(wrong) else self.clean
            yield Prediction(self.card.name, score, {"SURFACE_PIT": 1.0}, milliseconds=9.0)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[str, Told]:
    found = {"new": Told("new", 0.995, 0.005), "old": Told("old", 0.9, 0.1, every=4)}
    monkeypatch.setattr(gate_module, "open_model", lambda _store, _settings, name: found[name])
    return found


def test_a_model_that_finds_every_pit_passes_and_may_be_promoted(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    kept = run_gate(plant, settings, "new", "Lyon", "pits", now=NOW)
    assert kept.answer is Answer.PASS, kept.document["sentence"]
    assert kept.against == "old"
    assert plant.promotions.promote("Lyon", "new", "finds every pit").gate == kept.id
    criteria = {one["name"]: one for one in kept.document["criteria"]}
    assert criteria["right where it and old differ"]["answer"] == "pass"
    assert criteria["recall"]["n"] == 240
    assert {"recall of SURFACE_PIT", "recall of defects under 50 px", "calibration error"} <= set(criteria)
    assert criteria["recall on blurry pictures"]["decides"] is False
    assert plant.alarms.find("Lyon") == []
    assert kept.document["cautions"][0].startswith("Precision and F2 hold where 50%")
    assert told(kept)["answer"] == "pass"


def test_a_model_that_flags_everything_is_refused_alarmed_about_and_looked_at(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    items = plant.datasets.get("pits").manifest["items"]
    one = next(item for item in items if item["split"] == "test" and not item["defective"])
    plant.arrivals.file("Lyon", [Arrival(Capture(one["path"], part="P-1"), one["path"], one["sha256"],
                                                   80, 60)], close_parts=False)  # fmt: skip
    engines["new"].clean = 0.99
    kept = run_gate(plant, settings, "new", "Lyon", "pits", now=NOW)
    assert kept.answer is Answer.FAIL
    (alarm,) = plant.alarms.find("Lyon")
    assert (alarm.kind, alarm.subject) == (RuleKind.GATE, "new")
    assert plant.alarms.follow_ups(alarm_id=alarm.id)
    counts = plant.queue.counts("Lyon")
    assert counts.kinds[TaskKind.LABEL] == 1
    with pytest.raises(GateFailed, match="its gate says: fail"):
        plant.promotions.promote("Lyon", "new", "why not")


def test_the_worker_goes_on_looking_and_tells_what_a_retraining_could_learn_from(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    engines["new"].clean = 0.99
    run_gate(plant, settings, "new", "Lyon", "pits", now=NOW)
    for minutes in (1, 2, 3):
        assert look(plant.acting_as(WORKER), settings, "Lyon", NOW + timedelta(minutes=minutes)) == []
    (alarm,) = plant.alarms.find("Lyon")
    (asked,) = plant.alarms.follow_ups(alarm_id=alarm.id)
    assert asked.document["model"] == "old"
    assert "labels" in asked.document


def test_few_pictures_are_not_enough_evidence_and_say_how_many_more(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    manifest = drawn(settings, "few", {"train": 4, "val": 4, "test": 40})
    plant.datasets.add("few", manifest, manifest["hash"])
    kept = run_gate(plant, settings, "new", "Lyon", "few", now=NOW)
    assert kept.answer is Answer.UNSURE
    recall = next(one for one in kept.document["criteria"] if one["name"] == "recall")
    assert recall["more_needed"] > 0


def test_training_pictures_show_nothing_and_validation_pictures_open_nothing(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    with pytest.raises(BadInput, match="training pictures shows nothing"):
        run_gate(plant, settings, "new", "Lyon", "pits", "train")
    kept = run_gate(plant, settings, "new", "Lyon", "pits", "val", now=NOW)
    assert any("opens nothing" in one for one in kept.document["cautions"])


@pytest.mark.parametrize(("side", "said"), [("train", {}), ("val", {"learned": ["train", "val"]})])
def test_pictures_that_taught_the_model_are_refused(
    side: str, said: dict[str, Any], plant: Store, settings: Settings, tmp_path: Path, engines: dict[str, Told]
) -> None:
    manifest = plant.datasets.get("pits").manifest
    turned = {**manifest, "name": "turned", "items": [{**one, "split": side} for one in manifest["items"]]}
    plant.datasets.add("turned", turned, keep(settings, turned)["hash"])
    net = nets.build("test_resnet", ("SURFACE_PIT",), False, "scratch", size=64).eval()
    card = checkpoint.card_of(net, "taught", NOW, look=Look(64, 32))
    checkpoint.save(tmp_path / "made" / "taught", net, replace(card, dataset={"name": "turned", **said}))
    add_model(plant, settings, tmp_path / "made" / "taught")
    with pytest.raises(BadInput, match="480 of these 480 pictures taught the model"):
        run_gate(plant, settings, "taught", "Lyon", "pits")


def test_looser_limits_are_answered_and_open_nothing(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    engines["new"].every = 40
    kept = run_gate(plant, settings, "new", "Lyon", "pits", limits=Limits(precision=0.8, recall=0.8,
                    false_rejects=0.2, calibration_error=0.3), now=NOW)  # fmt: skip
    assert kept.answer is Answer.PASS, kept.document["sentence"]
    assert "asked for less than is usual here" in plant.promotions.hindered("Lyon", "new")


def test_the_real_engine_goes_through_the_gate_and_an_untrained_net_does_not_pass(
    plant: Store, settings: Settings
) -> None:
    manifest = drawn(settings, "few", {"train": 4, "val": 4, "test": 24})
    plant.datasets.add("few", manifest, manifest["hash"])
    kept = run_gate(plant, settings.model_copy(update={"device": "cpu", "decoders": 1}), "new", "Lyon", "few", now=NOW)
    assert kept.answer is not Answer.PASS
    assert kept.document["counted"]["images"] == 24
    timed = next(one for one in kept.document["criteria"] if one["name"].startswith("share slower"))
    assert timed["n"] >= 24
    with pytest.raises(NotFound):
        run_gate(plant, settings, "nobody", "Lyon", "few")


def test_an_imported_and_frozen_set_of_one_site_is_measured_too(
    store: Store, settings: Settings, tmp_path: Path, engines: dict[str, Told], source: Path
) -> None:
    """The dataset as `dataset build` makes it, and mistakes that lead to the very parts in the store."""
    import cv2
    import numpy as np

    store.sites.add("Lyon", shipped("machined"), now=NOW)
    model(store, settings, tmp_path, "new")
    rng = np.random.default_rng(1)
    for kind in ("good", "SURFACE_PIT"):
        (source / kind).mkdir()
        for number in range(12):
            pixels = rng.normal(150, 8, (60, 80, 3)).clip(50, 255).astype(np.uint8)
            cv2.imwrite(str(source / kind / f"{kind}{number}.png"), pixels)
    import_labels(store, settings, source, "Lyon", format="folder")
    build_dataset(store, settings, "all", split="train=.34,val=.33,test=.33")
    kept = run_gate(store, settings, "new", "Lyon", "all", now=NOW)  # every pit is missed: none was drawn
    assert kept.answer is not Answer.PASS
    assert kept.against is None
    missed = sum(one["split"] == "test" and one["defective"] for one in store.datasets.get("all").manifest["items"])
    assert store.queue.counts("Lyon").kinds[TaskKind.LABEL] == missed


def test_precision_is_restated_for_the_share_of_defects_that_people_found_on_the_line(
    plant: Store, settings: Settings, engines: dict[str, Told]
) -> None:
    ines = person(plant, "ines")
    filed = plant.arrivals.file("Lyon", [arrival(number, None) for number in range(20)])
    bad = {one.part_id for one in filed[:2]}
    while (task := ines.queue.lease()) is not None:
        answer(ines, task, Verdict.FAIL if task.part_id in bad else Verdict.PASS)
    engines["new"].every = 60
    kept = run_gate(plant, settings, "new", "Lyon", "pits", now=plant.database.clock() + timedelta(minutes=1))
    line = kept.document["line_share"]
    assert (line["site"], line["value"], line["answers"]) == ("Lyon", 0.1, 20)
    assert line["low"] < 0.1 < line["high"]
    criteria = {one["name"]: one for one in kept.document["criteria"]}
    on_list, there = criteria["precision"], criteria["precision at Lyon's share of defects"]
    assert there["value"] < on_list["value"]
    assert there["value"] == pytest.approx(precision_at_prevalence(
        criteria["recall"]["value"], criteria["false rejects"]["value"], 0.1))  # fmt: skip
    assert there["decides"] is False
    assert criteria["precision of SURFACE_PIT at Lyon's share of defects"]["value"] == there["value"]
    assert "At Lyon 10.00% of the parts are" in kept.document["cautions"][0]
    asked = Limits(precision_at_site=0.9, precision=0.5, recall=0.5, false_rejects=0.4, calibration_error=0.4)
    stricter = run_gate(plant, settings, "new", "Lyon", "pits", limits=asked, now=NOW)
    assert "not known" in stricter.document["cautions"][0]  # nothing had been answered by then
    asked_there = next(one for one in stricter.document["criteria"] if one["name"].startswith("precision at Lyon"))
    assert (asked_there["decides"], asked_there["answer"]) == (True, "not enough evidence")
    assert stricter.answer is Answer.UNSURE
