"""A plant on disk, small pictures with and without a flaw, and a model that was really saved and is really loaded."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from app.settings import Settings
from core.pictures.tiling import Look
from core.roles import Role
from data.store import Store, open_store
from data.taxonomies import shipped
from models import checkpoint, nets

PASSWORD = "nine quiet looms at noon"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained net of 64-pixel tiles with two classes and a dense map."""
    torch.manual_seed(3)
    net = nets.build("test_resnet", ("BURR", "CRACK"), True, "scratch", size=64).eval()
    folder = tmp_path_factory.mktemp("models") / "tiny"
    card = checkpoint.card_of(net, "tiny", NOW, look=Look(64, 32))
    checkpoint.save(folder, net, replace(card, heatmap_scale=0.05, region_threshold=0.2))
    return folder


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    (place / "holdpoint.sqlite3").write_bytes(sqlite_template.read_bytes())
    return place


@pytest.fixture
def current(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a plant of its own, in the environment too, so that commands see the same."""
    monkeypatch.setenv("HOLDPOINT_HOME", str(home))
    monkeypatch.setenv("HOLDPOINT_DEVICE", "cpu")
    monkeypatch.setenv("HOLDPOINT_SETTLE_SECONDS", "0")
    monkeypatch.setenv("HOLDPOINT_DECODERS", "1")
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    return Settings()


@pytest.fixture
def held(current: Settings) -> Iterator[Store]:
    """The store of that plant, with a site that decides nothing by itself."""
    store = open_store(current.database_url)
    store.sites.add("lyon", shipped("machined"), now=NOW)
    yield store
    store.close()


@pytest.fixture
def line_ready(held: Store, current: Settings, model_folder: Path) -> Store:
    """The same site with the model in use, calibrated, under a policy that passes almost everything."""
    from app.jobs.science.models import add_model

    for name in ("ada", "grace"):
        held.people.add(name, PASSWORD, Role.QA_LEAD)
    add_model(held, current, model_folder)
    held.sites.set_model("lyon", "tiny", "test")
    held.sites.set_calibrated("lyon", True, "test")
    approve_policy(held, 0.999, 1.0)
    return held


def approve_policy(store: Store, pass_below: float, fail_above: float) -> None:
    from core.roles import Actor

    made = store.acting_as(Actor("ada")).policies.propose("lyon", pass_below, fail_above, "for a test")
    store.acting_as(Actor("grace")).policies.approve("lyon", made.number, "for a test")


def draw(path: Path, seed: int, size: tuple[int, int] = (96, 72)) -> Path:
    """A grainy picture, different for each seed."""
    rng = np.random.default_rng(seed)
    pixels = np.clip(rng.normal(120, 40, (size[1], size[0], 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)
    return path


@pytest.fixture
def draw_picture() -> Callable[..., Path]:
    """Draws one picture anywhere."""
    return draw


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., list[Path]]:
    """Draws pictures into the folder `in`."""

    def make(*names: str, seed: int = 0) -> list[Path]:
        return [draw(tmp_path / "in" / name, seed * 1000 + number) for number, name in enumerate(names)]

    return make
