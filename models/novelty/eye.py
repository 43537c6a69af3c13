"""A net's middle layers at work on whole pictures: in the pass of the engine that scores, or in one of their own.

    the site's model scores ─▶ its tiles' patches ─▶ those of the tiles that cover the picture once ─▶ Seen
    any other net           ─▶ tiles cut and computed again, through OpenVINO or, on a card, PyTorch ─▶ Seen

What the engine has computed already costs next to nothing, and comes in its precision; a pass of its own is always in
float32. Whether the two measure the same is asked of the memory's probe on each machine.
"""

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import cv2
import numpy as np
import numpy.typing as npt
import torch

from core.errors import ModelError
from core.pictures import heatmaps
from core.pictures.tiling import Look, Plan, plan
from core.records import Floats, Pixels
from models.backends import BackEnd
from models.checkpoint import Checkpoint
from models.engine import Engine, Observation
from models.novelty.patches import CELL, Lens, PatchNet, brought
from models.preprocess import check_pixels, cut, working_picture

TILES_AT_ONCE = 16
EVEN_OVER = 0.05  # of a picture's longer side: light that changes slower than that is taken off
_EVEN_SIDE = 256  # px
_EVEN_SPREAD, _EVEN_MIDDLE, _LEAST_SPREAD = 35.0, 118.0, 3.0  # grey levels


@dataclass(frozen=True, eq=False)
class Seen:
    """The patches of one picture.

    Attributes:
        patches: (n, d) of the places that lie in the picture.
        where: (tiles, gh, gw) which places those are.
        plan: where it was cut.
    """

    patches: Floats
    where: npt.NDArray[np.bool_]
    plan: Plan

    def stitched(self, values: Floats) -> Floats:
        """(rows, columns) over the whole picture, of (n,) values of its patches."""
        maps = np.zeros(self.where.shape, np.float32)
        maps[self.where] = values
        shape = heatmaps.map_shape(*self.plan.working_wh, CELL)
        return heatmaps.stitch(maps, self.plan.boxes, self.plan.working_wh, shape)


class Eye:
    """One net and one lens, ready on one device. Usable from several threads.

    Attributes:
        lens, look: as given; tiles do not overlap, because a patch sees its own surroundings.
        back_end: one sentence on device and library.
        even_light: pictures are seen as `evened` gives them.
    """

    def __init__(
        self, lens: Lens, look: Look, patches: Callable[[Pixels], Floats], back_end: str, even_light: bool = False
    ) -> None:
        """`patches` gives (n, gh, gw, d) of (n, tile, tile, 3) tiles."""
        self.lens, self.look = lens, Look(look.tile, look.tile, look.scale)
        self.back_end, self.even_light = back_end, even_light
        self.see_tiles = patches

    def see(self, pixels: Pixels) -> Seen:
        """The patches of one (h, w, 3) uint8 picture.

        Raises:
            BadInput: something that the decoder would not have made.
            ModelError: the net or its device failed, or answered with what is no number.
        """
        check_pixels(pixels)
        cut_at = plan(pixels.shape[1], pixels.shape[0], self.look)
        working = working_picture(evened(pixels) if self.even_light else pixels, cut_at.working_wh)
        found = [
            self.see_tiles(cut(working, cut_at.boxes[at : at + TILES_AT_ONCE]))
            for at in range(0, len(cut_at.boxes), TILES_AT_ONCE)
        ]
        return _seen(np.concatenate(found) if len(found) > 1 else found[0], cut_at)

    def seen(self, observed: Observation) -> Seen | None:
        """The same patches from what an engine with these levels has seen already; None where it looked otherwise.

        The engine's tiles overlap; those that this eye would have cut are among them wherever its stride divides a
        tile.
        """
        width, height = observed.plan.picture_wh
        cut_at = plan(width, height, self.look)
        if observed.patches is None or self.even_light or observed.plan.working_wh != cut_at.working_wh:
            return None
        tiles = {tuple(box): at for at, box in enumerate(observed.plan.boxes.tolist())}
        which = [at for box in cut_at.boxes.tolist() if (at := tiles.get(tuple(box))) is not None]
        if len(which) < len(cut_at.boxes):
            return None
        return _seen(brought(self.lens, observed.patches[which]), cut_at)


def own_eye(
    checkpoint: Checkpoint, lens: Lens, look: Look, device: Literal["cpu", "cuda"], cache: Path | None = None,
    even_light: bool = False,
) -> Eye:  # fmt: skip
    """An eye with a pass of its own, in float32.

    Args:
        checkpoint: as loaded.
        lens: of the same net.
        look: tile and scale.
        device: one that answers.
        cache: folder for converted nets; None converts anew at each start.
        even_light: see pictures as `evened` gives them.

    Raises:
        ModelError: the net cannot be run there.
    """
    net = PatchNet(checkpoint.net().requires_grad_(False), lens).eval()
    known = sha256(
        f"{checkpoint.card.sha256} {lens.levels}".encode()
        + lens.scale.tobytes()
        + (b"" if lens.projection is None else lens.projection.tobytes())
    ).hexdigest()
    run = _on_processor(net, known, cache) if device == "cpu" else _on_card(net, device)
    return Eye(lens, look, lambda tiles: run.run(tiles).features, run.name, even_light)


