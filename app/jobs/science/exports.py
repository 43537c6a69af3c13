"""Export: labels with their provenance in the formats that other tools read, whole or not at all."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.jobs.intake.line import Progress, quiet
from app.settings import Settings
from core.errors import BadInput, Unreadable
from core.pictures.decode import Limits, sha256_of
from core.pictures.decode import read as bytes_of
from core.plant import LabelledImage
from core.records import ImageState, Outcome, Prediction
from data.formats.files import Folder, unique_names, write_file
from data.formats.privacy import without_place
from data.formats.provenance import Entry, Said, facts
from data.formats.registry import FORMATS, WRITABLE, Format

if TYPE_CHECKING:
    from data.store import Store

Pictures = Literal["copy", "link", "none"]
FILES = {".json", ".csv", ".parquet"}  # a destination with one of these endings is a single file without pictures
STEP = 200  # pictures between two reports of progress


@dataclass
class ExportReport:
    """The JSON document of `holdpoint export`.

    Attributes:
        images: labelled pictures written.
        regions: boxes and masks on them.
        pictures: copied, linked, or cleaned of their place on the way.
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
    labelled = list(
        store.labels.find(
            site=site, since=since, until=until, class_id=class_id, only_corrected=only_corrected, as_of=as_of
        )
    )
    job = _Export(store, chosen, labelled, only_corrected, report, progress)
    if single:
        job.write_single(dest)
    else:
        job.write_folder(dest, "none" if chosen.name == "parquet" else pictures)
    progress(len(labelled), len(labelled), "written")
    return report


class _Export:
    """One export of labels that are chosen already."""

    def __init__(
        self, store: "Store", chosen: Format, labelled: list[LabelledImage], with_said: bool, report: ExportReport,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.store, self.format, self.labelled = store, chosen, labelled
        self.with_said, self.report, self.progress = with_said, report, progress

    def write_single(self, dest: Path) -> None:
        """The labels alone; pictures are named relative to the file where they lie below it."""
        near = dest.absolute().parent
        files = [
            os.path.relpath(one.image.path, near) if Path(one.image.path).is_relative_to(near) else one.image.path
            for one in self.labelled
        ]
        entries = self._entries(self.labelled, files, [one.image.sha256 for one in self.labelled])
        wanted = self.format.file
        for name, pieces in self._pieces(entries):
            if name == wanted:
                write_file(dest, pieces)

    def write_folder(self, dest: Path, pictures: Pictures) -> None:
        """Labels and pictures in one folder that appears when all of it is written."""
        with Folder(dest) as folder:
            if pictures == "none":
                kept, hashes = self.labelled, [one.image.sha256 for one in self.labelled]
                names = unique_names([(one.image.path, one.image.sha256) for one in kept])
            else:
                names = unique_names([(one.image.path, one.image.sha256) for one in self.labelled])
                kept, names, hashes = self._take_pictures(folder, names, pictures)
            entries = self._entries(kept, [f"images/{name}" for name in names], hashes)
            for name, pieces in self._pieces(entries):
                folder.write(name, pieces)

    def _take_pictures(
        self, folder: Folder, names: Sequence[str], pictures: Pictures
    ) -> tuple[list[LabelledImage], list[str], list[str]]:
        """Bring the pictures along; those that are not what was labelled any more stay behind, with their labels."""
        kept, kept_names, hashes = [], [], []
        left, done = Counter[str](), Counter[str]()
        for number, (one, name) in enumerate(zip(self.labelled, names, strict=True)):
            if number % STEP == 0:
                self.progress(number, len(self.labelled), "pictures")
            try:
                data = bytes_of(Path(one.image.path), Limits())
            except Unreadable as problem:
                left[str(problem.reason)] += 1
                continue
            sha256 = sha256_of(data)
            if sha256 != one.image.sha256:
                left[str(ImageState.CHANGED)] += 1
                continue
            clean = without_place(data)
            if clean != data:
                sha256 = sha256_of(clean)
                done["place removed"] += 1
            done[
                "linked" if self._put(folder, name, one, clean, clean is data or clean == data, pictures) else "copied"
            ] += 1
            kept.append(one)
            kept_names.append(name)
            hashes.append(sha256)
        self.report.left_out, self.report.pictures = dict(left), dict(done)
        return kept, kept_names, hashes

    def _put(
        self, folder: Folder, name: str, one: LabelledImage, data: bytes, unchanged: bool, pictures: Pictures
    ) -> bool:
        """Whether the picture could be linked; it is copied otherwise."""
        if pictures == "link" and unchanged:
            try:
                folder.link(f"images/{name}", Path(one.image.path).resolve())
            except OSError:  # another disk, or a file system without links
                pass
            else:
                return True
        folder.write(f"images/{name}", [data])
        return False

    def _entries(self, labelled: Sequence[LabelledImage], files: Sequence[str], hashes: Sequence[str]) -> list[Entry]:
        made = [
            Entry(file, one.image, one.label, facts(one.image, one.label, sha256), self._said(one))
            for one, file, sha256 in zip(labelled, files, hashes, strict=True)
        ]
        self.report.images = len(made)
        self.report.regions = sum(len(entry.label.regions) for entry in made)
        return sorted(made, key=lambda entry: (entry.file, entry.image.id))

    def _pieces(self, entries: Sequence[Entry]) -> Iterator[tuple[str, Any]]:
        if self.format.write is None:
            raise BadInput(f"Format {self.format.name!r} is only read.")
        return self.format.write(entries, self._classes({entry.image.site for entry in entries}))

    def _classes(self, sites: set[str]) -> list[tuple[str, str | None]]:
        """Of every site of the export, in their own order."""
        found: dict[str, str | None] = {}
        for site in sorted(sites):
            for entry in self.store.taxonomies.of(site).classes:
                found.setdefault(entry.id, entry.parent)
        return list(found.items())

    def _said(self, one: LabelledImage) -> Said | None:
        if not self.with_said:
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
