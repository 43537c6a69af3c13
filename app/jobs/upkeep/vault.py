"""Encryption at rest: the plant's keys, and sealing what is kept with the present one.

Holdpoint keeps few pictures itself: what came over the network or was dropped on a page, in HOLDPOINT_HOME. Most are
kept by reference and lie where their camera put them; those are never touched, nor is a quarantined picture copied.
Sealing goes file by file, each by a rename, and note by note; a run that was killed goes on where it stopped, because
what is sealed says with which key.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.files import write_whole
from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core import vault
from core.errors import BadInput
from core.records import Image

if TYPE_CHECKING:
    from data.store import Store

_PAGE = 2000


def keys_of(current: Settings) -> vault.Vault | None:
    """The keys that the settings name; None where they name none.

    Raises:
        BadInput: the file cannot be used, or lies in the folder that it should protect.
    """
    if current.key_file is None:
        return None
    path = current.key_file.expanduser().absolute()
    if path.resolve().is_relative_to(current.home.resolve()):
        raise BadInput(
            f"HOLDPOINT_KEY_FILE names {path}, inside HOLDPOINT_HOME: keep the key elsewhere, or who takes the folder "
            "or a backup has both."
        )
    return vault.read_keys(path)


def check_keys(store: "Store", keys: vault.Vault | None) -> None:
    """Refuse to go on without a key that something here was encrypted with; note a new one.

    Raises:
        BadInput: naming the key, and what to do.
    """
    have = set(vault.numbers(keys))
    for one in store.vault.known():
        if one.retired_at is None and one.id not in have:
            raise BadInput(
                f"Notes and pictures here were encrypted with the key {one.id}, which is not here: set "
                "HOLDPOINT_KEY_FILE to the file that holds it, from the machine that made it or from where the plant "
                "keeps its keys. A backup never holds it."
            )
    if keys is not None:
        store.vault.took(keys.current.id)


def rotate(store: "Store", current: Settings, progress: Progress = quiet) -> dict[str, Any]:
    """Seal everything with the present key: what was never sealed, and what an older key sealed.

    Returns:
        {key, pictures, already, notes, previews, retired: [numbers of the keys that are not needed any more]}

    Raises:
        BadInput: there is no key.
    """
    keys = vault.in_use()
    if keys is None:
        raise BadInput("There is no key: make one with holdpoint privacy key FILE, and set HOLDPOINT_KEY_FILE to it.")
    pictures = already = 0
    ours = list(_ours(store, current))
    for number, path in enumerate(ours):
        if vault.sealed_with(path) == keys.current.id:
            already += 1
        elif path.is_file():
            write_whole(path, keys.seal(vault.opened(path.read_bytes())))
            pictures += 1
        progress(number + 1, len(ours), path.name)
    notes = 0
    while done := store.vault.reseal_notes():
        notes += done
        progress(0, 0, f"{notes} notes")
    previews = 0
    for path in current.previews.rglob("*"):
        if path.is_file() and not path.is_symlink() and vault.sealed_with(path) != keys.current.id:
            path.unlink()  # made again, and sealed, when somebody looks
            previews += 1
    told = {"pictures": pictures, "already": already, "notes": notes, "previews": previews}
    return {"key": keys.current.id, **told, "retired": store.vault.retire(told)}


def standing(store: "Store", current: Settings) -> dict[str, Any]:
    """How much of what is kept is sealed, and with which key.

    Returns:
        {key, keys: [known ones], ours (pictures in HOLDPOINT_HOME), sealed, by_reference, notes_left}
    """
    keys = vault.in_use()
    ours = [path for path in _ours(store, current) if path.is_file()]
    with_key = [vault.sealed_with(path) for path in ours]
    return {
        "key": None if keys is None else keys.current.id,
        "keys": [{"id": one.id, "retired": one.retired_at is not None} for one in store.vault.known()],
        "ours": len(ours),
        "sealed": sum(one is not None for one in with_key),
        "sealed_with_it": sum(keys is not None and one == keys.current.id for one in with_key),
        "by_reference": store.images.count() - len(ours),
        "notes_left": store.vault.notes_left(),
    }


def _ours(store: "Store", current: Settings) -> Iterator[Path]:
    """Files of filed pictures that lie in Holdpoint's own folder, each once; links are not followed."""
    home = current.home.resolve()
    seen: set[str] = set()
    before: int | None = None
    while some := store.images.find(limit=_PAGE, before=before):
        before = some[-1].id
        for image in some:
            if image.path not in seen and _is_ours(image, home):
                seen.add(image.path)
                yield Path(image.path)


def _is_ours(image: Image, home: Path) -> bool:
    path = Path(image.path)
    return not path.is_symlink() and path.resolve().is_relative_to(home)
