"""Half-finished trainings on disk: everything the next epoch depends on, as tensors and JSON, no pickle."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.errors import ModelError

Tensors = dict[str, torch.Tensor]


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
