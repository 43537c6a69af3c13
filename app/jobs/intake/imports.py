"""Import: pictures that somebody has labelled become images with reviews by `import:<source>`; nothing is decided."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.jobs.intake.line import Progress, decoders, quiet
from app.settings import Settings
from core.errors import BadInput, NotFound, QuarantineReason, Unreadable
from core.pictures.decode import Limits, sha256_of
from core.pictures.decode import read as bytes_of
from core.pictures.masks import Mask, mask_of, pixel_span
from core.pictures.sandbox import DecodePool, Read
from core.plant import Arrival
from core.records import NO_DEFECT, Capture, Exposure, Image, ImageState, Quality, Region, Review, Rle, Verdict
from core.taxonomy import DEFECTIVE, DEFECTIVE_FROM, Taxonomy, is_good, merged, says_only_defective, taxonomy_of
from data.formats.record import MAX_REGIONS, MaskFile, Problem, Reading, Record, placed
from data.formats.registry import read
from data.formats.runs import binary, regions_of_mask, rle_in_box, rle_of
from data.formats.sources import text_of
from data.taxonomies import names as shipped_names
from data.taxonomies import shipped

if TYPE_CHECKING:
    from data.store import Store

BATCH = 128  # records filed in one transaction
LISTED = 200  # problems that a report spells out
DEFAULT_TAXONOMY = "machined"
_SPLITS = {"valid": "val", "validation": "val", "training": "train", "testing": "test"}


@dataclass
class ImportReport:
    """The JSON document of `holdpoint import`.

    Attributes:
        read: records in the source; each is new, known or quarantined.
        new: pictures filed by this run.
        known: those that the site had before.
        quarantined: by reason.
        unmatched: labels whose name no class of the site has.
        labels: pictures by class, NO_DEFECT for good ones, DEFECTIVE for those where nobody said in which way.
        unlabelled: pictures about which the source says nothing; they are no evidence of anything.
        unmapped: the names behind `unmatched`, with their counts.
        format: in which the source was read.
        problems: the first quarantined records, with file, where, reason and text.
    """

    format: str
    site: str
    dry_run: bool
    read: int = 0
    new: int = 0
    known: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    unmatched: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    unmapped: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def import_labels(
    store: "Store",
    settings: Settings,
    source: Path,
    site: str,
    format: str = "auto",
    taxonomy: str | None = None,
    empty: Literal["good"] | None = None,
    dry_run: bool = False,
    *,
    part_type: str | None = None,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> ImportReport:
    """File every picture of a labelled source, with what its list says as reviews.

    It may be stopped at any moment and run again: what was filed and reviewed is known then.

    Args:
        store: bound to whoever imports.
        settings: of the plant.
        source: a folder, or a label file whose folder holds the pictures.
        site: made where it is missing.
        format: of the registry, or auto.
        taxonomy: own takes the classes of the source; otherwise the name of a shipped one or a JSON file.
        empty: good, if pictures that merely have no box were looked at and found good.
        dry_run: read and open everything, file nothing.
        part_type: of records that name none; it says how they are looked at and joined.
        now: of the reviews.
        progress: told after each batch.

    Raises:
        BadInput: where the source is in no known format, or the arguments make no sense.
    """
    if empty not in (None, "good"):
        raise BadInput(f"--empty {empty!r} is not known: give good, or leave it out.")
    progress(0, 0, f"reading {source.name or source}")
    reading = read(source, format)
    work = _Import(store, settings, source, site, reading, empty == "good", dry_run, now or datetime.now(UTC),
                   part_type)  # fmt: skip
    return work.run(taxonomy, progress)


@dataclass
class _Item:
    """One record on its way: what must be opened for it, and what came of that."""

    entry: Record | Problem
    source: str
    sha256: str = ""
    image: Image | None = None  # already in the store
    known: bool = False
    done: bool = False  # known, and its review too
    digest: str = ""
    mask_hashes: tuple[str, ...] = ()
    wanted: list[Path] = field(default_factory=list)
    size: tuple[int, int] | None = None
    quality: Quality | None = None
    exposure: Exposure = field(default_factory=Exposure)
    taken_at: datetime | None = None
    masks: list[Rle] = field(default_factory=list)
    problem: Problem | None = None
    review: Review | None = None
    drawn: tuple[Region, ...] | None = None  # None where the source says nothing about where


class _Import:
    """One run over one source."""

    def __init__(
        self, store: "Store", settings: Settings, source: Path, site: str, reading: Reading, empty_is_good: bool,
        dry_run: bool, now: datetime, part_type: str | None = None,
    ) -> None:  # fmt: skip
        self.store, self.settings, self.site, self.reading = store, settings, site, reading
        self.source, self.part_type = source.resolve(), part_type
        self.by = f"import:{self.source.name or 'root'}"[:100]
        self.empty_is_good, self.dry_run, self.now = empty_is_good, dry_run, now
        self.report = ImportReport(reading.format, site, dry_run)
        self.taxonomy = Taxonomy("none", "0", ())
        self.exists = False

    def run(self, chosen: str | None, progress: Progress) -> ImportReport:
        self._make_site(chosen)
        batch: list[_Item] = []
        with decoders(self.settings) as pool:
            for item in _opened(self._looked_up(), pool):
                self._understand(item)
                batch.append(item)
                if len(batch) >= BATCH:
                    self._file(batch)
                    batch = []
                    progress(self.report.read, max(self.reading.total, self.report.read), "filing")
            self._file(batch)
        progress(self.report.read, self.report.read, "filed")
        for counts in (self.report.quarantined, self.report.labels, self.report.unmapped):
            ordered = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
            counts.clear()
            counts.update(ordered)
        return self.report

    def _make_site(self, chosen: str | None) -> None:
        """The site with its taxonomy, made or extended where the import says so."""
        wanted = self._wanted_taxonomy(chosen)
        try:
            old = self.store.sites.get(self.site)
        except NotFound:
            self.taxonomy = wanted or shipped(DEFAULT_TAXONOMY)
            if not self.dry_run:
                self.store.sites.add(self.site, self.taxonomy)
                self.exists = True
            return
        self.exists = True
        self.taxonomy = old.taxonomy
        if wanted is not None:
            self.taxonomy = merged(old.taxonomy, wanted) if old.taxonomy.classes else wanted
            if self.taxonomy != old.taxonomy and not self.dry_run:
                self.store.taxonomies.append(self.site, self.taxonomy, f"classes of {self.source.name}")

    def _wanted_taxonomy(self, chosen: str | None) -> Taxonomy | None:
        if chosen is None:
            return None
        if chosen == "own":
            used = {name for entry in self.reading if isinstance(entry, Record) for name in entry.class_names()}
            rest = sorted((n for n in used if not says_only_defective(n)), key=lambda n: (len(n) * n.isdecimal(), n))
            classes = [*self.reading.declared, *((name, "") for name in rest)]
            return taxonomy_of(self.source.stem, classes, self.source.name)
        if chosen.endswith(".json"):
            return Taxonomy.from_json(text_of(Path(chosen)))
        if chosen not in shipped_names():
            raise BadInput(f"--taxonomy {chosen!r} is not known: use own, {', '.join(shipped_names())} or a JSON file.")
        return shipped(chosen)

    def _looked_up(self) -> Iterator[_Item]:
        """Records in batches, with what the store has of them already."""
        batch: list[_Item] = []
        for entry in self.reading:
            self.report.read += 1
            batch.append(self._hashed(entry))
            if len(batch) >= BATCH:
                yield from self._recognised(batch)
                batch = []
        yield from self._recognised(batch)

    def _hashed(self, entry: Record | Problem) -> _Item:
        if entry.path is None:
            return _Item(entry, f"{self.source}: {entry.where}: {entry.file}"[:2000])
        item = _Item(entry, str(entry.path))
        try:
            item.sha256 = sha256_of(bytes_of(entry.path, self._limits))
            if isinstance(entry, Record):
                item.mask_hashes = tuple(sha256_of(bytes_of(mask.path, self._limits)) for mask in entry.masks)
                item.digest = self._digest(entry, item.mask_hashes)
        except Unreadable as problem:
            item.problem = Problem(entry.file, entry.where, problem.reason, str(problem), entry.path)
        return item

    @property
    def _limits(self) -> Limits:
        return Limits(pixels=self.settings.picture_pixels)

    def _digest(self, record: Record, mask_hashes: Sequence[str]) -> str:
        """The same for the same words about the same picture, wherever the source lies and in whatever line."""
        masks = tuple(replace(mask, path=Path(mask.path.name)) for mask in record.masks)
        plain = replace(record, path=Path(record.path.name), where="", masks=masks)
        text = repr((plain, tuple(mask_hashes), self.empty_is_good))
        return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()

    def _recognised(self, batch: Sequence[_Item]) -> Iterator[_Item]:
        known: dict[tuple[str, str], int] = {}
        said: dict[int, set[str]] = {}
        images: dict[int, Image] = {}
        if self.exists and batch:
            known = self.store.arrivals.known(self.site, [(item.source, item.sha256) for item in batch])
            said = self.store.reviews.import_digests(known.values())
            images = self.store.images.many(known.values())
        for item in batch:
            image_id = known.get((item.source, item.sha256))
            item.known = image_id is not None
            record = item.entry
            if image_id is not None:
                item.done = bool(item.digest) and item.digest in said.get(image_id, set())
                image = images.get(image_id)
                if image is not None and image.state is ImageState.OK:
                    item.image, item.size = image, (image.width, image.height)
            if isinstance(record, Record) and item.problem is None and not item.done:
                item.wanted = [*([] if item.image else [record.path]), *(mask.path for mask in record.masks)]
            yield item

    def _understand(self, item: _Item) -> None:
        """Turn a record into a review of its picture, or into a problem; count it."""
        record = item.entry
        if isinstance(record, Problem):
            item.problem = record
        elif item.problem is None:
            try:
                regions = () if item.done else self._regions(record, item)
                item.review = self._review(record, regions, item)
            except BadInput as problem:
                item.problem = Problem(
                    record.file, record.where, QuarantineReason.BAD_RECORD, str(problem), record.path
                )
        if item.problem is not None:
            reason = str(item.problem.reason)
            _add(self.report.quarantined, [reason])
            if len(self.report.problems) < LISTED:
                told = item.problem
                self.report.problems.append(
                    {"file": told.file[:300], "where": told.where, "reason": reason, "text": told.text[:500]}
                )
        elif item.known:
            self.report.known += 1
        else:
            self.report.new += 1

    def _regions(self, record: Record, item: _Item) -> tuple[Region, ...]:
        if item.size is None:
            raise BadInput(f"{record.file} was not opened.")
        drawn = placed(record, *item.size)
        for mask, rle in zip(record.masks, item.masks, strict=True):
            drawn = _with_mask(drawn, mask, rle, item.size)
        if len(drawn) > MAX_REGIONS:
            raise BadInput(f"{len(drawn)} regions on one picture, at most {MAX_REGIONS}: was the right file given?")
        return tuple(self._classed(region, record) for region in drawn)

    def _classed(self, region: Region, record: Record) -> Region:
        """With the class that an export had made of its name, while there is one, and a severity that it may have."""
        hint = region.class_id
        class_id = self.taxonomy.match(hint) if hint else None
        name = region.name
        if hint and self.taxonomy.match(name) not in (None, class_id):
            name = hint
        severity = region.severity or record.severity
        meant = class_id or self.taxonomy.match(name)
        if meant == NO_DEFECT:
            raise BadInput(
                f"A box is named {name!r}, which means that there is no defect: name the defect or leave it out."
            )
        if severity is not None and meant is not None:
            self.taxonomy.check_severity(meant, severity)
        return replace(region, name=name, class_id=class_id, severity=severity)

    def _review(self, record: Record, regions: tuple[Region, ...], item: _Item) -> Review | None:
        """What the record says of its picture; None where it says nothing."""
        names = tuple(record.class_names()) if item.done else (*record.names, *(r.class_id or r.name for r in regions))
        verdict = self._verdict(record, names)
        if verdict in (None, Verdict.UNSURE):
            self.report.unlabelled += 1
        if verdict is None:
            return None
        self._count(names, verdict)
        source = {
            **record.source,
            "format": self.reading.format,
            "file": record.file,
            "where": record.where,
            "digest": item.digest,
            **{key: value for key in ("group", "annotator") if (value := getattr(record, key))},
            **({"split": _SPLITS.get(record.split.lower(), record.split.lower())} if record.split else {}),
            **({"probability": record.probability} if record.probability is not None else {}),
            **({"severity": str(record.severity)} if record.severity else {}),
        }
        item.drawn = regions if regions or not verdict.defective else None
        return Review(
            verdict,
            f"{self.by}/{record.annotator}"[:200] if record.annotator else self.by,
            classes=tuple(dict.fromkeys(name for name in record.names if not is_good(name))),
            sure=record.sure,
            note=record.note,
            source=source,
            reviewed_at=self.now,
        )

    def _verdict(self, record: Record, names: Sequence[str]) -> Verdict | None:
        if record.good and names:
            raise BadInput(f"{record.where}: listed as good and as {names[0]!r}: keep one of them.")
        if record.verdict is not None:
            return record.verdict
        if names or record.source.get("defective"):
            return Verdict.FAIL
        if record.probability is not None:
            return Verdict.FAIL if record.probability >= DEFECTIVE_FROM else Verdict.PASS
        return Verdict.PASS if record.good or (self.empty_is_good and "text" not in record.source) else None

    def _count(self, names: Iterable[str], verdict: Verdict) -> None:
        if verdict is Verdict.PASS:
            _add(self.report.labels, [NO_DEFECT])
        elif verdict is not Verdict.UNSURE:
            found = {name: self.taxonomy.match(name) for name in names}
            classes = {class_id for class_id in found.values() if class_id not in (None, NO_DEFECT)}
            strange = {name for name, class_id in found.items() if class_id is None and not says_only_defective(name)}
            _add(self.report.labels, map(str, classes) if classes or strange else [DEFECTIVE])
            _add(self.report.unmapped, strange)
            self.report.unmatched += len(strange)

    def _file(self, batch: Sequence[_Item]) -> None:
        """Images in one transaction, their reviews in the next; a kill between them is mended by the next run."""
        if self.dry_run or not batch:
            return
        readable = {(item.source, item.sha256) for item in batch if item.problem is None}
        filing = [
            item
            for item in batch
            if not item.image and not item.done and (item.problem is None or (item.source, item.sha256) not in readable)
        ]
        filed = self.store.arrivals.file(
            self.site, [self._arrival(item) for item in filing], close_parts=False, now=self.now
        )
        ids = {id(item): done.image_id for item, done in zip(filing, filed, strict=True)}
        reviews = []
        for item in batch:
            image_id = item.image.id if item.image else ids.get(id(item))
            if item.review is None or item.done or image_id is None:
                continue
            drawn = {} if item.drawn is None else {image_id: item.drawn}
            reviews.append((image_id, replace(item.review, regions=drawn)))
        self.store.reviews.imported(self.site, reviews, now=self.now)

    def _arrival(self, item: _Item) -> Arrival:
        if item.problem is not None:
            problem = item.problem
            record = item.entry if isinstance(item.entry, Record) else None
            return Arrival(
                self._capture(record, item) if record else Capture(item.source, item.source),
                path="" if problem.path is None else str(problem.path),
                sha256=item.sha256,
                state=ImageState.QUARANTINED,
                state_note=f"{problem.where}: {problem.text}"[:2000],
                reason=problem.reason,
            )
        if item.size is None or not isinstance(item.entry, Record):
            raise BadInput(f"{item.source} was not opened.")
        return Arrival(
            self._capture(item.entry, item), str(item.entry.path), item.sha256, *item.size, quality=item.quality
        )

    def _capture(self, record: Record, item: _Item) -> Capture:
        found = _capture_of(record, item)
        return found if found.part_type else replace(found, part_type=self.part_type)


def _add(counts: dict[str, int], names: Iterable[str]) -> None:
    """Count in place: a delivery of texts can hold as many names as pictures."""
    for name in names:
        counts[name] = counts.get(name, 0) + 1


def _opened(items: Iterable[_Item], pool: DecodePool) -> Iterator[_Item]:
    """The same items in order, their pictures and masks opened ahead by the pool's processes."""
    waiting: deque[_Item] = deque()

    def paths() -> Iterator[Path]:
        for item in items:
            waiting.append(item)
            yield from tuple(item.wanted)

    for result in pool.decode(paths()):
        while not waiting[0].wanted:
            yield waiting.popleft()
        _take(waiting[0], result)
    yield from waiting


