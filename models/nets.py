"""The net: any timm trunk, one linear head for score and classes, one dense map for "where".

With global average pooling and a linear head, Grad-CAM is the weighted feature map, so the heatmap falls out of
the same forward pass as the score. Trunks that pool otherwise (a norm, a hidden layer or tokens between features
and head) keep their own pooling, and their heatmap comes from `models.explain`.

    picture ─▶ trunk ─┬─▶ features (n, c, gh, gw) ─▶ pool ─▶ head ─▶ defect logit, class logits
                      │            └─ · head.weight[0] ─▶ cam (n, gh, gw)
                      └─▶ strides 8, 16, 32 ─▶ pyramid ─▶ dense logits (n, h/8, w/8)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
import torch.nn.functional as F
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from core.errors import BadInput, ModelError, NotFound
from models.preprocess import Preprocessing

DENSE_STRIDE = 8
DENSE_WIDTH = 64
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib")


class NetOutput(NamedTuple):
    """One forward pass.

    Attributes:
        defect: (n,) logits.
        classes: (n, k) logits, of each class given a defect; k may be 0.
        cam: (n, gh, gw) Grad-CAM of the defect logit, 0 and more, unscaled; None where the trunk's head is
            not linear in its feature map.
        dense: (n, h/8, w/8) logits of a defect at each place; None without the dense head.
        features: (n, c) pooled.
    """

    defect: torch.Tensor
    classes: torch.Tensor
    cam: torch.Tensor | None
    dense: torch.Tensor | None
    features: torch.Tensor


@dataclass(frozen=True)
class Weights:
    """What a net starts from.

    Attributes:
        said: one sentence for the person who trains.
        trunk: options the trunk must be built with for these weights, such as the padding of its convolutions.
        norms_folded: batch norms hold no statistics of their own and stay as they are while training.
        classes: of the heads in `state`, where it has heads.
        file: timm's own pretrained weights, which timm fits to the trunk itself.
    """

    said: str
    preprocessing: Preprocessing
    state: Mapping[str, torch.Tensor] = field(default_factory=dict)
    trunk: Mapping[str, Any] = field(default_factory=dict)
    norms_folded: bool = False
    classes: tuple[str, ...] = ()
    file: Path | None = None


class DefectNet(nn.Module):
    """A timm trunk with the heads of an inspector.

    Attributes:
        arch, classes: as built.
        linear: whether the heatmap comes from the forward pass.
        preprocessing: what the trunk's weights expect.
        trunk_options, weights: for the card.
    """

    def __init__(
        self,
        arch: str,
        classes: Sequence[str],
        dense: bool,
        preprocessing: Preprocessing,
        trunk_options: Mapping[str, Any],
        size: int,
        pretrained: Path | None = None,
    ) -> None:
        super().__init__()
        self.arch = arch
        self.classes = tuple(classes)
        self.preprocessing = preprocessing
        self.trunk_options = dict(trunk_options)
        self.weights = "weights: none, from scratch"
        self.norms_folded = False
        self.trunk = _trunk(arch, self.trunk_options, size, pretrained)
        shape = _measure(self.trunk, arch, size)
        self.linear = shape.linear
        self._channels_last = shape.channels_last
        self._levels = shape.levels
        self.drop = nn.Dropout(0.0)
        self.head = nn.Linear(shape.pooled, 1 + len(self.classes))  # row 0 is the defect logit
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        self.dense = DenseHead(shape.level_channels) if dense else None

    def forward(self, x: torch.Tensor) -> NetOutput:
        """X is (n, 3, h, w) float, normalised as `preprocessing` says."""
        return self.with_middle(x, ())[0]

    def with_middle(self, x: torch.Tensor, middle: Sequence[int]) -> tuple[NetOutput, list[torch.Tensor]]:
        """As `forward`, and beside it (n, c, h, w) maps of these indices of the trunk, from the same pass."""
        maps, levels, found = self._passed(x, middle)
        features = self.pool(maps)
        logits = self.head(self.drop(features))
        cam = gradient_cam(self.spatial(maps), self.head.weight[0]) if self.linear else None
        dense = None
        if self.dense is not None:
            dense = self.dense(levels, (-(-x.shape[2] // DENSE_STRIDE), -(-x.shape[3] // DENSE_STRIDE)))
        return NetOutput(logits[:, 0], logits[:, 1:], cam, dense, features), found

    def maps(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The trunk's last map as the trunk gives it, and (n, c, h, w) maps of the strides the dense head reads."""
        return self._passed(x, ())[:2]

    def _passed(
        self, x: torch.Tensor, middle: Sequence[int]
    ) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
        levels = [] if self.dense is None else self._levels
        if not levels and not middle:
            return self.trunk.forward_features(x), [], []
        asked = sorted({*levels, *middle})  # the trunk gives them from fine to coarse
        maps, found = self.trunk.forward_intermediates(x, indices=asked, output_fmt="NCHW")
        at = dict(zip(asked, found, strict=True))
        return maps, [at[one] for one in levels], [at[one] for one in middle]

    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, c) features of the trunk's last map."""
        if self.linear:
            return self.spatial(maps).mean((2, 3))
        pooled: torch.Tensor = self.trunk.forward_head(maps, pre_logits=True)
        return pooled

    def spatial(self, maps: torch.Tensor) -> torch.Tensor:
        """The trunk's last map as (n, c, gh, gw)."""
        return maps.permute(0, 3, 1, 2) if self._channels_last else maps

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1 + k): the defect logit, then the classes'; for explainers that want one tensor."""
        features = self.pool(self.trunk.forward_features(x))
        return self.head(self.drop(features))  # type: ignore[no-any-return]

    def head_parameters(self) -> list[nn.Parameter]:
        """What learns while the trunk is frozen."""
        return [p for name, p in self.named_parameters() if not name.startswith("trunk.")]

    def trunk_parameters(self) -> list[nn.Parameter]:
        """What is frozen first."""
        return list(self.trunk.parameters())

    def train(self, mode: bool = True) -> "DefectNet":
        """As torch's; folded batch norms keep their statistics."""
        super().train(mode)
        if mode and self.norms_folded:
            for module in self.trunk.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


