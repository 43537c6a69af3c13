"""The engine beside its peers: plain timm with the grad-cam library, and the bare model in the same back end.

Everything is measured in one process, in turns, so that whatever else the machine does falls on all alike; ratios
are of the turns' medians, with the middle half of the paired ratios beside them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import psutil
import timm
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from core.decide.decision import PartEvidence, PartPicture, SiteRules, decide
from core.decide.policy import Policy, approve
from core.errors import Unreadable
from core.pictures.sandbox import DecodePool
from core.pictures.tiling import plan
from core.records import Pixels
from models import checkpoint, nets
from models.backends import BackEnd
from models.backends.openvino import open_openvino
from models.engine import Engine, stitched
from models.preprocess import tiles_of, to_input

ARCH = "efficientnet_b0"
CLASSES = ("SCRATCH", "BURR", "PIT", "CRACK")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WIDTH, HEIGHT = 1600, 256
PICTURES = 8  # of a turn end to end
TURNS, PEER_TURNS = 15, 5


class Peer(GradCAM):  # type: ignore[misc]
    """What people write: timm's classifier, the library's Grad-CAM, one batch, float32; scaling left out."""

    def get_cam_image(self, *args: Any, **kwargs: Any) -> Any:
        """As computed, before the library stretches it."""
        self.unscaled = np.maximum(super().get_cam_image(*args, **kwargs), 0)
        return self.unscaled


class Bare(torch.nn.Module):
    """The classifier alone, without heatmap or dense map: what the back end can do at most."""

    def __init__(self, net: nets.DefectNet) -> None:
        super().__init__()
        self.trunk, self.head = net.trunk, net.head
        self.preprocessing, self.arch = net.preprocessing, net.arch
        self.linear, self.dense = False, None

    def forward(self, x: torch.Tensor) -> nets.NetOutput:
        """As DefectNet's, logits only."""
        features = self.trunk(x)
        logits = self.head(features)
        return nets.NetOutput(logits[:, 0], logits[:, 1:], None, None, features)


def main() -> dict[str, Any]:
    """Measure, and return medians, ratios and how quiet the machine was."""
    torch.manual_seed(0)
    with TemporaryDirectory() as home:
        net = lively(nets.build(ARCH, CLASSES, weights="scratch").eval())
        pictures = [strip(WIDTH, HEIGHT, seed) for seed in range(PICTURES)]
        folder = Path(home) / "bench"
        checkpoint.save(folder, net, checkpoint.card_of(net, "bench", NOW))
        loaded = checkpoint.load(folder)
        bare_net: Any = Bare(net).eval()
        bare = open_openvino(lambda: bare_net, replace(loaded.card, linear=False, dense=False, sha256=""))
        engine = Engine(loaded, "cpu", cache=Path(home) / "converted")
        files = write(pictures, Path(home))
        return {
            "back_end": engine.back_end,
            "picture": f"{WIDTH}x{HEIGHT}, {plan(WIDTH, HEIGHT, loaded.card.look).count} tiles",
            "agreement": agreement(net, loaded, pictures[0]),
            **against_the_library(net, engine, bare, pictures),
            **end_to_end(engine, bare, pictures, files),
            **twelve_megapixels(engine, bare),
            "memory_of_twelve_megapixels_mb": memory(folder, Path(home) / "converted"),
            "load_average": [round(v, 2) for v in os.getloadavg()],
        }


@torch.no_grad()
def lively(net: nets.DefectNet) -> nets.DefectNet:
    """Give an untrained net activations and logits of the size that training gives, so that there is a heatmap."""
    for module in net.trunk.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.bias.normal_(0, 0.3)
    features = net(torch.randn(4, 3, 256, 256)).features
    net.head.weight.normal_().div_(features.std(1).mean() * features.shape[1] ** 0.5)
    return net


