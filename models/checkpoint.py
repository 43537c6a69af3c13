"""Models on disk: safetensors beside a JSON card, nothing that runs code when loaded.

    models/<name>/card.json            what it is, how it looks, what it was measured at, the hash of the weights
    models/<name>/weights.safetensors

The card also holds what the net answers to two fixed pictures, so that a model is checked before it is used:
on another machine, in another precision, through another back end.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from hashlib import file_digest, sha256, shake_256
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np
import torch
from safetensors.torch import save_file

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.pictures.tiling import Look
from core.records import Pixels
from models import nets
from models.joining import Calibration, Join
from models.nets import DefectNet
from models.preprocess import Preprocessing, to_input

CARD, WEIGHTS = "card.json", "weights.safetensors"
CARD_FORMAT = 1
MAX_CARD_BYTES = 4 * 1024 * 1024
MAX_WEIGHT_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Probe:
    """What the net answers to the two pictures of `probe_tiles`, in float32.

    Attributes:
        logits: (2, 1 + k) defect and class logits.
        cam_mean, dense_mean: per picture; empty where the net has no such output.
    """

    logits: tuple[tuple[float, ...], ...] = ()
    cam_mean: tuple[float, ...] = ()
    dense_mean: tuple[float, ...] = ()


@dataclass(frozen=True)
class Card:
    """Everything about a model but its weights.

    Attributes:
        classes: ids, in the order of the net's outputs.
        look: how it was trained to look at pictures; a part type may ask otherwise.
        classes_exclude: classes exclude each other (softmax) or may appear together.
        heatmap_scale: the Grad-CAM value shown at full strength; a clean picture stays well below it.
        region_threshold: where regions are cut from the map, in [0, 1] of that map.
        region_map: "where" (dense map) or "why" (Grad-CAM), whichever regions are cut from.
        linear: the heatmap comes with the forward pass.
        trunk: timm options of the trunk.
        norms_folded: batch norms without statistics of their own.
        weights: what training started from, in a sentence.
        dataset: name, hash and counts of the data set.
        metrics, training: as measured and as set; JSON.
        created_at: ISO 8601, UTC.
        sha256: of the weights file; set by `save`.
        probe: set by `save`.
    """

    name: str
    arch: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    look: Look = field(default_factory=Look)
    dense: bool = True
    classes_exclude: bool = True
    join: Join = field(default_factory=Join)
    calibration: Calibration = field(default_factory=Calibration)
    heatmap_scale: float = 1.0
    region_threshold: float = 0.5
    region_map: Literal["where", "why"] = "where"
    linear: bool = True
    trunk: Mapping[str, Any] = field(default_factory=dict)
    norms_folded: bool = False
    weights: str = ""
    dataset: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = ""
    sha256: str = ""
    probe: Probe = field(default_factory=Probe)
    format: int = CARD_FORMAT

    def __post_init__(self) -> None:
        if not self.name or not set(self.name) <= _NAME_CHARACTERS or self.name.startswith("."):
            raise BadInput(
                f"A model cannot be called {self.name!r}: use letters, digits, dots, dashes and underscores."
            )
        if len(set(self.classes)) != len(self.classes):
            raise BadInput(f"Classes {', '.join(self.classes)} name one twice.")
        if not self.heatmap_scale > 0 or not 0 < self.region_threshold < 1:
            raise BadInput(
                f"A heatmap scale of {self.heatmap_scale} and a region threshold of {self.region_threshold}: "
                "the scale must be above 0, the threshold between 0 and 1."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for json.dumps."""
        return {**asdict(self), "classes": list(self.classes), "preprocessing": self.preprocessing.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Card":
        """The reverse of to_json.

        Raises:
            ModelError: a field is missing or of the wrong kind, or the card is from a newer version.
        """
        if values.get("format") != CARD_FORMAT:
            raise ModelError(f"Card format {values.get('format')}, and this version reads {CARD_FORMAT}: update it.")
        known = {f.name for f in fields(cls)}
        try:
            probe = values.get("probe", {})
            return cls(
                **{
                    **{k: v for k, v in values.items() if k in known},
                    "classes": tuple(str(c) for c in values["classes"]),
                    "preprocessing": Preprocessing.from_json(values["preprocessing"]),
                    "look": Look(**values["look"]),
                    "join": Join(**values["join"]),
                    "calibration": Calibration(**values["calibration"]),
                    "probe": Probe(
                        tuple(tuple(row) for row in probe["logits"]),
                        tuple(probe["cam_mean"]),
                        tuple(probe["dense_mean"]),
                    ),
                }
            )
        except (KeyError, TypeError, ValueError, BadInput) as error:
            raise ModelError(f"The card is damaged ({error}): take the model from its backup.") from error


_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True)
class Checkpoint:
    """A model as loaded: the weights' hash agreed with the card."""

    card: Card
    state: Mapping[str, torch.Tensor]
    folder: Path

    def net(self) -> DefectNet:
        """The net with its weights, in evaluation mode.

        Raises:
            ModelError: the weights do not fit what the card says.
        """
        card = self.card
        try:
            net = nets.build(
                card.arch, card.classes, card.dense, "scratch", size=card.look.tile, trunk_options=card.trunk
            )
            net.load_state_dict(dict(self.state))
        except (BadInput, NotFound, RuntimeError) as error:
            raise ModelError(f"The weights of {card.name} do not fit its card ({error}).") from error
        net.preprocessing, net.weights, net.norms_folded = card.preprocessing, card.weights, card.norms_folded
        return net.eval()