class DenseHead(nn.Module):
    """A small feature pyramid down to stride 8, read out as one logit a cell."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(c), nn.Conv2d(c, DENSE_WIDTH, 1, bias=False)) for c in channels
        )
        self.smooth = nn.ModuleList(_separable(DENSE_WIDTH) for _ in range(2))
        self.out = nn.Conv2d(DENSE_WIDTH, 1, 1, bias=False)
        nn.init.normal_(self.out.weight, std=0.01)
        self.bias = nn.Parameter(torch.tensor(-3.0))  # most places are good: start there

    def forward(self, levels: Sequence[torch.Tensor], size_hw: tuple[int, int]) -> torch.Tensor:
        """Levels from fine to coarse, each (n, c, h, w); returns (n, *size_hw) logits."""
        total = self.lateral[-1](levels[-1])
        for lateral, level in zip(list(self.lateral)[-2::-1], list(levels)[-2::-1], strict=True):
            total = lateral(level) + F.interpolate(total, level.shape[2:], mode="bilinear")
        if tuple(total.shape[2:]) != size_hw:
            total = F.interpolate(total, size_hw, mode="bilinear")
        for smooth in self.smooth:
            total = total + smooth(total)
        return self.out(F.relu(total))[:, 0] + self.bias  # type: ignore[no-any-return]


def gradient_cam(maps: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Grad-CAM of a linear head after global average pooling.

    The gradient of the logit by the map is weight / (gh·gw) at every place, so its mean, by which Grad-CAM
    weighs the channels, is the same.

    Args:
        maps: (n, c, gh, gw).
        weight: (c,) of the logit to explain.

    Returns:
        (n, gh, gw), 0 and more.

    Source: Selvaraju et al. 2017, section 3 and appendix A.
    """
    places = maps.shape[2] * maps.shape[3]
    return F.relu(F.conv2d(maps, weight.view(1, -1, 1, 1))[:, 0]) / places