def shared_eye(engine: Engine, lens: Lens, look: Look) -> Eye:
    """An eye that sees in the pass of the engine that scores.

    Raises:
        ModelError: the engine was opened with other levels.
    """
    if engine.levels != lens.levels:
        raise ModelError(
            f"{engine.card.name} gives patches of levels {engine.levels}, {lens.levels} are needed: open it with those."
        )
    name = f"{engine.back_end}, in the pass that scores"
    return Eye(lens, look, lambda tiles: brought(lens, engine.patches_of(tiles)), name)


def _seen(maps: Floats, cut_at: Plan) -> Seen:
    """Of (tiles, gh, gw, d) patches."""
    inside = _inside(cut_at, maps.shape[1:3])
    return Seen(np.ascontiguousarray(maps[inside]), inside, cut_at)


def evened(pixels: Pixels) -> Pixels:
    """A picture under even light and with one spread of grey, whatever exposure it was taken with.

    What is lighter or darker over a large part is taken off, so a defect that is nothing else is lost: for pictures
    whose light is not under control. Colours keep their difference from the grey.
    """
    grey = pixels.mean(axis=2, dtype=np.float32)
    high, wide = grey.shape
    ratio = min(1.0, _EVEN_SIDE / max(high, wide))  # what changes slowly is seen in few pixels, and a wide blur is slow
    small = cv2.resize(grey, (max(1, round(wide * ratio)), max(1, round(high * ratio))), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), max(1.0, EVEN_OVER * max(small.shape)))
    around = np.asarray(cv2.resize(blurred, (wide, high), interpolation=cv2.INTER_LINEAR), np.float32)
    spread = max(float((grey - around).std()), _LEAST_SPREAD)
    made = (pixels - around[..., None]) * (_EVEN_SPREAD / spread) + _EVEN_MIDDLE
    return np.asarray(np.clip(np.round(made), 0, 255), np.uint8)


def _inside(cut_at: Plan, grid: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(tiles, gh, gw) places whose middle lies in the picture; beyond it a tile shows its mirror image."""
    size = int(cut_at.boxes[0, 2])
    down = (np.arange(grid[0]) + 0.5) * size / grid[0]
    across = (np.arange(grid[1]) + 0.5) * size / grid[1]
    rows = cut_at.boxes[:, 1, None] + down[None] < cut_at.working_wh[1]
    columns = cut_at.boxes[:, 0, None] + across[None] < cut_at.working_wh[0]
    inside: npt.NDArray[np.bool_] = rows[:, :, None] & columns[:, None, :]
    inside[:, 0, 0] = True  # a picture smaller than half a cell still shows something
    return inside


def _on_processor(net: PatchNet, known: str, cache: Path | None) -> BackEnd:
    import openvino as ov  # a machine with a card may lack it

    from models.backends.openvino import BUCKETS, OpenVinoLane, processor

    core = ov.Core()
    version = ov.__version__.split("-")[0]
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}

    def lanes(batch: int, size: int) -> list[OpenVinoLane]:
        try:
            model = _converted(
                core, net, batch, size, None if cache is None else cache / f"patches-{known[:32]}-{version}"
            )
            compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO cannot take the net's middle layers with tiles of {size} px: {error}"
            ) from error
        return [OpenVinoLane(compiled) for _ in range(2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))]

    return BackEnd(f"OpenVINO {version}, float32, on {processor()}", "float32", BUCKETS, lanes, False, False)


def _converted(core: Any, net: PatchNet, batch: int, size: int, place: Path | None) -> Any:
    """The layers as an OpenVINO model; from the cache where it is there."""
    import openvino as ov

    from models.backends.openvino import converted_module

    if place is None:
        return converted_module(net, batch, size)
    folder = place.with_name(f"{place.name}-{batch}x{size}")
    path = folder / "net.xml"
    if path.is_file():
        with contextlib.suppress(RuntimeError):  # half of a file: convert again
            return core.read_model(path)
        shutil.rmtree(folder, ignore_errors=True)
    draft = folder.parent / f".{uuid4().hex}"
    draft.mkdir(parents=True)
    try:
        ov.save_model(converted_module(net, batch, size), draft / "net.xml", compress_to_fp16=False)
        with contextlib.suppress(OSError):  # another process was first
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return core.read_model(path)


def _on_card(net: PatchNet, device: str) -> BackEnd:
    place = torch.device(device)
    try:
        net = net.to(place)
    except RuntimeError as error:
        raise ModelError(f"The net's middle layers do not fit on {device}: {error}") from error
    name = f"PyTorch {torch.__version__.split('+')[0]}, float32, on {torch.cuda.get_device_name(place)}"
    return BackEnd(name, "float32", (4, 16), lambda _batch, _size: [_CardLane(net, place)], False, False)


class _CardLane:
    """Computes at once, where it is asked."""

    def __init__(self, net: PatchNet, place: torch.device) -> None:
        self._net, self._place = net, place
        self._outputs: tuple[Floats, ...] = ()

    @torch.inference_mode()
    def start(self, tiles: Pixels) -> None:
        """See models.backends.Lane."""
        try:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                found = self._net(torch.from_numpy(np.ascontiguousarray(tiles)).to(self._place))
            self._outputs = (found.cpu().numpy(),)
        except RuntimeError as error:
            raise ModelError(f"PyTorch failed: {error}") from error

    def finish(self) -> tuple[Floats, ...]:
        """See models.backends.Lane."""
        return self._outputs
