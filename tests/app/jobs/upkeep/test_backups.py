"""A backup is restored into an empty home and compared row by row, on both databases."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.jobs.upkeep import backups, sealing
from app.settings import Settings
from core.errors import BadInput, Conflict, NotAllowed
from core.records import Verdict
from core.roles import WORKER, Role
from data.store import Store, open_store
from tests.data.store.plant import answer, arrival, file, person, site


def run(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def homes(request, tmp_path):
    """Two homes: one for the plant, and an empty one with an empty database of the same kind."""
    if request.param == "sqlite":
        yield Settings(home=tmp_path / "old", database_url=""), Settings(home=tmp_path / "new", database_url="")
        return
    server = request.getfixturevalue("postgresql_server")
    names = [f"backup_{uuid4().hex}_{kind}" for kind in ("old", "new")]
    where = sa.make_url(server)
    for name in names:
        run(server, f"CREATE DATABASE {name}")
    yield tuple(
        Settings(home=tmp_path / name, database_url=where.set(database=name).render_as_string(hide_password=False))
        for name in names
    )
    for name in names:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def plant(homes):
    """A plant with something in every corner: pictures, answers, a model, a dataset, a sealed trail."""
    current = homes[0]
    store = sealing.open_plant(current)
    site(store)
    file(store, arrival(1), arrival(2, score=0.1))
    ines = person(store, "ines")
    answer(ines, ines.queue.lease(), Verdict.PASS, note="größer – “quoted” \u2028 line")
    person(store, "quentin", Role.QA_LEAD)
    store.datasets.add("first", {"items": []}, "0" * 64)
    current.models.mkdir(parents=True)
    (current.models / "net-1").mkdir()
    (current.models / "net-1" / "weights.safetensors").write_bytes(b"weights")
    (current.models / "link").symlink_to("/etc/hostname")
    sealing.seal(store, current, sealing.key_of(current))
    yield store
    store.close()


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    store = open_store(url)
    metadata = sa.MetaData()
    with store.database.reading() as connection:
        metadata.reflect(connection)
        found = {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }
    store.close()
    return found


def test_a_backup_comes_back_row_by_row(homes, plant: Store, tmp_path: Path):
    old, new = homes
    made = backups.backup(plant, old, tmp_path / "kept")
    saved = rows(old.database_url)
    done = backups.restore(new, Path(made["folder"]))
    back = rows(new.database_url)
    assert back.keys() == saved.keys()
    for name, expected in saved.items():
        if name not in ("audit_events", "sessions"):
            assert back[name] == expected, name
    assert back["audit_events"][:-1] == saved["audit_events"][:-1]
    assert saved["audit_events"][-1] != back["audit_events"][-1]  # that it was backed up; that it was restored
    assert back["sessions"] == []  # whoever was signed in then is not any more
    assert sum(len(found) for found in saved.values()) > 30
    assert done["tables"] == made["tables"]
    assert done["audit"] == {"ok": True, "problems": []}
    assert done["missing"] == done["pictures"] == 2  # these pictures never were on a disk
    assert (new.models / "net-1" / "weights.safetensors").read_bytes() == b"weights"
    assert not (new.models / "link").exists()
    assert (new.secrets / "audit-key").stat().st_mode & 0o777 == 0o600


def test_the_restored_plant_goes_on_with_its_chain_and_its_numbers(homes, plant: Store, tmp_path: Path):
    old, new = homes
    made = backups.backup(plant, old, tmp_path / "kept")
    backups.restore(new, Path(made["folder"]))
    store = sealing.open_plant(new)
    file(store, arrival(3))
    store.people.add("nina", "kettle orbit velvet nine", Role.VIEWER)
    sealing.seal(store, new, sealing.key_of(new))
    assert sealing.verify(store, new).problems == ()
    store.close()


def test_a_backup_names_its_pictures_policies_and_the_hash_of_every_file(homes, plant: Store, tmp_path: Path):
    old, _ = homes
    made = backups.backup(plant, old, tmp_path / "kept")
    folder = Path(made["folder"])
    manifest = backups.check(folder)
    pictures = [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]
    assert {one["path"] for one in pictures} == {"/plant/inbox/1.png", "/plant/inbox/2.png"}
    assert json.loads((folder / "policies.json").read_text())[0]["pass_below"] == 0.3
    assert set(manifest["files"]) == {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"
    }
    assert folder.stat().st_mode & 0o077 == 0
    last = plant.upkeep.backups()[0]
    assert (last.new["folder"], last.new["manifest"]) == (str(folder), made["manifest"])


@pytest.mark.parametrize("kind", ["changed", "missing", "added path"])
def test_a_backup_that_was_changed_is_not_restored(homes, plant: Store, tmp_path: Path, kind: str):
    old, new = homes
    folder = Path(backups.backup(plant, old, tmp_path / "kept")["folder"])
    victim = folder / "models" / "net-1" / "weights.safetensors"
    if kind == "changed":
        victim.write_bytes(b"others")
    elif kind == "missing":
        victim.unlink()
    else:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["models/../../../escape"] = {"sha256": "0" * 64, "bytes": 1}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput):
        backups.restore(new, folder)
    assert not new.home.exists() or not any(new.home.iterdir())


def test_a_restore_never_goes_over_something(homes, plant: Store, tmp_path: Path):
    old, _ = homes
    folder = Path(backups.backup(plant, old, tmp_path / "kept")["folder"])
    before = rows(old.database_url)
    with pytest.raises(Conflict):
        backups.restore(old, folder)
    assert rows(old.database_url) == before


def test_keys_may_be_kept_apart_and_then_nothing_runs_without_them(homes, plant: Store, tmp_path: Path):
    old, new = homes
    folder = Path(backups.backup(plant, old, tmp_path / "kept", keys=False)["folder"])
    assert not (folder / "keys").exists()
    assert backups.restore(new, folder)["audit"] is None
    with pytest.raises(BadInput, match="put the plant's own key there"):
        sealing.open_plant(new)
    new.secrets.mkdir(parents=True, exist_ok=True)
    (new.secrets / "audit-key").write_text((old.secrets / "audit-key").read_text())
    (new.secrets / "audit-key").chmod(0o600)
    store = sealing.open_plant(new)
    assert sealing.verify(store, new).ok
    store.close()


def test_only_who_keeps_the_plant_makes_a_backup(homes, plant: Store, tmp_path: Path):
    with pytest.raises(NotAllowed):
        backups.backup(person(plant, "vera", Role.VIEWER), homes[0], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_worker_makes_one_as_often_as_the_settings_say(homes, plant):
    by_hand, now = homes[0], plant.database.clock()
    current = by_hand.model_copy(update={"backup_hours": 24})
    worker = plant.acting_as(WORKER)
    assert backups.submit_when_due(worker, by_hand, now) is None
    plant.jobs.submit("backup")  # somebody's own does not count as the day's
    assert backups.submit_when_due(worker, current, now) is not None
    assert backups.submit_when_due(worker, current, now + timedelta(hours=23)) is None
    assert backups.submit_when_due(worker, current, now + timedelta(hours=25)) is not None


def test_old_backups_of_the_worker_go_and_everybody_elses_stay(homes, plant):
    current = homes[0].model_copy(update={"backups_kept": 2})
    worker, now = plant.acting_as(WORKER), plant.database.clock()
    people = Path(backups.backup(plant, current, current.backups, now=now)["folder"])
    elsewhere = Path(backups.backup(worker, current, current.home / "disk", now=now)["folder"])
    own = [
        Path(backups.backup(worker, current, current.backups, now=now + timedelta(hours=n))["folder"])
        for n in range(1, 5)
    ]
    assert backups.prune(worker, current) == [own[1], own[0]]
    assert [one.is_dir() for one in (people, elsewhere, *own)] == [True, True, False, False, True, True]
    assert backups.check(own[-1])["tables"]
    assert backups.prune(worker, current) == []
    assert [one.action for one in plant.audit.recent(1, by="worker")] == ["backup deleted"]
