"""What an export says of each label beside its geometry, and how an import takes it in again."""

import contextlib
import csv
import io
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

from core.errors import BadInput
from core.records import Capture, Image, Label, Outcome, Region, Severity, Verdict
from data.formats.sources import Folder, rows_of

FILE = "provenance.csv"
VERSION = 1
DECIMALS = 2  # of a pixel, in every format
_DANGEROUS = re.compile(r"^[\s]*[=+\-@\t\r\0＝＋－＠]")
_CAPTURE = ("part", "order", "machine", "line", "camera", "stage", "view", "part_type")
COLUMNS = (
    "format", "verdict", "classes", "unmapped", "probability", "by", "at", "status", "model", "policy", "changed",
    "site", *_CAPTURE, "taken_at", "exposure", "split", "group", "annotator", "sha256",
)  # fmt: skip
_CAPTURED = attrgetter(*_CAPTURE)
_SOURCE = ("split", "group", "annotator")
_NO_EXPOSURE = Capture.exposure  # the one that every picture without any has
_EXPOSURE = ("iso", "aperture", "shutter_s")
_TOGETHER = 500  # lines of a table that are spelt together
_REPEATED = frozenset({int, bool, type(None)})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Said:
    """What the model and policy had said of a picture before a person answered."""

    outcome: Outcome | None
    score: float | None
    regions: tuple[Region, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One labelled picture of an export.

    Attributes:
        file: its path in the export, or where it lies when the export takes no pictures.
        facts: everything but geometry, as in `facts`.
        said: of the model, only where an export shows it beside the label.
    """

    file: str
    image: Image
    label: Label
    facts: Mapping[str, Any] = field(default_factory=dict)
    said: Said | None = None


def facts(image: Image, label: Label, sha256: str) -> dict[str, Any]:
    """Provenance of one label in the order in which it is written; what came with an import is said again as it was.

    Args:
        image: gives part, place and time.
        label: gives verdict, who, when, which model and policy.
        sha256: of the picture as exported.
    """
    source, capture = label.source, image.capture
    if source and isinstance(kept := source.get("provenance"), Mapping):
        return {**kept, "sha256": sha256}
    found: dict[str, Any] = {
        "format": VERSION,
        "verdict": label.verdict._value_,  # `value` goes through a descriptor, which takes as long as all of the rest
        "classes": [*label.classes],
        "unmapped": [*label.unmapped],
    }
    if label.probability is not None:
        found["probability"] = round(label.probability, 6)
    found["by"] = label.by
    found["at"] = stamp(label.labelled_at)
    found["status"] = label.status._value_
    found["model"] = label.model
    found["policy"] = label.policy
    found["changed"] = label.changed
    found["site"] = image.site
    found.update({key: value for key, value in zip(_CAPTURE, _CAPTURED(capture), strict=True) if value is not None})
    if capture.taken_at:
        found["taken_at"] = stamp(capture.taken_at)
    if capture.exposure is not _NO_EXPOSURE:
        exposure = {key: value for key in _EXPOSURE if (value := getattr(capture.exposure, key)) is not None}
        if exposure:
            found["exposure"] = exposure
    if source:
        found.update({key: value for key in _SOURCE if (value := source.get(key))})
    found["sha256"] = sha256
    return found


def facts_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a Record from the provenance that an export wrote.

    Raises:
        BadInput: for a verdict, time or probability that cannot be read.
    """
    kept = {key: value for key, value in given.items() if key != "sha256"}
    texts = {key: str(given[key]) for key in (*_CAPTURE, "split", "group", "annotator") if given.get(key) is not None}
    names = [*_texts(given.get("classes")), *_texts(given.get("unmapped"))]
    return {
        **texts,
        "names": tuple(names),
        "verdict": verdict_of(str(given["verdict"])) if given.get("verdict") else None,
        "probability": probability(given.get("probability")),
        "taken_at": time_of(str(given["taken_at"])) if given.get("taken_at") else None,
        "source": {"provenance": kept},
    }


def table(entries: Iterable[Entry]) -> Iterator[str]:
    """The provenance of every label as CSV, for formats that have no place for it; many lines at a time."""
    yield csv_line(["file", *COLUMNS])
    following = iter(entries)
    while some := list(islice(following, _TOGETHER)):
        known = [entry.facts for entry in some]
        columns = [_spelt([entry.file for entry in some])]
        columns += [_spelt([one.get(key) for one in known]) for key in COLUMNS]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(zip(*columns, strict=True))
        yield out.getvalue()


def _spelt(values: list[Any]) -> list[str]:
    """`safe(cell(value))` of each value of a column; what comes again is spelt once."""
    kinds = set(map(type, values))
    if kinds == {str}:
        first = {text[:1] for text in values}
        if all(map(str.isalnum, first)):
            return values  # harmless, all of them
        return list(map(safe, values))
    if kinds == {list} and all(type(one) is str for names in values for one in names):
        known = {names: safe(cell(list(names))) for names in set(map(tuple, values))}
        return [known[tuple(names)] for names in values]
    if len(kinds) == 1 and kinds <= _REPEATED:  # of one kind, for True and 1 are one key
        spelt = {value: safe(cell(value)) for value in set(values)}
        return [spelt[value] for value in values]
    return [safe(cell(value)) for value in values]


def noting(entries: Iterable[Entry], known: Collection[str], strange: set[str]) -> Iterator[Entry]:
    """The same entries; names of boxes that have none of the known classes are put aside."""
    for entry in entries:
        for region in entry.label.regions:
            if region.class_id not in known and region.name not in known:
                strange.add(region.name)
        yield entry


def beside(folder: Folder) -> dict[str, dict[str, Any]]:
    """By file, the Record fields of a provenance table that an export left in the source; empty without one.

    A table that somebody changed into something unreadable is no reason to lose the labels: its row is left out.
    """
    path = folder.root / FILE
    if not path.is_file():
        return {}
    header, rows = rows_of(folder.checked(path))
    if header != ["file", *COLUMNS]:
        return {}
    known = {}
    for row in rows:
        with contextlib.suppress(BadInput):
            known[unsafe(row.cells["file"])] = facts_of(facts_of_row(row.cells))
    return known


def facts_of_row(cells: Mapping[str, str]) -> dict[str, Any]:
    """The provenance that `table` wrote; other columns are left alone."""
    read: dict[str, Any] = {}
    for key, text in cells.items():
        if key not in COLUMNS or (text == "" and key not in ("model", "policy", "classes", "unmapped")):
            continue
        read[key] = _value_of(key, unsafe(text))
    return read


def px(value: float) -> float:
    """A coordinate as every export states it: to a hundredth of a pixel, and never minus zero."""
    return round(value, DECIMALS) + 0.0


def corners(region: Region) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 as an export states them."""
    x, y = px(region.x), px(region.y)
    return x, y, px(x + px(region.width)), px(y + px(region.height))


def number_text(value: float) -> str:
    """Without a fraction where there is none, else with two decimals."""
    return str(int(value)) if value == int(value) else f"{value:.{DECIMALS}f}"


def region_order(number: Mapping[str, int]) -> Callable[[Region], tuple[Any, ...]]:
    """A key that sorts the regions of a picture the same way before and after a round trip."""

    def key(region: Region) -> tuple[Any, ...]:
        name = region.class_id if region.class_id in number else region.name
        mask = repr(region.mask) if region.mask else ""
        return (px(region.y), px(region.x), px(region.height), px(region.width), number[str(name)], region.name, mask,
                str(region.severity), region.score or 0.0)  # fmt: skip

    return key


def stamp(time: datetime) -> str:
    """UTC to the millisecond."""
    at = time if time.tzinfo is UTC else time.astimezone(UTC)
    return f"{_minute(at.year, at.month, at.day, at.hour, at.minute)}:{at.second:02}.{at.microsecond // 1000:03}Z"


@lru_cache(maxsize=4096)
def _minute(year: int, month: int, day: int, hour: int, minute: int) -> str:
    """Spelt once for all labels of a minute."""
    return datetime(year, month, day, hour, minute).isoformat(timespec="minutes")  # noqa: DTZ001 in UTC already


def time_of(text: str) -> datetime:
    """An ISO time; without a zone it is UTC.

    Raises:
        BadInput: where it cannot be read.
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"Time {text[:40]!r} cannot be read: write it like 2026-11-03T14:02:11Z.") from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def verdict_of(text: str) -> Verdict:
    """A verdict in any case.

    Raises:
        BadInput: naming the four.
    """
    try:
        return Verdict(text.strip().upper())
    except ValueError as error:
        raise BadInput(f"Verdict {text[:40]!r} is not known: use PASS, FAIL, REWORK or UNSURE.") from error


