"""What a picture file says of itself before anything is decoded: type, size, frames, scans, and whether it is whole.

Only the file's own structure is walked, nothing is unpacked, so a bomb costs no more than its bytes.
Sources: ITU T.81 annex B (JPEG), the PNG specification, Microsoft's BITMAPINFOHEADER, RFC 9649 (WebP).
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from core.errors import QuarantineReason, Unreadable

Format = Literal["JPEG", "PNG", "TIFF", "BMP", "WebP"]
FORMATS: tuple[Format, ...] = ("JPEG", "PNG", "TIFF", "BMP", "WebP")

# Extensions under which a readable picture may arrive; which of the five it is, its content decides.
EXTENSIONS = frozenset({"", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp"})

_KNOWN_OTHERS: tuple[tuple[bytes, int, str], ...] = (
    (b"GIF8", 0, "a GIF"),
    (b"\x00\x00\x01\x00", 0, "a Windows icon"),
    (b"\x00\x00\x00\x0cjP  ", 0, "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", 0, "a JPEG 2000 picture"),
    (b"\xff\x0a", 0, "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", 0, "a JPEG XL picture"),
    (b"ftypavi", 4, "an AVIF picture"),
    (b"ftyphei", 4, "a HEIC picture"),
    (b"ftypmif1", 4, "a HEIC picture"),
    (b"ftyp", 4, "a video"),
    (b"%PDF", 0, "a PDF document"),
    (b"8BPS", 0, "a Photoshop document"),
    (b"PK\x03\x04", 0, "a ZIP archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"v/1\x01", 0, "an OpenEXR picture"),
    (b"#?RADIANCE", 0, "a Radiance HDR picture"),
    (b"DICM", 128, "a DICOM file"),
    (b"<svg", 0, "an SVG drawing"),
    (b"<?xml", 0, "an XML document"),
    (b"<!DOCTYPE", 0, "a web page"),
    (b"<html", 0, "a web page"),
)

# The next marker inside entropy-coded data: not a stuffed zero, a restart or a fill byte.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_CHECKED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})  # all that decide the pixels
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Header:
    """What the file declares.

    Attributes:
        width, height: before EXIF orientation.
        bits: of one sample.
        channels: 1 grey or palette, 3 colour, 4 CMYK or colour with alpha.
        scans: of a progressive JPEG; 1 elsewhere.
        frames: pictures in the file.
        exif: the EXIF block as a TIFF structure, without its "Exif" prefix; empty where there is none.
        alpha: transparency is declared, as a channel or by colour.
        whole: the file has as many bytes as it declares; told only where the size has to be judged first.
    """

    format: Format
    width: int
    height: int
    bits: int = 8
    channels: int = 3
    scans: int = 1
    frames: int = 1
    exif: bytes = b""
    alpha: bool = False
    whole: bool = True


def format_of(data: bytes) -> Format:
    """Name the format by content.

    Raises:
        Unreadable: EMPTY without a byte, WRONG_TYPE for anything but the five formats.
    """
    if not data:
        raise Unreadable(QuarantineReason.EMPTY, "The file is empty (0 bytes): copy it again or rescan.")
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == _PNG_SIGNATURE:
        return "PNG"
    if data[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "TIFF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM":
        return "BMP"
    found = next((name for magic, at, name in _KNOWN_OTHERS if data[at : at + len(magic)] == magic), None)
    raise Unreadable(
        QuarantineReason.WRONG_TYPE,
        f"This is {found or 'no picture of a known type'}: Holdpoint reads JPEG, PNG, TIFF, BMP and WebP, "
        "so export it as one of these.",
    )


def check_extension(extension: str, found: Format) -> None:
    """Refuse a picture under a name that claims to be something else altogether.

    A PNG called .jpg is read as what it is; a JPEG called .exe or .gif is not read at all.
    """
    if extension.lower() not in EXTENSIONS:
        raise Unreadable(
            QuarantineReason.WRONG_TYPE,
            f"The content is {found} but the name ends in {extension[:20]!r}: rename it if it is a picture "
            "of a part, or leave it out.",
        )


def truncated(found: str) -> Unreadable:
    """The refusal of a file that stops before its end."""
    return Unreadable(
        QuarantineReason.TRUNCATED, f"The file is cut off: {found}. Copy it again from its source, or rescan."
    )


def damaged(found: str) -> Unreadable:
    """The refusal of a file that contradicts its own format."""
    return Unreadable(
        QuarantineReason.UNDECODABLE, f"The file is damaged: {found}. Copy it again from its source, or rescan."
    )


def unsupported(found: str) -> Unreadable:
    """The refusal of a rare kind of a known format."""
    return Unreadable(
        QuarantineReason.UNDECODABLE,
        f"This kind of file cannot be read: {found}. Save it anew as plain JPEG, PNG, TIFF, BMP or WebP.",
    )


def read_jpeg(data: bytes) -> Header:
    """Walk the markers to the end-of-image marker; a file without it is not whole."""
    size: tuple[int, int, int, int] | None = None
    exif, scans, at = b"", 0, 2
    while True:
        at = data.find(b"\xff", at)  # like libjpeg: bytes between segments are skipped
        while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:
            at += 1
        if at < 0 or at + 1 >= len(data):
            where = "its last line" if scans else "any picture data"
            raise truncated(f"{len(data)} bytes of JPEG end before {where}, and the end marker is missing")
        marker = data[at + 1]
        at += 2
        if marker == 0xD9:
            break
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            if at + 2 > len(data):
                raise truncated(f"{len(data)} bytes of JPEG end inside a segment")
            raise damaged(f"JPEG segment {marker:02X} declares {length} bytes")
        body = data[at + 2 : at + min(length, 32)]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and size is None:
            if len(body) < 6:
                raise truncated(f"{len(data)} bytes of JPEG end inside the frame header")
            size = (body[0], *struct.unpack(">HH", body[1:5]), body[5])
        elif marker == 0xE1 and body[:6] == b"Exif\0\0" and not exif:
            exif = data[at + 8 : at + length]
        at += length
        if marker == 0xDA:
            scans += 1
            found = _JPEG_MARKER.search(data, at)
            at = found.start() if found else len(data)
    if size is None or not scans:
        raise damaged("a JPEG without " + ("a frame header" if size is None else "picture data"))
    bits, height, width, channels = size
    return Header("JPEG", width, height, bits, channels, scans, exif=exif)


def read_png(data: bytes) -> Header:
    """Walk the chunks to IEND, checking the sums of all that decide the picture."""
    at, exif, frames, alpha, header, pixels = 8, b"", 1, False, None, 0
    while True:
        if at + 12 > len(data):
            raise truncated(f"{len(data)} bytes of PNG end before the IEND chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            name = kind.decode("latin-1")
            raise truncated(f"PNG chunk {name!r} declares {length} bytes and {len(data) - at - 12} follow")
        body = memoryview(data)[at + 8 : end - 4]
        checksum = int.from_bytes(data[end - 4 : end], "big")
        if kind in _PNG_CHECKED and zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise damaged(f"the checksum of PNG chunk {kind.decode()} does not match")
        if kind == b"IHDR":
            if length != 13:
                raise damaged(f"the PNG header has {length} bytes instead of 13")
            header = struct.unpack(">IIBB", body[:10])
        elif header is None:
            raise damaged("a PNG without its header first")
        elif kind == b"IDAT":
            pixels += length
        elif kind == b"acTL" and length >= 4 and not pixels:
            declared = int.from_bytes(body[:4], "big")
            frames = declared if 0 < declared < 2**31 else 1  # beyond, the animation is void and the picture plain
        elif kind == b"eXIf":
            exif = bytes(body).removeprefix(b"Exif\0\0")
        elif kind == b"tRNS":
            alpha = True
        elif kind == b"IEND":
            break
        at = end
    if not pixels:
        raise damaged("a PNG without picture data")
    width, height, bits, colour = header
    return Header(
        "PNG",
        width,
        height,
        bits,
        {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 0),
        frames=frames,
        exif=exif,
        alpha=alpha or colour in (4, 6),
    )


def plain_png(data: bytes) -> bytes:
    """Leave out every chunk but those that make the picture.

    What is not handed over cannot be misread: OpenCV 5.0 crashes on some broken animations.
    """
    parts, at = [data[:8]], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _PNG_CHECKED:
            parts.append(data[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    return b"".join(parts)


def read_bmp(data: bytes) -> Header:
    """Read the declared size; uncompressed rows must all be there."""
    if len(data) < 26:
        raise truncated(f"{len(data)} bytes of BMP end inside the header")
    offset, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif 16 <= header <= 256:
        if len(data) < 34:
            raise truncated(f"{len(data)} bytes of BMP end inside the header")
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise damaged(f"a BMP header of {header} bytes, which no program writes")
    width, height = abs(width), abs(height)
    if compression in (0, 3) and bits in (1, 4, 8, 16, 24, 32) and width * height < 2**40:
        need = offset + (width * bits + 31) // 32 * 4 * height
        # The last row's padding is often left out.
        if need - 3 > len(data) and width and height:
            return Header("BMP", width, height, bits, whole=False)
    return Header("BMP", width, height, bits)


def read_webp(data: bytes) -> Header:
    """Walk the RIFF chunks; the declared length must be there."""
    declared = int.from_bytes(data[4:8], "little") + 8
    if declared > len(data):
        raise truncated(f"WebP declares {declared} bytes and has {len(data)}")
    at, size, exif, frames, alpha = 12, (0, 0), b"", 0, False
    while at + 8 <= declared:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + min(length, 32)]
        if at + 8 + length > declared:
            raise truncated(f"WebP chunk {kind.decode('latin-1')!r} declares {length} bytes and fewer follow")
        if kind == b"VP8X" and length >= 10:
            size = (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
            alpha = alpha or bool(body[0] & 0x10)
        elif kind == b"VP8L" and length >= 5:
            bits = int.from_bytes(body[1:5], "little")
            size = size if size[0] else ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            alpha = alpha or bool(bits >> 28 & 1)
        elif kind == b"VP8 " and length >= 10 and not size[0]:
            size = (int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF)
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            exif = data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
        at += 8 + length + (length & 1)
    return Header("WebP", *size, frames=max(frames, 1), exif=exif, alpha=alpha)


def check_tiff(data: bytes) -> None:
    """Refuse a TIFF whose first directory is not all there; the rest of a TIFF is Pillow's to read."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    big = data[2:4] in (b"+\0", b"\0+")
    offset = int.from_bytes(data[8:16] if big else data[4:8], order)
    width, entry = (8, 20) if big else (2, 12)
    count = int.from_bytes(data[offset : offset + width], order)
    if not offset or offset + width + count * entry > len(data):
        raise truncated(f"{len(data)} bytes of TIFF end before its directory at byte {offset:,}")
