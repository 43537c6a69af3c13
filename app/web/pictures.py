"""Screen copies of filed pictures and overlays of their maps, made once and kept by content hash.

The original is hashed before a copy of it is shown: what no longer has the hash it was filed under is
"evidence changed", and no copy, however old, is shown in its place.
"""

import hashlib
import io
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from core.errors import BadInput, QuarantineReason, Unreadable
from core.pictures.covering import Cover, cover_jpeg
from core.records import Grid, Image
from core.vault import in_use, opened, sealed_with, to_keep

KINDS: Final = {"thumb": 240, "screen": 1600, "full": 65_535}  # longest side in pixels; never enlarged
OVERLAY_SIDE: Final = 512  # an overlay is coarse: the browser stretches it over the picture
GRID: Final = 64  # pixels that the corners of crops snap to
WIDEST_CROP: Final = 2560
_CROP_BYTES: Final = 48 << 20
_REMEMBERED: Final = 4096

Ramp = tuple[tuple[int, int, int], ...]
Box = tuple[int, int, int, int]  # x, y, width, height in a picture's own pixels


class Pictures:
    """Reads originals, checks them, and keeps what screens need under one folder.

    Args:
        folder: of the copies; may be emptied at any time.
        preview: makes a JPEG of a picture's bytes, or of a box of it, no larger than a side, in a limited process.
    """

    def __init__(self, folder: Path, preview: Callable[[bytes, int, Box | None], bytes]) -> None:
        self._folder = folder
        self._preview = preview
        self._crops: OrderedDict[tuple[str, Box, int], bytes] = OrderedDict()
        self._hashes: OrderedDict[tuple[str, int, int, int], str] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, image: Image) -> None:
        """See that the original still is what was filed.

        Raises:
            Unreadable: it is gone, cannot be read, or has another hash.
        """
        path = Path(image.path)
        try:
            found = path.stat()
            stamp = (image.path, found.st_mtime_ns, found.st_size, found.st_ino)
            with self._lock:
                sha256 = self._hashes.get(stamp)
            if sha256 is None:
                sha256 = hash_of(path)
        except (BadInput, OSError) as error:
            raise Unreadable(
                QuarantineReason.MISSING, f"The file of image {image.id} cannot be read: bring it back to its place."
            ) from error
        with self._lock:
            self._hashes[stamp] = sha256
            while len(self._hashes) > _REMEMBERED:
                self._hashes.popitem(last=False)
        if sha256 != image.sha256:
            raise Unreadable(
                QuarantineReason.CHANGED,
                f"The file of image {image.id} is not the one that was filed: restore the original.",
            )

    def copy(self, image: Image, kind: str) -> Path:
        """A JPEG copy of a filed picture, upright, no larger than its kind.

        Raises:
            Unreadable: as `check`, or when the picture cannot be decoded.
        """
        self.check(image)
        target = self._folder / image.sha256[:2] / f"{image.sha256}.{kind}"
        return self._keep(target, lambda: self._preview(checked_bytes(image), KINDS[kind], None))

    def crop(self, image: Image, box: Box, width: int) -> bytes:
        """A JPEG of a box of a filed picture, for looking closer than the screen copy shows.

        The last ones are remembered, in memory: there are more boxes than a disk can hold.

        Args:
            image: filed.
            box: x, y, width, height in the picture's own pixels; widened to a grid, so that the same ones come again.
            width: of the JPEG at most; never enlarged.

        Raises:
            BadInput: nothing of the picture lies in the box.
            Unreadable: as `check`, or when the picture cannot be decoded.
        """
        snapped = snap(box, (image.width, image.height))
        key = (image.sha256, snapped, min(max(width, 1), WIDEST_CROP))
        self.check(image)
        with self._lock:
            found = self._crops.get(key)
            if found is not None:
                self._crops.move_to_end(key)
                return found
        made = self._preview(checked_bytes(image), key[2], snapped)
        with self._lock:
            self._crops[key] = made
            while len(self._crops) > 1 and sum(map(len, self._crops.values())) > _CROP_BYTES:
                self._crops.popitem(last=False)
        return made

    def covered(self, image: Image, kind: str, covers: Sequence[Cover]) -> Path:
        """The same as `copy` with places filled; kept under what is filled, so that a new find makes a new copy.

        Raises:
            Unreadable: as `copy`.
        """
        plain = self.copy(image, kind)
        whole = (0.0, 0.0, float(image.width), float(image.height))
        digest = hashlib.sha256(repr([one.box for one in covers]).encode()).hexdigest()[:16]
        target = self._folder / image.sha256[:2] / f"{image.sha256}.{kind}.covered-{digest}"
        return self._keep(target, lambda: cover_jpeg(self.opened(plain), covers, whole))

    def covered_crop(self, image: Image, box: Box, width: int, covers: Sequence[Cover]) -> bytes:
        """The same as `crop` with places filled.

        Raises:
            BadInput: as `crop`.
            Unreadable: as `crop`.
        """
        x, y, wide, high = snap(box, (image.width, image.height))
        shown = (float(x), float(y), float(wide), float(high))
        return cover_jpeg(self.crop(image, box, width), covers, shown, quality=92)

    def opened(self, path: Path) -> bytes:
        """The bytes of a copy, which is sealed where the plant has a key."""
        return opened(path.read_bytes())

    def overlay(self, grid: Grid, name: str, ramp: Ramp) -> Path:
        """A transparent PNG of a coarse map; `name` tells the ramp in the file's name."""
        values = np.ascontiguousarray(grid.values)
        digest = hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()
        target = self._folder / digest[:2] / f"{digest}.{name}"
        return self._keep(target, lambda: overlay_png(grid, ramp))

    def _keep(self, target: Path, make: Callable[[], bytes]) -> Path:
        if not target.exists() or not _can_open(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(to_keep(make()))
                Path(temporary).replace(target)
            finally:
                Path(temporary).unlink(missing_ok=True)
        return target


def snap(box: Box, size_wh: tuple[int, int]) -> Box:
    """The box widened to the grid and cut at the picture's edges.

    Raises:
        BadInput: nothing of the picture lies in it.
    """
    x, y, width, height = box
    left, top = max(0, x // GRID * GRID), max(0, y // GRID * GRID)
    right, bottom = min(size_wh[0], -(-(x + width) // GRID) * GRID), min(size_wh[1], -(-(y + height) // GRID) * GRID)
    if width < 1 or height < 1 or left >= right or top >= bottom:
        raise BadInput("Nothing of the picture lies in that box.")
    return left, top, right - left, bottom - top


def hash_of(path: Path) -> str:
    """SHA-256 of an original's bytes, of a sealed one as they were before.

    Raises:
        OSError: it cannot be read.
    """
    if sealed_with(path) is not None:
        return hashlib.sha256(opened(path.read_bytes())).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _can_open(target: Path) -> bool:
    """Whether a copy is there as this plant would make it now: sealed with its present key, or not at all."""
    keys = in_use()
    return sealed_with(target) == (None if keys is None else keys.current.id)


def checked_bytes(image: Image) -> bytes:
    """A filed picture's bytes, if they still are what was filed.

    Raises:
        Unreadable: gone or changed.
    """
    try:
        data = opened(Path(image.path).read_bytes())
    except (BadInput, OSError) as error:
        raise Unreadable(
            QuarantineReason.MISSING, f"The file of image {image.id} cannot be read: bring it back to its place."
        ) from error
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise Unreadable(
            QuarantineReason.CHANGED,
            f"The file of image {image.id} is not the one that was filed: restore the original.",
        )
    return data


def overlay_png(grid: Grid, ramp: Ramp) -> bytes:
    """A coarse map as a PNG whose transparency is the map itself."""
    buffer = io.BytesIO()
    Pillow.fromarray(overlay_pixels(grid, ramp), "RGBA").save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def overlay_pixels(grid: Grid, ramp: Ramp) -> npt.NDArray[np.uint8]:
    """A coarse map stretched smoothly and coloured, (h, w, 4) RGBA; zero is fully transparent.

    The grid keeps its own proportions of cells; whoever shows it stretches it over the whole picture.
    """
    rows, columns = grid.values.shape
    factor = max(1, min(8, OVERLAY_SIDE // max(rows, columns)))
    smooth = cv2.resize(
        grid.values.astype(np.float32) / 255, (columns * factor, rows * factor), interpolation=cv2.INTER_LINEAR
    )
    level = np.clip(smooth, 0, 1)
    stops = np.linspace(0, 1, len(ramp))
    colours = np.asarray(ramp, np.float32)
    pixels = np.empty((*level.shape, 4), np.uint8)
    for channel in range(3):
        pixels[..., channel] = np.interp(level, stops, colours[:, channel]).astype(np.uint8)
    pixels[..., 3] = (255 * np.clip(level * 1.25, 0, 1)).astype(np.uint8)  # strong cells are opaque at full opacity
    return pixels


def placeholder(words: str) -> bytes:
    """An SVG that says in the picture's place why there is none; `words` is one of ours, never from outside."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" viewBox="0 0 640 400">'
        '<rect width="640" height="400" fill="#12161b"/>'
        '<path d="M290 120h60v70h-60zM320 215v30" stroke="#f5b355" stroke-width="6" fill="none"/>'
        '<text x="320" y="300" fill="#e9edf1" font-family="sans-serif" font-size="26" text-anchor="middle">'
        f"{words}</text>"
        "</svg>"
    ).encode()
