"""The formats by name: what each reads, what each writes, and which of them a source is in."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInput
from data.formats import coco, folders, masks, parquet, severstal, table, voc, yolo
from data.formats.provenance import Entry
from data.formats.record import Reading

Files = Iterator[tuple[str, Iterable[str] | Iterable[bytes]]]  # (path below the export's folder, pieces)
# The entries may be gone through more than once, and are read anew from wherever they come from each time.
Write = Callable[[Iterable[Entry], Sequence[tuple[str, str | None]]], Files]


@dataclass(frozen=True)
class Format:
    """One way of writing labels down.

    Attributes:
        found: whether a source looks like it.
        read: None where it is only written.
        write: None where it is only read.
        file: the one file of an export, for a format that is a single file.
    """

    name: str
    title: str
    found: Callable[[Path], bool] | None = None
    read: Callable[[Path], Reading] | None = None
    write: Write | None = None
    file: str | None = None


FORMATS: Mapping[str, Format] = {
    entry.name: entry
    for entry in (  # in the order in which `detect` asks; an index.csv wins before all
        Format(severstal.NAME, severstal.TITLE, severstal.found, severstal.read),
        Format(coco.NAME, coco.TITLE, coco.found, coco.read, coco.write, coco.FILE),
        Format(yolo.NAME, yolo.TITLE, yolo.found, yolo.read, yolo.write),
        Format(voc.NAME, voc.TITLE, voc.found, voc.read, voc.write),
        Format(masks.NAME, masks.TITLE, masks.found, masks.read, masks.write),
        Format(table.NAME, table.TITLE, table.found, table.read, table.write, table.FILE),
        Format(folders.NAME, folders.TITLE, folders.found, folders.read),
        Format(parquet.NAME, parquet.TITLE, write=parquet.write, file=parquet.FILE),
    )
}
READABLE = tuple(name for name, entry in FORMATS.items() if entry.read)
WRITABLE = tuple(name for name, entry in FORMATS.items() if entry.write)


def detect(source: Path) -> str:
    """The format of a source.

    Raises:
        BadInput: where it looks like none of them.
    """
    if not source.exists():
        raise BadInput(f"{source} does not exist: give a folder or a label file.")
    if (source.is_dir() and (source / table.FILE).is_file() and table.found(source)) or source.name == table.FILE:
        return table.NAME
    for name, entry in FORMATS.items():
        if entry.found and entry.found(source):
            return name
    raise BadInput(
        f"No labels were recognised in {source}: give --format ({', '.join(READABLE)}), or ingest the pictures."
    )


def read(source: Path, name: str = "auto") -> Reading:
    """A source in the format named, or in the one that is detected.

    Raises:
        BadInput: where the format cannot be read, or the source is not in it.
    """
    name = detect(source) if name == "auto" else name
    if name not in READABLE:
        raise BadInput(f"Format {name!r} cannot be imported: use auto or one of {', '.join(READABLE)}.")
    if not source.exists():
        raise BadInput(f"{source} does not exist: give a folder or a label file.")
    reader = FORMATS[name].read
    if reader is None:
        raise BadInput(f"Format {name!r} is only written.")
    return reader(source)
