"""The models page: what gates say, what looks on, what decides, and who may change it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import app.jobs.science.gate as gates_job
from app import registry
from app.jobs.runner import run_job
from app.jobs.science.measured import heatmaps_place
from app.settings import Settings
from core.gates.gate import gate
from core.gates.limits import Limits
from core.gates.questions import of_counts
from core.learn.metrics import Counts
from core.pictures.tiling import Look
from core.plant import Arrival
from core.records import Capture, Prediction, Quality
from core.roles import Actor
from core.serving import ShadowScore
from data.store import Store, open_store
from tests.app.jobs.small_dataset import drawn
from tests.small_plant import SITE

GOOD, POOR = Counts(3000, 3, 20, 3000), Counts(100, 20, 30, 100)


@pytest.fixture
def store(plant, monkeypatch) -> Store:
    """Lyon with net-1 in use and net-2 beside it; files are looked at elsewhere."""
    opened = open_store(plant.url)
    for number in (1, 2):
        opened.models.add({"name": f"net-{number}", "classes": ["CRACK"]}, f"/models/{number}", f"{number}" * 64)
    opened.sites.set_model(SITE, "net-1", "set up")
    monkeypatch.setattr(registry, "_check", lambda _model: None)
    yield opened
    opened.close()


def gated(store: Store, counts: Counts) -> None:
    verdict = gate(of_counts(counts, Limits()), 0.05)
    store.gates.add(SITE, "net-2", "2" * 64, "first", "test", "net-1", verdict, Limits(), {"cautions": ["Take care."]})


def words(page) -> str:
    kinds = ("markdown", "caption", "info", "warning", "success", "error", "subheader")
    return " ".join(one.value for kind in kinds for one in getattr(page, kind)).replace("\\", "")


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def fill(page, label, text):
    next(one for one in page.text_input if one.label == label).set_value(text)
    return page


def labels(page) -> set[str]:
    return {button.label for button in page.button}


def open_second(app, who):
    page = app(who, "science/models")
    next(one for one in page.radio if one.label == "Version").set_value("net-2").run()
    assert not page.exception
    return page


def test_a_gate_shows_its_answer_every_criterion_and_how_many_more_it_takes(app, store):
    gated(store, POOR)
    page = open_second(app, "Dora")
    said = words(page)
    assert "All bounds hold together" in said
    assert "Take care." in said
    table = next(one.value for one in page.dataframe if "more needed" in one.value.columns)
    assert set(table["criterion"]) == {"precision", "recall", "false rejects"}
    assert "✕ fail" in set(table["answer"])


def test_a_passed_gate_opens_the_way_and_one_act_takes_it(app, store):
    gated(store, GOOD)
    page = open_second(app, "Dora")
    assert "Put in use" in labels(page)
    press(fill(page, "Why this one and none of the others", "finds more cracks"), "Put in use")
    assert "net-2 decides at Lyon from the next batch on" in words(page)
    assert store.promotions.in_use(SITE) == "net-2"


def test_a_promotion_without_a_reason_is_refused_in_words(app, store):
    gated(store, GOOD)
    page = press(open_second(app, "Dora"), "Put in use")
    assert "needs a reason" in words(page)
    assert store.promotions.in_use(SITE) == "net-1"


def test_without_a_passed_gate_two_people_are_asked_for(app, store):
    page = open_second(app, "Dora")
    assert "has not been through the gate" in words(page)
    assert "Put in use" not in labels(page)
    press(fill(page, "Why it should decide all the same", "the old camera is gone"), "Ask")
    assert "Nothing changes until somebody else agrees" in words(page)
    assert "Somebody else agrees to it" in words(page)
    lead = open_second(app, "Quentin")
    press(fill(lead, "Why it is right", "looked at it"), "Agree to it")
    assert store.promotions.in_use(SITE) == "net-2"


def test_the_way_back_is_one_act_with_a_reason(app, store):
    gated(store, GOOD)
    store.promotions.promote(SITE, "net-2", "finds more")
    page = open_second(app, "Quentin")
    assert "Roll back to net-1" in words(page) or "Roll back" in labels(page)
    press(fill(page, "What is wrong with the model in use", "it misses burrs"), "Roll back")
    assert "net-1 decides at Lyon again" in words(page)
    assert store.promotions.in_use(SITE) == "net-1"


def test_a_shadow_is_started_compared_with_production_and_ended(app, store):
    page = press(open_second(app, "Dora"), "Start the shadow")
    assert "It decides nothing" in words(page)
    shadow = store.shadows.latest(SITE)
    assert (shadow.until - shadow.started_at).total_seconds() == 48 * 3600
    quality = Quality(50, 0.5, 0.2, 0, 0)
    arrivals = [
        Arrival(Capture(f"live/{n}.png", f"live-{n}"), f"live/{n}.png", f"{n:064x}", 64, 64, quality,
                Prediction("net-1", 0.2, {"CRACK": 1.0}, milliseconds=8.0))
        for n in range(3)
    ]  # fmt: skip
    filed = store.arrivals.file(SITE, arrivals)
    store.shadows.keep(shadow.id, [ShadowScore(one.image_id, 0.9 if n else 0.1, {}, 6.0)
                                   for n, one in enumerate(filed)])  # fmt: skip
    page = open_second(app, "Dora")
    figures = {one.label: one.value for one in page.metric}
    assert figures["Pictures compared"] == "3"
    assert figures["Flagged by one of the two"] == "2"
    assert "Where they disagree" in words(page)
    press(page, "End the shadow net-2")
    assert store.shadows.latest(SITE).ended_at is not None


def test_heatmaps_show_where_they_point_and_what_seeing_them_goes_with(app, store, plant):
    place = heatmaps_place(Path("/models/2"), Settings(home=plant.home), SITE)
    place.parent.mkdir(parents=True)
    row = {"class": "CRACK", "n": 40, "parts": 40, "pointing": 0.2, "low": 0.1, "high": 0.4, "energy": 0.1,
           "covered": 0.02, "answer": "fail", "more_needed": None, "shown": False}  # fmt: skip
    measured = {"limit": 0.6, "pictures": 40, "classes": [row], "alike": {"head": 0.3, "everything": 0.1},
                "follows_the_weights": True, "measured_at": "2026-03-02T09:00:00+00:00"}  # fmt: skip
    place.write_text(json.dumps(measured), encoding="utf-8")
    page = open_second(app, "Dora")
    said = words(page)
    assert "The maps follow the net's weights" in said
    assert "No answer says yet whether the heatmap was on the screen" in said
    table = next(one.value for one in page.dataframe if "at the desk" in one.value.columns)
    assert list(table["at the desk"]) == ["hidden until asked for"]
    press(page, "Measure on the boxes that people keep")
    assert [one.kind for one in store.jobs.recent(limit=1)] == ["heatmaps"]


def test_who_may_only_look_sees_figures_and_no_buttons(app, store):
    gated(store, GOOD)
    page = open_second(app, "Vera")
    assert "All bounds hold together" in words(page)
    assert not {"Put in use", "Start the shadow", "Run the gate", "Ask"} & labels(page)


def test_a_plant_without_a_model_says_what_to_do(app):
    assert "No model yet" in words(app("Dora", "science/models"))


def test_a_gate_that_was_asked_for_waits_for_the_worker(app, store):
    items = [{"split": "test", "path": "/x.png", "sha256": "0" * 64}]
    store.acting_as(Actor("Dora")).datasets.add("first", {"name": "first", "items": items}, "0" * 64)
    page = press(open_second(app, "Dora"), "Run the gate")
    assert "The worker measures it now" in words(page)
    (job,) = [one for one in store.jobs.recent(limit=5) if one.kind == "gate"]
    assert job.arguments == {"model": "net-2", "site": SITE, "dataset": "first", "split": "test"}


class Sees:
    """A net that tells pits from clean metal, or takes every fourth for the other."""

    def __init__(self, name: str, wrong: int) -> None:
        self.card, self.back_end, self.wrong, self.seen = (
            SimpleNamespace(name=name, look=Look(64, 32)),
            "made",
            wrong,
            0,
        )

    def stream(self, images, look=None):
        for pixels in images:
            self.seen += 1
            bad = bool((pixels < 40).any()) != bool(self.wrong and self.seen % self.wrong == 0)
            sure = 0.999 if self.wrong else 0.995  # so that one wrong picture tips its part
            yield Prediction(self.card.name, sure if bad else 0.005, {"SURFACE_PIT": 1.0}, milliseconds=9.0)


def test_a_good_model_is_accepted_by_the_gate_that_was_asked_for_on_the_page_and_put_in_use(
    app, store, plant, monkeypatch
):
    settings = Settings(home=plant.home, database_url=plant.url, device="cpu", decoders=1)
    manifest = drawn(settings, per_split={"train": 2, "val": 2, "test": 480})
    store.datasets.add("pits", manifest, manifest["hash"])
    store.models.add({"name": "pit-finder", "classes": ["SURFACE_PIT"]}, "/models/3", "3" * 64)
    nets = {"pit-finder": Sees("pit-finder", 0), "net-1": Sees("net-1", 4)}
    monkeypatch.setattr(gates_job, "open_model", lambda _store, _settings, name: nets[name])
    page = app("Dora", "science/models")
    next(one for one in page.radio if one.label == "Version").set_value("pit-finder").run()
    press(page, "Run the gate")
    job = store.jobs.claim("worker")
    assert job.kind == "gate"
    run_job(store, settings, job, "worker")
    page = app("Dora", "science/models")
    next(one for one in page.radio if one.label == "Version").set_value("pit-finder").run()
    kept = store.gates.of("pit-finder", SITE)[0]
    assert kept.answer == "pass", kept.document["sentence"]
    assert "criteria are shown to be kept" in words(page)
    press(fill(page, "Why this one and none of the others", "finds every pit"), "Put in use")
    assert store.promotions.in_use(SITE) == "pit-finder"
    assert store.promotions.history(SITE)[0].gate == kept.id


@pytest.mark.parametrize("named", ["net-2", "net-1"])
def test_the_version_that_stands_in_the_address_is_the_one_shown(app, store, named):
    page = app("Dora")
    page.query_params["models.version"] = named
    page.switch_page(str(Path(__file__).parents[2] / "pages" / "science" / "models.py")).run()
    assert not page.exception
    assert next(one for one in page.radio if one.label == "Version").value == named
    assert named in [one.value.replace("\\", "") for one in page.subheader]
