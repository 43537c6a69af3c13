"""Plain CSV: a row for each picture, as in index.csv: file,label,group,split,width,height,boxes,mask and more.

The label is a class, a good word, or a number that is a defect probability; boxes are JSON [[x1,y1,x2,y2,class],...].
"""

import json
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from core.errors import BadInput, QuarantineReason, Unreadable
from core.pictures.masks import filled
from core.records import NO_DEFECT, Region
from core.taxonomy import is_good, probability_of, says_only_defective
from data.formats import provenance
from data.formats.masks import png
from data.formats.provenance import Entry, Said, cell, csv_lines, listed_names, number_text, region_order, unsafe
from data.formats.record import MAX_REGIONS, MaskFile, Problem, Reading, Record, box
from data.formats.sources import Folder, Row, rows_of

NAME = "csv"
TITLE = "CSV table"
FILE = "index.csv"
_FILE = ("file", "filename", "file_name", "image", "image_path", "path")
_TEXTS = (
    "group",
    "split",
    "part",
    "order",
    "machine",
    "line",
    "camera",
    "stage",
    "view",
    "part_type",
    "annotator",
    "note",
)
COLUMNS = ("file", "label", "group", "split", "width", "height", "boxes", "mask", "part", "order", "machine", "line",
           "camera", "stage", "view", "time", "part_type", "annotator", "confidence", "severity", "verdict",
           "defect_codes")  # fmt: skip
PROVENANCE = ("probability", "by", "at", "status", "model", "policy", "changed", "site", "sha256")
SAID = ("model_decision", "model_score", "model_classes", "model_boxes")


@dataclass(frozen=True)
class _Scales:
    """What the numbers of a whole column mean: no row can tell by itself.

    Attributes:
        labels_are_classes: whole numbers beyond 1 are among the labels, so that they number classes.
        sure_is_share: how sure is given from 0 to 1 and not from 1 to 5.
    """

    labels_are_classes: bool
    sure_is_share: bool


def found(source: Path) -> bool:
    """Whether there is an index.csv, or a CSV file with a column for the file."""
    return _table(source) is not None


def read(source: Path) -> Reading:
    """Every picture that the table lists; rows of one picture and annotator are taken together."""
    path = _table(source)
    if path is None:
        raise BadInput(f"No table in {source}: a CSV file with a column 'file' is needed, best named {FILE}.")
    folder = Folder(source)
    header, rows = rows_of(folder.checked(path))
    column = next(name for name in _FILE if name in header)
    pictures: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = unsafe(row.cells.get(column, "")), row.cells.get("annotator", "")
        pictures.setdefault(key, []).append(row)
    scales = _scales(row for rows in pictures.values() for row in rows)

    def entries() -> Iterator[Record | Problem]:
        for (file, _), listed in pictures.items():
            yield _entry(file, listed, path, folder, scales)

    return Reading(NAME, len(pictures), (), entries)


def write(
    entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]
) -> Iterator[tuple[str, Iterable[str] | Iterable[bytes]]]:
    """index.csv, and one mask for each picture whose regions have outlines; entries are gone through three times."""
    yield FILE, lines(entries, classes)
    for entry in entries:
        if any(region.mask is not None for region in entry.label.regions):
            pixels = filled(entry.label.regions, entry.image.width, entry.image.height)
            yield _mask_name(entry), [png(pixels)]


