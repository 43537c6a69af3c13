"""The key, the heads and the sealing in the background, with the real files and threads."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.jobs.upkeep import sealing
from app.jobs.upkeep.doctor import examine
from app.settings import CHECKOUT, Settings
from core.errors import BadInput, Conflict
from data.store.engine.unlocked import unlocked


@pytest.fixture
def current(tmp_path: Path, sqlite_url: str) -> Settings:
    """A home beside a fresh store."""
    return Settings(home=tmp_path / "home", database_url=sqlite_url)


@pytest.fixture
def plant(current: Settings):
    store = sealing.open_plant(current)
    yield store
    store.close()


def until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_first_start_makes_a_key_that_only_its_owner_reads(current, plant):
    path = current.secrets / "audit-key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert len(bytes.fromhex(path.read_text())) == 32
    again = sealing.open_plant(current)
    assert sealing.key_of(current) == sealing.read_key(path)
    again.close()


def test_processes_that_start_at_once_agree_on_one_key(current):
    program = (
        "from app.jobs.upkeep import sealing; from app.settings import settings\n"
        "store = sealing.open_plant(settings()); store.sites.add('Lyon') if not store.sites.all() else None\n"
        "print(sealing.key_of(settings()).id)"
    )
    environment = {**os.environ, "HOLDPOINT_HOME": str(current.home), "HOLDPOINT_DATABASE_URL": current.database_url,
                   "PYTHONPATH": str(CHECKOUT)}  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].decode().strip() for process in started]
    ids = {one for one in said if one}
    assert len(ids) == 1


@pytest.mark.parametrize("damage", ["missing", "another", "short", "open"])
def test_a_plant_with_a_sealed_trail_does_not_start_without_its_own_key(current, plant, damage):
    plant.sites.add("Lyon")
    sealing.seal(plant, current, sealing.key_of(current))
    path = current.secrets / "audit-key"
    if damage == "missing":
        path.unlink()
    elif damage == "another":
        path.write_text("ab" * 32)
    elif damage == "short":
        path.write_text("ab")
    else:
        path.chmod(0o644)
    with pytest.raises(BadInput, match="key"):
        sealing.open_plant(current)
    assert path.exists() == (damage != "missing")  # none is made in its place


def test_an_act_is_sealed_within_a_second_or_two_by_whoever_writes(current, plant):
    with sealing.Sealer(plant, current), sealing.Sealer(plant, current):
        for number in range(3):
            plant.sites.add(f"site {number}")
            acted = time.monotonic()
            until(lambda: plant.seals.waiting()[0] == 0)
            assert time.monotonic() - acted < 30  # a busy machine; the promise itself is in the interval
    assert sealing.EVERY_S <= 0.5
    assert sealing.verify(plant, current).ok


def test_a_sealer_that_ends_leaves_nothing_unsealed(current, plant):
    sealer = sealing.Sealer(plant, current)
    plant.sites.add("Lyon")
    sealer.stop()
    assert plant.seals.waiting() == (0, None)


def test_what_cannot_be_sealed_is_said_once_and_tried_again(current, plant, capfd):
    plant.sites.add("Lyon")
    sealing.seal(plant, current, sealing.key_of(current))
    seen = sealing.heads_folder(current) / "seen.json"
    right = seen.read_text()
    seen.write_text("{}")
    plant.sites.add("Turin")
    with sealing.Sealer(plant, current) as sealer:
        until(lambda: sealer.trouble)
        seen.write_text(right)
        until(lambda: plant.seals.waiting()[0] == 0)
        until(lambda: not sealer.trouble)
    assert capfd.readouterr().err.count("could not be sealed") == 1


def test_a_head_is_kept_for_every_day_and_one_that_only_grows(current, plant):
    folder = sealing.heads_folder(current)
    assert not folder.exists()
    plant.sites.add("Lyon")
    sealing.seal(plant, current, sealing.key_of(current))
    head = plant.seals.head()
    daily = folder / f"head-{head.at:%Y-%m-%d}.json"
    assert sealing.read_head(daily) == sealing.read_head(folder / "seen.json") == head
    plant.sites.add("Turin")
    sealing.seal(plant, current, sealing.key_of(current))
    assert sealing.read_head(daily) == head
    assert sealing.read_head(folder / "seen.json").number == head.number + 1


def test_an_end_that_was_cut_off_is_found_by_the_heads_beside_the_store_and_sealing_stops(current, plant):
    for name in ("Lyon", "Turin", "Bern"):
        plant.sites.add(name)
    sealing.seal(plant, current, sealing.key_of(current))
    with plant.database.transaction() as connection, unlocked(connection, "audit_events", "audit_seals"):
        connection.execute(sa.text("DELETE FROM audit_events WHERE id > 1"))
        connection.execute(sa.text("DELETE FROM audit_seals WHERE number > 1"))
    found = sealing.verify(plant, current)
    assert "cut off" in [one.kind for one in found.problems]
    plant.sites.add("Oslo")
    with pytest.raises(Conflict, match="it was cut"):
        sealing.seal(plant, current, sealing.key_of(current))


def test_a_file_that_is_no_head_is_refused_in_a_sentence(current, plant, tmp_path):
    plant.sites.add("Lyon")
    sealing.seal(plant, current, sealing.key_of(current))
    for text in ("", "[]", '{"number": 1}', '{"number": "x", "event": 1, "seal": "", "key_id": "", "at": "now"}'):
        (tmp_path / "head.json").write_text(text)
        with pytest.raises(BadInput, match="no head of an audit chain"):
            sealing.verify(plant, current, tmp_path / "head.json")


def test_doctor_shows_the_sealing_and_the_last_backup(current, plant, tmp_path):
    from app.jobs.upkeep import backups

    def checks():
        return {one.what: one for one in examine(current)}

    plant.sites.add("Lyon")
    sealing.seal(plant, current, sealing.key_of(current))
    found = checks()
    assert (found["audit trail"].status, "1 events sealed" in found["audit trail"].found) == ("ok", True)
    assert found["backup"].status == "note"
    made = backups.backup(plant, current, tmp_path / "kept")
    assert made["folder"] in checks()["backup"].found
    (current.secrets / "audit-key").unlink()
    assert "put the plant's own key" in checks()["store"].found