def card_of(net: DefectNet, name: str, now: datetime, **settings: Any) -> Card:
    """A card for a net just trained; further fields by name."""
    return Card(
        name=name,
        arch=net.arch,
        classes=net.classes,
        preprocessing=net.preprocessing,
        dense=net.dense is not None,
        region_map="where" if net.dense is not None else "why",
        linear=net.linear,
        trunk=net.trunk_options,
        norms_folded=net.norms_folded,
        weights=net.weights,
        created_at=now.isoformat(),
        **settings,
    )


def save(folder: Path, net: DefectNet, card: Card) -> Card:
    """Write a model, whole or not at all.

    Returns:
        The card with hash and probe, as written.

    Raises:
        Conflict: the folder exists; a model is never overwritten.
        ModelError: the net answers with NaN.
    """
    if folder.exists():
        raise Conflict(f"There is a model at {folder} already: choose another name.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{uuid4().hex}")
    draft.mkdir()
    try:
        state = {k: v.detach().cpu().contiguous().clone() for k, v in net.state_dict().items()}
        save_file(state, draft / WEIGHTS, metadata={"format": "pt"})
        written = replace(card, sha256=_sha256(draft / WEIGHTS), probe=probe_of(net, card.look.tile))
        (draft / CARD).write_text(json.dumps(written.to_json(), indent=1, sort_keys=True) + "\n")
        for name in (WEIGHTS, CARD):
            with (draft / name).open("rb") as file:
                os.fsync(file.fileno())
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def load(folder: Path) -> Checkpoint:
    """Read a model and check the hash of its weights.

    Raises:
        NotFound: no model there.
        ModelError: a pickle, a damaged card, or weights other than those the card names.
    """
    card = read_card(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{folder.name} has a card but no {WEIGHTS}: pickled weights are not loaded.")
    if path.stat().st_size > MAX_WEIGHT_BYTES:
        raise ModelError(f"{path} is larger than {MAX_WEIGHT_BYTES // 1024**3} GB: it is no model of Holdpoint's.")
    data = path.read_bytes()  # read once: what is hashed is what is loaded, whoever writes to the file meanwhile
    found = sha256(data).hexdigest()
    if found != card.sha256:
        raise ModelError(
            f"The weights of {folder.name} are not those of its card (sha256 {found[:12]}, expected "
            f"{card.sha256[:12]}): take the model from its backup."
        )
    return Checkpoint(card, nets.tensors_of(data, path.name), folder)


def read_card(folder: Path) -> Card:
    """Only the card, e.g. for a list of models.

    Raises:
        NotFound: no model there.
        ModelError: a pickle or a damaged card.
    """
    path = folder / CARD
    if folder.suffix in nets.PICKLES:
        raise ModelError(f"{folder.name} is a pickle, which runs code when loaded: convert it to .safetensors first.")
    if not path.is_file():
        raise NotFound(f"No model at {folder}: it has no {CARD}.")
    if path.stat().st_size > MAX_CARD_BYTES:
        raise ModelError(f"{path} is larger than {MAX_CARD_BYTES // 1024**2} MB: it is no card.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON: take the model from its backup.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} holds no card: take the model from its backup.")
    return Card.from_json(values)


def probe_tiles(size: int) -> Pixels:
    """(2, size, size, 3): noise and a ramp, the same bytes on every machine and with every version of numpy."""
    noise = np.frombuffer(shake_256(b"holdpoint probe").digest(size * size * 3), np.uint8).reshape(size, size, 3)
    ramp = (np.arange(size) * 255 // max(1, size - 1)).astype(np.uint8)
    blend = np.stack([np.tile(ramp, (size, 1)), np.tile(ramp[:, None], (1, size)), np.full((size, size), 90)], axis=2)
    return np.stack([noise, blend.astype(np.uint8)])


@torch.no_grad()
def probe_of(net: DefectNet, size: int) -> Probe:
    """Ask the net, in float32 on the CPU.

    Raises:
        ModelError: it answers with NaN or infinity.
    """
    training, place = net.training, next(net.parameters()).device
    net.eval().cpu()
    try:
        out = net(to_input(probe_tiles(size), net.preprocessing))
    finally:
        net.train(training).to(place)
    logits = torch.cat([out.defect[:, None], out.classes], dim=1)
    if not bool(torch.isfinite(logits).all()):
        raise ModelError("The net answers its probe with NaN or infinity: its training has diverged.")
    return Probe(
        tuple(tuple(float(v) for v in row) for row in logits),
        () if out.cam is None else tuple(float(v) for v in out.cam.mean((1, 2))),
        () if out.dense is None else tuple(float(v) for v in out.dense.mean((1, 2))),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
