"""Heatmaps measured on the boxes that people keep: by class, with the check against chance."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.jobs.intake.ingest import ingest
from app.jobs.science.heatmaps import measure_heatmaps
from app.jobs.science.measured import heatmaps_place
from app.settings import Settings
from core.errors import BadInput, NotFound
from core.learn.showing import hidden_because
from core.pictures.heatmaps import from_grid
from core.records import Region, Review, Verdict
from core.roles import Actor, Role
from data.store import Store
from tests.app.conftest import PASSWORD

Pictures = Callable[..., list[Path]]


@pytest.fixture
def plant(line_ready: Store) -> Store:
    line_ready.people.add("ines", PASSWORD, Role.INSPECTOR)
    line_ready.sites.set_calibrated("lyon", False, "so that all is held")
    return line_ready


def box(store: Store, class_of: Callable[[int], str], hit: Callable[[int], bool]) -> None:
    """Answer every held part with a box on the map's hottest cell, or far from it."""
    ines = store.acting_as(Actor("ines"))
    for number in range(100):
        task = ines.queue.lease(site="lyon")
        if task is None:
            return
        (image,) = store.images.of_part(task.part_id)
        prediction = store.images.prediction(image.id)
        assert prediction is not None
        assert prediction.heatmap is not None
        heat = from_grid(prediction.heatmap)
        row, column = np.unravel_index(int(heat.argmax()), heat.shape)
        x, y = (column + 0.5) * image.width / heat.shape[1], (row + 0.5) * image.height / heat.shape[0]
        if not hit(number):
            x, y = (x + image.width / 2) % image.width, (y + image.height / 2) % image.height
        region = Region(max(0.0, x - 9), max(0.0, y - 9), 18, 18, class_of(number), class_of(number))
        region = Region(min(region.x, image.width - 18), min(region.y, image.height - 18), 18, 18, region.name,
                        region.class_id)  # fmt: skip
        answer = Review(Verdict.FAIL, "ines", {image.id: (region,)}, source={"heatmap": number % 2 == 0})
        ines.reviews.add(task.id, task.revision, task.fence, answer)


def test_each_class_is_measured_on_the_boxes_people_kept_and_written_beside_the_model(
    plant: Store, current: Settings, pictures: Pictures
) -> None:
    files = pictures(*(f"{number}.png" for number in range(30)))
    ingest(plant, current, [str(files[0].parent)], "lyon")
    box(plant, lambda n: "CRACK" if n < 20 else "BURR", lambda n: n < 20)
    document = measure_heatmaps(plant, current, "tiny", "lyon")
    classes = {one["class"]: one for one in document["classes"]}
    assert classes["CRACK"]["pointing"] > classes["BURR"]["pointing"]
    assert classes["CRACK"]["n"] == 20
    assert not classes["BURR"]["shown"]
    assert set(document["alike"]) == {"head", "everything"}
    place = heatmaps_place(current.models / "tiny", current, "lyon")
    assert json.loads(place.read_text()) == document
    if document["follows_the_weights"]:
        assert "for BURR it points right" in hidden_because(document, {"BURR": 1.0})
    answers = plant.explained.answers("lyon", "tiny")
    assert {one.heatmap for one in answers} == {True, False}
    assert all(one.defective for one in answers)


def test_without_a_box_there_is_nothing_to_measure(plant: Store, current: Settings, pictures: Pictures) -> None:
    ingest(plant, current, [str(pictures("a.png")[0])], "lyon")
    with pytest.raises(BadInput, match="Nobody has kept a box"):
        measure_heatmaps(plant, current, "tiny", "lyon")
    with pytest.raises(NotFound):
        measure_heatmaps(plant, current, "tiny", "nowhere")


def test_a_site_of_any_name_has_a_place_for_its_figures(current: Settings) -> None:
    place = heatmaps_place(current.models / "tiny", current, "../../etc")
    assert place.parent == current.models / "tiny"
