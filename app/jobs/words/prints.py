"""Reading the labels of parts as they come in, where their part type asks for it."""

import csv
import io
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.settings import Settings
from core.errors import BadInput, ModelError
from core.records import Pixels
from core.words.identity import CatalogueItem, Entry, expected_of
from core.words.presence import Side
from core.words.print_check import PrintFinding, PrintRules, check_print, enough
from core.words.prints import Print, Reading
from models.ocr.process import ReaderProcess
from models.ocr.reader import read_until

if TYPE_CHECKING:
    from data.store import Store

NOT_READ = "Labels are checked for this part type, and this picture's label was not read."


def reader_process(settings: Settings, languages: Sequence[str] = ("en",)) -> ReaderProcess:
    """The reader that the settings name: EasyOCR where its models are at hand, otherwise the offline one."""
    from models.ocr.easy import present

    name = settings.ocr
    if name == "auto":
        name = "easyocr" if present() else "rapidocr"
    return ReaderProcess(
        name, tuple(languages), seconds=settings.ocr_seconds, threads=settings.ocr_threads,
        fetch=name == "easyocr" and not settings.offline,
    )  # fmt: skip


class PrintReader:
    """Reads what is printed at a site; opened with the line, its process started with the first label.

    Args:
        store: bound to whoever files.
        settings: of the plant.
        site: has to exist.
    """

    def __init__(self, store: "Store", settings: Settings, site: str) -> None:
        self.store, self.settings, self.site = store, settings, site
        self._rules: Mapping[str, PrintRules] = {}
        self._items: Sequence[CatalogueItem] = ()
        self._today = date.min
        self._process: ReaderProcess | None = None

    def __enter__(self) -> "PrintReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the reader's process."""
        self.close()

    def close(self) -> None:
        """End the reader's process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def load(self, now: datetime) -> None:
        """Take the rules and the catalogue as they are now."""
        self._rules = {one.part_type: one.rules for one in self.store.prints.rules(self.site) if one.rules is not None}
        self._items = self.store.prints.catalogue(self.site) if self._rules else ()
        self._today = now.astimezone(ZoneInfo(self.store.sites.get(self.site).timezone)).date()

    def read(self, part_type: str | None, view: str | None, pixels: Pixels) -> Reading | None:
        """What is printed in a picture; None where its part type does not ask, or asks for other views.

        Args:
            part_type: of the part; None where nobody said.
            view: that the picture shows.
            pixels: (h, w, 3) RGB.
        """
        rules = self._rules.get(part_type or "")
        if rules is None:
            return None
        if self._process is None:
            self._process = reader_process(self.settings, rules.printing.languages)
        return read_print(self._process, pixels, rules, self._today, *expected_of(self._items, part_type))


def read_print(
    process: ReaderProcess,
    pixels: Pixels,
    rules: PrintRules,
    today: date,
    catalogue: Sequence[Entry] = (),
    expected: str | None = None,
) -> Reading:
    """Read one picture in as many ways as the rules need; what the reader could not do stands in the answer."""
    started = time.perf_counter()
    size = (pixels.shape[1], pixels.shape[0])

    def done(prints: Sequence[Print]) -> bool:
        return enough(Side(prints, size), rules, today, catalogue, expected)

    try:
        prints = read_until(lambda way: process.read(pixels, way), done)
    except ModelError as error:
        return Reading((), process.name, str(error), 1000 * (time.perf_counter() - started))
    return Reading(tuple(prints), process.name, None, 1000 * (time.perf_counter() - started))


def check_file(
    settings: Settings, file: Path, rules: PrintRules, today: date, catalogue: Sequence[Entry] = (),
    expected: str | None = None, process: ReaderProcess | None = None,
) -> tuple[PrintFinding, Reading]:  # fmt: skip
    """Check the label in one picture file, storing nothing.

    Raises:
        Unreadable: no picture.
    """
    from app.jobs.intake.line import limits
    from core.pictures.decode import decode

    pixels = decode(file.read_bytes(), limits(settings), name=file.name).pixels
    own = process or reader_process(settings, rules.printing.languages)
    try:
        reading = read_print(own, pixels, rules, today, catalogue, expected)
    finally:
        if process is None:
            own.close()
    side = Side(reading.prints, (pixels.shape[1], pixels.shape[0]), reading.failed)
    return check_print({"picture": side}, rules, today, catalogue, expected), reading


def finding_document(finding: PrintFinding) -> dict[str, Any]:
    """What a check says, as JSON."""
    expiry, identity = finding.expiry, finding.identity
    return {
        "presence": finding.presence,
        "reasons": [{"code": one.code, "text": one.text} for one in finding.reasons],
        "dates": [] if expiry is None else [
            {"day": one.day.isoformat(), "exact": one.exact, "probability": round(one.probability, 4), "text": one.text}
            for one in expiry.readings[:5]
        ],
        "shelf": None if finding.shelf is None else finding.shelf.shelf,
        "items": [] if identity is None else [
            {"sku": one.entry.sku, "title": one.entry.title, "probability": round(one.probability, 4)}
            for one in identity.candidates
        ],
        "margin": None if identity is None or identity.margin is None else round(identity.margin, 4),
        "diff": [] if identity is None else [
            {"how": one.how, "read": one.read, "expected": one.expected} for one in identity.diff
        ],
        "text": finding.text,
    }  # fmt: skip


def read_catalogue(text: str) -> list[CatalogueItem]:
    """A catalogue from CSV: sku, title, and if wanted part_type, language and any attributes as further columns.

    Raises:
        BadInput: naming the line.
    """
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if "sku" not in names or "title" not in names:
        raise BadInput(f"A catalogue needs the columns sku and title; this file has {', '.join(names) or 'none'}.")
    found = []
    for row in rows:
        cells = {(name or "").strip().lower(): (value or "").strip() for name, value in row.items() if name is not None}
        if None in row:
            raise BadInput(f"Line {rows.line_num} of the catalogue has more cells than the first line.")
        attributes = {name: value for name, value in cells.items()
                      if name not in ("sku", "title", "part_type", "language") and value}  # fmt: skip
        entry = Entry(cells["sku"], cells["title"], attributes, cells.get("language") or "en")
        found.append(CatalogueItem(entry, cells.get("part_type", "")))
    return found
