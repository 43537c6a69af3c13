"""Retention: what has been kept long enough goes; once a day by the worker, or as a rehearsal that changes nothing.

Files go after the store has noted it: a power cut in between leaves a file that the next run finds again, never a
picture that the store believes in and nobody has.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core.retention import DataClass, kept_since
from core.roles import WORKER

if TYPE_CHECKING:
    from data.store import Store
    from data.store.trail.upkeep import OldImage

KIND = "retention"
EVERY = timedelta(days=1)


def clean(
    store: "Store", current: Settings, *, dry_run: bool = False, now: datetime | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Delete what has been kept longer than the rules say.

    Returns:
        {dry_run, originals: {days, deleted, bytes, elsewhere}, previews: {days, deleted, bytes}, audit: {days,
        deleted, kept}, readings: {days, deleted}, notes: {days, deleted}}; only classes that have a rule. Elsewhere
        counts pictures that Holdpoint only refers to.
    """
    when = (now or datetime.now(UTC)).astimezone(UTC)
    done: dict[str, Any] = {"dry_run": dry_run}
    for kind, days in store.upkeep.rules().items():
        before = kept_since(days, when)
        progress(0, 0, str(kind))
        if kind is DataClass.ORIGINALS:
            done[str(kind)] = {"days": days, **_originals(store, current, before, days, dry_run, when)}
        elif kind is DataClass.PREVIEWS:
            done[str(kind)] = {"days": days, **_previews(store, current, before, days, dry_run, when)}
        elif kind in (DataClass.READINGS, DataClass.NOTES):
            forget = store.upkeep.forget_readings if kind is DataClass.READINGS else store.upkeep.forget_notes
            done[str(kind)] = {"days": days, "deleted": forget(before, days, when, dry_run=dry_run)}
        else:
            old = store.upkeep.old_events(before) if dry_run else store.upkeep.delete_events(before, days, when)
            done[str(kind)] = {"days": days, "deleted": len(old.events), "kept": len(old.kept)}
    return done


def submit_when_due(store: "Store", now: datetime) -> int | None:
    """Ask for the day's run where there is a rule and none has been asked for within a day."""
    if not store.upkeep.rules():
        return None
    last = next((one for one in store.jobs.recent(20, kind=KIND) if not one.arguments.get("dry_run")), None)
    if last is not None and now - last.submitted_at < EVERY:
        return None
    return store.acting_as(WORKER).jobs.submit(KIND, {}, now)


def _originals(
    store: "Store", current: Settings, before: datetime, days: int, dry_run: bool, now: datetime
) -> dict[str, int]:
    home = current.home.resolve()
    deleted = size = elsewhere = after = 0
    while some := store.upkeep.old_images(before, after):
        after = some[-1].id
        ours = [one for one in some if _is_ours(one, home)]
        elsewhere += len(some) - len(ours)
        if not dry_run:
            ours = store.upkeep.forget_images([one.id for one in ours], before, days, now)
        paths = {Path(one.path) for one in ours}
        size += sum(path.stat().st_size for path in paths if path.is_file())
        deleted += len(ours)
        if not dry_run:
            _unlink(paths)
    return {"deleted": deleted, "bytes": size, "elsewhere": elsewhere}


def _is_ours(image: "OldImage", home: Path) -> bool:
    """Whether the file itself, links followed, lies in Holdpoint's own folder and is not a link out of it."""
    path = Path(image.path)
    return not path.is_symlink() and path.resolve().is_relative_to(home)


def _previews(
    store: "Store", current: Settings, before: datetime, days: int, dry_run: bool, now: datetime
) -> dict[str, int]:
    old, size = [], 0
    for path in current.previews.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before.timestamp():
            old.append(path)
            size += path.stat().st_size
    told = {"deleted": len(old), "bytes": size}
    if old and not dry_run:
        _unlink(old)
        store.upkeep.deleted(DataClass.PREVIEWS, {"days": days, **told}, now)
    return told


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
