"""Pictures in, predictions out.

    pictures ─▶ plan ─▶ tiles, batched across pictures ─▶ back end ─▶ observation ─▶ prediction
                                                     (one pass)      maps stitched   card applied

An observation is what the net saw, unscaled and uncalibrated; calibration is fitted on observations. A prediction
is an observation read by the card. Cutting, computing and stitching overlap, and however large a picture is, only
a bounded number of its tiles is in memory.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache as once
from hashlib import sha256
from itertools import chain, repeat
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Literal

import numpy as np
import torch
from scipy.special import expit

from core.errors import ModelError
from core.pictures import heatmaps
from core.pictures.tiling import Look, Plan
from core.records import Floats, Pixels, Prediction, Region
from models.backends import BackEnd, Precision, Ticket
from models.backends.pytorch import open_torch
from models.checkpoint import CARD, Card, Checkpoint, load, probe_tiles
from models.chunks import Chunk, Picture, chunks, joined_parts, part
from models.explain import EXPLAINERS
from models.joining import class_shares, joined
from models.nets import DENSE_STRIDE, DefectNet
from models.preprocess import to_input, whole_extent

Device = Literal["auto", "cpu", "cuda"]
Library = Literal["auto", "openvino", "torch"]

CHUNK = {"cpu": 16, "cuda": 64}  # tiles handed over at once
CHUNKS_AHEAD = 2
EXPLAINED_TILES = 4  # of a picture, likeliest first, where a heatmap costs a backward pass
UNNAMED = "DEFECT"  # a region's name where the model has no classes
_PROBE_TOLERANCE: dict[Precision, float] = {"float32": 2e-3, "bfloat16": 0.15}


@dataclass(frozen=True)
class Observation:
    """What the net saw in one picture.

    Attributes:
        plan: where it was cut; the whole picture last, where it has one.
        logits: (n,) defect logits of the tiles.
        class_logits: (n, k).
        why: stitched Grad-CAM, unscaled.
        where: stitched dense map in [0, 1]; None without the dense head.
        dense_peak: its largest logit.
        milliseconds: of the engine, for this picture.
        features: (n, c) pooled, of the tiles; None where an observation was made by hand.
        patches: (n, gh, gw, c) of the tiles, of the levels that the engine was opened with; None without any, and of
            a picture that has too many.
    """

    plan: Plan
    logits: Floats
    class_logits: Floats
    why: Floats
    where: Floats | None
    dense_peak: float | None
    milliseconds: float
    features: Floats | None = None
    patches: Floats | None = None

    @property
    def embedding(self) -> Floats | None:
        """(c,) what the picture looks like to the net: the mean of its tiles."""
        if self.features is None:
            return None
        mean: Floats = self.features.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean


class Engine:
    """One model, ready on one device. Usable from several threads.

    Attributes:
        card: of the model.
        back_end: one sentence on device and library, for the page and for `doctor`.
        device: "cpu" or "cuda".
        levels: of the trunk whose patches come with each observation.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device = "auto",
        precision: Precision | Literal["auto"] = "auto",
        *,
        cache: Path | None = None,
        through: Library = "auto",
        levels: Sequence[int] = (),
    ) -> None:
        """Build the net and check it against its card's probe.

        Args:
            checkpoint: as loaded.
            device: "auto" takes a CUDA device where one answers.
            precision: "auto" takes bfloat16 where the device computes in it.
            cache: folder for compiled models; None compiles anew at each start.
            through: "auto" is OpenVINO on the CPU and PyTorch on CUDA; "torch" on the CPU is for comparison.
            levels: of the trunk's middle layers; their patches come from the pass that scores.

        Raises:
            ModelError: the device does not answer, or the model does not answer as its card says.
        """
        self.card, self.levels = checkpoint.card, tuple(levels)
        self.device = chosen_device(device)
        self._net = once(lambda: checkpoint.net().requires_grad_(False))
        self._explaining = Lock()
        chosen = None if precision == "auto" else precision
        self._run = _open(self._net, self.card, self.device, chosen, cache, through, self.levels)
        self.back_end = self._run.name
        if not self._run.has_cam:
            self.back_end += f", heatmap of the {EXPLAINED_TILES} likeliest tiles by the grad-cam library"
        check_probe(self.card, self._run)

    def score(self, images: Sequence[Pixels], looks: Look | Iterable[Look] | None = None) -> list[Prediction]:
        """One prediction a picture, in order. See `stream`."""
        return list(self.stream(images, looks))

    def stream(self, images: Iterable[Pixels], looks: Look | Iterable[Look] | None = None) -> Iterator[Prediction]:
        """Predictions in the pictures' order, while later pictures are still being read.

        Tiles are batched across pictures, so a prediction may wait for the pictures after it, at most for
        `CHUNK` tiles more.

        Args:
            images: (h, w, 3) uint8 each, from the decoder.
            looks: one for all, or one for each picture; the card's own where None.

        Raises:
            BadInput: something that the decoder would not have made.
            ModelError: the net or its device failed, or answered with NaN; nothing was scored.
        """
        return (self.read(seen) for seen in self.observe(images, looks))

    def read(self, seen: Observation) -> Prediction:
        """What the card makes of an observation."""
        return replace(prediction_of(seen, self.card), back_end=self.back_end)

    def patches_of(self, tiles: Pixels) -> Floats:
        """(n, gh, gw, c) patches of (n, tile, tile, 3) tiles.

        Raises:
            ModelError: the engine was opened without levels, or the net failed.
        """
        found = self._run.run(tiles).patches
        if found is None:
            raise ModelError(f"{self.card.name} was opened without its middle layers: open it with their levels.")
        return found

    def observe(self, images: Iterable[Pixels], looks: Look | Iterable[Look] | None = None) -> Iterator[Observation]:
        """What the net saw, before the card is applied; see `stream`."""
        chosen = repeat(looks or self.card.look) if looks is None or isinstance(looks, Look) else looks
        return self._observe(zip(images, chosen, strict=False))

    def _observe(self, pairs: Iterable[tuple[Pixels, Look]]) -> Iterator[Observation]:
        """Fill chunks, keep a few ahead, finish pictures in order."""
        last = perf_counter()
        ahead: deque[tuple[Chunk, Ticket]] = deque()
        for chunk in chain(chunks(pairs, CHUNK[self.device], keep_tiles=not self._run.has_cam), [None]):
            if chunk is not None:
                ahead.append((chunk, self._run.submit(chunk.tiles[: chunk.count])))
            while len(ahead) > (0 if chunk is None else CHUNKS_AHEAD):
                for picture in self._settle(*ahead.popleft()):
                    yield self._finished(picture, last)
                    last = perf_counter()

    def _settle(self, chunk: Chunk, ticket: Ticket) -> list[Picture]:
        """Wait for a chunk and give the pictures that it completes."""
        outputs = self._run.collect(ticket)
        first = 0
        done = []
        for picture, count in chunk.shares:
            if picture.take(part(outputs, first, first + count)):
                done.append(picture)
            first += count
        return done

    def _finished(self, picture: Picture, last: float) -> Observation:
        outputs = joined_parts(picture.outputs)
        cam = outputs.cam
        if cam is None:
            cam = self._explained(picture, outputs.logits[:, 0])
        why = stitched(cam, picture.plan, round(picture.size / cam.shape[1] / 2))
        where, peak = None, None
        if outputs.dense is not None:
            logits = stitched(outputs.dense, picture.plan, DENSE_STRIDE)
            where, peak = expit(logits), float(logits.max())
        spent = 1000 * (perf_counter() - max(last, picture.started))
        logits, features = outputs.logits, outputs.features
        return Observation(
            picture.plan, logits[:, 0], logits[:, 1:], why, where, peak, spent, features, outputs.patches
        )

    def _explained(self, picture: Picture, logits: Floats) -> Floats:
        """(n, gh, gw) Grad-CAM of the likeliest tiles, nothing on the others."""
        likeliest = np.argsort(-logits, kind="stable")[:EXPLAINED_TILES]
        seen = [tile for kept in picture.kept for tile in kept]
        tiles = np.stack([seen[i] for i in likeliest])
        with self._explaining:
            cams = EXPLAINERS["library"](self._net(), to_input(tiles, self.card.preprocessing), 0).numpy()
        result = np.zeros((len(logits), *cams.shape[1:]), np.float32)
        result[likeliest] = cams
        return result


