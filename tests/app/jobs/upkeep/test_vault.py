"""Originals and notes encrypted at rest, on both databases: sealing, rotation after a kill, restore without the key."""

import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import cv2
import numpy as np
import pytest
import sqlalchemy as sa

from app.jobs.intake.sources import hash_of, keep
from app.jobs.upkeep import backups, sealing
from app.jobs.upkeep.vault import rotate, standing
from app.settings import Settings
from app.web.pictures import Pictures, checked_bytes
from core import vault
from core.errors import BadInput
from core.pictures.sandbox import DecodePool
from core.plant import Arrival
from core.records import Capture, Verdict
from tests.data.store.plant import answer, file, person, site

NOTE = "Ms Lindqvist called about the torn lid"


def run(url, statement):
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def current(request, tmp_path):
    """Settings of a plant whose key lies outside its home."""
    keys = tmp_path / "keys" / "holdpoint.key"
    vault.add_key(keys)
    if request.param == "sqlite":
        yield Settings(home=tmp_path / "home", database_url="", key_file=keys)
    else:
        server = request.getfixturevalue("postgresql_server")
        name = f"vault_{uuid4().hex}"
        run(server, f"CREATE DATABASE {name}")
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
        yield Settings(home=tmp_path / "home", database_url=url, key_file=keys)
        run(server, f"DROP DATABASE {name} WITH (FORCE)")
    vault.use(None)


def pixels(number):
    return np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def filled_plant(current, pictures=4):
    """Pictures that came over the network, one by reference, and a review with a note."""
    store = sealing.open_plant(current)
    site(store)
    arrivals = []
    for number in range(pictures):
        data = cv2.imencode(".png", pixels(number))[1].tobytes()
        path = keep(data, current.uploads, ".png")
        arrivals.append(
            Arrival(Capture(f"net:{number}", f"part-{number}"), str(path), sha256(data).hexdigest(), 64, 48)
        )
    elsewhere = current.home.parent / "camera.png"
    cv2.imwrite(str(elsewhere), pixels(99))
    arrivals.append(
        Arrival(Capture("cam", "part-cam"), str(elsewhere), sha256(elsewhere.read_bytes()).hexdigest(), 64, 48)
    )
    file(store, *arrivals)
    ines = person(store, "ines")
    answer(ines, ines.queue.lease(), Verdict.PASS, note=NOTE)
    return store


def stored_notes(store):
    with store.database.engine.connect() as connection:
        return [one for one in connection.scalars(sa.text("SELECT note FROM reviews")) if one]


def first_note(store):
    return next(one.note for image in store.images.find() for one in store.reviews.of_part(image.part_id) if one.note)