def _take(item: _Item, result: Read | Unreadable) -> None:
    """Put one opened file where it belongs; pixels are not kept."""
    record, path = item.entry, item.wanted.pop(0)
    if isinstance(result, Unreadable):
        if item.problem is None:
            text = str(result) if path == record.path else f"mask {path.name}: {result}"
            reason = result.reason if path == record.path else QuarantineReason.BAD_RECORD
            item.problem = Problem(record.file, record.where, reason, text, record.path)
    elif path == record.path and item.size is None:
        decoded = result.decoded
        item.sha256, item.size, item.quality = result.sha256, (decoded.width, decoded.height), result.quality
        item.exposure, item.taken_at = decoded.exposure, decoded.taken_at
    else:
        item.masks.append(rle_of(binary(result.decoded.pixels)))


def _with_mask(regions: tuple[Region, ...], mask: MaskFile, rle: Rle, size: tuple[int, int]) -> tuple[Region, ...]:
    """Boxes with their share of a mask; the connected parts of the mask where no boxes are given for it."""
    if rle.size_hw != (size[1], size[0]):
        shown = f"{rle.size_hw[1]}x{rle.size_hw[0]}"
        raise BadInput(f"Mask {mask.path.name} is {shown} but the picture is {size[0]}x{size[1]}: redraw it.")
    pixels = mask_of(rle)
    if not any(region.mask is None for region in regions):
        return (*regions, *regions_of_mask(pixels, mask.name))
    return tuple(_cut_out(region, pixels) if region.mask is None else region for region in regions)


def _cut_out(region: Region, pixels: Mask) -> Region:
    """A box with the pixels of the mask that lie in it, where there are any."""
    height, width = pixels.shape
    x1, x2 = pixel_span(region.x, region.x + region.width, width)
    y1, y2 = pixel_span(region.y, region.y + region.height, height)
    inside = pixels[y1:y2, x1:x2]
    return replace(region, mask=rle_in_box(inside, x1, y1, width, height)) if inside.any() else region


def _capture_of(record: Record, item: _Item) -> Capture:
    return Capture(
        source=item.source,
        part=record.part or record.group or item.source,
        order=record.order,
        machine=record.machine,
        line=record.line,
        camera=record.camera,
        stage=record.stage,
        view=record.view,
        part_type=record.part_type,
        taken_at=record.taken_at or item.taken_at,
        exposure=item.exposure,
    )
