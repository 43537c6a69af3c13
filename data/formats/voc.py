"""Pascal VOC: an XML file for each picture. Corners are taken as they are written, which is what its tools do now."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from core.errors import BadInput, QuarantineReason, Unreadable
from core.records import Region
from data.formats import provenance
from data.formats.provenance import Entry, number_text, region_order
from data.formats.record import Problem, Reading, Record, box
from data.formats.sources import PICTURES, Folder, text_of, xml_of

NAME = "voc"
TITLE = "Pascal VOC XML"
_PLACES = ("JPEGImages", "images", "Images", "img", "imgs")


def found(source: Path) -> bool:
    """Whether an XML file here begins like an annotation."""
    if source.is_file():
        return source.suffix.lower() == ".xml" and _is_annotation(source)
    return any(_is_annotation(path) for path in Folder(source).files({".xml"}))


def read(source: Path) -> Reading:
    """Every picture below the source, with the boxes of its XML file where it has one."""
    folder = Folder(source)
    labels = [source.resolve()] if source.is_file() else [p for p in folder.files({".xml"}) if _is_annotation(p)]
    if not labels:
        raise BadInput(f"No Pascal VOC files below {source}: XML files with an <annotation> are needed.")
    pictures = [] if source.is_file() else list(folder.pictures())

    def entries() -> Iterator[Record | Problem]:
        known, splits, seen = provenance.beside(folder), _splits(folder), set()
        for label in labels:
            entry = _entry(label, folder, known, splits)
            if isinstance(entry, Record) or entry.path is not None:
                seen.add(entry.path)
            yield entry
        for path in pictures:
            if path.resolve() not in seen:
                yield _bare(path, folder, known)

    return Reading(NAME, max(len(labels), len(pictures)), (), entries)


def write(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, Iterable[str]]]:
    """The provenance, and an XML file for each picture below annotations/; entries are gone through twice."""
    known = [name for name, _ in classes]
    strange: set[str] = set()
    table = provenance.table(provenance.noting(entries, known, strange))
    yield provenance.FILE, table
    deque(table, 0)  # whoever passed over that file gets the others all the same
    number = {name: n for n, name in enumerate([*known, *sorted(strange)])}
    for entry in entries:
        yield f"annotations/{Path(entry.file).with_suffix('.xml').name}", [_xml(entry, number)]


def _xml(entry: Entry, number: Mapping[str, int]) -> str:
    file = Path(entry.file)
    objects = "".join(_object(region, number) for region in sorted(entry.label.regions, key=region_order(number)))
    return (
        "<annotation>\n"
        f"\t<folder>{escape(file.parent.name)}</folder>\n"
        f"\t<filename>{escape(file.name)}</filename>\n"
        "\t<size>\n"
        f"\t\t<width>{entry.image.width}</width>\n\t\t<height>{entry.image.height}</height>\n\t\t<depth>3</depth>\n"
        "\t</size>\n"
        "\t<segmented>0</segmented>\n"
        f"{objects}"
        "</annotation>\n"
    )


def _object(region: Region, number: Mapping[str, int]) -> str:
    name = region.class_id if region.class_id in number else region.name
    corners = zip(("xmin", "ymin", "xmax", "ymax"), provenance.corners(region), strict=True)
    box_lines = "".join(f"\t\t\t<{key}>{number_text(value)}</{key}>\n" for key, value in corners)
    return (
        "\t<object>\n"
        f"\t\t<name>{escape(_printable(str(name)))}</name>\n"
        "\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n"
        f"\t\t<bndbox>\n{box_lines}\t\t</bndbox>\n"
        "\t</object>\n"
    )


def _printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(character for character in text if character.isprintable())


def _is_annotation(path: Path) -> bool:
    with path.open("rb") as file:
        return b"<annotation" in file.read(4096)


def _entry(
    label: Path, folder: Folder, known: Mapping[str, Mapping[str, Any]], splits: Mapping[str, str]
) -> Record | Problem:
    where = folder.relative(label)
    listed, path = label.stem, None
    try:
        root = xml_of(folder.checked(label))
        listed = (root.findtext("filename") or "").strip() or label.stem
        path = _picture(listed, root, label, folder)
        file = folder.relative(path)
        record = Record(
            file,
            path,
            where,
            regions=tuple(_region(element) for element in root.iter("object")),
            listed_size=_size(root),
            split=splits.get(label.stem),
        )
    except Unreadable as problem:
        return Problem(listed, where, problem.reason, str(problem))
    except BadInput as problem:
        return Problem(listed, where, QuarantineReason.BAD_RECORD, str(problem), path)
    return replace(record, **known.get(file, {}))


def _bare(path: Path, folder: Folder, known: Mapping[str, Mapping[str, Any]]) -> Record | Problem:
    """A picture that no file speaks of."""
    file = folder.relative(path)
    try:
        return replace(Record(file, folder.checked(path), file), **known.get(file, {}))
    except Unreadable as problem:
        return Problem(file, file, problem.reason, str(problem))


def _picture(listed: str, root: Element, label: Path, folder: Folder) -> Path:
    """Where the picture of an annotation lies; a name without ending is tried with each."""
    within = (root.findtext("folder") or "").strip()
    above = label.parent.parent if label.parent != folder.root else folder.root
    bases = [label.parent, *(base / place for base in (above, folder.root) for place in (*_PLACES, "."))]
    if within and "/" not in within and ".." not in within:
        bases += [above / within, folder.root / within]
    # images/train beside annotations/train
    bases += [above.parent / place / label.parent.name for place in _PLACES]
    bases = [base for base in bases if base.resolve().is_relative_to(folder.root)]
    names = (
        [listed]
        if Path(listed).suffix.lower() in PICTURES
        else [listed + suffix for suffix in (".jpg", ".png", *PICTURES)]
    )
    for name in names:
        try:
            return folder.inside(name, *bases)
        except Unreadable as problem:
            if problem.reason is not QuarantineReason.MISSING:
                raise
    if only := next((only for name in names if (only := folder.named(name))), None):
        return folder.checked(only)
    raise Unreadable(
        QuarantineReason.MISSING, f"{listed[:200]!r} is not below {folder.root.name}: copy the file there."
    )


def _size(root: Element) -> tuple[int, int] | None:
    texts = root.findtext("size/width") or "", root.findtext("size/height") or ""
    if not all(text.strip().isdecimal() and int(text) > 0 for text in texts):
        return None
    return int(texts[0]), int(texts[1])


def _region(element: Element) -> Region:
    name = (element.findtext("name") or "").strip()
    corners = [element.findtext(f"bndbox/{key}") or "" for key in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x1, y1, x2, y2 = (float(text) for text in corners)
    except ValueError as error:
        raise BadInput(f"Object {name!r} has corners {corners}: four numbers are needed.") from error
    return box((x1, y1, x2, y2), name)


def _splits(folder: Folder) -> dict[str, str]:
    """By stem, from ImageSets/Main/train.txt and its like."""
    found: dict[str, str] = {}
    for split in ("test", "val", "train"):
        for path in folder.files({".txt"}):
            if path.name == f"{split}.txt" and path.parent.name == "Main":
                found |= {line.split()[0]: split for line in text_of(path).splitlines() if line.strip()}
    return found
