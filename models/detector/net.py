"""The box net: torchvision's FCOS on any timm trunk, with a pyramid of three strides.

    picture ─▶ trunk ─▶ strides 8, 16, 32 ─▶ pyramid ─▶ head ─▶ at each place: classes, four distances, how central
    picture, template ─▶ a few convolutions to stride 8 ─────┘   (only where there is a template to compare with)

Three things differ from torchvision's: the head is narrow enough for a processor, places that nobody has labelled are
left out of the loss, and a second picture, the same part without a defect, may stand beside the first. A mask head, as
in `masks.py`, may read the finest maps as well.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import FeaturePyramidNetwork, generalized_box_iou_loss, sigmoid_focal_loss

from core.errors import BadInput
from models import nets
from models.detector.masks import MaskHead, mask_loss

FINEST = 4  # stride of the trunk's map that the mask head reads
STRIDES = (8, 16, 32)
WIDTH = 64  # channels of the pyramid and of the head; torchvision's 256 are for graphics cards
CONVS = 2
CANDIDATES = 300
MOST = 100  # boxes of a tile
LEAST_SCORE = 0.02


class Target(NamedTuple):
    """What is known of one window; boxes are x1, y1, x2, y2 in its pixels.

    Attributes:
        boxes: (n, 4) to be found.
        labels: (n,) numbers of their classes.
        unknown: (m, 4) where something is of which nothing can be learnt, such as the rest of a box cut off.
    """

    boxes: torch.Tensor
    labels: torch.Tensor
    unknown: torch.Tensor


class Losses(NamedTuple):
    """Each a scalar."""

    classes: torch.Tensor
    boxes: torch.Tensor
    centres: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        return self.classes + self.boxes + self.centres


class Said(NamedTuple):
    """What the heads say of a batch.

    Attributes:
        places: class logits, distances and how central, at every place.
        features: the pyramid that was read.
        mask: (n, 1, h / 2, w / 2) log-odds of a defect; None without a mask head.
    """

    places: dict[str, torch.Tensor]
    features: list[torch.Tensor]
    mask: torch.Tensor | None


class TileBoxes(NamedTuple):
    """What was found in one tile: (n, 4) x1, y1, x2, y2, (n,) scores and (n,) classes, the surest first."""

    boxes: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor


class BoxNet(FCOS):  # type: ignore[misc]  # torchvision has no types
    """A timm trunk that draws boxes.

    Attributes:
        arch, classes, preprocessing, trunk_options, weights, norms_folded: as of the classifier's net.
        template: whether it compares with a picture of the same part without a defect, where there is one.
        masks: whether it has a mask head.
    """

    def __init__(self, base: nets.DefectNet, classes: Sequence[str], template: bool, masks: bool = False) -> None:
        if not classes:
            raise BadInput("A detector needs a class to find: draw regions and give them classes first.")
        levels, channels = pyramid_levels(base.trunk)
        fine = finest_level(base.trunk) if masks else None
        body = _Body(base.trunk, levels, channels, template, None if fine is None else fine[0])
        anchors = AnchorGenerator(tuple((s,) for s in STRIDES[: len(levels)]), ((1.0,),) * len(levels))
        super().__init__(
            body, len(classes), anchor_generator=anchors, head=_Head(WIDTH, 1, len(classes), CONVS),
            score_thresh=LEAST_SCORE, nms_thresh=0.5, topk_candidates=CANDIDATES, detections_per_img=MOST,
        )  # fmt: skip
        self.arch = base.arch
        self.classes = tuple(classes)
        self.template = template
        self.masks = masks
        self.outlines = None if fine is None else MaskHead(fine[1], WIDTH)
        self.preprocessing = base.preprocessing
        self.trunk_options = dict(base.trunk_options)
        self.norms_folded = base.norms_folded
        self.weights = base.weights

    @property
    def trunk(self) -> Any:
        """The timm model."""
        return self.backbone.trunk

    def loss_of(
        self, x: torch.Tensor, features: list[torch.Tensor], output: Mapping[str, torch.Tensor],
        targets: Sequence[Target],
    ) -> Losses:  # fmt: skip
        """The loss of a batch from what `outputs` gave for it; computed in float32 whatever the net computed in."""
        said = {name: value.float() for name, value in output.items()}
        known = [{"boxes": t.boxes, "labels": t.labels, "unknown": t.unknown} for t in targets]
        found = self.compute_loss(known, said, self._anchors(x, features), _places(features))
        return Losses(found["classification"], found["bbox_regression"], found["bbox_ctrness"])

    def mask_loss_of(self, said: Said, marked: torch.Tensor) -> torch.Tensor:
        """The loss of the mask head; `marked` is (n, h, w) uint8 as `masks.mask_loss` takes it."""
        if said.mask is None:
            raise BadInput("This detector has no mask head: build it with one.")
        return mask_loss(said.mask, marked)

    def forward(
        self, x: torch.Tensor, beside: torch.Tensor | None = None
    ) -> tuple[list[TileBoxes], torch.Tensor | None]:
        """Boxes of each tile, and its map, (n, h / 2, w / 2) in [0, 1]; None without a mask head.

        Args:
            x: (n, 3, h, w), normalised as `preprocessing` says; h and w multiples of 32.
            beside: (n, 4, h, w): template, normalised like the picture, and 1 where there is one, 0 where not; None
                where none of them has one.
        """
        said = self.outputs(x, beside)
        places = _places(said.features)
        split = {name: list(torch.split(value.float(), places, dim=1)) for name, value in said.places.items()}
        anchors = [list(torch.split(a, places)) for a in self._anchors(x, said.features)]
        found = self.postprocess_detections(split, anchors, [(x.shape[2], x.shape[3])] * len(x))
        boxes = [TileBoxes(one["boxes"], one["scores"], one["labels"]) for one in found]
        return boxes, None if said.mask is None else said.mask[:, 0].float().sigmoid()

    def outputs(self, x: torch.Tensor, beside: torch.Tensor | None = None) -> Said:
        """What the heads say at every place, before boxes are made of it."""
        features, fine = self.backbone(x, beside)
        places: dict[str, torch.Tensor] = self.head(features)
        mask = None if self.outlines is None else self.outlines(fine, features[0])
        return Said(places, features, mask)

    def _anchors(self, x: torch.Tensor, features: list[torch.Tensor]) -> list[torch.Tensor]:
        images = ImageList(x, [(x.shape[2], x.shape[3])] * len(x))
        anchors: list[torch.Tensor] = self.anchor_generator(images, [f.float() for f in features])
        return anchors

    def train(self, mode: bool = True) -> "BoxNet":
        """As torch's; batch norms of the trunk keep the statistics they came with, unless it starts from scratch."""
        super().train(mode)
        if mode and "scratch" not in self.weights:
            for module in self.trunk.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