def every_byte(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_of_a_picture_or_a_note_lies_in_the_plants_folder_in_plain(current):
    store = filled_plant(current)
    assert b"\x89PNG" not in every_byte(current.home)
    assert b"Lindqvist" not in every_byte(current.home)
    (kept,) = stored_notes(store)
    assert kept.startswith(f"hpseal1:{vault.in_use().current.id}:")
    (event,) = store.audit.recent(5, action="reviewed")
    assert "Lindqvist" not in event.reason
    assert first_note(store) == NOTE
    store.close()


def test_decoder_screen_and_hashes_see_the_picture_that_was_filed(current, tmp_path):
    store = filled_plant(current)
    shown = Pictures(tmp_path / "previews", lambda data, side, box: data)
    with DecodePool(1) as pool:
        for image in store.images.find():
            (read,) = pool.decode([Path(image.path)])
            assert read.sha256 == image.sha256 == hash_of(Path(image.path)) == sha256(checked_bytes(image)).hexdigest()
            shown.check(image)
            copy = shown.copy(image, "screen")
            assert vault.sealed_with(copy) == vault.in_use().current.id
            assert sha256(shown.opened(copy)).hexdigest() == image.sha256
    store.close()


def test_what_was_kept_before_there_was_a_key_is_sealed_by_the_rotation_and_references_are_never_touched(current):
    plain = current.model_copy(update={"key_file": None})
    store = filled_plant(plain)
    elsewhere = current.home.parent / "camera.png"
    before = elsewhere.read_bytes()
    assert stored_notes(store) == [NOTE]
    store.close()
    store = sealing.open_plant(current)
    done = rotate(store, current)
    assert (done["pictures"], done["already"], done["notes"]) == (4, 0, 1)
    assert standing(store, current) | {"keys": None} == {
        "key": vault.in_use().current.id, "keys": None, "ours": 4, "sealed": 4, "sealed_with_it": 4, "by_reference": 1,
        "notes_left": 0,
    }  # fmt: skip
    assert elsewhere.read_bytes() == before
    assert first_note(store) == NOTE
    assert rotate(store, current)["already"] == 4
    store.close()


def test_after_a_rotation_the_old_key_is_not_needed_any_more(current):
    store = filled_plant(current)
    old = vault.in_use().current.id
    store.close()
    vault.add_key(current.key_file)
    store = sealing.open_plant(current)
    assert first_note(store) == NOTE
    assert rotate(store, current)["retired"] == [old]
    (event,) = store.audit.recent(5, action="encryption rotated")
    assert event.old == {"keys": [old]}
    store.close()
    current.key_file.write_text(current.key_file.read_text().splitlines()[0] + "\n")
    store = sealing.open_plant(current)
    assert first_note(store) == NOTE
    assert all(checked_bytes(image) for image in store.images.find())
    store.close()


def test_before_the_rotation_has_ended_the_plant_does_not_start_without_the_old_key(current):
    filled_plant(current).close()
    old = vault.in_use().current.id
    lines = current.key_file.read_text()
    vault.add_key(current.key_file)
    current.key_file.write_text(current.key_file.read_text().splitlines()[0] + "\n")
    with pytest.raises(BadInput, match=old):
        sealing.open_plant(current)
    with pytest.raises(BadInput, match="HOLDPOINT_KEY_FILE"):
        sealing.open_plant(current.model_copy(update={"key_file": None}))
    current.key_file.write_text(lines)
    sealing.open_plant(current).close()


def test_a_key_inside_the_plants_folder_is_refused(current):
    inside = current.home / "secrets" / "vault.key"
    vault.add_key(inside)
    with pytest.raises(BadInput, match="keep the key elsewhere"):
        sealing.open_plant(current.model_copy(update={"key_file": inside}))


KILLED = """
import os, signal, sys
from app.jobs.upkeep import sealing, vault
from app.settings import settings
from core import vault as keys
seal, left = keys.Vault.seal, [3]
def one_more(self, data):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return seal(self, data)
keys.Vault.seal = one_more
vault.rotate(sealing.open_plant(settings()), settings())
"""


def test_a_rotation_that_was_killed_goes_on_where_it_stopped(current):
    filled_plant(current).close()
    vault.add_key(current.key_file)
    environment = os.environ | {
        "HOLDPOINT_HOME": str(current.home), "HOLDPOINT_DATABASE_URL": current.database_url,
        "HOLDPOINT_KEY_FILE": str(current.key_file),
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment, capture_output=True, timeout=180, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    store = sealing.open_plant(current)
    assert first_note(store) == NOTE
    assert all(checked_bytes(image) for image in store.images.find())
    assert 0 < standing(store, current)["sealed_with_it"] < 4
    done = rotate(store, current)
    assert done["already"] > 0
    assert done["pictures"] + done["already"] == 4
    assert standing(store, current)["sealed_with_it"] == 4
    store.close()


def test_a_backup_holds_no_key_and_no_plain_note_and_a_restore_without_the_key_says_what_to_do(current, request):
    if not current.database_url.startswith("sqlite"):
        pytest.skip("the copy is of rows either way; restoring into a second database is test_backups' business")
    store = filled_plant(current)
    number = vault.in_use().current.id
    told = backups.backup(store, current, current.home.parent / "copies")
    store.close()
    folder = Path(told["folder"])
    secret = current.key_file.read_text().strip()
    assert secret.encode() not in every_byte(folder)
    assert b"Lindqvist" not in every_byte(folder)
    new = Settings(home=current.home.parent / "new", database_url="")
    with pytest.raises(BadInput, match=number) as said:
        backups.restore(new, folder)
    assert "HOLDPOINT_KEY_FILE" in str(said.value)
    with_key = new.model_copy(update={"key_file": current.key_file})
    restored = sealing.open_plant(with_key)
    assert first_note(restored) == NOTE
    restored.close()