def memory(folder: Path, cache: Path) -> int:
    """Peak of a fresh process that scores 4096x3072, in MB; here the library's batch would count too."""
    script = (
        "import sys; from pathlib import Path; import numpy as np; from models.engine import open_engine;"
        "e = open_engine(Path(sys.argv[1]), 'cpu', cache=Path(sys.argv[2]));"
        "e.score([np.random.default_rng(0).integers(0, 255, (3072, 4096, 3), np.uint8)]);"
        # not getrusage's figure: it counts what the parent held when it started this process
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) // 1024)"
    )
    command = [sys.executable, "-c", script, str(folder), str(cache)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def agreement(net: nets.DefectNet, loaded: checkpoint.Checkpoint, picture: Pixels) -> dict[str, Any]:
    """Same top class and heatmap as the library, in float32 and in what the engine chooses."""
    at = plan(picture.shape[1], picture.shape[0], loaded.card.look)
    logits, cam = library_pass(net, to_input(tiles_of(picture, at), net.preprocessing))
    expected = stitched(cam, at, 16)
    found: dict[str, Any] = {"heatmap_largest": float(expected.max())}
    for precision in ("float32", "auto"):
        (seen,) = Engine(loaded, "cpu", "float32" if precision == "float32" else "auto").observe([picture])
        top, wanted = seen.class_logits.argmax(1), logits[:, 1:].argmax(1)
        found[precision] = {
            "heatmap_off_by": float(np.abs(seen.why - expected).max()),
            "same_top_class_of_tiles": float((top == wanted).mean()),
        }
    return found


def library_pass(net: nets.DefectNet, x: torch.Tensor) -> tuple[Any, Any]:
    """Logits and Grad-CAM of one batch by the grad-cam library on timm's own classifier."""
    plain = timm.create_model(ARCH, num_classes=1 + len(CLASSES)).eval()
    plain.load_state_dict(net.trunk.state_dict(), strict=False)
    plain.classifier.load_state_dict(net.head.state_dict())
    with Peer(plain, [plain.bn2]) as cam:
        cam(x, [ClassifierOutputTarget(0)] * len(x))
        return cam.outputs.detach().numpy(), cam.unscaled


def against_the_library(net: nets.DefectNet, engine: Engine, bare: BackEnd, pictures: list[Pixels]) -> dict[str, Any]:
    """Score and heatmap of one picture: the engine, the bare model, timm with the grad-cam library in one batch."""
    at = plan(WIDTH, HEIGHT, engine.card.look)
    plain = timm.create_model(ARCH, num_classes=1 + len(CLASSES)).eval()
    tiles = tiles_of(pictures[0], at)
    x = to_input(tiles, net.preprocessing)

    def peer() -> None:
        with Peer(plain, [plain.bn2]) as cam:
            cam(x, [ClassifierOutputTarget(0)] * len(x))

    ours = lambda: engine.score([pictures[0]])  # noqa: E731 - one line beside its peers
    alone = lambda: bare.run(tiles)  # noqa: E731
    ms = alternate({"engine_ms": ours, "bare_ms": alone, "library_ms": peer}, PEER_TURNS)
    return {
        "score_and_heatmap": {
            **medians(ms),
            "times_faster_than_the_library": ratio(ms["library_ms"], ms["engine_ms"]),
            "heatmap_costs": ratio(ms["engine_ms"], ms["bare_ms"]),
            "processor": processor_use(ours),
        }
    }


def end_to_end(engine: Engine, bare: BackEnd, pictures: list[Pixels], files: list[Path]) -> dict[str, Any]:
    """Files to decisions (decode in children, tiles, batch, stitch, regions, decide) against the bare model."""
    policy = approve(Policy(1, "bench", 0.4, 0.65, proposed_by="a"), "b", "bench", NOW)
    rules = SiteRules(policy, calibrated=True)
    tiles = np.concatenate([tiles_of(p, plan(WIDTH, HEIGHT, engine.card.look)) for p in pictures])
    with DecodePool() as pool:

        def whole_line() -> int:
            reads = []

            def pixels() -> Any:
                for read in pool.decode(files):
                    if isinstance(read, Unreadable):
                        raise read
                    reads.append(read.quality)
                    yield read.decoded.pixels

            decided = 0
            for number, prediction in enumerate(engine.stream(pixels())):
                one = PartPicture(number, quality=reads[number], prediction=prediction)
                decided += decide(PartEvidence((one,)), rules) is not None
            return decided

        if whole_line() != len(files):
            raise RuntimeError("Not every picture was decided.")
        ms = alternate({"end_to_end_ms": whole_line, "bare_ms": lambda: bare.run(tiles)}, TURNS)
        use = processor_use(whole_line)
    each = {name: [value / len(files) for value in values] for name, values in ms.items()}
    return {
        "end_to_end_per_picture": {
            **medians(each),
            "share_of_the_bare_models_rate": ratio(ms["bare_ms"], ms["end_to_end_ms"]),
            "processor": use,
        }
    }


def twelve_megapixels(engine: Engine, bare: BackEnd) -> dict[str, Any]:
    """A 4096x3072 picture costs its tiles and little else (its decode is in bench_pictures)."""
    picture = strip(4096, 3072, 1)
    at = plan(4096, 3072, engine.card.look)
    tiles = tiles_of(picture, at)
    ms = alternate({"engine_ms": lambda: engine.score([picture]), "bare_ms": lambda: bare.run(tiles)}, 3)
    return {
        "twelve_megapixels": {
            **medians(ms),
            "tiles": at.count,
            "share_of_the_bare_models_rate": ratio(ms["bare_ms"], ms["engine_ms"]),
        }
    }


def alternate(runs: dict[str, Callable[[], Any]], turns: int) -> dict[str, list[float]]:
    """Milliseconds of each, in turns, the order reversed every other turn; the first turn only warms up."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):
        for name in list(runs)[:: 1 if turn % 2 else -1]:
            started = perf_counter()
            runs[name]()
            if turn:
                taken[name].append(1000 * (perf_counter() - started))
    return taken


def medians(ms: dict[str, list[float]]) -> dict[str, float]:
    """Of each, rounded."""
    return {name: round(float(np.median(values)), 2) for name, values in ms.items()}


def ratio(above: list[float], below: list[float]) -> dict[str, float]:
    """Of the medians, and the middle half of the turns' own ratios."""
    turns = np.array(above) / np.array(below)
    low, high = np.quantile(turns, [0.25, 0.75])
    return {"ratio": round(float(np.median(above) / np.median(below)), 3), "low": round(low, 3), "high": round(high, 3)}


def processor_use(run: Callable[[], Any]) -> dict[str, float]:
    """How much of the machine this process and its children had, and others had, during one run."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    cores = psutil.cpu_count() or 1

    def own() -> float:
        return sum(sum(p.cpu_times()[:2]) for p in family if p.is_running())

    before, started = own(), perf_counter()
    psutil.cpu_percent()
    for _ in range(3):
        run()
    spent, busy = perf_counter() - started, psutil.cpu_percent() / 100
    ours = (own() - before) / (spent * cores)
    return {"ours": round(ours, 2), "others": round(max(0.0, busy - ours), 2)}


def strip(width: int, height: int, seed: int) -> Pixels:
    """Brushed metal with a few scratches; compresses like a photograph."""
    r = np.random.default_rng(seed)
    grey = cv2.blur(r.normal(128, 40, (height, width)).astype(np.float32), (31, 1)) + r.normal(0, 3, (height, width))
    picture = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    for _ in range(4):
        a, b = (tuple(int(v) for v in r.integers(0, [width, height])) for _ in range(2))
        cv2.line(picture, a, b, (40, 40, 40), 1)
    return picture


def write(pictures: list[Pixels], folder: Path) -> list[Path]:
    """As JPEG files."""
    files = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for file, picture in zip(files, pictures, strict=True):
        cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return files


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(), indent=2) + "\n")