class _Body(nn.Module):
    """Trunk, pyramid, and where they are wanted the look at a template and the trunk's map of stride 4."""

    def __init__(
        self, trunk: Any, levels: Sequence[int], channels: Sequence[int], template: bool, fine: int | None
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.levels = list(levels)
        self.fine = fine
        self.out_channels = WIDTH
        self.pyramid = FeaturePyramidNetwork(list(channels), WIDTH)
        self.compare = _Compare() if template else None

    def forward(self, x: torch.Tensor, beside: torch.Tensor | None) -> tuple[list[torch.Tensor], torch.Tensor | None]:
        wanted = self.levels if self.fine is None else [self.fine, *self.levels]
        maps = self.trunk.forward_intermediates(x, indices=wanted, output_fmt="NCHW", intermediates_only=True)
        fine = None if self.fine is None else maps[0]  # stride 4
        maps = maps[len(maps) - len(self.levels) :]  # strides 8, 16, 32
        named = dict(zip(map(str, range(len(maps))), maps, strict=True))
        features = list(self.pyramid(named).values())
        if self.compare is not None and beside is not None:
            seen = self.compare(x, beside)
            for i, level in enumerate(features):
                features[i] = level + (seen if i == 0 else F.adaptive_avg_pool2d(seen, level.shape[2:]))
        return features, fine


class _Compare(nn.Module):
    """What differs from the template, as a map of stride 8; nothing where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            *(nn.Conv2d(9, 32, 4, 4, bias=False), nn.GroupNorm(8, 32), nn.ReLU()),
            *(nn.Conv2d(32, WIDTH, 3, 2, 1, bias=False), nn.GroupNorm(8, WIDTH), nn.ReLU()),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
        )

    def forward(self, x: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        template, there = beside[:, :3], beside[:, 3:]
        apart = (x - template) * there
        found: torch.Tensor = self.steps(torch.cat([x * there, apart, apart.abs()], dim=1))
        return found * there[:, :, :1, :1]


class _Head(FCOSHead):  # type: ignore[misc]
    """Torchvision's head, with a loss that leaves out what nobody knows."""

    def compute_loss(
        self,
        targets: list[dict[str, torch.Tensor]],
        head_outputs: Mapping[str, torch.Tensor],
        anchors: list[torch.Tensor],
        matched_idxs: list[torch.Tensor],
    ) -> dict[str, torch.Tensor]:
        """The three losses, each divided by the number of places that lie on a box.

        A place on an unknown box that no known one claims counts neither as a class nor as background.

        Source: Tian et al. 2019, "FCOS"; the terms are torchvision's.
        """
        logits = head_outputs["cls_logits"]  # (n, places, k)
        matched = torch.stack(matched_idxs)  # (n, places); -1 is background
        on_box = matched >= 0
        places = torch.stack(anchors)
        boxes = places.new_zeros(places.shape)
        wanted = torch.zeros_like(logits)
        counts = torch.ones_like(on_box)
        for i, target in enumerate(targets):
            at = on_box[i]
            if bool(at.any()):
                boxes[i, at] = target["boxes"][matched[i, at]]
                wanted[i, at, target["labels"][matched[i, at]]] = 1.0
            counts[i] = at | ~_within(places[i], target["unknown"])
        many = max(1, int(on_box.sum()))
        classes = (sigmoid_focal_loss(logits, wanted) * counts[..., None]).sum() / many
        if not bool(on_box.any()):
            zero = (head_outputs["bbox_regression"].sum() + head_outputs["bbox_ctrness"].sum()) * 0
            return {"classification": classes, "bbox_regression": zero, "bbox_ctrness": zero}
        said = self.box_coder.decode(head_outputs["bbox_regression"], places)[on_box]
        distance = generalized_box_iou_loss(said, boxes[on_box], reduction="sum")
        sides = self.box_coder.encode(places[on_box], boxes[on_box])
        across, down = sides[:, [0, 2]], sides[:, [1, 3]]
        central = torch.sqrt((_share(across) * _share(down)).clamp(min=0))
        centre = F.binary_cross_entropy_with_logits(
            head_outputs["bbox_ctrness"][..., 0][on_box], central, reduction="sum"
        )
        return {"classification": classes, "bbox_regression": distance / many, "bbox_ctrness": centre / many}


def _share(pair: torch.Tensor) -> torch.Tensor:
    return pair.min(dim=1).values / pair.max(dim=1).values.clamp(min=1e-6)


def _within(anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Which places' middles lie in any of the boxes."""
    middle = (anchors[:, :2] + anchors[:, 2:]) / 2
    x, y = middle[:, :1], middle[:, 1:]
    inside = (x >= boxes[:, 0]) & (x < boxes[:, 2]) & (y >= boxes[:, 1]) & (y < boxes[:, 3])
    return inside.any(dim=1)


def _places(features: Sequence[torch.Tensor]) -> list[int]:
    return [f.shape[2] * f.shape[3] for f in features]


def pyramid_levels(trunk: Any) -> tuple[list[int], list[int]]:
    """Which of a trunk's maps have strides 8, 16 and 32, the deepest of each, and their channels.

    Raises:
        BadInput: the trunk has no such maps.
    """
    last = _deepest(trunk)
    missing = [s for s in STRIDES if s not in last]
    if missing:
        raise BadInput(
            f"This trunk has maps of strides {sorted(last)} and a pyramid needs {list(STRIDES)}: take a convolutional "
            "architecture, such as efficientnet_b0."
        )
    return [last[s][0] for s in STRIDES], [last[s][1] for s in STRIDES]


def finest_level(trunk: Any) -> tuple[int, int]:
    """Which of a trunk's maps the mask head reads, and its channels.

    Raises:
        BadInput: the trunk has no map of stride 4.
    """
    last = _deepest(trunk)
    if FINEST not in last:
        raise BadInput(
            f"This trunk has maps of strides {sorted(last)} and masks need one of {FINEST}: take another architecture, "
            "such as efficientnet_b0, or train without masks."
        )
    return last[FINEST]


@torch.no_grad()
def _deepest(trunk: Any, side: int = 128) -> dict[int, tuple[int, int]]:
    """The deepest of a trunk's maps of each stride: its number and its channels.

    Raises:
        BadInput: the trunk shows no maps.
    """
    training = trunk.training
    trunk.eval()
    x = torch.zeros(1, 3, side, side)
    try:
        maps = trunk.forward_intermediates(x, output_fmt="NCHW", intermediates_only=True)
    except (AttributeError, TypeError, RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"This trunk shows no pyramid of maps ({error}): take another architecture.") from error
    finally:
        trunk.train(training)
    return {round(side / m.shape[2]): (i, m.shape[1]) for i, m in enumerate(maps)}


def build(
    arch: str,
    classes: Sequence[str],
    weights: str | Path = "pretrained",
    *,
    template: bool = False,
    masks: bool = False,
    offline: bool = False,
    trunk_options: Mapping[str, Any] | None = None,
) -> BoxNet:
    """Make a detector to train; its trunk starts from what a classifier's would, or from a classifier.

    Args:
        arch: a timm architecture.
        classes: ids of what is to be found.
        weights: as `nets.build` takes them.
        template: with a look at templates.
        masks: with a mask head.
        offline: never ask the hub.
        trunk_options: given to timm.

    Raises:
        NotFound, BadInput, ModelError: as `nets.build`; BadInput also for a trunk without a pyramid.
    """
    base = nets.build(arch, (), False, weights, offline=offline, trunk_options=trunk_options)
    return BoxNet(base, classes, template, masks)
