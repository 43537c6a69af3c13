"""How fast to learn, and which layers: frozen first, then all but the earliest, warm up, cosine down."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from timm.models import group_parameters
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.errors import BadInput
from models.nets import DefectNet

MOMENTUM = 0.9  # of SGD


@dataclass(frozen=True)
class Schedule:
    """Learning rates over a training.

    Attributes:
        trunk, heads: highest learning rate of the pretrained trunk and of the new heads.
        frozen: share of the steps in which only the heads learn.
        warm_up: share of the steps in which a rate climbs from 0 to its highest.
        kept_stages: the trunk's first stages that never learn, edges and blobs being the same everywhere.
        weight_decay: on matrices only.
        optimiser: AdamW, or stochastic gradient descent with Nesterov's momentum.
        only_heads: the whole trunk stays as it is.
    """

    trunk: float = 2e-4
    heads: float = 2e-3
    frozen: float = 0.1
    warm_up: float = 0.06
    kept_stages: int = 2
    weight_decay: float = 0.02
    optimiser: Literal["adamw", "sgd"] = "adamw"
    only_heads: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.frozen < 1 or not 0 <= self.warm_up < 1:
            raise BadInput(f"{self}: frozen and warm_up are shares of the steps, from 0 to below 1.")

    @classmethod
    def last_layers(cls) -> "Schedule":
        """A site's own last layers: the trunk is one that sees well already, and a small set would only blur it."""
        return cls(frozen=0.0, only_heads=True)

    @classmethod
    def from_scratch(cls) -> "Schedule":
        """Nothing is worth keeping: all layers learn at one rate from the first step."""
        return cls(trunk=1e-3, heads=1e-3, frozen=0.0, kept_stages=0)

    def rate(self, part: Literal["trunk", "heads"], step: int, steps: int) -> float:
        """Learning rate at a step: warm-up, then half a cosine down to 0; the trunk begins after its frozen share."""
        begin = self.frozen * steps if part == "trunk" else 0.0
        highest = self.trunk if part == "trunk" else self.heads
        if step < begin:
            return 0.0
        done = (step - begin + 1) / max(1.0, steps - begin)
        climb = min(1.0, done / self.warm_up) if self.warm_up else 1.0
        return highest * climb * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def trunk_learns(self, step: int, steps: int) -> bool:
        """Whether the trunk takes part in this step."""
        return step >= self.frozen * steps


def kept_parameters(net: DefectNet, stages: int) -> set[str]:
    """Names of the trunk's parameters in its stem and first `stages` stages; all it names early, for any timm net."""
    if stages <= 0:
        return set()
    groups: dict[Any, list[str]] = group_parameters(net.trunk, net.trunk.group_matcher(coarse=True))
    early = sorted(groups, key=float)[: stages + 1]
    return {f"trunk.{name}" for layer in early for name in groups[layer]} if len(groups) > stages + 1 else set()


def optimiser(net: DefectNet, schedule: Schedule) -> torch.optim.Optimizer:
    """Four groups: trunk and heads, each with and without weight decay. Kept stages stop learning here."""
    kept = kept_parameters(net, schedule.kept_stages)
    if schedule.only_heads:
        kept = {name for name, _ in net.named_parameters() if name.startswith("trunk.")}
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in kept)
        if name not in kept:
            part = "trunk" if name.startswith("trunk.") else "heads"
            groups.setdefault((part, parameter.ndim > 1), []).append(parameter)
    described = [
        {"params": parameters, "part": part, "weight_decay": schedule.weight_decay if decays else 0.0}
        for (part, decays), parameters in groups.items()
    ]
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(described, lr=0.0, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(described, lr=0.0)


def set_rates(optimiser: torch.optim.Optimizer, schedule: Schedule, step: int, steps: int) -> None:
    """Give each group its rate, and spare the backward pass through a trunk that does not learn yet."""
    for group in optimiser.param_groups:
        group["lr"] = schedule.rate(group["part"], step, steps)
        if group["part"] == "trunk":
            for parameter in group["params"]:
                parameter.requires_grad_(schedule.trunk_learns(step, steps))


def trunk_norms(net: DefectNet) -> Iterator[nn.Module]:
    """Batch norms of the trunk: a small set's statistics are worse than those they came with."""
    return (m for m in net.trunk.modules() if isinstance(m, _BatchNorm))
