"""Opening a zip that somebody uploaded: counted, measured and kept below one folder."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import BadInput

MOST_FILES = 100_000
MOST_BYTES = 8 << 30
MOST_RATIO = 200  # a picture hardly shrinks; label files do, but not two-hundredfold
SMALL = 1 << 20  # a file this size may shrink as it likes
CHUNK = 1 << 20
DEEPEST = 12
NESTED = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})


def unpack(
    source: IO[bytes] | Path, target: Path, *, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
) -> int:
    """Write the files of a zip below an empty folder.

    Sizes are counted while unpacking, because a header may lie. Nothing is written outside `target`; links, nested
    archives and absolute or upward names are refused with the whole upload.

    Returns:
        How many files were written.

    Raises:
        BadInput: with what is wrong and what to upload instead.
    """
    done = False
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > most_files:
                raise BadInput(f"The zip holds {len(entries):,} files; at most {most_files:,} are taken: split it.")
            names = [_checked(entry) for entry in entries]
            if len({str(name).casefold() for name in names}) != len(names):
                raise BadInput("Two files in the zip have the same name: rename one and zip again.")
            target.mkdir(parents=True, exist_ok=True)
            left = most_bytes
            for entry, name in zip(entries, names, strict=True):
                left -= _write(archive, entry, target / name, left)
            done = True
            return len(entries)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadInput(f"This is no zip that can be opened ({type(error).__name__}): zip the folder again.") from error
    finally:
        if not done:
            shutil.rmtree(target, ignore_errors=True)


def _checked(entry: zipfile.ZipInfo) -> PurePosixPath:
    name = entry.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name or not path.parts:
        raise BadInput("A file in the zip names a place outside it: zip the folder itself, without full paths.")
    if len(path.parts) > DEEPEST or len(name.encode()) > 1000:
        raise BadInput(f"A file in the zip lies more than {DEEPEST} folders deep: zip a folder nearer to the pictures.")
    mode = entry.external_attr >> 16
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        raise BadInput("The zip holds a link or a device: zip the files themselves.")
    if path.suffix.lower() in NESTED:
        raise BadInput("The zip holds another archive: unpack that one first and zip the folder again.")
    if entry.flag_bits & 0x1:
        raise BadInput("The zip is locked with a password: zip the folder without one.")
    return path


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed, target.open("xb") as file:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise BadInput("Unpacked, the zip is larger than this server takes: split it.")
            if written > SMALL and written > MOST_RATIO * max(1, entry.compress_size):
                raise BadInput("A file in the zip unpacks to far more than its size: zip the folder again.")
            file.write(chunk)
    return written
