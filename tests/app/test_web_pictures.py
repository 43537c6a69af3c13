"""Looking closely: parts of a picture by address, for whoever may see it, and no more than was asked for."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import context
from app.web import routes as web
from app.web.guard import COOKIE
from app.web.pictures import GRID, Pictures, snap
from core.errors import BadInput
from tests.small_plant import HEIGHT, WIDTH, make_plant, sign_in


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "home", parts=2)


@pytest.fixture
def client(made, tmp_path, monkeypatch):
    for file in made.home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, tmp_path / file.name)
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    yield TestClient(Starlette(routes=web.routes()), base_url="http://127.0.0.1")
    context._open.cache_clear()


def as_person(client, name):
    client.cookies.set(COOKIE, sign_in(context.settings().database_url, name))
    return client


def lyon_image():
    return next(one for one in context.plant().images.find(site="Lyon") if one.capture.view == "top")


def opened(answer):
    assert answer.headers["content-type"] == "image/jpeg"
    return np.asarray(Pillow.open(io.BytesIO(answer.content)))


def test_a_crop_shows_the_boxs_own_pixels_at_the_width_that_was_asked_for(client):
    image = lyon_image()
    answer = as_person(client, "Ines").get(f"/img/{image.id}?box=128,64,256,128&width=256")
    whole = np.asarray(Pillow.open(image.path).convert("RGB")).astype(int)
    assert answer.headers["cache-control"].startswith("private")
    assert opened(answer).shape == (128, 256, 3)
    assert np.abs(opened(answer) - whole[64:192, 128:384]).mean() < 4
    assert opened(client.get(f"/img/{image.id}?box=128,64,256,128&width=64")).shape == (32, 64, 3)


def test_a_crop_is_401_signed_out_and_403_at_another_site(client):
    url = f"/img/{lyon_image().id}?box=0,0,64,64&width=64"
    assert client.get(url).status_code == 401
    assert as_person(client, "Tomas").get(url).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "?box=0,0,64,64", "?box=0,0,0,64&width=64", "?box=-1,0,64,64&width=64", "?box=0,0,64&width=64",
     f"?box={WIDTH},0,64,64&width=64", "?box=0,0,64,64&width=0x40", "?box=0,0,1e9,64&width=64"],
)  # fmt: skip
def test_a_box_that_means_nothing_is_refused(client, query):
    assert as_person(client, "Ines").get(f"/img/{lyon_image().id}{query}").status_code == 400


def test_a_crop_of_a_picture_that_is_not_there_is_404(client):
    assert as_person(client, "Ines").get("/img/99999?box=0,0,64,64&width=64").status_code == 404


def test_boxes_snap_outwards_to_a_grid_so_that_the_same_ones_come_again():
    assert snap((70, 10, 20, 60), (1000, 1000)) == (GRID, 0, GRID, 2 * GRID)
    assert snap((0, 0, 5000, 5000), (1000, 700)) == (0, 0, 1000, 700)
    with pytest.raises(BadInput):
        snap((1024, 0, 10, 10), (1000, 700))


def test_a_crop_is_made_once_while_it_is_remembered_and_never_from_a_changed_file(client, tmp_path):
    made = []

    def preview(data, width, box):
        made.append(box)
        return b"jpeg"

    image = lyon_image()
    pictures = Pictures(tmp_path / "copies", preview)
    assert pictures.crop(image, (0, 0, 60, 60), 64) == pictures.crop(image, (1, 1, 40, 40), 64) == b"jpeg"
    assert made == [(0, 0, 64, 64)]
    pictures.crop(image, (0, 0, WIDTH, HEIGHT), 64)
    assert len(made) == 2