def lines(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    """The table, header first."""
    said = any(entry.said for entry in entries)
    names = (*COLUMNS, *PROVENANCE, *(SAID if said else ()))
    rows = ([cell(row[name]) for name in names] for row in cells_of(entries, classes))
    return csv_lines(chain([names], rows))


def cells_of(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[dict[str, Any]]:
    """Every column of every row, for this table and for Parquet."""
    known = [name for name, _ in classes]
    strange: set[str] = set()
    deque(provenance.noting(entries, known, strange), 0)
    number = {name: n for n, name in enumerate([*known, *sorted(strange)])}
    for entry in entries:
        label, own = entry.label, entry.facts
        regions = sorted(label.regions, key=region_order(number))
        names = [*label.classes, *label.unmapped]
        severities = {str(region.severity) for region in regions if region.severity}
        yield {
            "file": entry.file,
            "label": _label_text(label.defective, names),
            "width": entry.image.width,
            "height": entry.image.height,
            "boxes": boxes_text(regions),
            "mask": _mask_name(entry) if any(region.mask is not None for region in regions) else "",
            "time": own.get("taken_at", ""),
            "confidence": own.get("sure", ""),
            "severity": severities.pop() if len(severities) == 1 else "",
            "defect_codes": names,
            **{name: own.get(name, "") for name in (*_TEXTS, "verdict", *PROVENANCE) if name != "note"},
            **_said(entry.said),
        }


def boxes_text(regions: Iterable[Region]) -> str:
    """JSON [[x1,y1,x2,y2,class],...]; a severity follows the class where there is one."""
    rows = []
    for region in regions:
        numbers = ",".join(number_text(value) for value in provenance.corners(region))
        texts = [region.class_id or region.name, *([str(region.severity)] if region.severity else [])]
        rows.append(f"[{numbers},{','.join(json.dumps(text, ensure_ascii=False) for text in texts)}]")
    return f"[{','.join(rows)}]"


def _label_text(defective: bool, names: Sequence[str]) -> str:
    if not defective:
        return NO_DEFECT
    return names[0] if len(set(names)) == 1 else "defect"


def _said(said: Said | None) -> dict[str, Any]:
    if said is None:
        return dict.fromkeys(SAID, "")
    values = (
        said.outcome or "",
        "" if said.score is None else f"{said.score:.6f}",
        list(said.classes),
        boxes_text(said.regions),
    )
    return dict(zip(SAID, values, strict=True))


def _mask_name(entry: Entry) -> str:
    return f"masks/{Path(entry.file).stem}.png"


def _table(source: Path) -> Path | None:
    """index.csv wins; otherwise the only CSV file that has a column for the file."""
    if source.is_file():
        return source if source.suffix.lower() in (".csv", ".tsv") and _has_files(source) else None
    top = source / FILE
    if top.is_file() and _has_files(top):
        return top
    tables = [path for path in sorted(source.glob("*.csv")) if path.name != provenance.FILE and _has_files(path)]
    return tables[0] if len(tables) == 1 else None


def _has_files(path: Path) -> bool:
    try:
        header = set(rows_of(path)[0])
    except BadInput:
        return False
    return bool(header & set(_FILE)) and bool(header & {"label", "boxes", "mask", "verdict", "defect_codes"})


def _scales(rows: Iterable[Row]) -> _Scales:
    labels: Counter[str] = Counter()
    sure = []
    for row in rows:
        labels[row.cells.get("label", "")] += 1
        sure.append(row.cells.get("confidence", ""))
    whole = [int(text) for text in labels if text.isascii() and text.isdecimal() and len(text) < 10]
    fractions = any(_is_fraction(text) for text in labels)
    shares = [float(text) for text in sure if _is_fraction(text) or (text.isascii() and text.isdecimal())]
    return _Scales(
        labels_are_classes=bool(whole) and max(whole) > 1 and not fractions,
        sure_is_share=bool(shares) and max(shares) <= 1,
    )


def _is_fraction(text: str) -> bool:
    try:
        return "." in text and math.isfinite(float(text))
    except ValueError:
        return False


def _entry(file: str, rows: Sequence[Row], path: Path, folder: Folder, scales: _Scales) -> Record | Problem:
    where = f"{path.name} line {rows[0].line}"
    picture = None
    try:
        picture = folder.inside(file, path.parent)
        records = [
            _record(file, picture, row, f"{path.name} line {row.line}", folder, path.parent, scales) for row in rows
        ]
        return _joined(records)
    except Unreadable as problem:
        return Problem(file, where, problem.reason, str(problem), picture)
    except BadInput as problem:
        return Problem(file, where, QuarantineReason.BAD_RECORD, str(problem), picture)


def _record(file: str, picture: Path, row: Row, where: str, folder: Folder, base: Path, scales: _Scales) -> Record:
    try:
        if row.extra:
            raise BadInput(f"{row.extra} cells more than the header names: put texts with commas into quotes.")
        cells = {name: unsafe(text) for name, text in row.cells.items()}
        label = cells.get("label", "")
        fields = _of_text(label) if label.startswith(("{", "[")) else _of_label(label, cells, scales)
        regions = () if "text" in fields["source"] else _boxes(cells.get("boxes", ""), label)
        verdict = cells.get("verdict", "")
        placing: dict[str, Any] = {
            name: cells.get(name) or None for name in _TEXTS if name not in ("annotator", "note")
        }
        return Record(
            file,
            picture,
            where,
            regions=regions,
            masks=_masks(cells, label, regions, folder, base),
            verdict=provenance.verdict_of(verdict) if verdict else None,
            listed_size=_size(cells),
            severity=provenance.severity_of(cells["severity"]) if cells.get("severity") else None,
            sure=_sure(cells.get("confidence", ""), scales),
            taken_at=provenance.time_of(cells["time"]) if cells.get("time") else None,
            annotator=cells.get("annotator", ""),
            note=cells.get("note", "")[:2000],
            **placing,
            **(fields | _own(cells, fields)),
        )
    except Unreadable:
        raise
    except BadInput as problem:
        raise BadInput(f"{where}: {problem}") from problem


def _of_text(label: str) -> dict[str, Any]:
    """A label that is JSON says what is printed on the picture, not whether it is defective."""
    return {"source": {"text": label[:4000]}}


def _of_label(label: str, cells: Mapping[str, str], scales: _Scales) -> dict[str, Any]:
    codes = listed_names(cells.get("defect_codes", ""))
    named = [code for code in codes if not is_good(code) and not says_only_defective(code)]
    chance = None if not label or scales.labels_are_classes else probability_of(label)
    if chance is None and cells.get("probability"):
        chance = provenance.probability(cells["probability"])
    if label and not is_good(label) and not says_only_defective(label) and (chance is None or not _is_number(label)):
        named.insert(0, label)
    if len(label) > 200:
        raise BadInput(f"The label has {len(label)} characters, at most 200: name a class.")
    good = is_good(label) if label else bool(codes) and all(is_good(code) for code in codes)
    if good and named:
        raise BadInput(f"Listed as {label!r} and as {named[0]!r}: keep one of them.")
    worded = says_only_defective(label) or any(says_only_defective(code) for code in codes)
    return {
        "names": tuple(dict.fromkeys(named)),
        "good": good,
        "probability": chance,
        "source": {"defective": True} if worded else {},
    }


def _is_number(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def _own(cells: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier export of ours had said, to be said again."""
    if not {"by", "at", "status", "sha256"} <= cells.keys() or not cells["at"]:
        return {}
    kept = provenance.facts_of_row({**cells, "taken_at": cells.get("time", "")})
    del kept["sha256"]
    said = {"format": provenance.VERSION, "classes": listed_names(cells.get("defect_codes", "")), **kept}
    return {"source": {**fields["source"], "provenance": said}}


def _boxes(text: str, label: str) -> tuple[Region, ...]:
    if not text or text == "[]":
        return ()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f'boxes is not JSON ({error}): write [[x1,y1,x2,y2,"class"],...].') from error
    if not isinstance(given, list) or len(given) > MAX_REGIONS:
        raise BadInput(f'boxes must be a list of at most {MAX_REGIONS} boxes: write [[x1,y1,x2,y2,"class"],...].')
    fallback = label if label and not is_good(label) and not _is_number(label) else "defect"
    return tuple(dict.fromkeys(_box(one, fallback) for one in given))


def _box(given: Any, fallback: str) -> Region:
    if not isinstance(given, list) or len(given) not in (4, 5, 6):
        raise BadInput(f"Box {str(given)[:80]} is not [x1,y1,x2,y2,class].")
    x1, y1, x2, y2 = given[:4]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (x1, y1, x2, y2)):
        raise BadInput(f"Box {str(given)[:80]} has a corner that is no number.")
    name = given[4] if len(given) > 4 else fallback
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or len(name) > 200:
        raise BadInput(f"Box {str(given)[:80]} needs a class of at most 200 characters.")
    severity = provenance.severity_of(str(given[5])) if len(given) > 5 and given[5] else None
    return box((x1, y1, x2, y2), name, severity)


def _masks(
    cells: Mapping[str, str], label: str, regions: Sequence[Region], folder: Folder, base: Path
) -> tuple[MaskFile, ...]:
    if not cells.get("mask"):
        return ()
    name = label if label and not is_good(label) and not _is_number(label) else "defect"
    return (MaskFile(folder.inside(cells["mask"], base), regions[0].name if regions else name),)


def _size(cells: Mapping[str, str]) -> tuple[int, int] | None:
    texts = cells.get("width", ""), cells.get("height", "")
    if not any(texts):
        return None
    if not all(text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 24 for text in texts):
        raise BadInput(f"Size {'x'.join(texts)!r} is not made of whole numbers above 0: mend or empty it.")
    return int(texts[0]), int(texts[1])


def _sure(text: str, scales: _Scales) -> int | None:
    """1 to 5, also from a share of 0 to 1."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    value = 1 + 4 * value if scales.sure_is_share else value
    if not 1 <= value <= 5:
        raise BadInput(f"Confidence {text[:20]!r} is neither 0 to 1 nor 1 to 5: mend or empty it.")
    return round(value)


def _joined(records: Sequence[Record]) -> Record:
    """One record from the rows of one picture."""
    first = records[0]
    if len(records) == 1:
        return first
    for field in ("verdict", "probability", "good", "listed_size"):
        values = {getattr(record, field) for record in records}
        if len(values) > 1:
            raise BadInput(f"{first.where}: {first.file} is listed again with another {field}: keep one of them.")
    return replace(
        first,
        regions=tuple(dict.fromkeys(region for record in records for region in record.regions)),
        masks=tuple(dict.fromkeys(mask for record in records for mask in record.masks)),
        names=tuple(dict.fromkeys(name for record in records for name in record.names)),
    )
