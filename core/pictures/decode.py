"""Bytes to pixels: the one decode function for model, screen, boxes and export.

The rules, all of them:

- JPEG, PNG, TIFF, BMP and WebP, decided by content; a name that claims to be something else altogether is refused.
- The declared size is checked before anything is unpacked, and only whole files are shown: a cut-off picture is
  refused, never filled up with grey.
- A file is one picture. One with more frames or pages than `Limits.frames` is refused, for what nobody looks at must
  not pass; where more are allowed, the first is taken. Previews inside a TIFF and the extra pictures behind a phone's
  JPEG (depth, gain map) are not pages.
- EXIF orientation is applied exactly once, here.
- 16-bit samples keep their upper eight bits: white is 65,535, never the brightest pixel, so that two pictures of one
  camera can be compared. A camera that puts 12 bits into 16 is told to `Limits.significant_bits`; a TIFF that declares
  12 bits needs nothing. Negative samples are black. Float and 32-bit samples have no agreed white and are refused.
- Transparency is laid over white. CMYK is multiplied out (Adobe's inverted kind too). Colour profiles are not applied.
"""

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from core.errors import BadInput, QuarantineReason, Unreadable
from core.pictures import exif, headers
from core.pictures.exif import PILLOW_ERRORS
from core.pictures.headers import Header
from core.records import Exposure, Pixels
from core.vault import opened

# What libjpeg and libpng write to standard error about a picture that they have filled up by guessing.
_GUESSED = ("premature end", "bad huffman", "instead of rst", "arithmetic decode", "corrupt jpeg data: bad")
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


@dataclass(frozen=True)
class Limits:
    """What a picture may be, checked against what its file declares.

    Attributes:
        pixels: width x height; 100 megapixels hold a 35-megapixel receipt scan with room to spare.
        side: of the longer side.
        frames: pictures in one file.
        scans: of a progressive JPEG; each costs a pass over the whole picture.
        bytes: of the file.
        significant_bits: of a 16-bit sample; 12 for cameras that leave the upper four empty.
    """

    pixels: int = 100_000_000
    side: int = 32_768
    frames: int = 1
    scans: int = 64
    bytes: int = 512 * 2**20
    significant_bits: int = 16

    def __post_init__(self) -> None:
        if min(self.pixels, self.side, self.frames, self.scans, self.bytes) < 1:
            raise BadInput(f"A picture limit below 1 refuses everything: {self}.")
        if not 8 <= self.significant_bits <= 16:
            raise BadInput(f"{self.significant_bits} significant bits: give 8 to 16.")


@dataclass(frozen=True)
class Decoded:
    """One picture as everybody sees it.

    Attributes:
        pixels: uint8 (h, w, 3) RGB after EXIF orientation.
        exposure: as EXIF has it.
        taken_at: aware UTC, to the millisecond; None where the file does not say.
        format: which of the five it was.
    """

    pixels: Pixels
    exposure: Exposure
    taken_at: datetime | None
    format: str

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


Allocate = Callable[[tuple[int, int, int]], Pixels]


def _fresh(shape: tuple[int, int, int]) -> Pixels:
    return np.empty(shape, np.uint8)


def _silence() -> str:
    return ""