def open_engine(
    folder: Path, device: Device = "auto", precision: Precision | Literal["auto"] = "auto", cache: Path | None = None,
    levels: Sequence[int] = (),
) -> Engine:  # fmt: skip
    """The engine of a model folder; the last few stay open, known by their card.

    Raises:
        NotFound: no model there.
        ModelError: it cannot be used.
    """
    card = folder / CARD
    known = sha256(card.read_bytes()).hexdigest() if card.is_file() else ""
    key = (known, device, precision, tuple(levels))
    with _opening:
        if known and key in _open_engines:
            _open_engines.move_to_end(key)
            return _open_engines[key]
        engine = Engine(load(folder), device, precision, cache=cache, levels=levels)
        _open_engines[key] = engine
        while len(_open_engines) > _ENGINES_KEPT:
            _open_engines.popitem(last=False)
        return engine


_ENGINES_KEPT = 2
_open_engines: OrderedDict[tuple[str, str, str, tuple[int, ...]], Engine] = OrderedDict()
_opening = Lock()


def chosen_device(device: Device) -> Literal["cpu", "cuda"]:
    """What "auto" comes to on this machine.

    Raises:
        ModelError: CUDA was asked for and does not answer.
    """
    if device == "cpu":
        return "cpu"
    answers = torch.cuda.is_available()
    if device == "cuda" and not answers:
        raise ModelError("No CUDA device answers: set HOLDPOINT_DEVICE to cpu or auto, or mend the driver.")
    return "cuda" if answers else "cpu"


