"""Half-finished trainings on disk: everything the next epoch depends on, as tensors and JSON, no pickle."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.errors import ModelError
from models.training.average import Average

Tensors = dict[str, torch.Tensor]


class Learning(NamedTuple):
    """Everything that changes while a net learns."""

    net: torch.nn.Module
    average: Average[Any]
    adam: torch.optim.Optimizer


class Half(NamedTuple):
    """How far a training has come.

    Attributes:
        training: its fingerprint; a state is only ever continued by the same training.
        best: number of the best epoch.
        kept: weights of that one.
        history: its epochs, as JSON.
    """

    training: str
    best: int
    kept: Tensors
    history: Sequence[Mapping[str, Any]]


def keep(path: Path, learning: Learning, half: Half) -> None:
    """Write everything that the next epoch depends on."""
    tensors = {
        **under("net.", learning.net.state_dict()),
        **under("average.", learning.average.net.state_dict()),
        **under("best.", half.kept),
        **under("adam.", flat(learning.adam)),
    }
    facts = {
        "training": half.training,
        "best": half.best,
        "updates": learning.average.updates,
        "history": list(half.history),
    }
    write(path, tensors, facts)


def go_on(path: Path, learning: Learning, training: str) -> Half:
    """Put a half-finished training back.

    Raises:
        ModelError: the file is damaged, or of another training.
    """
    tensors, facts = read(path)
    if facts.get("training") != training:
        raise ModelError(f"{path} is of a training of other pictures or settings: give another name or delete it.")
    learning.net.load_state_dict(within(tensors, "net."))
    learning.average.net.load_state_dict(within(tensors, "average."))
    learning.average.updates = int(facts["updates"])
    unflat(learning.adam, within(tensors, "adam."))
    return Half(training, int(facts["best"]), within(tensors, "best."), facts["history"])


def write(path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and facts as one file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    save_file(plain, draft, metadata={"facts": json.dumps(facts)})
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """The reverse of write.

    Raises:
        ModelError: the file is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, json.loads(file.metadata()["facts"])  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be continued from ({error}): delete it and train again.") from error


def flat(optimiser: torch.optim.Optimizer) -> Tensors:
    """An optimiser's moments under flat names; its rates follow from the step."""
    return {
        f"{index}.{name}": value
        for index, moments in optimiser.state_dict()["state"].items()
        for name, value in moments.items()
        if isinstance(value, torch.Tensor)
    }


def unflat(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put the moments back."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def within(tensors: Mapping[str, torch.Tensor], prefix: str) -> Tensors:
    """Those under a prefix, without it."""
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


def under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """The same under a prefix."""
    return {f"{prefix}{k}": v for k, v in tensors.items()}
