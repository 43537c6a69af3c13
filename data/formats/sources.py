"""Opening what somebody else wrote: only below the folder given, only within limits, nothing that runs code."""

import csv
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import yaml

from core.errors import BadInput, QuarantineReason, Unreadable

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
NEARLY_PICTURES = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl"})  # kept, to be refused in words
MAX_CSV_BYTES = 1 << 30
MAX_CSV_ROWS = 5_000_000
MAX_CSV_COLUMNS = 500
MAX_CSV_FIELD = 4 << 20
MAX_JSON_BYTES = 2 << 30
MAX_TEXT_BYTES = 32 << 20
MAX_XML_DEPTH = 32
MAX_XML_ELEMENTS = 500_000
MAX_FILES = 5_000_000
_DRIVE = re.compile(r"[A-Za-z]:")
_FEW = 1000  # names of a folder that are kept, so that asking it for very many others costs nothing


@dataclass(frozen=True)
class Row:
    """One row of a CSV file.

    Attributes:
        line: where it ends in the file, counted from 1.
        cells: by lower-case column name; missing ones are absent, empty ones are "".
        extra: cells beyond the header.
    """

    line: int
    cells: dict[str, str]
    extra: int = 0


class Folder:
    """The folder that an import may read from, and nothing above or beside it."""

    def __init__(self, source: Path) -> None:
        if not source.exists():
            raise BadInput(f"{source} does not exist: give a folder or a label file.")
        self.root = (source if source.is_dir() else source.parent).resolve(strict=True)
        self._by_name: dict[str, list[Path]] | None = None
        self._parents: dict[str, Path] = {}
        self._few: dict[Path, frozenset[str] | None] = {}
        self._within: dict[str, Path] = {}  # those of them that lie below the root

    def inside(self, listed: str, *bases: Path) -> Path:
        """The file that a list names, looked for below each base in turn.

        Raises:
            Unreadable: OUTSIDE for absolute, upward and URL entries and for links that lead out; MISSING where
                nothing lies there.
        """
        name = listed.strip().replace("\\", "/")
        if not name or "\0" in name or len(name) > 4096:
            raise Unreadable(QuarantineReason.BAD_RECORD, "The record names no file: give a path below the source.")
        if "://" in name or name.startswith(("/", "~")) or _DRIVE.match(name) or ".." in name.split("/"):
            raise Unreadable(
                QuarantineReason.OUTSIDE,
                f"{listed[:200]!r} is not a plain path below the source folder: copy the file there.",
            )
        for base in bases or (self.root,):
            if self._lacks(base, name):
                continue
            found = (
                f"{base}/{name.rstrip('/')}"  # a Path for each of a million names takes longer than asking for the file
            )
            try:
                mode = os.lstat(found).st_mode
                if stat.S_ISREG(mode):
                    return self._beside(found)
                if not (stat.S_ISLNK(mode) and stat.S_ISREG(os.stat(found).st_mode)):  # noqa: PTH116
                    continue
            except (OSError, ValueError):  # not there, or a name too long for the file system
                continue
            return self.checked(found)
        raise Unreadable(
            QuarantineReason.MISSING, f"{listed[:200]!r} is not below {self.root.name}: copy the file there."
        )

    def _lacks(self, base: Path, name: str) -> bool:
        """Whether a folder of few files has none of this name; others, and names spelt in two ways, are asked."""
        if "/" in name or not name.isascii():
            return False
        if base not in self._few:
            try:
                with os.scandir(base) as listed:
                    names = [entry.name.casefold() for entry in islice(listed, _FEW + 1)]
            except OSError:
                names = [""] * (_FEW + 1)
            self._few[base] = frozenset(names) if len(names) <= _FEW else None
        few = self._few[base]
        return few is not None and name.casefold() not in few

    def checked(self, found: Path | str) -> Path:
        """The same file after following links.

        Raises:
            Unreadable: OUTSIDE where it lies elsewhere.
        """
        try:
            real = self._real(found)
        except (OSError, RuntimeError) as error:
            raise Unreadable(QuarantineReason.MISSING, f"{Path(found).name!r} cannot be followed: {error}.") from error
        if not real.is_relative_to(self.root):
            raise Unreadable(
                QuarantineReason.OUTSIDE, f"{Path(found).name!r} leads out of the source folder: copy the file there."
            )
        return real

    def _beside(self, found: str) -> Path:
        """The same of a file that is no link itself: where its folder lies is looked up once for all in it."""
        parent, _, name = found.rpartition("/")
        if parent not in self._within or name in ("", ".", ".."):
            real = self.checked(found)
            self._within[parent] = real.parent
            return real
        return self._within[parent] / name

    def _real(self, found: Path | str) -> Path:
        """The file after following links; what lies above it is followed once for each folder."""
        parent, _, name = str(found).rpartition("/")
        if name in ("", ".", "..") or not parent or stat.S_ISLNK(os.lstat(found).st_mode):
            return Path(found).resolve(strict=True)
        real = self._parents.get(parent)
        if real is None:
            real = self._parents[parent] = Path(parent).resolve(strict=True)
        return real / name

    def named(self, listed: str) -> Path | None:
        """The only picture below the source with this file name; None where there is none or more than one."""
        if self._by_name is None:
            self._by_name = {}
            for path in self.pictures():
                self._by_name.setdefault(path.name, []).append(path)
        found = self._by_name.get(listed.replace("\\", "/").rsplit("/", 1)[-1], [])
        return found[0] if len(found) == 1 else None

    def files(self, suffixes: Iterable[str]) -> Iterator[Path]:
        """Files below the source with one of these endings, in order of their path; hidden ones are left out."""
        wanted, seen = frozenset(suffixes), 0
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
            for name in sorted(names):
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in wanted:  # noqa: PTH122 a Path each is slow
                    seen += 1
                    if seen > MAX_FILES:
                        raise BadInput(f"More than {MAX_FILES:,} files below {self.root}: import it folder by folder.")
                    yield Path(folder, name)

    def pictures(self) -> Iterator[Path]:
        """Every file that claims to be a picture."""
        return self.files(PICTURES | NEARLY_PICTURES)

    def relative(self, path: Path) -> str:
        """A path as a list would name it."""
        return path.relative_to(self.root).as_posix()


