"""A memory on disk: one safetensors file with its card inside, known by the hash of its bytes.

    novelty/<name>.safetensors     tensors: memory, scale, held_out, projection where there is one
                                   metadata: the card, as JSON

Nothing in it runs code when loaded, and nothing is used before its hash is the one that the store knows.
"""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from safetensors.numpy import save

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.learn.novelty.limit import Limit, Wide
from core.learn.novelty.memory import NEIGHBOURS, Memory
from core.pictures.tiling import Look
from models import nets
from models.folder import usable_name
from models.novelty.patches import Lens

FORMAT = 1
SUFFIX = ".safetensors"
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class MemoryCard:
    """Everything about a memory but its tensors.

    Attributes:
        site, part_type: whose good parts it was fitted on; part_type None is any.
        net, net_sha256: the model whose middle layers it sees through.
        net_folder: below the plant's home, where it is no model that the store knows.
        look: tile and scale.
        levels: of the trunk's maps.
        limit: novelty 1.
        pictures, parts: good ones that it remembers.
        neighbours: that weigh a distance.
        probe: distances of the two probe tiles, by which a machine is checked.
        even_light: pictures are seen under even light.
        source: where the good pictures came from, in a few words.
        created_at: ISO 8601, UTC.
        shared: it was fitted in the pass of the engine that scores, in that engine's precision.
        chosen: why this net, in a sentence.
    """

    name: str
    site: str
    part_type: str | None
    net: str
    net_sha256: str
    look: Look
    levels: tuple[int, ...]
    limit: Limit
    pictures: int
    parts: int
    probe: tuple[float, float]
    net_folder: str = ""
    source: str = ""
    created_at: str = ""
    neighbours: int = NEIGHBOURS
    even_light: bool = False
    shared: bool = False
    chosen: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Refuse a name that is no file's."""
        if not usable_name(self.name):
            raise BadInput(f"A memory cannot be called {self.name!r}: use letters, digits, dots, dashes, underscores.")

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for json.dumps."""
        return {**asdict(self), "levels": list(self.levels), "probe": list(self.probe)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "MemoryCard":
        """The reverse of to_json.

        Raises:
            ModelError: a field is missing or of the wrong kind, or the card is from a newer version.
        """
        if values.get("format") != FORMAT:
            raise ModelError(f"Memory format {values.get('format')}, and this version reads {FORMAT}: update it.")
        try:
            first, second = (float(one) for one in values["probe"])
            return cls(
                **{
                    **values,
                    "look": Look(**values["look"]),
                    "levels": tuple(int(one) for one in values["levels"]),
                    "limit": Limit(**values["limit"]),
                    "probe": (first, second),
                }
            )
        except (KeyError, TypeError, ValueError, BadInput) as error:
            raise ModelError(f"The memory's card is damaged ({error}): take it from its backup.") from error


@dataclass(frozen=True, eq=False)
class Kept:
    """A memory as loaded: the hash of its file agreed with the store's.

    Attributes:
        held_out: (n,) distances of the good parts that the limit rests on, ascending.
    """

    card: MemoryCard
    memory: Memory
    lens: Lens
    held_out: Wide


def write(path: Path, kept: Kept) -> str:
    """Write a memory, whole or not at all.

    Returns:
        The hash of its bytes.

    Raises:
        Conflict: the file exists; a memory is never overwritten.
    """
    if path.exists():
        raise Conflict(f"There is a memory at {path} already: choose another name.")
    tensors = {
        "memory": kept.memory.vectors,
        "scale": np.ascontiguousarray(kept.lens.scale, np.float32),
        "held_out": np.ascontiguousarray(kept.held_out, np.float64),
    }
    if kept.lens.projection is not None:
        tensors["projection"] = np.ascontiguousarray(kept.lens.projection, np.float32)
    data = save(tensors, {"holdpoint": json.dumps(kept.card.to_json(), sort_keys=True)})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return sha256(data).hexdigest()


def read(path: Path, expected: str) -> Kept:
    """Read a memory whose bytes have the expected hash.

    Raises:
        NotFound: no such file.
        ModelError: a pickle, other bytes, or no memory.
    """
    if path.suffix != SUFFIX:
        raise ModelError(f"{path.name} is no {SUFFIX} file: other kinds are not loaded, a pickle would run code.")
    if not path.is_file():
        raise NotFound(f"There is no memory at {path}: fit it again, or take it from its backup.")
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB: it is no memory of Holdpoint's.")
    data = path.read_bytes()  # read once: what is hashed is what is used
    found = sha256(data).hexdigest()
    if found != expected:
        raise ModelError(
            f"{path.name} is not the memory that the store knows (sha256 {found[:12]}, expected {expected[:12]}): take "
            "it from its backup."
        )
    card = MemoryCard.from_json(_card_in(data, path.name))
    tensors = {name: tensor.numpy() for name, tensor in nets.tensors_of(data, path.name).items()}
    try:
        lens = Lens(card.levels, tensors["scale"], tensors.get("projection"))
        kept = Kept(card, Memory(tensors["memory"]), lens, np.asarray(tensors["held_out"], np.float64))
    except KeyError as error:
        raise ModelError(f"{path.name} has no tensor {error}: it is no memory.") from error
    if kept.memory.vectors.shape[1] != lens.width:
        raise ModelError(f"{path.name} does not fit together: fit it again.")
    return kept


def _card_in(data: bytes, name: str) -> Mapping[str, Any]:
    """The card from the file's own header."""
    try:
        (length,) = struct.unpack("<Q", data[:8])
        values = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["holdpoint"])
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{name} holds no memory's card ({error}).") from error
    if not isinstance(values, dict):
        raise ModelError(f"{name} holds no memory's card.")
    return values
