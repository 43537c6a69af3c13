"""Models on disk: safetensors beside a JSON card, nothing that runs code when loaded.

    models/<name>/card.json            what it is, how it looks, what it was measured at, the hash of the weights
    models/<name>/weights.safetensors

The card also holds what the net answers to two fixed pictures, so that a model is checked before it is used:
on another machine, in another precision, through another back end.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from hashlib import shake_256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from core.errors import BadInput, ModelError, NotFound
from core.pictures.tiling import Look
from core.records import Pixels
from models import nets
from models.folder import WEIGHTS, card_values, new_folder, put_weights, usable_name, weight_bytes
from models.joining import Calibration, Join
from models.nets import DefectNet
from models.preprocess import Preprocessing, to_input

CARD = "card.json"
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
        if not usable_name(self.name):
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
    with new_folder(folder) as draft:
        found = put_weights(draft, net.state_dict())
        written = replace(card, sha256=found, probe=probe_of(net, card.look.tile))
        (draft / CARD).write_text(json.dumps(written.to_json(), indent=1, sort_keys=True) + "\n")
    return written


def load(folder: Path) -> Checkpoint:
    """Read a model and check the hash of its weights.

    Raises:
        NotFound: no model there.
        ModelError: a pickle, a damaged card, or weights other than those the card names.
    """
    card = read_card(folder)
    data = weight_bytes(folder, card.sha256, MAX_WEIGHT_BYTES)
    return Checkpoint(card, nets.tensors_of(data, WEIGHTS), folder)


def read_card(folder: Path) -> Card:
    """Only the card, e.g. for a list of models.

    Raises:
        NotFound: no model there.
        ModelError: a pickle or a damaged card.
    """
    if folder.suffix in nets.PICKLES:
        raise ModelError(f"{folder.name} is a pickle, which runs code when loaded: convert it to .safetensors first.")
    return Card.from_json(card_values(folder, CARD, MAX_CARD_BYTES))


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