def text_of(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """A whole text file: UTF-8, or Windows-1252 where it is not.

    Raises:
        BadInput: where it is larger than the limit.
    """
    data = bytes_of(path, limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def bytes_of(path: Path, limit: int) -> bytes:
    """A whole file.

    Raises:
        BadInput: where it is larger than the limit.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadInput(f"{path.name} is larger than {limit:,} bytes: split it.")
    return data


def json_of(path: Path) -> Any:
    """A JSON file; NaN and infinities are read, and refused where they are used.

    Raises:
        BadInput: where it is too large, too deep or no JSON.
    """
    try:
        return json.loads(text_of(path, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path.name} is not JSON ({error}): export it again.") from error


def yaml_of(path: Path) -> Any:
    """A YAML file of plain values.

    Raises:
        BadInput: where it is too large or no YAML.
    """
    try:
        return yaml.safe_load(text_of(path, 4 << 20))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInput(f"{path.name} is not YAML: {str(error).splitlines()[0]}.") from error


def rows_of(path: Path) -> tuple[list[str], Iterator[Row]]:
    """The header of a CSV file, in lower case, and its rows.

    Raises:
        BadInput: from the header or from a row, where the file is larger than the limits.
    """
    if path.stat().st_size > MAX_CSV_BYTES:
        raise BadInput(f"{path.name} is larger than {MAX_CSV_BYTES:,} bytes: split it.")
    first = _first_line(path)
    divider = max(",;\t", key=first.count)
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=divider), [])]
    if len(header) > MAX_CSV_COLUMNS:
        raise BadInput(f"{path.name} has {len(header)} columns, at most {MAX_CSV_COLUMNS}: was the right file given?")
    return header, _rows(path, header, divider)


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    if not line.strip():
        raise BadInput(f"{path.name} has no header: its first line must name the columns.")
    return line.decode("utf-8-sig", errors="replace").rstrip("\r\n")


def _rows(path: Path, header: list[str], divider: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CSV_FIELD)
    with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=divider)
        next(reader, None)
        for number in range(MAX_CSV_ROWS + 1):
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise BadInput(
                    f"{path.name} line {reader.line_num}: {error}. Mend the line or split the file."
                ) from error
            if cells is None:
                return
            if number == MAX_CSV_ROWS:
                break
            if any(cell.strip() for cell in cells):
                named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
                yield Row(reader.line_num, named, max(0, len(cells) - len(header)))
    raise BadInput(f"{path.name} has more than {MAX_CSV_ROWS:,} rows: split it.")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                if error.start < len(block) - 4:
                    return "cp1252"
    return "utf-8-sig"


def xml_of(path: Path) -> Element:
    """An XML file without document type or entities.

    Raises:
        BadInput: where it is too large, too deep, declares entities or is no XML.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_XML_DEPTH or count > MAX_XML_ELEMENTS:
            raise BadInput(f"{path.name} is nested {depth} deep or has {count} elements: that is no label file.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise BadInput(f"{path.name} declares a document type or entities: save it without.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(bytes_of(path, MAX_TEXT_BYTES), True)
    except expat.ExpatError as error:
        raise BadInput(f"{path.name} is not XML ({error}): export it again.") from error
    return builder.close()
