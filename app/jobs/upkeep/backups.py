"""Backups: everything a plant cannot make again, in one folder with a manifest of hashes; and the way back.

Pictures stay where they lie and are listed with their hashes; previews, compiled nets and exports can be made again.
The folder holds the plant's keys, without which nobody can go on with its audit trail: keep it as safe as the plant.
"""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.jobs.files import sync_folder, write_whole
from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core.errors import BadInput, Conflict
from core.records import Image
from core.roles import WORKER

if TYPE_CHECKING:
    from data.store import Store

KIND = "backup"
MANIFEST = "manifest.json"
FORMAT = 1
STORE, KEYS, HEADS, MODELS, DATASETS = "store", "keys", "audit", "models", "datasets"
NOVELTY, BACKBONES = "novelty", "backbones"  # memories of good parts, and nets that they see through
FOLDERS = (MODELS, DATASETS, NOVELTY, BACKBONES)
LISTS = ("pictures.jsonl", "policies.json")
_PAGE = 2000


def backup(
    store: "Store", current: Settings, into: Path, *, keys: bool = True, now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:  # fmt: skip
    """Make a backup while the plant runs.

    Args:
        store: of the plant.
        current: settings.
        into: a folder; the backup becomes a new one below it.
        keys: include the plant's keys; without them they have to be kept elsewhere.
        now: aware UTC.
        progress: told what is copied.

    Returns:
        {folder, manifest (its hash), files, bytes, tables: {name: rows}, pictures, keys}
    """
    from data.backup import copy_out, schema_of

    store.upkeep.rules()  # whoever may not do this is told before anything is written
    when = (now or datetime.now(UTC)).astimezone(UTC)
    target = into / f"holdpoint-{when:%Y%m%dT%H%M%SZ}"
    if target.exists():
        raise Conflict(f"{target} is there already: wait a second.")
    into.mkdir(parents=True, exist_ok=True)
    draft = into / f".{target.name}.{uuid4().hex}.part"
    draft.mkdir(mode=0o700)
    try:
        # The heads first: a head must never be farther than the chain that is copied after it.
        _copy_tree(current.home / HEADS, draft / HEADS)
        if keys:
            _copy_tree(current.secrets, draft / KEYS)
        (draft / STORE).mkdir()
        tables = copy_out(store.database, draft / STORE, progress)
        for name in FOLDERS:
            progress(0, 0, name)
            _copy_tree(current.home / name, draft / name)
        pictures = _list_pictures(store, draft / LISTS[0], current.home)
        write_whole(draft / LISTS[1], _json(_policies(store)), mode=0o600)
        progress(0, 0, "hashes")
        files = {str(path): _facts(draft / path) for path in _files(draft)}
        manifest = {
            "format": FORMAT,
            "made_at": when.isoformat(),
            "database": "sqlite" if store.database.is_sqlite else "postgresql",
            "schema": schema_of(store.database),
            "tables": tables,
            "pictures": pictures,
            "keys": keys,
            "files": files,
        }
        write_whole(draft / MANIFEST, _json(manifest), mode=0o600)
        _sync(draft)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(into)
    told = {
        "folder": str(target),
        "manifest": _facts(target / MANIFEST)["sha256"],
        "files": len(files),
        "bytes": sum(one["bytes"] for one in files.values()),
        "tables": tables,
        "pictures": pictures,
        "keys": keys,
    }
    store.upkeep.backed_up({name: told[name] for name in ("folder", "manifest", "bytes")}, when)
    return told


def submit_when_due(store: "Store", current: Settings, now: datetime) -> int | None:
    """Ask for a backup where the settings want one and the worker has not asked for one lately."""
    if not current.backup_hours:
        return None
    last = next((one for one in store.jobs.recent(50, kind=KIND) if one.by == WORKER.name), None)
    if last is not None and now - last.submitted_at < timedelta(hours=current.backup_hours):
        return None
    return store.acting_as(WORKER).jobs.submit(KIND, {}, now)


def prune(store: "Store", current: Settings) -> list[Path]:
    """Delete the worker's own backups but the newest ones; what people asked for stays.

    Returns:
        The folders that went.
    """
    ours = [Path(one.new["folder"]) for one in store.upkeep.backups(2000) if one.by == WORKER.name]
    there = [one for one in ours if one.parent == current.backups and one.is_dir() and not one.is_symlink()]
    gone = there[current.backups_kept :]
    for folder in gone:
        shutil.rmtree(folder)
    if gone:
        store.upkeep.deleted(KIND, {"kept": current.backups_kept, "folders": [str(one) for one in gone]})
    return gone


def check(folder: Path) -> dict[str, Any]:
    """The manifest of a backup, after every file was compared with it.

    Raises:
        BadInput: it is no backup, or not whole.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: Mapping[str, Mapping[str, Any]] = manifest["files"]
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{folder} is no backup ({type(error).__name__} in {MANIFEST}): give the folder of one."
        ) from error
    if not known:
        raise BadInput(f"{folder} has format {manifest['format']}, this version reads {FORMAT}.")
    for name, facts in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.parts[0] not in (STORE, KEYS, HEADS, *FOLDERS, *LISTS):
            raise BadInput(f"The manifest names {name}, which no backup holds: do not trust it.")
        there = folder / path
        if there.is_symlink() or not there.is_file():
            raise BadInput(f"{there} is missing: this backup is not whole.")
        if _facts(there)["sha256"] != facts["sha256"]:
            raise BadInput(f"{there} is not the file that was backed up: its hash differs.")
    return manifest


def restore(current: Settings, folder: Path, now: datetime | None = None, progress: Progress = quiet) -> dict[str, Any]:
    """Put a backup into an empty HOLDPOINT_HOME, and look at its audit trail.

    Returns:
        {tables: {name: rows}, files, pictures, missing (pictures that are not at their place), audit: {ok, problems}}

    Raises:
        Conflict: there is something already.
    """
    from app.jobs.upkeep.sealing import open_plant, verify
    from data.backup import copy_in

    manifest = check(folder)
    places = {KEYS: current.secrets, **{one: current.home / one for one in (HEADS, *FOLDERS)}}
    full = [str(place) for place in places.values() if place.exists() and any(place.iterdir())]
    if full:
        raise Conflict(f"{full[0]} is not empty: restore into an empty HOLDPOINT_HOME.")
    tables = copy_in(current.database_url, folder / STORE, str(manifest["schema"]), progress)
    differing = {name for name, rows in manifest["tables"].items() if tables.get(name) != rows}
    if differing:
        raise BadInput(f"The restored tables {', '.join(sorted(differing))} have other numbers of rows: start again.")
    for name, place in places.items():
        progress(0, 0, name)
        _copy_tree(folder / name, place)
    if places[KEYS].exists():
        places[KEYS].chmod(0o700)
    found = None
    if manifest["keys"]:
        store = open_plant(current)
        found = verify(store, current, now=now)
        store.upkeep.restored({"made_at": manifest["made_at"], "manifest": _facts(folder / MANIFEST)["sha256"]}, now)
        store.close()
    pictures = [json.loads(line) for line in (folder / LISTS[0]).read_text(encoding="utf-8").splitlines()]
    return {
        "tables": tables,
        "files": len(manifest["files"]),
        "pictures": len(pictures),
        "missing": sum(not Path(one["path"]).is_file() for one in pictures),
        "audit": None if found is None else {"ok": found.ok, "problems": [one.told for one in found.problems]},
    }


def _copy_tree(source: Path, target: Path) -> None:
    """Plain files only; a link is not followed and not copied."""
    if not source.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name.endswith(".part"):
            continue
        there = target / path.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, there)
        there.chmod(path.stat().st_mode & 0o777)


def _list_pictures(store: "Store", path: Path, home: Path) -> int:
    """One line for each picture: where it lies and what it has to be."""
    before: int | None = None
    count = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as lines:
        while some := store.images.find(limit=_PAGE, before=before):
            lines.writelines(json.dumps(_picture(one, home), ensure_ascii=False) + "\n" for one in some)
            count += len(some)
            before = some[-1].id
    return count


def _picture(image: Image, home: Path) -> dict[str, Any]:
    inside = Path(image.path).is_relative_to(home)
    return {"image": image.id, "site": image.site, "path": image.path, "sha256": image.sha256,
            "state": str(image.state), "in_home": inside}  # fmt: skip


def _policies(store: "Store") -> list[dict[str, Any]]:
    return [
        {"number": one.number, "site": one.site, "pass_below": one.pass_below, "fail_above": one.fail_above,
         "proposed_by": one.proposed_by, "approved_by": one.approved_by, "reason": one.reason}
        for site in store.sites.all()
        for one in store.policies.history(site.name)
    ]  # fmt: skip


def _files(folder: Path) -> list[PurePosixPath]:
    return sorted(PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    sync_folder(folder)
