"""Looking for personal details as pictures come in and afterwards, and covered exports; real files, both databases."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.jobs.runner import KINDS
from app.jobs.science.exports import WITHHELD, export_labels
from app.jobs.words import covering
from app.jobs.words.covering import SiteCovers, cover, covering_for, submit_when_due
from app.settings import Settings
from core.errors import ModelError
from core.pictures.covering import FILL, Cover, Covering
from core.plant import Arrival
from core.privacy import Mode
from core.records import Capture, Region, Review, Verdict
from core.roles import WORKER, Role
from core.words.prints import Print, Reading
from data.store import open_store
from data.store.engine.database import utc_now
from tests.data.store.plant import person, site

PIXELS = np.random.default_rng(5).integers(90, 255, (240, 320, 3), dtype=np.uint8)
READ = Reading(
    (Print("Anna Lindqvist", 0.9, (20.0, 20.0, 120.0, 24.0)), Print("SIZE KING", 0.9, (20.0, 60.0, 90.0, 24.0))), "test"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def plant(request, tmp_path):
    url = request.getfixturevalue(f"{request.param}_url")
    store = open_store(url)
    site(store)
    yield store, Settings(home=tmp_path / "home", database_url=url)
    store.close()


def filed(store, folder, name="one.png", **more):
    path = folder / name
    cv2.imwrite(str(path), cv2.cvtColor(PIXELS, cv2.COLOR_RGB2BGR))
    arrival = Arrival(Capture(str(path), f"part-{name}"), str(path), sha256(path.read_bytes()).hexdigest(), 320, 240)
    (made,) = store.arrivals.file("Lyon", [replace(arrival, **more)])
    return made.image_id


def test_a_line_of_print_that_is_personal_is_covered_and_others_are_not():
    found = covering_for(PIXELS, READ)
    assert [(one.kind, one.box) for one in found.covers if one.kind != "face"] == [("name", (20.0, 20.0, 120.0, 24.0))]
    assert found.failed is None


def test_a_reader_or_a_finder_that_failed_leaves_a_failed_look(monkeypatch):
    assert "took too long" in covering_for(PIXELS, Reading((), "test", "took too long")).failed

    def broken(_pixels):
        raise ModelError("faces could not be looked for")

    monkeypatch.setattr("models.faces.faces", broken)
    assert covering_for(PIXELS, READ) == Covering(
        (), "faces could not be looked for", (covering.TEXT, covering_for(PIXELS, READ).finders[1])
    )


def test_the_line_looks_at_pictures_whose_print_it_read_unless_the_site_covers_nothing(plant):
    store, _ = plant
    finder = SiteCovers(store, "Lyon")
    finder.load()
    assert finder.find(PIXELS, None) is None
    assert finder.find(PIXELS, READ).covers
    store.privacy.set_rule("Lyon", Mode.NEVER, "a bare shaft")
    finder.load()
    assert finder.find(PIXELS, READ) is None


def test_the_worker_looks_at_what_waits_once_and_by_itself(plant, tmp_path):
    store, current = plant
    image = filed(store, tmp_path, reading=READ)
    number = submit_when_due(store, utc_now())
    assert submit_when_due(store, utc_now()) is None  # it is on its way
    job = store.jobs.get(number)
    told = KINDS[job.kind](store.acting_as(WORKER), current, job.arguments, lambda *_: None)
    assert (told["images"], told["failed"], told["covers"].get("name")) == (1, 0, 1)
    assert submit_when_due(store, utc_now()) is None
    (found,) = store.privacy.of(image)
    assert found.covering.covers[0].kind == "name"


def test_a_file_that_is_gone_or_changed_is_a_failed_look(plant, tmp_path):
    store, current = plant
    gone, changed = (
        filed(store, tmp_path, "gone.png", reading=READ),
        filed(store, tmp_path, "changed.png", reading=READ),
    )
    Path(store.images.get(gone).path).unlink()
    cv2.imwrite(store.images.get(changed).path, PIXELS[::-1])
    assert cover(store, current)["failed"] == 2
    ines = person(store, "ines", Role.INSPECTOR)
    assert all(ines.privacy.look(one).withheld for one in (gone, changed))


def test_an_export_of_somebody_who_may_not_see_it_is_covered_and_leaves_out_what_is_withheld(plant, tmp_path):
    store, current = plant
    box = Cover("name", (40.0, 40.0, 100.0, 50.0), "a test")
    shown = filed(store, tmp_path, "a.png", reading=READ, covering=Covering((box,), None, ("a test",)))
    held = filed(store, tmp_path, "b.png", reading=READ, covering=Covering((), "it failed", ("a test",)))
    region = Region(150.0, 150.0, 40.0, 30.0, "CRACK", "CRACK", key="i1")
    reviews = [
        (one, Review(Verdict.FAIL, "import:test", {one: (region,)}, source={"source": "test"})) for one in (shown, held)
    ]
    store.reviews.imported("Lyon", reviews, now=utc_now())

    dora = person(store, "dora", Role.DATA_SCIENTIST)
    report = export_labels(dora, current, tmp_path / "covered", "coco", pictures="link")
    assert (report.images, report.pictures, report.left_out) == (1, {"copied": 1, "covered": 1}, {WITHHELD: 1})
    (made,) = (tmp_path / "covered" / "images").iterdir()
    pixels = cv2.imread(str(made), cv2.IMREAD_COLOR_RGB)
    assert (pixels[45:85, 45:135] == FILL).all()
    assert (pixels[150:180, 150:190] == PIXELS[150:180, 150:190]).all()

    lead = person(store, "lea", Role.QA_LEAD)
    assert export_labels(lead, current, tmp_path / "plain", "coco").images == 2
    (event,) = store.audit.recent(5, action="originals exported")
    assert (event.by, event.new["count"]) == ("lea", 2)
