"""Retention with real files: only what is old, ours and needed by nobody goes, and a rehearsal deletes nothing."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.jobs.runner import KINDS
from app.jobs.upkeep import retention, sealing
from app.settings import Settings
from core.errors import NotAllowed
from core.plant import Arrival
from core.records import Capture, ImageState, Review, Verdict
from core.retention import DataClass
from core.roles import WORKER, Actor, Role
from core.words.prints import Print, Reading
from data.store.engine.database import utc_now
from tests.data.store.plant import GOOD_QUALITY, PASSWORD, arrival, site


@pytest.fixture
def current(tmp_path: Path, sqlite_url: str) -> Settings:
    return Settings(home=tmp_path / "home", database_url=sqlite_url)


@pytest.fixture
def plant(current: Settings):
    store = sealing.open_plant(current)
    site(store)
    yield store
    store.close()


def filed(plant, path: Path, number: int, score: float = 0.1) -> int:
    """A real file, filed a hundred days ago; below .3 it passes and nobody has to look."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture %d" % number)
    made = arrival(number, score)
    one = Arrival(Capture(str(path), f"part-{number}"), str(path), made.sha256, 640, 480, GOOD_QUALITY, made.prediction)
    (result,) = plant.arrivals.file("Lyon", [one], close_parts=True, now=utc_now() - timedelta(days=100))
    return int(result.image_id)


def test_originals_in_our_own_folder_go_and_others_never(current, plant, tmp_path):
    ours, held, nas = current.uploads / "a.png", current.uploads / "b.png", tmp_path / "nas" / "c.png"
    link, target = current.uploads / "d.png", tmp_path / "nas" / "d.png"
    first = filed(plant, ours, 1)
    filed(plant, held, 2, score=0.5)
    filed(plant, nas, 3)
    target.write_bytes(b"elsewhere")
    current.uploads.mkdir(exist_ok=True)
    link.symlink_to(target)
    linked = arrival(4, 0.1)
    capture = Capture(str(link), "part-4")
    plant.arrivals.file("Lyon", [Arrival(capture, str(link), linked.sha256, 640, 480, GOOD_QUALITY, linked.prediction)],
                        close_parts=True, now=utc_now() - timedelta(days=100))  # fmt: skip
    plant.upkeep.set_rule(DataClass.ORIGINALS, 90)

    rehearsed = retention.clean(plant, current, dry_run=True)
    assert rehearsed["originals"] == {"days": 90, "deleted": 1, "bytes": len(b"picture 1"), "elsewhere": 2}
    assert ours.exists()
    assert plant.images.get(first).state is ImageState.OK

    done = retention.clean(plant, current)
    assert done["originals"]["deleted"] == 1
    assert not ours.exists()
    assert held.exists()
    assert nas.exists()
    assert link.is_symlink()
    assert target.exists()
    assert plant.images.get(first).state is ImageState.MISSING
    assert plant.audit.recent(1)[0].subject == f"image {first}"
    assert retention.clean(plant, current)["originals"]["deleted"] == 0


def test_a_young_picture_stays(current, plant):
    filed(plant, current.uploads / "a.png", 1)
    plant.upkeep.set_rule(DataClass.ORIGINALS, 120)
    assert retention.clean(plant, current)["originals"]["deleted"] == 0
    assert (current.uploads / "a.png").exists()


def test_old_previews_go_and_leave_one_row(current, plant):
    current.previews.mkdir(parents=True)
    old, new = current.previews / "old.jpg", current.previews / "new.jpg"
    for path in (old, new):
        path.write_bytes(b"x")
    long_ago = (utc_now() - timedelta(days=30)).timestamp()
    os.utime(old, (long_ago, long_ago))
    plant.upkeep.set_rule(DataClass.PREVIEWS, 10)
    assert retention.clean(plant, current, dry_run=True)["previews"]["deleted"] == 1
    assert old.exists()
    assert retention.clean(plant, current)["previews"]["deleted"] == 1
    assert [path.name for path in current.previews.iterdir()] == ["new.jpg"]
    assert plant.audit.recent(1)[0].action == "previews deleted"