def build(
    arch: str,
    classes: Sequence[str],
    dense: bool = True,
    weights: str | Path = "pretrained",
    *,
    size: int = 256,
    offline: bool = False,
    trunk_options: Mapping[str, Any] | None = None,
    fetch: "Callable[[str, bool], Path] | None" = None,
) -> DefectNet:
    """Make a net to train.

    Args:
        arch: a timm architecture.
        classes: ids of the defect classes; may be empty.
        dense: with the map of "where".
        weights: "pretrained" (timm's, from this machine's cache or the hub), "scratch", a .safetensors file of
            the trunk, or the folder of one of Holdpoint's own models.
        size: of a tile; trunks of fixed input are built for it.
        offline: never ask the hub.
        trunk_options: given to timm, beyond what the weights ask for.
        fetch: where pretrained weights come from; (arch, offline) to a .safetensors file.

    Returns:
        The net in training mode; its `weights` says in a sentence what it starts from.

    Raises:
        NotFound: no such architecture, file, or pretrained weights here.
        BadInput: the weights do not fit the architecture, or the architecture has no map to explain.
        ModelError: the file is a pickle or broken.
    """
    if not timm.is_model(arch):
        near = timm.list_models(f"{arch[:8]}*")[:3]
        raise NotFound(f"No timm architecture is called {arch}: take one such as {', '.join(near) or 'resnet18'}.")
    found = _weights(arch, weights, offline, fetch or cached_or_hub)
    options = {**found.trunk, **(trunk_options or {})}
    net = DefectNet(arch, classes, dense, found.preprocessing, options, size, found.file)
    if found.state:
        _start_from(net, found, weights)
    net.norms_folded = found.norms_folded
    net.weights = found.said
    return net


def cached_or_hub(arch: str, offline: bool) -> Path:
    """Timm's pretrained weights: from the cache of this machine, else from the hub.

    Raises:
        NotFound: neither has them.
    """
    config = timm.get_pretrained_cfg(arch)
    repository = config.hf_hub_id if config else None
    if not repository:
        raise NotFound(f"timm has no pretrained weights for {arch}: train from scratch or give a file.")
    cached = try_to_load_from_cache(repository, "model.safetensors")
    if isinstance(cached, str):
        return Path(cached)
    if offline:
        raise NotFound(
            f"No pretrained weights of {arch} in this machine's cache, and HOLDPOINT_OFFLINE forbids asking the hub: "
            "train from scratch or give a .safetensors file."
        )
    try:
        return Path(hf_hub_download(repository, "model.safetensors", etag_timeout=5))
    except (LocalEntryNotFoundError, RepositoryNotFoundError, HfHubHTTPError, OSError) as error:
        raise NotFound(
            f"No pretrained weights of {arch}: none in this machine's cache and the hub does not answer "
            f"({type(error).__name__}). Train from scratch or give a .safetensors file."
        ) from error


def _weights(arch: str, weights: str | Path, offline: bool, fetch: Callable[[str, bool], Path]) -> Weights:
    """Read what to start from, before the net is made."""
    if str(weights) == "scratch":
        return Weights(f"weights: none, {arch} starts from scratch", _expected(arch))
    if str(weights) == "pretrained":
        return Weights(f"weights: timm's pretrained {arch}", _expected(arch), file=fetch(arch, offline))
    path = Path(weights)
    if path.is_dir():
        return _own_model(path)
    return _weights_file(arch, path)


def _own_model(folder: Path) -> Weights:
    """Start from a model of Holdpoint's own; its heads are kept where the classes fit."""
    from models.checkpoint import load  # checkpoint builds nets, so it is imported here

    checkpoint = load(folder)
    card = checkpoint.card
    return Weights(
        f"weights: continued from {card.name} ({card.arch})",
        card.preprocessing,
        checkpoint.state,
        card.trunk,
        card.norms_folded,
        card.classes,
    )


