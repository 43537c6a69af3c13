"""Taking the place out of a picture's file, without touching a pixel.

The place lies in the GPS directory of EXIF (a small TIFF inside JPEG, PNG and WebP, or the TIFF itself) and in the
`exif:GPS…` words of XMP. Both are blanked where they lie, so that everything else keeps its offset.
"""

import re
import struct
import zlib

_GPS_TAG = 0x8825
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_XMP = re.compile(rb"(exif:GPS\w+\s*=\s*)(\"[^\"]*\"|'[^']*')|(<exif:GPS(\w+)[^>]*>)([^<]*)(</exif:GPS\w+>)")
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_ENTRIES = 4096
_DIRECTORIES = 16


def without_place(data: bytes) -> bytes:
    """The same file without GPS; the very same bytes where it has none."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        changed = bytearray(data)
        _blank_tiff(changed, 0, len(changed))
        return _without_xmp(bytes(changed))
    return data


def _jpeg(data: bytes) -> bytes:
    changed, at = bytearray(data), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA or size < 2:
            break
        start, end = at + 4, min(at + 2 + size, len(data))
        if marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            _blank_tiff(changed, start + 6, end)
        elif marker == 0xE1:
            changed[start:end] = _without_xmp(bytes(changed[start:end]))
        at = end
    return bytes(changed)


def _png(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : end - 4]
        if kind == b"eXIf":
            changed = bytearray(body)
            _blank_tiff(changed, 0, len(changed))
            kept.append(data[at : at + 8] + changed + struct.pack(">I", zlib.crc32(kind + changed)))
        elif not (kind in _TEXT_CHUNKS and _tells_place(kind, body)):
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def _tells_place(kind: bytes, body: bytes) -> bool:
    """Whether a text chunk may hold EXIF or XMP: compressed ones are not opened, they go."""
    key = body.split(b"\0", 1)[0].lower()
    return key.startswith((b"raw profile type", b"xml:com.adobe.xmp")) and (
        kind == b"zTXt" or b"GPS" in body or b"exif" in key
    )


def _webp(data: bytes) -> bytes:
    changed, at = bytearray(data), 12
    while at + 8 <= len(data):
        start, size = at + 8, int.from_bytes(data[at + 4 : at + 8], "little")
        end = min(start + size, len(data))
        if data[at : at + 4] == b"EXIF":
            offset = 6 if data[start : start + 6] == b"Exif\0\0" else 0
            _blank_tiff(changed, start + offset, end)
        elif data[at : at + 4] == b"XMP ":
            changed[start:end] = _without_xmp(bytes(changed[start:end]))
        at = start + size + size % 2
    return bytes(changed)


def _without_xmp(text: bytes) -> bytes:
    if b"exif:GPS" not in text:
        return text

    def blank(found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            return found[1] + found[2][:1] + b" " * (len(found[2]) - 2) + found[2][-1:]
        return found[3] + b" " * len(found[5]) + found[6]

    return _XMP.sub(blank, text)


def _blank_tiff(data: bytearray, start: int, end: int) -> None:
    """Empty the GPS directories of the TIFF that lies between two offsets."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[start : start + 2]))
    if order is None or start + 8 > end:
        return
    (at,) = struct.unpack_from(order + "I", data, start + 4)
    for _ in range(_DIRECTORIES):
        count = _count(data, start + at, end, order)
        if not count:
            return
        for number in range(count):
            tag, _kind, _n, value = struct.unpack_from(order + "HHII", data, start + at + 2 + 12 * number)
            if tag == _GPS_TAG:
                _blank_directory(data, start, start + value, end, order)
        following = start + at + 2 + 12 * count
        if following + 4 > end:
            return
        (at,) = struct.unpack_from(order + "I", data, following)
        if not at:
            return


def _blank_directory(data: bytearray, start: int, at: int, end: int, order: str) -> None:
    count = _count(data, at, end, order)
    for number in range(count):
        entry = at + 2 + 12 * number
        _, kind, n, value = struct.unpack_from(order + "HHII", data, entry)
        size = _SIZES.get(kind, 1) * n
        if 4 < size <= end - start and start + value + size <= end:
            data[start + value : start + value + size] = bytes(size)
        data[entry : entry + 12] = bytes(12)
    if count:
        struct.pack_into(order + "H", data, at, 0)


def _count(data: bytearray, at: int, end: int, order: str) -> int:
    """Entries of the directory at an offset; 0 where none fits there."""
    if at + 2 > end:
        return 0
    (count,) = struct.unpack_from(order + "H", data, at)
    return int(count) if count <= _ENTRIES and at + 2 + 12 * count <= end else 0
