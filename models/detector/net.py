"""The box net: torchvision's FCOS on any timm trunk, with a pyramid of three strides.

    picture ─▶ trunk ─▶ strides 8, 16, 32 ─▶ pyramid ─▶ head ─▶ at each place: classes, four distances, how central
    picture, template ─▶ a few convolutions to stride 8 ─────┘   (only where there is a template to compare with)

Three things differ from torchvision's: the head is narrow enough for a processor, places that nobody has labelled are
left out of the loss, and a second picture, the same part without a defect, may stand beside the first.
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
    """

    def __init__(self, base: nets.DefectNet, classes: Sequence[str], template: bool) -> None:
        if not classes:
            raise BadInput("A detector needs a class to find: draw regions and give them classes first.")
        levels, channels = pyramid_levels(base.trunk)
        body = _Body(base.trunk, levels, channels, template)
        anchors = AnchorGenerator(tuple((s,) for s in STRIDES[: len(levels)]), ((1.0,),) * len(levels))
        super().__init__(
            body, len(classes), anchor_generator=anchors, head=_Head(WIDTH, 1, len(classes), CONVS),
            score_thresh=LEAST_SCORE, nms_thresh=0.5, topk_candidates=CANDIDATES, detections_per_img=MOST,
        )  # fmt: skip
        self.arch = base.arch
        self.classes = tuple(classes)
        self.template = template
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

    def forward(self, x: torch.Tensor, beside: torch.Tensor | None = None) -> list[TileBoxes]:
        """Boxes of each tile.

        Args:
            x: (n, 3, h, w), normalised as `preprocessing` says; h and w multiples of 32.
            beside: (n, 4, h, w): template, normalised like the picture, and 1 where there is one, 0 where not; None
                where none of them has one.
        """
        output, features = self.outputs(x, beside)
        places = _places(features)
        split = {name: list(torch.split(value.float(), places, dim=1)) for name, value in output.items()}
        anchors = [list(torch.split(a, places)) for a in self._anchors(x, features)]
        found = self.postprocess_detections(split, anchors, [(x.shape[2], x.shape[3])] * len(x))
        return [TileBoxes(one["boxes"], one["scores"], one["labels"]) for one in found]

    def outputs(
        self, x: torch.Tensor, beside: torch.Tensor | None = None
    ) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
        """What the head says at every place (class logits, distances, how central), and the pyramid it read."""
        features = self.backbone(x, beside)
        output: dict[str, torch.Tensor] = self.head(features)
        return output, features

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
    """Trunk, pyramid, and where it is wanted the look at a template."""

    def __init__(self, trunk: Any, levels: Sequence[int], channels: Sequence[int], template: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.levels = list(levels)
        self.out_channels = WIDTH
        self.pyramid = FeaturePyramidNetwork(list(channels), WIDTH)
        self.compare = _Compare() if template else None

    def forward(self, x: torch.Tensor, beside: torch.Tensor | None) -> list[torch.Tensor]:
        maps = self.trunk.forward_intermediates(
            x, indices=self.levels, output_fmt="NCHW", intermediates_only=True
        )  # strides 8, 16, 32
        named = dict(zip(map(str, range(len(maps))), maps, strict=True))
        features = list(self.pyramid(named).values())
        if self.compare is not None and beside is not None:
            seen = self.compare(x, beside)
            for i, level in enumerate(features):
                features[i] = level + (seen if i == 0 else F.adaptive_avg_pool2d(seen, level.shape[2:]))
        return features


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


@torch.no_grad()
def pyramid_levels(trunk: Any, side: int = 128) -> tuple[list[int], list[int]]:
    """Which of a trunk's maps have strides 8, 16 and 32, the deepest of each, and their channels.

    Raises:
        BadInput: the trunk has no such maps.
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
    last = {round(side / m.shape[2]): i for i, m in enumerate(maps)}
    missing = [s for s in STRIDES if s not in last]
    if missing:
        raise BadInput(
            f"This trunk has maps of strides {sorted(last)} and a pyramid needs {list(STRIDES)}: take a convolutional "
            "architecture, such as efficientnet_b0."
        )
    levels = [last[s] for s in STRIDES]
    return levels, [maps[i].shape[1] for i in levels]


def build(
    arch: str,
    classes: Sequence[str],
    weights: str | Path = "pretrained",
    *,
    template: bool = False,
    offline: bool = False,
    trunk_options: Mapping[str, Any] | None = None,
) -> BoxNet:
    """Make a detector to train; its trunk starts from what a classifier's would, or from a classifier.

    Args:
        arch: a timm architecture.
        classes: ids of what is to be found.
        weights: as `nets.build` takes them.
        template: with a look at templates.
        offline: never ask the hub.
        trunk_options: given to timm.

    Raises:
        NotFound, BadInput, ModelError: as `nets.build`; BadInput also for a trunk without a pyramid.
    """
    base = nets.build(arch, (), False, weights, offline=offline, trunk_options=trunk_options)
    return BoxNet(base, classes, template)
