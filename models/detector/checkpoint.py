"""Detectors on disk: safetensors beside a JSON card of their own, checked by hash and by what the net answers.

    models/<name>/detector.json        what it is, how it looks, what it was measured at, the hash of the weights
    models/<name>/weights.safetensors

The card is not called as a classifier's is, so that no detector can be opened as a model that decides.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import BadInput, ModelError, NotFound
from core.pictures.tiling import Look
from models import nets
from models.checkpoint import MAX_CARD_BYTES, MAX_WEIGHT_BYTES, probe_tiles
from models.detector.net import BoxNet, build
from models.detector.serve import Detector, inputs
from models.engine import Device, chosen_device
from models.folder import WEIGHTS, card_values, new_folder, put_weights, usable_name, weight_bytes
from models.preprocess import Preprocessing

CARD = "detector.json"
CARD_FORMAT = 1
KIND = "detector"
PROBE_PX = 128
PROBE_TOLERANCE = 2e-3


@dataclass(frozen=True)
class DetectorCard:
    """Everything about a detector but its weights.

    Attributes:
        classes: ids, in the order of the net's outputs.
        look: how pictures are cut.
        threshold: what a box has to be as sure of as this to be shown.
        template: it compares with a picture of the same part without a defect, where there is one.
        masks: it has a mask head; a card that does not say so is of a detector without one.
        mask_threshold: what a pixel has to be as sure of as this to lie inside an outline.
        trunk, norms_folded, weights: as on a classifier's card.
        dataset, metrics, training: JSON.
        created_at: ISO 8601, UTC.
        sha256: of the weights file; set by `save_detector`.
        probe: what the head says, in the mean, of two fixed pictures; set by `save_detector`.
        kind: always "detector".
    """

    name: str
    arch: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    look: Look = field(default_factory=lambda: Look(320, 160))
    threshold: float = 0.5
    template: bool = False
    masks: bool = False
    mask_threshold: float = 0.5
    trunk: Mapping[str, Any] = field(default_factory=dict)
    norms_folded: bool = False
    weights: str = ""
    dataset: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = ""
    sha256: str = ""
    probe: tuple[float, ...] = ()
    kind: str = KIND
    format: int = CARD_FORMAT

    def __post_init__(self) -> None:
        if not usable_name(self.name):
            raise BadInput(
                f"A detector cannot be called {self.name!r}: use letters, digits, dots, dashes and underscores."
            )
        if not 0 < self.threshold < 1 or not 0 < self.mask_threshold < 1:
            raise BadInput(
                f"A threshold of {self.threshold}, and of {self.mask_threshold} for pixels: take some between 0 and 1."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **asdict(self),
            "classes": list(self.classes),
            "probe": list(self.probe),
            "preprocessing": self.preprocessing.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DetectorCard":
        """The reverse of to_json.

        Raises:
            ModelError: a field is missing or of the wrong kind, or the card is of another kind or a newer version.
        """
        if values.get("kind") != KIND or values.get("format") != CARD_FORMAT:
            raise ModelError(
                f"A card of kind {values.get('kind')}, format {values.get('format')}; this version reads detectors of "
                f"format {CARD_FORMAT}."
            )
        known = {f.name for f in fields(cls)}
        try:
            return cls(
                **{
                    **{k: v for k, v in values.items() if k in known},
                    "classes": tuple(str(c) for c in values["classes"]),
                    "preprocessing": Preprocessing.from_json(values["preprocessing"]),
                    "look": Look(**values["look"]),
                    "probe": tuple(float(v) for v in values["probe"]),
                }
            )
        except (KeyError, TypeError, ValueError, BadInput) as error:
            raise ModelError(f"The card is damaged ({error}): take the detector from its backup.") from error


def detector_card(net: BoxNet, name: str, now: datetime, **settings: Any) -> DetectorCard:
    """A card for a net just trained; further fields by name."""
    return DetectorCard(
        name=name,
        arch=net.arch,
        classes=net.classes,
        preprocessing=net.preprocessing,
        template=net.template,
        masks=net.masks,
        trunk=net.trunk_options,
        norms_folded=net.norms_folded,
        weights=net.weights,
        created_at=now.isoformat(),
        **settings,
    )


def save_detector(folder: Path, net: BoxNet, card: DetectorCard) -> DetectorCard:
    """Write a detector, whole or not at all.

    Returns:
        The card with hash and probe, as written.

    Raises:
        Conflict: the folder exists; a model is never overwritten.
        ModelError: the net answers with NaN.
    """
    with new_folder(folder) as draft:
        net.cpu().eval()
        found = put_weights(draft, net.state_dict())
        written = replace(card, sha256=found, probe=probe_of(net))
        (draft / CARD).write_text(json.dumps(written.to_json(), indent=1, sort_keys=True) + "\n")
    return written


def read_detector_card(folder: Path) -> DetectorCard:
    """Only the card.

    Raises:
        NotFound: no detector there.
        ModelError: a damaged card.
    """
    return DetectorCard.from_json(card_values(folder, CARD, MAX_CARD_BYTES, KIND))


def load_detector(folder: Path, sha: str | None = None) -> tuple[DetectorCard, BoxNet]:
    """Read a detector; the hash of its weights has to be the card's, and the store's where that is given.

    Raises:
        NotFound: no detector there.
        ModelError: a pickle, a damaged card, or other weights than those the card or the store names.
    """
    card = read_detector_card(folder)
    if sha is not None and sha != card.sha256:
        raise ModelError(
            f"{folder.name} is another detector (sha256 {card.sha256[:12]}) than the one that the store knows "
            f"({sha[:12]}): take the detector from its backup."
        )
    data = weight_bytes(folder, card.sha256, MAX_WEIGHT_BYTES, KIND)
    try:
        net = build(
            card.arch, card.classes, "scratch", template=card.template, masks=card.masks, trunk_options=card.trunk
        )
        net.load_state_dict(nets.tensors_of(data, WEIGHTS))
    except (BadInput, NotFound, RuntimeError) as error:
        raise ModelError(f"The weights of {card.name} do not fit its card ({error}).") from error
    net.preprocessing, net.weights, net.norms_folded = card.preprocessing, card.weights, card.norms_folded
    return card, net.eval()


def open_detector(folder: Path, device: Device = "auto", sha: str | None = None) -> Detector:
    """A detector that answers its probe as its card says.

    Raises:
        NotFound: no detector there.
        ModelError: it cannot be used.
    """
    card, net = load_detector(folder, sha)
    expected, found = np.array(card.probe), np.array(probe_of(net))
    if expected.shape != found.shape:
        raise ModelError(f"The card of {card.name} has no probe: save the detector again.")
    off = float(np.abs(found - expected).max())
    if not off <= PROBE_TOLERANCE * (1 + float(np.abs(expected).max())):
        raise ModelError(
            f"{card.name} answers its probe {off:.3g} away from its card: do not use it, take it from its backup."
        )
    return Detector(card, net, torch.device(chosen_device(device)))


@torch.no_grad()
def probe_of(net: BoxNet) -> tuple[float, ...]:
    """Means of what the head says of two fixed pictures, in float32 on the CPU.

    Raises:
        ModelError: it answers with NaN or infinity.
    """
    tiles = list(probe_tiles(PROBE_PX))
    x, beside = inputs(tiles, tiles[::-1] if net.template else None, net.preprocessing, torch.device("cpu"))
    said = net.outputs(x, beside)
    means = [float(v) for name in sorted(said.places) for v in said.places[name].float().mean(dim=(1, 2))]
    if said.mask is not None:
        means += [float(v) for v in said.mask.float().mean(dim=(1, 2, 3))]
    if not np.isfinite(means).all():
        raise ModelError("The net answers its probe with NaN or infinity: its training has diverged.")
    return tuple(means)
