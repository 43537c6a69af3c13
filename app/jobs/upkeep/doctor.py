"""Doctor: is everything there that the plant needs, and in which version."""

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.intake.line import MODEL_FAILURES, decoders, find_model, sentence
from app.settings import Settings
from core.errors import HoldpointError

if TYPE_CHECKING:
    from data.store import Store

LEAST_FREE_BYTES = 2 << 30
SEAL_LATE_S = 60
BACKUP_LATE_DAYS = 7
_TROUBLE = (*MODEL_FAILURES, ImportError, SQLAlchemyError)
PACKAGES = ("streamlit", "torch", "timm", "openvino", "sqlmodel", "sqlalchemy", "duckdb", "numpy", "pillow")

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Check:
    """One line of the examination.

    Attributes:
        status: a note is nothing to mend.
        found: in words.
    """

    what: str
    status: Status
    found: str


def examine(settings: Settings, now: datetime | None = None) -> list[Check]:
    """Look at everything; nothing that is wrong keeps the rest from being looked at."""
    when = now or datetime.now(UTC)
    checks = [*_versions(), *_cv2(), _disk(settings.home)]
    store: Store | None = None
    try:
        from app.jobs.upkeep.sealing import open_plant

        store = open_plant(settings)
        checks += _database(store)
    except _TROUBLE as error:
        checks.append(Check("store", "wrong", sentence(error)))
    checks.append(_guarded("decoders", lambda: _decoders(settings)))
    checks.append(_guarded("back end", lambda: _back_end(settings, store)))
    if store is not None:
        checks += _models(settings, store)
        checks.append(_worker(store, when))
        checks.append(_sealing(store, when))
        checks.append(_backup(store, when))
    return checks


def _guarded(what: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except _TROUBLE as error:
        return Check(what, "wrong", sentence(error))


def _versions() -> Iterator[Check]:
    yield Check("Python", "ok", f"{platform.python_version()} on {platform.machine()}")
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "wrong", "not installed: run make setup")
    yield Check("packages", "ok", ", ".join(found))


def _cv2() -> Iterator[Check]:
    """The two builds of OpenCV write the same folder, so exactly one may be there."""
    names = {str(one.metadata["Name"]).lower() for one in importlib.metadata.distributions()}
    builds = sorted(name for name in names if name.startswith("opencv-"))
    if len(builds) != 1:
        yield Check(
            "cv2", "wrong", f"{' and '.join(builds) or 'no build'} installed, and one is needed: run make setup"
        )
    else:
        yield Check("cv2", "ok", f"{builds[0]} {importlib.metadata.version(builds[0])}, the only build")


def _disk(home: Path) -> Check:
    there = next(place for place in (home, *home.parents) if place.exists())
    free = shutil.disk_usage(there).free
    return Check("disk", "ok" if free >= LEAST_FREE_BYTES else "wrong", f"{free / 2**30:.1f} GB free for {home}")


def _database(store: "Store") -> Iterator[Check]:
    facts = store.database.facts()
    warning = facts.pop("warning", None)
    yield Check("store", "ok", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))
    if warning is not None:
        yield Check("SQLite", "wrong", warning)
    yield Check("sites", "ok", ", ".join(site.name for site in store.sites.all()) or "none yet")


def _decoders(settings: Settings) -> Check:
    """Open a picture made here, and be refused by one that is cut short."""
    from PIL import Image

    from core.errors import Unreadable

    with TemporaryDirectory() as folder, decoders(settings) as pool:
        good, cut = Path(folder) / "good.png", Path(folder) / "cut.png"
        Image.effect_noise((64, 48), 40).save(good)
        cut.write_bytes(good.read_bytes()[:400])
        read, refused = pool.decode([good, cut])
    if isinstance(read, Unreadable) or (read.decoded.width, read.decoded.height) != (64, 48):
        return Check("decoders", "wrong", f"a good picture is refused: {read}")
    if not isinstance(refused, Unreadable):
        return Check("decoders", "wrong", "a picture that was cut short is taken for whole")
    return Check(
        "decoders", "ok", f"{settings.decoders} child processes open pictures and refuse one that is cut short"
    )


def _back_end(settings: Settings, store: "Store | None") -> Check:
    """Load the net that is in use, or any, and have it answer its probe."""
    from app.jobs.intake.line import SHIPPED, open_model

    names = [site.model for site in store.sites.all() if site.model] if store is not None else []
    names += sorted(card.parent.name for root in (settings.models, SHIPPED) for card in root.glob("*/card.json"))
    if not names:
        from models.engine import chosen_device

        return Check("back end", "note", f"{chosen_device(settings.device)}; there is no model to try it with yet")
    engine = open_model(store, settings, names[0])
    return Check("back end", "ok", f"{engine.back_end}; {names[0]} answers its probe")


def _models(settings: Settings, store: "Store") -> Iterator[Check]:
    from models.checkpoint import load

    used = {site.model: site.name for site in store.sites.all() if site.model}
    for name, site in used.items():
        try:
            card = load(find_model(store, settings, name)).card
            yield Check("model", "ok", f"{name} at {site}: weights are those of its card (sha256 {card.sha256[:12]})")
        except _TROUBLE as error:
            yield Check("model", "wrong", f"{name} at {site}: {sentence(error)}")
    if not used:
        yield Check("model", "note", "no site has a model in use: everything that arrives is held")


def _sealing(store: "Store", now: datetime) -> Check:
    """Whether the audit trail is sealed as it grows; whether it is whole is `holdpoint audit verify`'s to say."""
    waiting, since = store.seals.waiting()
    head = store.seals.head()
    sealed = f"{head.number:,} events sealed, the last at {head.at:%Y-%m-%d %H:%M:%S} UTC" if head else "nothing sealed"
    if since is not None and (now - since).total_seconds() > SEAL_LATE_S:
        late = f"{waiting:,} wait since {since:%Y-%m-%d %H:%M} UTC"
        # Nobody seals while nothing runs; a worker that is alive and does not is another matter.
        return Check("audit trail", "wrong" if store.jobs.alive(now) else "note", f"{sealed}; {late}")
    return Check("audit trail", "ok", f"{sealed}, {waiting} in their first second")


def _backup(store: "Store", now: datetime) -> Check:
    last = next(iter(store.upkeep.backups(1)), None)
    if last is None:
        return Check("backup", "note", "none yet: holdpoint backup FOLDER makes one")
    days = (now - last.at).days
    told = f"the last one {days} days ago" if days > 1 else "the last one within two days"
    return Check("backup", "ok" if days <= BACKUP_LATE_DAYS else "note", f"{told}, at {last.new.get('folder', '?')}")


def _worker(store: "Store", now: datetime) -> Check:
    try:
        alive = store.jobs.alive(now)
    except HoldpointError as error:
        return Check("worker", "wrong", str(error))
    return Check("worker", "ok", "alive") if alive else Check("worker", "note", "none is running: jobs wait for one")
