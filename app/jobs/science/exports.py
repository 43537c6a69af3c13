"""Export: labels with their provenance in the formats that other tools read, whole or not at all."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core.errors import BadInput, Unreadable
from core.pictures.covering import cover_file
from core.pictures.decode import Limits, sha256_of
from core.pictures.decode import read as bytes_of
from core.plant import LabelledFile, LabelledImage
from core.privacy import PLAIN
from core.records import ImageState, Outcome, Prediction
from core.vault import sealed_with
from data.formats.files import Folder, unique_names, write_file
from data.formats.privacy import without_place
from data.formats.provenance import Entry, Said, facts
from data.formats.registry import FORMATS, WRITABLE, Format

if TYPE_CHECKING:
    from data.store import Store

Pictures = Literal["copy", "link", "none"]
FILES = {".json", ".csv", ".parquet"}  # a destination with one of these endings is a single file without pictures
STEP = 200  # pictures between two reports of progress
WITHHELD = "withheld, not looked at for personal details"
NO_LABEL = "label undone"  # why a picture stays behind whose label went while pictures were copied


@dataclass
class ExportReport:
    """The JSON document of `holdpoint export`.

    Attributes:
        images: labelled pictures written.
        regions: boxes and masks on them.
        pictures: copied, linked, covered, or cleaned of their place on the way.
        left_out: labels whose picture cannot be shown any more, by what is wrong with it.
    """

    format: str
    destination: str
    images: int = 0
    regions: int = 0
    pictures: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def export_labels(
    store: "Store",
    settings: Settings,
    dest: Path,
    format: str,
    site: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    class_id: str | None = None,
    only_corrected: bool = False,
    as_of: datetime | None = None,
    *,
    pictures: Pictures = "copy",
    progress: Progress = quiet,
) -> ExportReport:
    """Write the labels that the filters choose.

    Args:
        store: bound to whoever exports.
        settings: of the plant.
        dest: a folder, or a file ending in .json, .csv or .parquet for the labels alone.
        format: of the registry.
        site: of the pictures; all sites the actor sees where none is given.
        since: labelled at or after.
        until: labelled before.
        class_id: on the picture.
        only_corrected: the review differs from what the model said; both are written where the format has a place.
        as_of: labels and taxonomy as they stood then.
        pictures: copied beside the labels, so that the export can be imported anywhere; linked, which costs no
            space but gives whoever changes a picture in place the original; or none.
        progress: told every few pictures.

    Raises:
        BadInput: for a format that cannot be written, or a folder that holds something else.
    """
    if format not in WRITABLE:
        raise BadInput(f"Format {format!r} cannot be exported: use one of {', '.join(WRITABLE)}.")
    chosen = FORMATS[format]
    single = dest.suffix.lower() in FILES
    if single and (chosen.file is None or Path(chosen.file).suffix != dest.suffix.lower()):
        raise BadInput(f"{format} cannot be written as {dest.name}: give a folder, or another ending.")
    report = ExportReport(format, str(dest))
    progress(0, 0, "reading labels")
    filters: dict[str, Any] = {
        "since": since,
        "until": until,
        "class_id": class_id,
        "only_corrected": only_corrected,
        "as_of": as_of,
    }
    files = store.labels.files(site=site, **filters)
    job = _Export(store, chosen, files, filters, report, progress)
    if single:
        job.write_single(dest)
    else:
        job.write_folder(dest, "none" if chosen.name == "parquet" else pictures)
    progress(len(files), len(files), "written")
    return report


class _Taken(NamedTuple):
    """One labelled picture on its way: its name in the export, its SHA-256 there, and how it came there."""

    file: str
    image_id: int
    sha256: str
    how: str = ""


@dataclass
class _Entries:
    """What is written of each picture, in the order of the export; read from the store anew each time it is asked for.

    Attributes:
        read: the labelled images, in that order.
        taken: the pictures, in that order.
        said: what the model had said of one, where the export shows it.
        progress: told every few pictures.
        written: ids of the images, as the last reading had them.
        regions: on them.
    """

    read: Callable[[], Iterator[LabelledImage]]
    taken: Sequence[_Taken]
    said: Callable[[LabelledImage], Said | None]
    progress: Progress
    written: set[int] = field(default_factory=set)
    regions: int = 0

    def __iter__(self) -> Iterator[Entry]:
        self.written, self.regions = set(), 0
        waiting = iter(self.taken)
        for number, one in enumerate(self.read()):
            if number % STEP == 0:
                self.progress(number, len(self.taken), "labels")
            taken = next(taken for taken in waiting if taken.image_id == one.image.id)
            self.written.add(one.image.id)
            self.regions += len(one.label.regions)
            known = facts(one.image, one.label, taken.sha256)
            yield Entry(taken.file, one.image, one.label, known, self.said(one))


class _Export:
    """One export of labels that are chosen already: files first, what is said of them while it is written."""

    def __init__(
        self, store: "Store", chosen: Format, files: list[LabelledFile], filters: Mapping[str, Any],
        report: ExportReport, progress: Progress,
    ) -> None:  # fmt: skip
        self.store, self.format, self.files, self.filters = store, chosen, files, filters
        self.report, self.progress = report, progress

    def write_single(self, dest: Path) -> None:
        """The labels alone; pictures are named relative to the file where they lie below it."""
        near = dest.absolute().parent
        taken = [
            _Taken(
                os.path.relpath(one.path, near) if Path(one.path).is_relative_to(near) else one.path,
                one.image_id,
                one.sha256,
            )
            for one in self.files
        ]
        with self._entries(taken) as entries:
            for name, pieces in self._pieces(entries):
                if name == self.format.file:
                    write_file(dest, pieces)
                    break  # the rest lies beside it in a folder

    def write_folder(self, dest: Path, pictures: Pictures) -> None:
        """Labels and pictures in one folder that appears when all of it is written."""
        with Folder(dest) as folder:
            names = unique_names([(one.path, one.sha256) for one in self.files])
            if pictures == "none":
                pairs = zip(self.files, names, strict=True)
                taken = [_Taken(f"images/{name}", one.image_id, one.sha256) for one, name in pairs]
            else:
                taken = self._take_pictures(folder, names, pictures)
            with self._entries(taken) as entries:
                for name, pieces in self._pieces(entries):
                    folder.write(name, pieces)
            if pictures != "none":
                self._leave(folder, [one for one in taken if one.image_id not in entries.written])

    def _leave(self, folder: Folder, gone: Sequence[_Taken]) -> None:
        """Take out pictures whose label somebody undid while they were copied."""
        for one in gone:
            folder.remove(one.file)
            self.report.pictures[one.how] -= 1
        if gone:
            self.report.left_out[NO_LABEL] = len(gone)

    def _take_pictures(self, folder: Folder, names: Sequence[str], pictures: Pictures) -> list[_Taken]:
        """Bring the pictures along; those that are not what was labelled any more stay behind, with their labels."""
        taken = []
        left, done = Counter[str](), Counter[str]()
        views = self.store.privacy.for_export([one.image_id for one in self.files])
        for number, (one, name) in enumerate(zip(self.files, names, strict=True)):
            if number % STEP == 0:
                self.progress(number, len(self.files), "pictures")
            view = views.get(one.image_id, PLAIN)
            if view.withheld is not None:
                left[WITHHELD] += 1
                continue
            try:
                data = bytes_of(Path(one.path), Limits())
            except Unreadable as problem:
                left[str(problem.reason)] += 1
                continue
            sha256 = sha256_of(data)
            if sha256 != one.sha256:
                left[str(ImageState.CHANGED)] += 1
                continue
            clean = cover_file(data, Path(name).suffix, view.covers) if view.covers else without_place(data)
            done["covered"] += bool(view.covers)
            if clean != data:
                sha256 = sha256_of(clean)
                done["place removed"] += not view.covers
            linked = self._put(folder, name, one, clean, clean == data, pictures)
            done[how := "linked" if linked else "copied"] += 1
            taken.append(_Taken(f"images/{name}", one.image_id, sha256, how))
        self.report.left_out, self.report.pictures = dict(left), dict(+done)
        return taken

    def _put(
        self, folder: Folder, name: str, one: LabelledFile, data: bytes, unchanged: bool, pictures: Pictures
    ) -> bool:
        """Whether the picture could be linked; it is copied otherwise."""
        if pictures == "link" and unchanged and sealed_with(Path(one.path)) is None:
            try:
                folder.link(f"images/{name}", Path(one.path).resolve())
            except OSError:  # another disk, or a file system without links
                pass
            else:
                return True
        folder.write(f"images/{name}", [data])
        return False

    @contextmanager
    def _entries(self, taken: list[_Taken]) -> Iterator[_Entries]:
        """What is written of pictures, sorted by name: all of it as one moment of the store knows it."""
        taken.sort()
        with self.store.labels.again([one.image_id for one in taken], **self.filters) as read:
            entries = _Entries(read, taken, self._said, self.progress)
            yield entries
        self.report.images, self.report.regions = len(entries.written), entries.regions

    def _pieces(self, entries: _Entries) -> Iterator[tuple[str, Any]]:
        if self.format.write is None:
            raise BadInput(f"Format {self.format.name!r} is only read.")
        written = {one.image_id for one in entries.taken}
        return self.format.write(entries, self._classes({one.site for one in self.files if one.image_id in written}))

    def _classes(self, sites: set[str]) -> list[tuple[str, str | None]]:
        """Of every site of the export, in their own order."""
        found: dict[str, str | None] = {}
        for site in sorted(sites):
            for entry in self.store.taxonomies.of(site).classes:
                found.setdefault(entry.id, entry.parent)
        return list(found.items())

    def _said(self, one: LabelledImage) -> Said | None:
        if not self.filters["only_corrected"]:
            return None
        prediction = one.prediction
        if prediction is None:
            return Said(self._outcome(one), None)
        return Said(self._outcome(one), prediction.score, prediction.regions, _classes_said(prediction))

    def _outcome(self, one: LabelledImage) -> Outcome | None:
        """What had been decided about the part when the label was given."""
        before = [d for d in self.store.parts.history(one.image.part_id) if d.decided_at <= one.label.labelled_at]
        return max(before, key=lambda decision: decision.number).outcome if before else None


def _classes_said(prediction: Prediction) -> tuple[str, ...]:
    """Classes of the model's regions, or its likeliest one where it drew none."""
    drawn = sorted({region.class_id or region.name for region in prediction.regions})
    if drawn or not prediction.class_scores or prediction.score < 0.5:
        return tuple(drawn)
    return (max(sorted(prediction.class_scores), key=lambda name: prediction.class_scores[name]),)
