"""The audit trail's key, its sealing in the background, and the heads of its chain that are kept beside the store.

The key is made at the first start, in HOLDPOINT_HOME and never in the store. Each process that writes runs a Sealer;
whichever comes first seals what is new. `seen.json` is the farthest end of the chain that this machine knows of, and a
head is kept for every day: a chain whose end was cut off no longer holds them.
"""

import contextlib
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.files import write_whole
from app.settings import Settings
from core import vault
from core.errors import BadInput, HoldpointError
from core.roles import COMMAND_LINE, Actor
from core.seals import Head, Key

if TYPE_CHECKING:
    from data.store import Store
    from data.store.trail.seals import Verified

EVERY_S = 0.4  # so that an event is sealed within a second of its act
THOROUGH_S = 600.0
KEY_BYTES = 32
SEALER = Actor("sealer", system=True)


def open_plant(current: Settings, actor: Actor = COMMAND_LINE) -> "Store":
    """The store with the plant's own key, which is made where there is none yet.

    Raises:
        BadInput: the trail was sealed, or something was encrypted, with a key that is not here.
    """
    from app.jobs.upkeep.vault import check_keys, keys_of
    from data.store import open_store

    current.home.mkdir(parents=True, exist_ok=True)
    keys = keys_of(current)
    vault.use(keys)
    path = current.secrets / "audit-key"
    key = read_key(path)
    store = open_store(current.database_url, actor, key=key)
    head = store.seals.head()
    if key is not None and (head is None or head.key_id == key.id):
        try:
            check_keys(store.acting_as(SEALER), keys)
        except BadInput:
            store.close()
            raise
        return store
    store.close()
    if head is not None:
        what = "is missing" if key is None else "is another one"
        raise BadInput(
            f"The audit trail is sealed with the key {head.key_id}, and {path} {what}: put the plant's own key there, "
            "from the machine that made it or from a backup."
        )
    store = open_store(current.database_url, actor, key=_make_key(path))
    check_keys(store.acting_as(SEALER), keys)
    return store


def read_key(path: Path) -> Key | None:
    """The key in a file; None where there is no file.

    Raises:
        BadInput: it is no key, or others may read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path} can be read by others: chmod 600 it, and think about who has seen it.")
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise BadInput(f"{path} holds no key ({error}): put the plant's own key there.") from error
    if len(secret) < KEY_BYTES:
        raise BadInput(f"{path} holds {len(secret)} bytes, a key has {KEY_BYTES}: put the plant's own key there.")
    return Key(secret)


def _make_key(path: Path) -> Key:
    """Make the key; of several processes that start at once, one makes it and the others read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_whole(draft, secrets.token_hex(KEY_BYTES).encode(), mode=0o600)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, never over somebody else's
    finally:
        draft.unlink(missing_ok=True)
    key = read_key(path)
    if key is None:
        raise BadInput(f"{path} cannot be kept: mend the folder, and start again.")
    return key


def key_of(current: Settings) -> Key:
    """The plant's key.

    Raises:
        BadInput: there is none.
    """
    key = read_key(current.secrets / "audit-key")
    if key is None:
        raise BadInput(f"There is no key at {current.secrets / 'audit-key'}: nothing has been sealed here.")
    return key


# --- the heads ------------------------------------------------------------------------------------------------------


def heads_folder(current: Settings) -> Path:
    """Where the heads are kept: one of each day, and the farthest one seen."""
    return current.home / "audit"


def read_head(path: Path) -> Head:
    """A head that was exported.

    Raises:
        BadInput: the file is none.
    """
    try:
        return Head.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = type(error).__name__
        raise BadInput(f"{path} is no head of an audit chain ({what}): see holdpoint audit head.") from error


def seen(current: Settings) -> Head | None:
    """The farthest end of the chain that this machine knows of."""
    path = heads_folder(current) / "seen.json"
    return read_head(path) if path.exists() else None


def kept_heads(current: Settings) -> Iterator[Head]:
    """Every head that lies beside the store."""
    for path in sorted(heads_folder(current).glob("*.json")):
        yield read_head(path)


def write_head(head: Head, path: Path) -> None:
    """Export a head."""
    write_whole(path, (json.dumps(head.to_json()) + "\n").encode(), mode=0o600)


def seal(store: "Store", current: Settings, key: Key, now: datetime | None = None, *, thorough: bool = False) -> int:
    """Seal what is new once, and keep the head.

    Returns:
        How many events were sealed.
    """
    sealer = store.acting_as(SEALER)
    known = seen(current)
    done = sealer.seals.seal(key, known, now, thorough=thorough)
    if not done and known is not None and not thorough:
        return 0  # nothing new here; what other machines sealed is noted now and then
    head = sealer.seals.head()
    if head is None:
        return done
    if known is None or head.number > known.number:
        write_head(head, heads_folder(current) / "seen.json")
    daily = heads_folder(current) / f"head-{head.at.astimezone(UTC):%Y-%m-%d}.json"
    if not daily.exists():
        write_head(head, daily)
    return done


def verify(
    store: "Store", current: Settings, extra: Path | None = None, now: datetime | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> "Verified":  # fmt: skip
    """Look at the whole trail, against every head that lies beside the store and one from elsewhere."""
    heads = list(kept_heads(current))
    if extra is not None:
        heads.append(read_head(extra))
    return store.seals.verify(key_of(current), heads, now, progress)


# --- in the background ----------------------------------------------------------------------------------------------


class Sealer:
    """A thread that seals what is new, in a process that writes; what it cannot do it says once, on standard error.

    Attributes:
        trouble: why it could not seal the last time; empty when it could.
    """

    def __init__(self, store: "Store", current: Settings) -> None:
        """Start it."""
        self.trouble = ""
        self._store = store
        self._current = current
        self._key = key_of(current)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Seal what is left and end."""
        self._ending.set()
        self._thread.join(30)

    def __enter__(self) -> "Sealer":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stop()

    def _run(self) -> None:
        thorough = float("-inf")
        while True:
            last = self._ending.wait(EVERY_S)
            whole = time.monotonic() - thorough >= THOROUGH_S
            try:
                seal(self._store, self._current, self._key, thorough=whole)
                self.trouble = ""
            except (HoldpointError, SQLAlchemyError, OSError) as error:
                if str(error) != self.trouble:
                    self.trouble = str(error)
                    sys.stderr.write(f"The audit trail could not be sealed: {error}\n")
            else:
                thorough = time.monotonic() if whole else thorough
            if last:
                return