def read(path: Path, limits: Limits = Limits()) -> bytes:
    """Read a file whole, its size checked first.

    Raises:
        Unreadable: MISSING, EMPTY, TOO_LARGE, or UNDECODABLE where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, limits.bytes) + 1)
    except FileNotFoundError:
        raise Unreadable(
            QuarantineReason.MISSING, f"{path.name} is not there any more: put it back or rescan."
        ) from None
    except IsADirectoryError:
        raise Unreadable(QuarantineReason.WRONG_TYPE, f"{path.name} is a folder: give the pictures in it.") from None
    except OSError as error:
        raise Unreadable(
            QuarantineReason.UNDECODABLE, f"{path.name} cannot be read ({error.strerror}): check disk and rights."
        ) from None
    if max(size, len(data)) > limits.bytes:
        raise _too_many_bytes(size, limits)
    if len(data) != size:
        raise headers.truncated(f"{path.name} changed its length of {size:,} bytes while it was read")
    try:
        return opened(data)
    except BadInput as error:
        raise Unreadable(QuarantineReason.UNDECODABLE, f"{path.name}: {error}") from error


def sha256_of(data: bytes) -> str:
    """The content's name, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def decode(
    data: bytes,
    limits: Limits = Limits(),
    *,
    name: str = "",
    zone: tzinfo = UTC,
    allocate: Allocate = _fresh,
    complaints: Callable[[], str] = _silence,
) -> Decoded:
    """Turn a whole file into RGB pixels, or say why not.

    Args:
        data: the file's bytes.
        limits: what its header may declare.
        name: of the file; only its extension is looked at.
        zone: of capture times that carry no offset.
        allocate: gives the array that the pixels are put into.
        complaints: what the decoding libraries have written to standard error since it was last called. A JPEG whose
            end marker was glued on after a cut can be told in no other way; the child process supplies it.

    Raises:
        Unreadable: with the quarantine reason.
    """
    header = inspect(data, limits, name=name)
    complaints()
    try:
        if header.format == "TIFF":
            pixels, said = _tiff(data, limits)
        else:
            pixels, said = _pixels(data, header, limits), exif.read(header.exif)
    except (MemoryError, cv2.error, Unreadable) as error:
        if isinstance(error, MemoryError) or "memory" in f"{error} {complaints()}".lower():
            raise Unreadable(
                QuarantineReason.TOO_SLOW,
                f"{header.width}x{header.height} {header.format} needs more memory than a picture may take: "
                "save it smaller or raise the limit.",
            ) from error
        if isinstance(error, cv2.error):
            raise headers.damaged(f"the {header.format} decoder gave up") from error
        raise
    heard = complaints().lower()
    if any(word in heard for word in _GUESSED):
        raise headers.truncated(f"part of the {header.format}'s picture data is missing and would be shown as grey")
    turn = 1 if header.format == "TIFF" else exif.orientation(said)  # Pillow has already turned a TIFF
    out = allocate(_turned_shape(pixels, turn))
    _put(pixels, turn, out)
    return Decoded(out, exif.exposure(said), exif.taken_at(said, zone), header.format)


def inspect(data: bytes, limits: Limits = Limits(), *, name: str = "") -> Header:
    """Read the header and hold it against the limits; nothing is unpacked."""
    if len(data) > limits.bytes:
        raise _too_many_bytes(len(data), limits)
    found = headers.format_of(data)
    headers.check_extension(PurePath(name).suffix, found)
    match found:
        case "JPEG":
            header = headers.read_jpeg(data)
        case "PNG":
            header = headers.read_png(data)
        case "BMP":
            header = headers.read_bmp(data)
        case "WebP":
            header = headers.read_webp(data)
        case "TIFF":
            header = _tiff_header(data, limits)
    _check(header, limits)
    return header


def _too_many_bytes(found: int, limits: Limits) -> Unreadable:
    return Unreadable(
        QuarantineReason.TOO_LARGE,
        f"The file has {found:,} bytes and {limits.bytes:,} are allowed: save it compressed or raise the limit.",
    )


def _check(header: Header, limits: Limits) -> None:
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise headers.damaged(f"it declares {width}x{height} pixels")
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise Unreadable(
            QuarantineReason.TOO_LARGE,
            f"The picture declares {width:,}x{height:,} pixels; at most {limits.pixels:,} in all and {limits.side:,} "
            "a side are allowed: cut it into parts or raise the limit.",
        )
    if header.scans > limits.scans:
        raise Unreadable(
            QuarantineReason.TOO_LARGE,
            f"The JPEG is built of {header.scans} scans and {limits.scans} are allowed: save it as a baseline JPEG.",
        )
    if header.frames > limits.frames:
        raise Unreadable(
            QuarantineReason.WRONG_TYPE,
            f"The {header.format} holds {header.frames} pictures and {limits.frames} may be in a file: "
            "save each as a file of its own, so that every one is looked at.",
        )
    if not header.whole:
        raise headers.truncated(f"the {header.format} has fewer rows than the {height} it declares")


def _pixels(data: bytes, header: Header, limits: Limits) -> npt.NDArray[np.uint8]:
    """Decode all but TIFF to (h, w) grey or (h, w, 3) RGB, before orientation."""
    if header.format == "JPEG":
        if header.bits != 8:
            raise headers.unsupported(f"a JPEG of {header.bits} bits a sample")
        if header.channels in (1, 3):
            return _opencv(data, header, cv2.IMREAD_GRAYSCALE if header.channels == 1 else cv2.IMREAD_COLOR_RGB)
        return _rgb(_load(JpegImagePlugin.JpegImageFile, data, header), limits)
    if header.format == "PNG":
        data = headers.plain_png(data)
        if header.bits == 16:
            return _upper_bits(_opencv(data, header, cv2.IMREAD_UNCHANGED), limits.significant_bits)
        if not header.alpha:
            return _opencv(data, header, cv2.IMREAD_GRAYSCALE if _grey_png(data) else cv2.IMREAD_COLOR_RGB)
        return _rgb(_load(PngImagePlugin.PngImageFile, data, header), limits)
    plugin = BmpImagePlugin.BmpImageFile if header.format == "BMP" else WebPImagePlugin.WebPImageFile
    return _rgb(_load(plugin, data, header), limits)


