import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.jobs.science.evaluate import evaluate
from app.jobs.science.train import train
from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound
from core.pictures.tiling import Look
from core.plant import PartType
from models.checkpoint import load
from models.engine import Engine
from models.training import loop
from models.training.wishes import Wishes
from tests.app.jobs.small_dataset import drawn, keep, short_epochs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = Look(tile=64, stride=32)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Nothing here depends on how long a model was trained."""
    with short_epochs():
        yield


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, device="cpu", offline=True, decoders=1)


@pytest.fixture(scope="module")
def trained(quick, tmp_path_factory):
    """One model, trained once for the tests that only look at it."""
    settings = Settings(home=tmp_path_factory.mktemp("plant"), device="cpu", offline=True, decoders=1)
    drawn(settings)
    told = []
    done = train(
        None,
        settings,
        "pits",
        "test_resnet",
        None,
        2,
        0,
        "first",
        look=LOOK,
        now=NOW,
        progress=lambda *s: told.append(s),
    )
    return settings, done, told


def test_the_document_is_the_designs(trained):
    _, done, _ = trained
    assert {"model", "epochs", "seconds", "metrics"} <= done.keys()
    assert done["model"] == "first"
    assert done["epochs"] == 2
    json.dumps(done)


def test_without_pretrained_weights_it_starts_from_scratch_and_says_so(trained):
    _, done, told = trained
    assert "from scratch" in done["weights"]
    assert "no pretrained" in done["weights"]
    assert done["weights"] in [message for _, _, message in told]


def test_the_model_is_calibrated_and_opens_in_the_engine(trained):
    settings, _, _ = trained
    checkpoint = load(settings.models / "first")
    card = checkpoint.card
    assert card.classes == ("SURFACE_PIT",)  # nothing shows a crack
    assert card.dense
    assert card.calibration.fitted == 8
    assert card.heatmap_scale > 0
    assert card.created_at == NOW.isoformat()
    assert Engine(checkpoint, "cpu").card.look == LOOK


def test_the_card_tells_of_what_each_prevalence_is(trained):
    settings, done, _ = trained
    card = load(settings.models / "first").card
    assert done["metrics"]["prevalence"].keys() == {"per_image", "per_part", "per_tile"}
    assert card.dataset["val"]["prevalence_per_image"] == 0.5
    assert card.dataset["hash"]
    assert set(card.training["class_weights"]) == {"defective", "good"}


def test_the_card_holds_each_class_and_both_baselines(trained):
    _, done, _ = trained
    metrics = done["metrics"]
    assert metrics["per_class"]["SURFACE_PIT"].keys() == {"precision", "recall", "f1", "n", "pr_auc"}
    assert metrics["flag_all"]["recall"] == 1.0
    assert metrics["pass_all"]["recall"] == 0.0
    assert metrics["confusion"]["names"] == ["NO_DEFECT", "SURFACE_PIT"]


def test_no_half_finished_training_is_left_behind(trained):
    settings, _, _ = trained
    assert not list((settings.models / ".training").glob("*"))
    assert [p.name for p in settings.models.iterdir() if not p.name.startswith(".")] == ["first"]


class Killed(Exception):
    """Stands for a kill after the first epoch."""


def test_killed_and_run_again_it_makes_the_very_same_model(trained, settings):
    original, _, _ = trained
    drawn(settings)

    def kill(epoch, epochs, message):
        if epoch == 1 and message.startswith("epoch 2"):
            raise Killed

    # the same pictures at another place: the training depends on what they show, not on where they lie
    arguments = (None, settings, "pits", "test_resnet", None, 2, 0)
    with pytest.raises(Killed):
        train(*arguments, "again", look=LOOK, now=NOW, progress=kill)
    assert list((settings.models / ".training").glob("*.safetensors"))
    train(*arguments, "again", look=LOOK, now=NOW)
    assert load(settings.models / "again").card.sha256 == load(original.models / "first").card.sha256


def test_the_store_learns_of_the_model(store, settings):
    drawn(settings)
    done = train(store, settings, "pits", "test_resnet", "scratch", 1, look=LOOK, now=NOW)
    assert done["model"] == "pits-test_resnet-20260301-120000"
    held = store.models.get(done["model"])
    assert held.path == f"models/{done['model']}"
    assert held.card["name"] == done["model"]


def test_a_part_type_that_has_an_upright_is_not_mirrored(store, settings):
    manifest = drawn(settings)
    for item in manifest["items"]:
        item["part_type"] = "label"
    manifest["name"] = "labels"
    keep(settings, manifest)
    store.sites.add("Lyon")
    store.part_types.put("Lyon", PartType("label", tile=64, stride=32, flips=False))
    done = train(store, settings, "labels", "test_resnet", "scratch", 1, name="upright", now=NOW)
    card = load(settings.models / done["model"]).card
    assert card.look == LOOK
    assert card.training["recipe"]["augmentation"]["flip_x"] is False


def test_an_empty_validation_part_leaves_the_model_uncalibrated(settings):
    drawn(settings, per_split={"train": 8})
    train(None, settings, "pits", "test_resnet", "scratch", 1, name="blind", look=LOOK, now=NOW)
    card = load(settings.models / "blind").card
    assert card.calibration.fitted == 0
    assert card.metrics["measured_on"] is None


def test_a_refit_learns_from_validation_pictures_too_and_says_what_was_measured_before(trained, settings):
    original, done, _ = trained
    drawn(settings)
    told = []
    again = train(
        None,
        settings,
        "pits",
        "test_resnet",
        None,
        2,
        name="first",
        look=LOOK,
        refit=True,
        now=NOW,
        progress=lambda *s: told.append(s[2]),
    )
    first, second = load(original.models / "first").card, load(settings.models / "first").card
    assert (done["refit"], again["refit"]) == (False, True)
    assert second.sha256 != first.sha256
    assert second.calibration == first.calibration
    assert again["metrics"]["log_loss"] == done["metrics"]["log_loss"]
    assert "take others to measure it" in again["metrics"]["caution"]
    assert second.training["refit"]["pictures"] == 20
    assert second.training["refit"]["epochs"] == again["best_epoch"]
    assert (first.dataset["learned"], second.dataset["learned"]) == (["train"], ["train", "val"])
    assert any(message.startswith("with validation pictures too: ") for message in told)
    assert not list((settings.models / ".training").glob("*"))
    assert "no measure of anything" in evaluate(None, settings, "first", "pits", "val")["caution"]
    assert evaluate(None, settings, "first", "pits", "test")["caution"] == ""


def test_a_refit_that_was_killed_goes_on_where_it_was(trained, settings, tmp_path):
    drawn(settings)
    here = Settings(home=tmp_path / "other", device="cpu", offline=True, decoders=1)
    drawn(here)

    def kill(epoch, epochs, message):
        if message.startswith("with validation pictures too: epoch 2"):
            raise Killed

    with pytest.raises(Killed):
        train(None, settings, "pits", "test_resnet", None, 2, name="r", look=LOOK, refit=True, now=NOW, progress=kill)
    assert len(list((settings.models / ".training").glob("*.safetensors"))) == 2
    train(None, settings, "pits", "test_resnet", None, 2, name="r", look=LOOK, refit=True, now=NOW)
    train(None, here, "pits", "test_resnet", None, 2, name="r", look=LOOK, refit=True, now=NOW)
    assert load(settings.models / "r").card.sha256 == load(here.models / "r").card.sha256


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_refit_that_the_time_does_not_allow_leaves_the_first_net(share, trained, settings, monkeypatch):
    original, _, _ = trained
    drawn(settings)
    whole = loop.fit

    def slow(*given, limit_s=None, until=None, **more):
        """The first training takes a share of the time; of the second only one epoch fits."""
        fitted = whole(*given, until=until and 1, **more)
        return replace(fitted, seconds=100 - 100 * share) if until is None else fitted

    monkeypatch.setattr(loop, "fit", slow)
    wishes = Wishes(limit_s=100)
    arguments = (None, settings, "pits", "test_resnet", None, 2, 0, "short")
    done = train(*arguments, look=LOOK, refit=True, wishes=wishes, now=NOW)
    assert done["refit"] is False
    card = load(settings.models / "short").card
    assert card.sha256 == load(original.models / "first").card.sha256
    assert card.dataset["learned"] == ["train"]
    assert not list((settings.models / ".training").glob("*"))


def test_a_refit_whose_only_epoch_the_time_cut_short_leaves_the_first_net(trained, settings, monkeypatch):
    """Seconds are counted by a clock that stands still until the second training begins."""
    drawn(settings)
    whole, seconds = loop.fit, iter(range(10**6))

    def hurried(*given, limit_s=None, until=None, **more):
        if until is None:
            return replace(whole(*given, **more), best=1, seconds=0.0)
        monkeypatch.setattr("models.training.loop.time.monotonic", lambda: float(next(seconds)))
        return whole(*given, limit_s=0.5, until=1, **more)

    monkeypatch.setattr(loop, "fit", hurried)
    wishes = Wishes(limit_s=100)
    done = train(
        None, settings, "pits", "test_resnet", None, 2, 0, "cut", look=LOOK, refit=True, wishes=wishes, now=NOW
    )
    assert done["refit"] is False
    assert load(settings.models / "cut").card.dataset["learned"] == ["train"]


def test_without_validation_pictures_there_is_nothing_to_refit(settings):
    drawn(settings, per_split={"train": 8})
    done = train(None, settings, "pits", "test_resnet", "scratch", 1, name="bare", look=LOOK, refit=True, now=NOW)
    assert done["refit"] is False


def test_a_name_is_given_once(trained):
    settings, _, _ = trained
    with pytest.raises(Conflict, match="'first' already"):
        train(None, settings, "pits", "test_resnet", "scratch", 1, name="first", look=LOOK)


def test_pretrained_weights_that_are_asked_for_must_be_there(settings):
    drawn(settings)
    with pytest.raises(NotFound, match="OFFLINE"):
        train(None, settings, "pits", "resnet18", "pretrained", 1, look=LOOK)


def test_an_unknown_dataset_is_named_with_those_there_are(settings):
    drawn(settings)
    with pytest.raises(NotFound, match="'pots': there are pits"):
        train(None, settings, "pots")


def test_pictures_that_are_gone_or_changed_are_refused(settings):
    manifest = drawn(settings)
    Path(manifest["items"][0]["path"]).unlink()
    Path(manifest["items"][1]["path"]).write_bytes(b"other")
    with pytest.raises(BadInput, match=r"2 of 20 pictures .*train0\.png is gone"):
        train(None, settings, "pits", "test_resnet", "scratch", 1, look=LOOK)


def test_a_manifest_that_was_edited_is_refused(settings):
    drawn(settings)
    path = settings.datasets / "pits.json"
    path.write_text(path.read_text().replace('"defective": true', '"defective": false', 1))
    with pytest.raises(BadInput, match="no longer the one that was frozen"):
        train(None, settings, "pits")


def test_a_dataset_name_cannot_leave_the_folder(settings, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(NotFound):
        train(None, settings, "../other")


def test_labels_that_are_only_probabilities_make_a_model_without_classes(settings):
    manifest = drawn(settings, "cells")
    for item in manifest["items"]:
        item |= {"classes": [], "regions": [], "probability": 2 / 3 if item["defective"] else 0.0}
    manifest["classes"] = []
    keep(settings, manifest)
    document = train(None, settings, "cells", "test_resnet", "scratch", 1, name="cells-1", look=LOOK, now=NOW)
    assert document["metrics"]["per_class"] == {}
    assert evaluate(None, settings, "cells-1", "cells", "test")["images"] == 8