def _weights_file(arch: str, path: Path) -> Weights:
    """A trunk from a file; how it wants its input is read beside it, inside it, or off its batch norms.

    `FILE.json` beside the file, or the file's own metadata under "holdpoint", may hold
    {"mean": [...], "std": [...], "trunk": {timm options}}. Without either, batch norms without statistics of
    their own (weight 1, mean 0, variance 1) mark a net converted from TensorFlow Lite: it takes values in
    [-1, 1] and pads as TensorFlow does, so pad_type is "same".
    """
    state = read_safetensors(path)
    notes = _notes_on(path)
    folded = _norms_folded(state)
    expected = _expected(arch)
    if notes:
        preprocessing = Preprocessing.from_json({**expected.to_json(), **notes})
        trunk = dict(notes.get("trunk", {}))
        how = "preprocessing as noted with the file"
    elif folded:
        preprocessing = Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        trunk = {"pad_type": "same"}
        how = "folded batch norms, so TensorFlow's padding and values in [-1, 1]"
    else:
        preprocessing, trunk, how = expected, {}, "preprocessing as timm has it"
    return Weights(f"weights: {path.name} ({how})", preprocessing, state, trunk, folded)


def _notes_on(path: Path) -> dict[str, Any]:
    """What was written down about a weights file; empty where nothing was."""
    from safetensors import safe_open

    beside = path.with_name(path.name + ".json")
    with safe_open(path, "pt") as file:
        text = beside.read_text() if beside.exists() else (file.metadata() or {}).get("holdpoint", "{}")
    try:
        notes = json.loads(text)
    except ValueError as error:
        raise BadInput(f"The note on {path.name} is no JSON: mend it or take it away.") from error
    if not isinstance(notes, dict):
        raise BadInput(f'The note on {path.name} is no object: write {{"mean": [...], "std": [...], "trunk": {{}}}}.')
    return notes


