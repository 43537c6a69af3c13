"""Severstal's table: a row for each picture and class, its pixels as start and length pairs."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import BadInput, QuarantineReason, Unreadable
from data.formats.record import Problem, Reading, Record, Runs
from data.formats.runs import MAX_RUNS
from data.formats.sources import Folder, Row, rows_of

NAME = "severstal"
TITLE = "Severstal EncodedPixels table"
_PLACES = ("train_images", "images", "train", "test_images")


def found(source: Path) -> bool:
    """Whether a CSV file here has a column EncodedPixels."""
    return bool(_tables(source))


def read(source: Path) -> Reading:
    """Every picture of the table, and those beside them that it does not list.

    A picture whose rows are all empty was looked at and is good; one that is in no row merely has no pixels.
    """
    tables = _tables(source)
    if not tables:
        raise BadInput(
            f"No table in {source}: a CSV file with the columns ImageId, ClassId and EncodedPixels is needed."
        )
    folder = Folder(source)
    listed = [(path, _by_picture(path)) for path in tables]
    total = max(sum(len(pictures) for _, pictures in listed), sum(1 for _ in folder.pictures()))

    def entries() -> Iterator[Record | Problem]:
        seen = set()
        for path, pictures in listed:
            bases = [base / place for base in (path.parent, folder.root) for place in (".", *_PLACES)]
            for file, rows in pictures.items():
                entry = _entry(file, rows, f"{path.name} line {rows[0].line}", folder, bases)
                if isinstance(entry, Record) or entry.path:
                    seen.add(entry.path)
                yield entry
        for picture in folder.pictures():
            if picture.resolve() not in seen:
                yield _unlisted(picture, folder)

    return Reading(NAME, total, (), entries)


def _tables(source: Path) -> list[Path]:
    paths = [source] if source.is_file() else list(Folder(source).files({".csv"}))
    return [path for path in paths if path.suffix.lower() == ".csv" and _is_table(path)]


def _is_table(path: Path) -> bool:
    try:
        header = rows_of(path)[0]
    except BadInput:
        return False
    return "encodedpixels" in header and bool({"imageid", "imageid_classid"} & set(header))


def _by_picture(path: Path) -> dict[str, list[Row]]:
    pictures: dict[str, list[Row]] = {}
    for row in rows_of(path)[1]:
        file = row.cells.get("imageid") or row.cells.get("imageid_classid", "").rpartition("_")[0]
        pictures.setdefault(file, []).append(row)
    return pictures


def _entry(file: str, rows: list[Row], where: str, folder: Folder, bases: list[Path]) -> Record | Problem:
    path = None
    try:
        path = folder.inside(file, *bases)
        runs = tuple(_runs(row) for row in rows if row.cells.get("encodedpixels", "") not in ("", "-1"))
        names = [entry.name for entry in runs]
        if len(set(names)) != len(names):
            raise BadInput(f"{file} lists class {max(names, key=names.count)} twice: join its runs.")
        return Record(file, path, where, runs=runs, good=not runs)
    except Unreadable as problem:
        return Problem(file, where, problem.reason, str(problem))
    except BadInput as problem:
        return Problem(file, where, QuarantineReason.BAD_RECORD, str(problem), path)


def _runs(row: Row) -> Runs:
    name = row.cells.get("classid") or row.cells.get("imageid_classid", "").rpartition("_")[2]
    numbers = row.cells["encodedpixels"].split()
    if not name:
        raise BadInput(f"Line {row.line} names no class: fill in ClassId.")
    if (
        len(numbers) % 2
        or len(numbers) > MAX_RUNS
        or not all(n.isascii() and n.isdecimal() and len(n) < 12 for n in numbers)
    ):
        raise BadInput(f"Line {row.line} has no pairs of start and length: {row.cells['encodedpixels'][:40]!r}.")
    return Runs(name, tuple(int(number) for number in numbers))


def _unlisted(picture: Path, folder: Folder) -> Record | Problem:
    file = folder.relative(picture)
    try:
        return Record(file, folder.checked(picture), file)
    except Unreadable as problem:
        return Problem(file, file, problem.reason, str(problem))