def severity_of(text: str) -> Severity:
    """A severity in any case.

    Raises:
        BadInput: naming the three.
    """
    try:
        return Severity(text.strip().lower())
    except ValueError as error:
        raise BadInput(f"Severity {text[:40]!r} is not known: use minor, major or critical.") from error


def probability(given: Any) -> float | None:
    """A probability, where one is given.

    Raises:
        BadInput: for anything outside 0 to 1.
    """
    if given is None or given == "":
        return None
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1:
        raise BadInput(f"Probability {given!r} is not between 0 and 1: mend the record.")
    return value


def cell(value: Any) -> str:
    """One value as a text cell."""
    if type(value) is str:  # most are
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        if any(";" in str(one) or str(one).startswith("[") for one in value):
            return json.dumps(list(value), ensure_ascii=False)
        return ";".join(str(one) for one in value)
    if isinstance(value, Mapping):
        return ";".join(f"{key}={one}" for key, one in value.items())
    return str(value)


def csv_line(cells: Sequence[str]) -> str:
    """One line of a CSV file whose text cells no spreadsheet takes for a formula."""
    return next(csv_lines([cells]))


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a CSV file, many at a time."""
    following = iter(rows)
    while some := list(islice(following, _TOGETHER)):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([safe(text) for text in cells] for cells in some)
        yield out.getvalue()


def safe(text: str) -> str:
    """With an apostrophe before a dangerous first character; plain numbers are left alone."""
    if not text or text[0].isalnum():  # most are harmless
        return text
    dangerous = _DANGEROUS.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if dangerous or (text.startswith("'") and _DANGEROUS.match(text.lstrip("'"))) else text


def unsafe(text: str) -> str:
    """The text before `safe`."""
    return text[1:] if text.startswith("'") and _DANGEROUS.match(text.lstrip("'")) else text


def listed_names(text: str) -> list[str]:
    """Names from a JSON list, or divided by semicolons, commas or bars.

    Raises:
        BadInput: for JSON that is no list of texts.
    """
    if not text.startswith("["):
        return [name.strip() for name in re.split(r"[;,|]", text) if name.strip()]
    try:
        return _texts(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{text[:60]!r} is no list of names: write them with semicolons between.") from error


def _value_of(key: str, text: str) -> Any:
    if key in ("classes", "unmapped"):
        if text.startswith("["):
            return listed_names(text)
        return [name for name in text.split(";") if name]
    if key == "exposure":
        pairs = (pair.split("=", 1) for pair in text.split(";") if "=" in pair)
        return {name: float(value) for name, value in pairs if _NUMBER.fullmatch(value)}
    if key == "changed":
        return text == "yes"
    if key in ("policy", "format"):
        return int(text) if text.isdecimal() else None
    if key == "probability":
        return probability(text)
    return text or None


def _texts(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise BadInput(f"Classes {given!r} must be a list of names.")
    return given