def _norms_folded(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether every batch norm is nothing but its bias; that of a fresh net has none."""
    norms = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    biases = [state[f"{n}.bias"] for n in norms if f"{n}.bias" in state]
    return (
        "conv_stem.weight" in state  # the family whose padding can be set
        and all(bool((state[f"{n}.running_mean"] == 0).all()) for n in norms)
        and all(bool(((state[f"{n}.running_var"] - 1).abs() < 1e-3).all()) for n in norms)
        and any(bool((bias != 0).any()) for bias in biases)
    )


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a file, as float32.

    Raises:
        NotFound: no such file.
        ModelError: a pickle, or not whole.
    """
    if path.suffix in PICKLES:
        raise ModelError(f"{path.name} is a pickle, which runs code when loaded: convert it to .safetensors first.")
    if not path.is_file():
        raise NotFound(f"No weights at {path}: say pretrained, scratch, or an existing .safetensors file.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error}): fetch it again.") from error
    return tensors_of(data, path.name)


def tensors_of(data: bytes, name: str) -> dict[str, torch.Tensor]:
    """Every tensor of a file that was read already, as float32.

    Args:
        data: its bytes.
        name: of the file, for the message.

    Raises:
        ModelError: not whole.
    """
    try:
        state: dict[str, torch.Tensor] = load(data)
    except SafetensorError as error:
        raise ModelError(f"{name} is not a whole safetensors file ({error}): fetch it again.") from error
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def _start_from(net: DefectNet, found: Weights, source: str | Path) -> None:
    """Copy what fits into the net and refuse a trunk that does not."""
    prefix = "trunk." if any(name.startswith("trunk.") for name in found.state) else ""
    given = {k.removeprefix(prefix): v for k, v in found.state.items() if k.startswith(prefix)}
    targets = net.trunk.state_dict()
    usable = {k: v for k, v in given.items() if k in targets and targets[k].shape == v.shape}
    wanted = {k for k in targets if not k.endswith("num_batches_tracked")}
    missing = sorted(wanted - usable.keys())
    if missing:
        raise BadInput(
            f"{source} does not fit {net.arch}: {len(missing)} of {len(wanted)} tensors are absent or of another "
            f"shape, {missing[0]} first. Name the architecture they were trained for."
        )
    net.trunk.load_state_dict(usable, strict=False)
    if prefix:
        _start_heads_from(net, found)


@torch.no_grad()
def _start_heads_from(net: DefectNet, found: Weights) -> None:
    """Keep the defect logit, the classes known by the same id, and the dense map."""
    rows = {0: 0} | {1 + i: 1 + found.classes.index(c) for i, c in enumerate(net.classes) if c in found.classes}
    for here, there in rows.items():
        net.head.weight[here] = found.state["head.weight"][there]
        net.head.bias[here] = found.state["head.bias"][there]
    dense = {k.removeprefix("dense."): v for k, v in found.state.items() if k.startswith("dense.")}
    if net.dense is not None and dense:
        net.dense.load_state_dict(dense)


def _expected(arch: str) -> Preprocessing:
    """What timm says the architecture's pretrained weights take."""
    config = timm.get_pretrained_cfg(arch)
    return Preprocessing(tuple(config.mean), tuple(config.std)) if config else Preprocessing()


class _Shape(NamedTuple):
    pooled: int
    linear: bool
    channels_last: bool
    levels: list[int]
    level_channels: list[int]


def _trunk(arch: str, options: Mapping[str, Any], size: int, pretrained: Path | None) -> Any:
    """The timm model without its classifier; with its input fixed to the tile where it has a fixed one."""
    config = timm.get_pretrained_cfg(arch)
    fixed: dict[str, Any] = {"img_size": size} if config is not None and config.fixed_input_size else {}
    if pretrained is not None:
        read_safetensors(pretrained)  # refuses a pickle before timm opens it
        fixed["pretrained_cfg_overlay"] = {"file": str(pretrained)}
    try:
        return timm.create_model(arch, pretrained=pretrained is not None, num_classes=0, **fixed, **options)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise BadInput(f"timm cannot make {arch} with {dict(fixed, **options)}: {error}") from error


@torch.no_grad()
def _measure(trunk: Any, arch: str, size: int) -> _Shape:
    """Learn from one small pass how the trunk pools and which of its maps the dense head can read."""
    was_training = trunk.training
    trunk.eval()
    config = timm.get_pretrained_cfg(arch)
    side = size if config is not None and config.fixed_input_size else min(size, 128)
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) - 0.5
    try:
        maps, levels = trunk.forward_intermediates(x, output_fmt="NCHW")
        pooled = trunk.forward_head(maps, pre_logits=True)
    except (AttributeError, TypeError, RuntimeError, NotImplementedError, AssertionError) as error:
        raise BadInput(f"{arch} does not show its feature maps ({error}): take another architecture.") from error
    trunk.train(was_training)
    channels_last = maps.ndim == 4 and getattr(trunk, "output_fmt", None) == "NHWC"
    spatial = maps.permute(0, 3, 1, 2) if channels_last else maps
    linear = (
        spatial.ndim == 4
        and spatial.shape[1] == pooled.shape[1]
        and torch.allclose(spatial.mean((2, 3)), pooled, rtol=1e-4, atol=1e-6)
    )
    reductions = [round(side / level.shape[2]) for level in levels]
    last = {r: i for i, r in enumerate(reductions)}  # the deepest map of each stride
    chosen = [last[r] for r in sorted(last) if r >= DENSE_STRIDE] or [len(levels) - 1]
    return _Shape(pooled.shape[1], linear, channels_last, chosen, [levels[i].shape[1] for i in chosen])


def _separable(width: int) -> nn.Sequential:
    """A 3x3 convolution at an eighth of its usual cost."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
    )