def test_old_rows_of_the_trail_go_and_it_is_still_whole(current, plant):
    plant.upkeep.set_rule(DataClass.AUDIT, 365)
    sealing.seal(plant, current, sealing.key_of(current))
    then = utc_now() + timedelta(days=400)
    assert retention.clean(plant, current, dry_run=True, now=then)["audit"]["deleted"] > 3
    assert sealing.verify(plant, current).deleted == 0
    assert retention.clean(plant, current, now=then)["audit"]["deleted"] > 3
    sealing.seal(plant, current, sealing.key_of(current))
    found = sealing.verify(plant, current)
    assert found.ok
    assert found.deleted > 3


def test_without_a_rule_everything_is_kept(current, plant):
    filed(plant, current.uploads / "a.png", 1)
    assert retention.clean(plant, current) == {"dry_run": False}


def test_the_worker_asks_for_it_once_a_day_where_there_is_a_rule(plant):
    worker = plant.acting_as(WORKER)
    now = utc_now()
    assert retention.submit_when_due(worker, now) is None
    plant.upkeep.set_rule(DataClass.PREVIEWS, 10)
    plant.jobs.submit("retention", {"dry_run": True})  # a rehearsal is no run
    assert retention.submit_when_due(worker, now) is not None
    assert retention.submit_when_due(worker, now + timedelta(hours=23)) is None
    assert retention.submit_when_due(worker, now + timedelta(hours=25)) is not None
    assert retention.KIND in KINDS


def test_only_an_administrator_may_ask_for_it(plant):
    for role in set(Role) - {Role.ADMIN}:
        plant.people.add(str(role), PASSWORD, role)
        with pytest.raises(NotAllowed):
            plant.acting_as(Actor(str(role))).jobs.submit("retention", {})


def test_readings_and_notes_go_on_schedule_and_leave_an_event_each(plant, current):
    old = utc_now() - timedelta(days=100)
    plant.people.add("ines", PASSWORD, Role.INSPECTOR)
    ines = plant.acting_as(Actor("ines"))
    plant.arrivals.file("Lyon", [arrival(3, 0.5)], close_parts=True, now=old)
    task = ines.queue.lease(now=old)
    review = Review(Verdict.PASS, "ines", note="Anna Lindqvist called", reasons=("dust",))
    ines.reviews.add(task.id, task.revision, task.fence, review, now=old)
    read = replace(arrival(1, 0.1), reading=Reading((Print("Anna Lindqvist", 0.9),), "test"))
    waits = replace(arrival(2, 0.5), reading=Reading((Print("Tom Baker", 0.9),), "test"))
    plant.arrivals.file("Lyon", [read, waits], close_parts=True, now=old)
    for kind in (DataClass.READINGS, DataClass.NOTES):
        plant.upkeep.set_rule(kind, 90)

    rehearsed = retention.clean(plant, current, dry_run=True)
    assert (rehearsed["readings"], rehearsed["notes"]) == ({"days": 90, "deleted": 1}, {"days": 90, "deleted": 1})
    assert len(plant.prints.recent("Lyon")) == 2
    job = retention.submit_when_due(plant, utc_now())
    assert plant.jobs.get(job).kind == "retention"
    KINDS["retention"](plant.acting_as(WORKER), current, {}, lambda *_: None)
    assert [one.reading.prints[0].text for one in plant.prints.recent("Lyon")] == ["Tom Baker"]  # its task is open
    (review,) = plant.reviews.of_part(task.part_id)
    assert (review.note, review.reasons, review.verdict) == ("", ("dust",), Verdict.PASS)
    (readings,) = plant.audit.recent(5, action="readings deleted")
    (notes,) = plant.audit.recent(5, action="notes deleted")
    assert (readings.new["count"], readings.new["days"], notes.new["count"]) == (1, 90, 1)
    assert "Lindqvist" not in repr([readings, notes])
    sealing.seal(plant, current, sealing.key_of(current))
    assert sealing.verify(plant, current).ok
