"""A picture with a person's face and a shipping label, as each role gets it from the server."""

import io
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import context, desk
from app.jobs.words.covering import cover
from app.web import routes as web
from app.web.guard import COOKIE
from core.pictures.covering import FILL, Covering
from core.pictures.quality import measure
from core.plant import Arrival
from core.privacy import Mode
from core.records import Capture, Review, TaskKind, Verdict
from core.roles import Actor
from core.words.print_check import PrintRules
from core.words.prints import Print, Reading
from data.store.line.privacy import SEEN
from tests.small_plant import SITE, make_plant, sign_in

FACE_AT, NAME_AT, PLAIN_AT = (215, 165), (700, 115), (640, 700)  # x, y in the picture
LINES = ("Anna Lindqvist", "12 Rose Street", "London SW1A 1AA")


def street_scene() -> np.ndarray:
    """A face that everybody may use (NASA's, inside scikit-image) beside a drawn shipping label."""
    from skimage.data import astronaut

    pixels = np.full((768, 1280, 3), 150, np.uint8)
    pixels[60:572, 20:532] = astronaut()
    cv2.rectangle(pixels, (560, 60), (1240, 330), (250, 250, 250), -1)
    for number, line in enumerate(LINES):
        cv2.putText(pixels, line, (600, 130 + 70 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (10, 10, 10), 3, cv2.LINE_AA)
    return pixels


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A plant that covers every picture of Lyon, whose worker has looked at one with a person in it."""
    from app.settings import Settings
    from data.store import open_store

    plant = make_plant(tmp_path_factory.mktemp("plant") / "home", parts=1)
    path = plant.home / "pictures" / "street.png"
    pixels = street_scene()
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    store = open_store(plant.url)
    capture = Capture(source=str(path), part="P-STREET", view="top")
    store.arrivals.file(
        SITE, [Arrival(capture, str(path), sha256(path.read_bytes()).hexdigest(), 1280, 768, measure(pixels))]
    )
    store.privacy.set_rule(SITE, Mode.ALWAYS, "the camera sees the loading dock")
    cover(store, Settings(home=plant.home, database_url=plant.url), SITE)
    store.close()
    return plant


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


def street():
    (image,) = [one for one in context.plant().images.find(site=SITE) if one.capture.part == "P-STREET"]
    return image


def pixels_of(answer):
    assert answer.headers["content-type"] == "image/jpeg", answer.text
    return np.asarray(Pillow.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def is_covered(pixels, at, scale=1.0):
    x, y = round(at[0] * scale), round(at[1] * scale)
    return bool(np.abs(pixels[y - 2 : y + 3, x - 2 : x + 3] - np.array(FILL)).max() < 12)


@pytest.mark.parametrize(
    ("name", "covered"), [("Ines", True), ("Dora", True), ("Vera", True), ("Quentin", False), ("Ada", False)]
)
@pytest.mark.parametrize("kind", ["screen", "full", "thumb"])
def test_face_and_name_are_filled_for_whoever_may_not_see_them(client, name, covered, kind):
    pixels = pixels_of(as_person(client, name).get(f"/img/{street().id}/{kind}"))
    scale = pixels.shape[1] / 1280
    assert is_covered(pixels, FACE_AT, scale) is covered
    assert is_covered(pixels, NAME_AT, scale) is covered
    assert not is_covered(pixels, PLAIN_AT, scale)


def test_a_crop_is_filled_in_the_same_places(client):
    url = f"/img/{street().id}?box=576,64,640,320&width=640"
    covered = pixels_of(as_person(client, "Ines").get(url))
    assert is_covered(covered, (NAME_AT[0] - 576, NAME_AT[1] - 64))
    assert not is_covered(pixels_of(as_person(client, "Quentin").get(url)), (NAME_AT[0] - 576, NAME_AT[1] - 64))


def test_every_look_at_the_uncovered_picture_is_in_the_trail_and_no_browser_keeps_it(client):
    image = street()
    kept = as_person(client, "Ines").get(f"/img/{image.id}/screen").headers
    assert (kept["cache-control"], kept["vary"]) == ("private, max-age=900", "Cookie")
    assert context.plant().audit.recent(5, action=SEEN) == []
    bare = as_person(client, "Quentin").get(f"/img/{image.id}/screen").headers
    assert bare["cache-control"] == "no-store"
    (event,) = context.plant().audit.recent(5, action=SEEN)
    assert (event.by, event.subject) == ("Quentin", f"image {image.id}")


def test_what_was_covered_is_recorded_with_kind_place_and_finder_and_without_a_word(client):
    (found,) = context.plant().privacy.of(street().id)
    kinds = {one.kind for one in found.covering.covers}
    assert {"face", "name", "address"} <= kinds
    assert all(one.by and one.box[2] > 0 for one in found.covering.covers)
    assert not any(word in repr(found.covering) for word in ("Anna", "Rose", "London"))


@pytest.mark.parametrize(
    "url", ["/img/{}/screen", "/img/{}/thumb", "/img/{}/full", "/img/{}?box=0,0,640,640&width=640"]
)
def test_when_the_finder_failed_nothing_of_the_picture_is_shown(client, url):
    image = street()
    context.plant().privacy.found([(image.id, Covering((), "the reader died"))], datetime.now(UTC))
    answer = as_person(client, "Ines").get(url.format(image.id))
    assert answer.headers["content-type"].startswith("image/svg")
    assert "Withheld" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert pixels_of(as_person(client, "Quentin").get(url.format(image.id))).std() > 20


def test_a_picture_that_nobody_has_looked_at_is_withheld_where_a_site_covers_every_picture(client):
    other = next(one for one in context.plant().images.find(site=SITE) if one.capture.part != "P-STREET")
    assert pixels_of(as_person(client, "Ines").get(f"/img/{other.id}/screen")).size  # the worker found nothing in it
    path = shutil.copy(other.path, Path(other.path).with_name("fresh.png"))
    arrival = Arrival(Capture(str(path), "P-FRESH"), str(path), other.sha256, other.width, other.height, other.quality)
    (filed,) = context.plant().arrivals.file(SITE, [arrival])
    assert "Withheld" in client.get(f"/img/{filed.image_id}/screen").text


def test_note_and_reading_are_covered_in_the_same_way_beside_the_picture(client):
    plant, now = context.plant(), context.now()
    plant.prints.set_rules(SITE, "bracket", PrintRules(identity=False), "a test")
    read = Reading(
        (Print("Anna Lindqvist", 0.9, (10, 10, 90, 20)), Print("EXP 12 JAN 2031", 0.99, (10, 60, 90, 20))), "test"
    )
    image = street()
    path = shutil.copy(image.path, Path(image.path).with_name("label.png"))
    capture = Capture(str(path), "P-LABEL", view="top", part_type="bracket")
    arrival = Arrival(capture, str(path), image.sha256, image.width, image.height, image.quality, reading=read)
    (filed,) = plant.arrivals.file(SITE, [arrival])
    ines = plant.acting_as(Actor("Ines"))
    task = plant.queue.send(filed.part_id, TaskKind.LABEL)
    while (mine := ines.queue.lease(now=now)) is not None and mine.part_id != filed.part_id:
        ines.reviews.add(mine.id, mine.revision, mine.fence, Review(Verdict.PASS, "Ines"), now=now)
    assert mine is not None, task
    note = "Ms Lindqvist called, 020 7946 0958"
    ines.reviews.add(mine.id, mine.revision, mine.fence, Review(Verdict.PASS, "Ines", note=note), now=now)

    def seen(name):
        told = desk.item_of(plant.acting_as(Actor(name)), filed.part_id, None, now)["seen"]
        return [one["text"] for one in told["printed"]["lines"]], told["earlier"][-1]["why"]

    assert seen("Quentin") == (["Anna Lindqvist", "EXP 12 JAN 2031"], note)
    assert seen("Vera") == (["[NAME]", "EXP 12 JAN 2031"], "Ms [NAME] called, [PHONE]")
    assert "Lindqvist" not in plant.audit.recent(1, action="reviewed")[0].reason