def _grey_png(data: bytes) -> bool:
    return data[25] == 0


def _opencv(data: bytes, header: Header, flags: int) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise headers.damaged(f"its {header.format} picture data cannot be decoded")
    if found.shape[:2] != (header.height, header.width):
        raise headers.damaged(f"{header.width}x{header.height} declared, {found.shape[1]}x{found.shape[0]} decoded")
    return found


def _load(plugin: type[ImageFile.ImageFile], data: bytes, header: Header) -> Image.Image:
    """Decode with one of Pillow's plugins, called by itself: no guessing, and no second opinion about bombs."""
    try:
        image = plugin(io.BytesIO(data))
        if image.size != (header.width, header.height):
            raise headers.damaged(f"{header.width}x{header.height} declared, {image.width}x{image.height} found")
        image.load()
    except Unreadable:
        raise
    except PILLOW_ERRORS as error:
        raise _refusal(header.format, error) from error
    return image


def _refusal(found: str, error: Exception) -> Unreadable:
    """Put an exception of Pillow's into our words."""
    text = " ".join(str(error).split())[:120] or type(error).__name__
    if any(word in text.lower() for word in ("truncated", "not enough image data", "unexpected end")):
        return headers.truncated(f"the {found} has less picture data than it declares")
    if any(word in text.lower() for word in ("unsupported", "unknown", "cannot identify")):
        return headers.unsupported(f"{found}, {text}")
    return headers.damaged(f"the {found} cannot be decoded ({text})")


def _rgb(image: Image.Image, limits: Limits) -> npt.NDArray[np.uint8]:
    """Bring every mode of Pillow's to (h, w) grey or (h, w, 3) RGB."""
    mode = image.mode
    if mode.startswith("I;16"):
        return _upper_bits(np.asarray(image).astype(np.uint16), limits.significant_bits)
    if mode in {"I", "F", "LAB", "HSV"}:
        raise Unreadable(
            QuarantineReason.WRONG_TYPE,
            f"Its samples are {'floats' if mode == 'F' else '32-bit numbers' if mode == 'I' else mode}, for which "
            "nobody has agreed what is white: save it with 8 or 16 bits a sample.",
        )
    try:
        if mode in {"RGBA", "RGBa", "LA", "La", "PA"} or (mode in {"P", "L", "1", "RGB"} and _transparent(image)):
            return _over_white(np.asarray(image.convert("RGBA")))
        return np.asarray(image if mode in {"L", "RGB"} else image.convert("L" if mode == "1" else "RGB"))
    except PILLOW_ERRORS as error:
        raise _refusal(image.format or "picture", error) from error


def _transparent(image: Image.Image) -> bool:
    return "transparency" in image.info


