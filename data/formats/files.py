"""Writing an export: names that are unique and stay the same, files that are whole or not there."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from core.errors import BadInput

MARK = ".holdpoint-export"  # lies in every folder that an export made, and may therefore replace
_LONGEST = 120
_SYNCED_SINGLY = 500  # files; a sync of everything holds up others on the same disk


def unique_names(paths: Sequence[tuple[str, str]]) -> list[str]:
    """A file name for each picture, unique by its stem even where case is not told apart.

    Args:
        paths: (where the picture lies, its SHA-256); the names do not depend on their order unless the same bytes
            come twice under one name.

    Returns:
        The pictures' own names where those are unique, so that exporting what was exported changes none of them.
    """
    names = [_plain(path) for path, _ in paths]
    for digits in (8, 16, 64):
        taken = Counter(_stem(name) for name in names)
        if max(taken.values(), default=1) == 1:
            return names
        names = [
            name if taken[_stem(name)] == 1 else _with(_plain(path), sha256[:digits])
            for name, (path, sha256) in zip(names, paths, strict=True)
        ]
    return _numbered(names)


def _numbered(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    done = []
    for name in names:
        unique, number = name, 2
        while _stem(unique) in seen:
            unique, number = _with(name, str(number)), number + 1
        seen.add(_stem(unique))
        done.append(unique)
    return done


def _stem(name: str) -> str:
    return Path(name).stem.casefold()


def _with(name: str, mark: str) -> str:
    path = Path(name)
    return f"{path.stem}-{mark}{path.suffix}"


def _plain(path: str) -> str:
    """The last part of a path or URL, without characters that a file system or a spreadsheet may mind."""
    name = re.split(r"[/\\]", path.split("?", 1)[0].rstrip("/\\"))[-1]
    name = re.sub(r"[^\w\-. ()+,@~&%#=\[\]]", "_", name).strip(" .")
    stem, suffix = os.path.splitext(name.lstrip("-=+@"))  # noqa: PTH122 - a name, not a path
    return (stem[:_LONGEST] or "picture") + suffix[:12]


class Folder:
    """A folder that appears whole when the block ends well, and not at all when it does not."""

    def __init__(self, destination: Path) -> None:
        self.destination = destination.absolute()
        if destination.exists() and not _replaceable(destination):
            raise BadInput(f"{destination} holds something that no export wrote: give a new or empty folder.")
        self.path = self.destination.with_name(f".{self.destination.name}.{uuid4().hex[:8]}.partial")
        self._text = str(self.path)
        self._files: list[str] | None = []  # those to be synced singly; None when there are too many
        self._made = {""}  # folders below, as names of files begin

    def __enter__(self) -> "Folder":
        self.path.mkdir(parents=True)
        return self

    def write(self, name: str, pieces: Iterable[str] | Iterable[bytes]) -> None:
        """One file below the folder, on disk before the folder appears: a few one by one, very many all together."""
        self._within(name)
        handle = os.open(f"{self._text}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            for piece in pieces:
                data = memoryview(piece.encode("utf-8") if isinstance(piece, str) else piece)
                while data:
                    data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        if self._files is not None:
            self._files.append(name)
            if len(self._files) > _SYNCED_SINGLY:
                self._files = None

    def remove(self, name: str) -> None:
        """Take a file out again."""
        (self.path / name).unlink()
        if self._files and name in self._files:
            self._files.remove(name)

    def link(self, name: str, original: Path) -> None:
        """A second name of a file that lies elsewhere."""
        self._within(name)
        os.link(original, self.path / name)

    def _within(self, name: str) -> None:
        """Make the folder that a file lies in, once."""
        inner = name.rpartition("/")[0]
        if inner not in self._made:
            (self.path / inner).mkdir(parents=True, exist_ok=True)
            while inner:  # what lies above it was made with it
                self._made.add(inner)
                inner = inner.rpartition("/")[0]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        _write(self.path / MARK, ["made by holdpoint export\n"])
        if self._files is None:
            os.sync()  # everything at once: a hundred thousand label files, each synced by itself, take minutes
        else:
            for name in self._files:
                _sync(self.path / name)
        for folder in self._made:
            _sync(self.path / folder)
        old = self.path.with_suffix(".old")
        if self.destination.exists():
            self.destination.rename(old)
        try:
            self.path.rename(self.destination)
        except OSError:
            if old.exists():
                old.rename(self.destination)
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        _sync(self.destination.parent)
        shutil.rmtree(old, ignore_errors=True)


def write_file(destination: Path, pieces: Iterable[str] | Iterable[bytes]) -> None:
    """One file, whole or not at all; an older one is replaced."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".{destination.name}.{uuid4().hex[:8]}.partial")
    try:
        _write(partial, pieces)
        partial.replace(destination)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    _sync(destination.parent)


def _replaceable(destination: Path) -> bool:
    return destination.is_dir() and ((destination / MARK).is_file() or not any(destination.iterdir()))


def _write(path: Path, pieces: Iterable[str] | Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece.encode("utf-8") if isinstance(piece, str) else piece)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """A file's bytes, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
