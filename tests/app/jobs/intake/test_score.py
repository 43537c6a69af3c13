from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from app.jobs.intake.at_site import at_site
from app.jobs.intake.score import overlay, score
from app.settings import Settings
from core.errors import NotFound
from core.records import Region
from core.roles import Actor
from data.store import Store

Draw = Callable[..., list[Path]]


def test_every_picture_gets_the_endpoints_answer_with_tiles_and_heatmap_time(
    current: Settings, pictures: Draw, model_folder: Path
):
    files = pictures("a.png", "b.jpg")
    answers = score(current, [str(files[0].parent)], str(model_folder))
    assert [Path(one["file"]).name for one in answers] == ["a.png", "b.jpg"]
    for one in answers:
        assert one["prediction"] in ("DEFECT", "NO_DEFECT")
        assert 0.5 <= one["overall_confidence"] <= 1
        assert one["decision"] == "HOLD"  # no site, no policy
        assert one["model_version"] == "tiny"
        assert one["heatmap_ms"] > 0
        tiles = np.array(one["tiles"])
        assert tiles.shape[1] == 5
        assert tiles[:, 0].max() + 64 == 96  # the last column is flush with the edge


def test_at_a_site_the_narrowest_policy_in_force_decides(
    current: Settings, pictures: Draw, model_folder: Path, store: Store
):
    store.sites.add("Lyon")
    store.sites.add_name("Lyon", "line", "B")
    store.sites.set_calibrated("Lyon")
    ada, ben = (store.acting_as(Actor(name, system=True)) for name in ("Ada", "Ben"))
    for low, high, line in ((1.0, 1.0, None), (0.0, 0.0, "B")):  # everything passes, but on line B everything fails
        made = ada.policies.propose("Lyon", low, high, "to see", line=line)
        ben.policies.approve("Lyon", made.number, "agreed")
    files, now = pictures("a.png"), datetime(2026, 3, 2, 8, tzinfo=UTC)

    def decided(line: str | None) -> tuple[str, int]:
        at = at_site(store, "Lyon", line, None, now)
        (one,) = score(current, [str(files[0])], str(model_folder), at=at)
        return one["decision"], one["policy_version"]

    assert decided(None) == decided("C") == ("PASS", 1)
    assert decided("B") == ("FAIL", 2)


def test_a_broken_picture_is_answered_too(current: Settings, pictures: Draw, model_folder: Path):
    good, cut = pictures("a.png", "b.jpg")
    cut.write_bytes(cut.read_bytes()[:400])
    first, second = score(current, [str(good), str(cut)], str(model_folder))
    assert first["prediction"] is not None
    assert (second["prediction"], second["decision"], second["defects"]) == (None, "HOLD", [])
    assert second["reasons"][0]["code"] == "unreadable"


def test_nothing_is_stored(current: Settings, pictures: Draw, model_folder: Path):
    (file,) = pictures("a.png")
    before = sorted(path.name for path in current.home.iterdir())
    score(current, [str(file)], str(model_folder))
    assert {path.name for path in current.home.iterdir()} - set(before) <= {"compiled"}


def test_overlays_have_the_pictures_size_and_their_own_names(
    current: Settings, pictures: Draw, model_folder: Path, tmp_path: Path
):
    files = pictures("a.png", "deep/a.png")
    score(current, [str(files[0].parent)], str(model_folder), tmp_path / "overlays")
    made = sorted((tmp_path / "overlays").iterdir())
    assert [path.name for path in made] == ["a-2.png", "a.png"]
    assert all(Pillow.open(path).size == (96, 72) for path in made)


def test_an_overlay_leaves_cold_places_and_the_callers_array_alone():
    pixels = np.full((40, 60, 3), 100, np.uint8)
    heat = np.zeros((40, 60), np.float32)
    heat[10:20, 10:20] = 1
    drawn = overlay(pixels, heat, [Region(30, 5, 20, 20, "CRACK")])
    assert (pixels == 100).all()
    assert (drawn[30:, :25] == 100).all()
    assert (drawn[10:20, 10:20] != 100).any()
    assert tuple(drawn[5, 35]) == (255, 230, 0)


def test_a_model_that_is_not_there_is_said(current: Settings, pictures: Draw):
    with pytest.raises(NotFound, match="no model 'nothing'"):
        score(current, [str(pictures("a.png")[0])], "nothing")
