"""The one place where pages find the store, the settings and who is asking; the only place that caches."""

import atexit
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.scoring import Scorer
from app.settings import Settings
from app.settings import settings as read_settings
from app.web.guard import COOKIE
from app.web.uploads import UploadBudget
from core.errors import NotAllowed
from core.pictures.decode import Limits
from core.pictures.sandbox import DecodePool, Upload
from core.plant import Person
from core.roles import Action, Actor, allowed

if TYPE_CHECKING:
    from data.store import Store

WEB = Actor("web server", system=True)


def settings() -> Settings:
    """Settings as the environment has them now."""
    return read_settings()


@cache
def _open(current: Settings) -> "Store":
    from app.jobs.sealing import open_plant

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


def warm() -> None:
    """Start the process that opens pictures, so that the first visitor does not wait for it."""
    _decoder(Limits(), settings().decode_seconds)


def model_folder(name: str | None) -> Path | None:
    """Where a model version lies; None where there is none of that name."""
    if name is None:
        return None
    found = next((one for one in store().models.all() if one.name == name), None)
    return None if found is None else settings().home / found.path  # an absolute path stays as it is


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


def may(action: Action) -> bool:
    """Whether to show a control; the store decides again when it is used."""
    return allowed(me().role, action)