def check_probe(card: Card, back_end: BackEnd) -> None:
    """Refuse a model that does not answer as its card says.

    Raises:
        ModelError: by how much, and through which back end.
    """
    expected = np.array(card.probe.logits, np.float32)
    if expected.shape != (2, 1 + len(card.classes)):
        raise ModelError(f"The card of {card.name} has no probe: save the model again.")
    outputs = back_end.run(probe_tiles(card.look.tile))
    pairs = [(outputs.logits, expected)]
    if outputs.cam is not None and card.probe.cam_mean:
        pairs.append((outputs.cam.mean((1, 2)), np.array(card.probe.cam_mean, np.float32)))
    if outputs.dense is not None and card.probe.dense_mean:
        pairs.append((outputs.dense.mean((1, 2)), np.array(card.probe.dense_mean, np.float32)))
    for found, wanted in pairs:
        allowed = _PROBE_TOLERANCE[back_end.precision] * (1 + float(np.abs(wanted).max()))
        off = float(np.abs(found - wanted).max())
        if not off <= allowed:
            raise ModelError(
                f"{card.name} answers its probe {off:.3g} away from its card (at most {allowed:.3g} allowed) through "
                f"{back_end.name}: do not use it, take the model from its backup."
            )


def prediction_of(seen: Observation, card: Card) -> Prediction:
    """Read an observation by the card: join, calibrate, scale, cut regions."""
    calibration = card.calibration
    score = float(calibration.probability(joined(seen.logits, card.join, seen.dense_peak)))
    shares = class_shares(seen.logits, seen.class_logits, calibration.class_temperature, card.classes_exclude)
    why = np.clip(seen.why / card.heatmap_scale, 0, 1).astype(np.float32)
    tiles = np.column_stack([seen.plan.picture_boxes, calibration.probability(seen.logits)]).astype(np.float32)
    return Prediction(
        model=card.name,
        score=score,
        class_scores=dict(zip(card.classes, (float(s) for s in shares), strict=True)),
        regions=regions_of(seen, why, card),
        heatmap=heatmaps.to_grid(why),
        where=None if seen.where is None else heatmaps.to_grid(seen.where),
        tiles=tiles,
        milliseconds=seen.milliseconds,
        embedding=seen.embedding,
    )


def regions_of(seen: Observation, why: Floats, card: Card) -> tuple[Region, ...]:
    """Regions where the card's map stands out, each with the class that the tiles over its peak name."""
    values = seen.where if card.region_map == "where" and seen.where is not None else why
    regions = []
    for number, spot in enumerate(heatmaps.spots_of(values, seen.plan.picture_wh, card.region_threshold), start=1):
        name = class_at(seen, spot.peak_x, spot.peak_y, card)
        regions.append(
            Region(
                x=spot.x,
                y=spot.y,
                width=spot.width,
                height=spot.height,
                name=name or UNNAMED,
                class_id=name,
                score=min(1.0, spot.score),
                key=f"m{number}",
            )
        )
    return tuple(regions)


def class_at(seen: Observation, x: float, y: float, card: Card) -> str | None:
    """The class named by the tiles that show a point of the picture; None where the model has no classes."""
    if not card.classes:
        return None
    boxes = seen.plan.picture_boxes
    over = np.all((boxes[:, :2] <= (x, y)) & ((x, y) < boxes[:, :2] + boxes[:, 2:]), axis=1)
    calibration = card.calibration
    shares = class_shares(
        seen.logits[over], seen.class_logits[over], calibration.class_temperature, card.classes_exclude
    )
    return card.classes[int(shares.argmax())]


def stitched(tile_maps: Floats, cut_at: Plan, cell: int) -> Floats:
    """A picture's map from its tiles' maps; the whole-picture branch counts where it is the stronger.

    Args:
        tile_maps: (n, gh, gw), the whole picture last where the plan has it.
        cut_at: the plan that made the tiles.
        cell: of the result, in working pixels.
    """
    shape = heatmaps.map_shape(*cut_at.working_wh, cell)
    count = len(cut_at.boxes)
    result = heatmaps.stitch(tile_maps[:count], cut_at.boxes, cut_at.working_wh, shape)
    if not cut_at.whole:
        return result
    size = int(cut_at.boxes[0, 2])
    wide, high = whole_extent(*cut_at.picture_wh, size)
    return np.maximum(result, heatmaps.resized(tile_maps[count], shape, (high / size, wide / size)))


def _open(
    net: Callable[[], DefectNet],
    card: Card,
    device: Literal["cpu", "cuda"],
    precision: Precision | None,
    cache: Path | None,
    through: Library,
    levels: Sequence[int],
) -> BackEnd:
    """OpenVINO on the CPU, PyTorch on CUDA, or as asked."""
    if device == "cpu" and through != "torch":
        from models.backends.openvino import open_openvino  # a machine with a GPU may lack it

        return open_openvino(net, card, precision, cache, levels)
    if through == "openvino":
        raise ModelError("OpenVINO runs on the CPU here: ask for device cpu.")
    return open_torch(net(), device, precision, levels)
