"""A net's folder on disk, whatever the net: safetensors beside a JSON card, written whole or not at all.

What is read is checked before anything is made of it: sizes, that the card is JSON, and that the weights are the bytes
whose hash the card names. Nothing here runs code when loaded.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from safetensors.torch import save_file

from core.errors import Conflict, ModelError, NotFound

WEIGHTS = "weights.safetensors"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def usable_name(name: str) -> bool:
    """Whether a model, detector or memory may be called so: it is the name of a file and of nothing else."""
    return bool(name) and set(name) <= _NAME_CHARACTERS and not name.startswith(".")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A draft to write into; it takes the folder's name once all is written and on the disk, and is gone otherwise.

    Raises:
        Conflict: the folder exists; a model is never overwritten.
    """
    if folder.exists():
        raise Conflict(f"There is a model at {folder} already: choose another name.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{uuid4().hex}")
    draft.mkdir()
    try:
        yield draft
        for path in draft.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put_weights(draft: Path, state: Mapping[str, torch.Tensor], kind: torch.dtype | None = None) -> str:
    """Write weights.

    Args:
        draft: the folder.
        state: of the net.
        kind: numbers they are written as; as they are where None.

    Returns:
        The hash of the file.
    """
    tensors = {name: one.detach().cpu().to(kind or one.dtype).contiguous().clone() for name, one in state.items()}
    save_file(tensors, draft / WEIGHTS, metadata={"format": "pt"})
    with (draft / WEIGHTS).open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def card_values(folder: Path, card: str, most: int, what: str = "model") -> dict[str, Any]:
    """What a card says, before anybody has looked whether it makes sense.

    Args:
        folder: of the model.
        card: the card's file name.
        most: bytes that a card may have.
        what: as people call it.

    Raises:
        NotFound: there is none.
        ModelError: it is too large or no JSON object.
    """
    path = folder / card
    if not path.is_file():
        raise NotFound(f"No {what} at {folder}: it has no {card}.")
    if path.stat().st_size > most:
        raise ModelError(f"{path} is larger than {most // 1024**2} MB: it is no card.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON: take the {what} from its backup.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} holds no card: take the {what} from its backup.")
    return values


def weight_bytes(folder: Path, expected: str, most: int, what: str = "model") -> bytes:
    """The weights, whose hash is the one that was expected.

    They are read once: what is hashed is what is loaded, whoever writes to the file meanwhile.

    Args:
        folder: of the model.
        expected: hash on its card.
        most: bytes that weights may have.
        what: as people call it.

    Raises:
        ModelError: there are none, they are too large, or others.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{folder.name} has a card but no {WEIGHTS}: pickled weights are not loaded.")
    if path.stat().st_size > most:
        raise ModelError(f"{path} is larger than {most // 1024**2:,} MB: it is no {what} of Holdpoint's.")
    data = path.read_bytes()
    found = sha256(data).hexdigest()
    if found != expected:
        raise ModelError(
            f"The weights of {folder.name} are not those of its card (sha256 {found[:12]}, expected {expected[:12]}): "
            f"take the {what} from its backup."
        )
    return data