def _over_white(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return rgba[..., :3]
    share = alpha.astype(np.uint16)
    mixed = rgba[..., :3] * share
    mixed += (255 - share) * np.uint16(255) + np.uint16(127)
    mixed //= 255
    return mixed.astype(np.uint8)


def _upper_bits(samples: npt.NDArray[Any], significant_bits: int) -> npt.NDArray[np.uint8]:
    """Keep the upper eight significant bits of (h, w[, 3 or 4]) samples; OpenCV's colours come blue first."""
    if samples.dtype == np.uint16:
        samples = np.minimum(samples >> np.uint16(significant_bits - 8), 255).astype(np.uint8)
    if samples.ndim == 3 and samples.shape[2] == 4:
        return _over_white(samples[..., [2, 1, 0, 3]])
    return samples[..., ::-1] if samples.ndim == 3 else samples


def _open_tiff(data: bytes) -> TiffImagePlugin.TiffImageFile:
    try:
        return TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except PILLOW_ERRORS as error:
        raise _refusal("TIFF", error) from error


def _tiff_header(data: bytes, limits: Limits) -> Header:
    headers.check_tiff(data)
    image = _open_tiff(data)
    try:
        tags = image.tag_v2
        width, height = int(tags[256]), int(tags[257])
        bits = max(tags.get(258) or (1,))
        offsets, counts = (tags.get(273), tags.get(279)) if 273 in tags else (tags.get(324), tags.get(325))
        pages = 0
        if width * height <= limits.pixels:
            for number in range(min(image.n_frames, limits.frames + 64)):
                image.seek(number)
                pages += not int(image.tag_v2.get(254, 0)) & 1
    except PILLOW_ERRORS as error:
        raise _refusal("TIFF", error) from error
    whole = not offsets or not counts or all(a + n <= len(data) for a, n in zip(offsets, counts, strict=False))
    return Header("TIFF", width, height, int(bits), frames=max(pages, 1), whole=whole)


def _tiff(data: bytes, limits: Limits) -> tuple[npt.NDArray[np.uint8], Mapping[int, Any]]:
    image = _open_tiff(data)
    said = exif.join(image.getexif())
    tags = image.tag_v2
    bits, kinds, photometric = tags.get(258) or (1,), tags.get(339) or (1,), tags.get(262)
    how = str(image.info.get("compression", "raw"))
    try:
        image.load()
    except PILLOW_ERRORS as error:
        raise _refusal(f"TIFF ({how.removeprefix('tiff_')} compression)", error) from error
    if image.mode == "I" and bits == (16,) and kinds == (2,):  # signed
        samples = np.clip(np.asarray(image), 0, 32_767).astype(np.uint16)
        return _upper_bits(samples, 15), said
    if image.mode.startswith("I;16"):
        significant = bits[0] if 8 <= bits[0] < 16 else limits.significant_bits
        grey = _upper_bits(np.asarray(image).astype(np.uint16), significant)
        return (255 - grey if photometric == 0 else grey), said
    return _rgb(image, limits), said


def _turned_shape(pixels: npt.NDArray[np.uint8], turn: int) -> tuple[int, int, int]:
    height, width = pixels.shape[:2]
    return (width, height, 3) if turn >= 5 else (height, width, 3)


# What OpenCV calls each of EXIF's orientations; 5 and 7 are done in two steps.
_ROTATE = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIP = {2: 1, 4: 0}


def _put(pixels: npt.NDArray[np.uint8], turn: int, out: Pixels) -> None:
    """Turn as EXIF says and spread grey over three channels, with as few copies as possible."""
    if pixels.ndim == 2:
        grey = pixels if turn == 1 else _turned(np.ascontiguousarray(pixels), turn, None)
        cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2RGB, dst=out)
    elif turn == 1:
        np.copyto(out, pixels)
    else:
        _turned(np.ascontiguousarray(pixels), turn, out)


def _turned(pixels: npt.NDArray[np.uint8], turn: int, out: Pixels | None) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8]
    if turn in _ROTATE:
        found = cv2.rotate(pixels, _ROTATE[turn], dst=out)
    elif turn in _FLIP:
        found = cv2.flip(pixels, _FLIP[turn], dst=out)
    else:
        found = cv2.transpose(pixels if turn == 5 else cv2.rotate(pixels, cv2.ROTATE_180), dst=out)
    return found


def reduced(data: bytes, header: Header, max_side: int) -> Pixels | None:
    """Read a JPEG at 1/2, 1/4 or 1/8 of its size, turned; None where only a full read will do.

    Its longer side comes out between three quarters of `max_side` and `max_side`: the last quarter would cost a
    read at twice the size.
    """
    side = max(header.width, header.height)
    flag = next((flag for factor, flag in _REDUCED.items() if side >= 0.75 * factor * max_side), None)
    if header.format != "JPEG" or header.channels not in (1, 3) or flag is None:
        return None
    found = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise headers.damaged("its JPEG picture data cannot be decoded")
    turn = exif.orientation(exif.read(header.exif))
    found = shrunk(found, max_side)
    out = _fresh(_turned_shape(found, turn))
    _put(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), turn, out)
    return out


def shrunk(pixels: Pixels, max_side: int) -> Pixels:
    """Average down until the longer side is at most `max_side`; a smaller picture stays as it is."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Near its own size two neighbours are all there is to average, and that is much cheaper.
    way = cv2.INTER_LINEAR if scale > 0.6 else cv2.INTER_AREA
    smaller: Pixels = cv2.resize(pixels, size, interpolation=way)
    return smaller
