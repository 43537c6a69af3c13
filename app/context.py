"""The one place where pages find the store, the settings and who is asking; the only place that caches."""

import ast
import atexit
import pkgutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.scoring import Scorer
from app.settings import Settings
from app.settings import settings as read_settings
from app.web.guard import COOKIE
from app.web.uploads import UploadBudget
from core.errors import NotAllowed, NotFound
from core.pictures.decode import Limits
from core.pictures.sandbox import DecodePool, Upload
from core.plant import Person
from core.roles import Action, Actor, allowed

if TYPE_CHECKING:
    from core.watch.alarms import SiteStatus
    from data.analytics.read import Reader
    from data.store import Store

WEB = Actor("web server", system=True)
STATUS_S = 3.0
MOST_STATUSES = 1000
HEATMAPS_S = 30.0


def settings() -> Settings:
    """Settings as the environment has them now."""
    return read_settings()


@cache
def _open(current: Settings) -> "Store":
    from app.jobs.upkeep.sealing import open_plant

    return open_plant(current, WEB)


def plant() -> "Store":
    """The store as the server itself: for signing in and for the routes. Pages take `store()`."""
    return _open(settings())


@cache
def scorer() -> Scorer:
    """The one scoring process of this server."""
    made = Scorer()
    atexit.register(made.close)
    return made


@cache
def _decoder(limits: Limits, seconds: float) -> DecodePool:
    made = DecodePool(1, limits, seconds)
    atexit.register(made.close)
    return made


def preview(data: bytes, max_side: int, box: tuple[int, int, int, int] | None = None) -> bytes:
    """A JPEG of a picture's bytes, or of a box of it, made in a limited child process."""
    current = settings()
    return _decoder(Limits(), current.decode_seconds).preview(Upload("picture", data), max_side, box)


def warm(pages: Path) -> None:
    """Start the process that opens pictures and load what pages need, so that the first visitor waits for neither.

    Args:
        pages: their folder.
    """
    _decoder(Limits(), settings().decode_seconds)
    Thread(target=load, args=(pages,), name="load", daemon=True).start()


def load(pages: Path) -> None:
    """Import whatever the pages of a folder import, and what their tables and charts import when first drawn."""
    found = {"pandas", "plotly.graph_objects", "pyarrow"}
    for page in pages.rglob("*.py"):
        for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.update(f"{node.module}.{one.name}" for one in node.names)
            elif isinstance(node, ast.Import):
                found.update(one.name for one in node.names)
    for name in sorted(found):
        pkgutil.resolve_name(name)


@cache
def _reader(folder: Path) -> "Reader":
    from data.analytics.read import Reader

    return Reader(folder)


def facts_reader() -> "Reader":
    """The published facts as this server reads them."""
    from app.kpis.charts import facts_folder

    return _reader(facts_folder(settings()))


def model_folder(name: str | None) -> Path | None:
    """Where a model version lies; None where there is none of that name."""
    if name is None:
        return None
    found = next((one for one in store().models.all() if one.name == name), None)
    return None if found is None else settings().home / found.path  # an absolute path stays as it is


_heatmaps: dict[tuple[str, str, str], tuple[float, Any]] = {}


def measured_heatmaps(model: str, site: str) -> Any:
    """What was measured of a model's heatmaps at a site, half a minute old at most; None where nothing was."""
    from app.jobs.science.measured import heatmaps_place, read

    key = (settings().database_url, model, site)
    known = _heatmaps.get(key)
    if known is None or monotonic() - known[0] > HEATMAPS_S:
        found = None
        with suppress(NotFound):
            folder = settings().home / plant().models.get(model).path
            found = read(heatmaps_place(folder, settings(), site))
        if len(_heatmaps) > MOST_STATUSES:
            _heatmaps.clear()
        known = _heatmaps[key] = (monotonic(), found)
    return known[1]


def now() -> datetime:
    """This moment, for pages to pass on."""
    return datetime.now(UTC)


def token() -> str:
    """The session token that came with this page's connection; empty when signed out."""
    return st.context.cookies.get(COOKIE, "")


def signed_in(session: str) -> bool:
    """Whether a session token is good; for the guard before every route."""
    return plant().people.who(session) is not None


_uploads = UploadBudget()


def may_upload(session: str, size: int) -> bool:
    """Whether the person of a session may upload so many more bytes now; for the guard."""
    found = plant().people.who(session)
    return found is not None and _uploads.take(found.name, size)


def me() -> Person:
    """Who is asking.

    Raises:
        NotAllowed: nobody is signed in, or the session has ended.
    """
    found = plant().people.who(token()) if token() else None
    if found is None:
        raise NotAllowed("You are signed out. Sign in again to go on.")
    return found


def store() -> "Store":
    """The store, acting as the person who is asking: it checks every call by itself."""
    return plant().acting_as(Actor(me().name))


def demo_plant() -> bool:
    """Whether this is the demo plant, whose people need no password on the machine itself."""
    return bool(plant().people.demo_people())


_statuses: dict[tuple[str, tuple[str, ...] | None], tuple[float, list["SiteStatus"]]] = {}


def site_statuses(person: Person) -> list["SiteStatus"]:
    """Auto-PASS, alarms and backlog of a person's sites; a few seconds old at most, so that no page waits for it."""
    key = (settings().database_url, person.sites)
    known = _statuses.get(key)
    if known is None or monotonic() - known[0] > STATUS_S:
        known = (monotonic(), plant().acting_as(Actor(person.name)).alarms.status())
        if len(_statuses) > MOST_STATUSES:
            _statuses.clear()
        _statuses[key] = known
    return known[1]


def may(action: Action) -> bool:
    """Whether to show a control; the store decides again when it is used."""
    return allowed(me().role, action)
