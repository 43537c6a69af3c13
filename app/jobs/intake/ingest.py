"""Ingest: pictures become images, predictions, decisions and tasks, each once, whatever happens in between."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Line, Origin, Progress, Wanted, quiet
from app.jobs.intake.sources import Naming, Source, find, hash_of, naming, part_pattern, settle, stamp
from app.settings import Settings
from core.errors import BadInput, Conflict
from core.plant import Filed
from core.records import Decision, Image, ImageState, Outcome

if TYPE_CHECKING:
    from data.store import Store


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        outcome: image, known or quarantined.
        reason: the quarantine reason, or why nothing is new.
        decision: about its part, at the end of this run; None while the part waits for pictures.
    """

    file: str
    outcome: str
    reason: str
    decision: str | None


@dataclass(frozen=True)
class IngestReport:
    """The JSON document of `holdpoint ingest`.

    Attributes:
        images: newly filed and readable.
        known: delivered before.
        quarantined: newly filed and not readable, by reason.
        decisions: about the parts of this run's new pictures, by outcome.
    """

    images: int = 0
    known: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    files: list[FileReport] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def ingest(
    store: "Store",
    settings: Settings,
    sources: Sequence[str],
    site: str,
    camera: str | None = None,
    part_from: str | None = None,
    model: str | None = None,
    *,
    part_type: str | None = None,
    origin: Origin | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = quiet,
) -> IngestReport:
    """File every picture of the sources, score and decide.

    It may be killed at any moment and run again: what was filed is known then, and parts that were left open are
    closed.

    Args:
        store: bound to whoever files.
        settings: of the plant.
        sources: files, folders, patterns or URLs.
        site: has to exist.
        camera: that took them, where the file's name does not say.
        part_from: a regular expression that reads the part from a file's name.
        model: another than the one in use at the site.
        part_type: how the net looks at the pictures, and which views make a part.
        origin: whatever else is known of all of them.
        now: the clock; tests give another.
        progress: called after every transaction.

    Raises:
        NotFound: no such site, model or source.
        BadInput: a pattern that cannot be read.
    """
    pattern = part_pattern(part_from)
    with Line(store, settings, site, model, now) as line:
        found = find(sources, settings.uploads, settings.upload_bytes)
        names = [naming(pattern, source.path.name) for source in found]
        if pattern is not None and not any(name.part for name in names):
            raise BadInput(
                f"--part-from '{part_from}' finds no part in any of {len(found)} file names, such as "
                f"'{found[0].path.name}': mend the pattern."
            )
        settle([source.path for source in found if source.refused is None], settings.settle_seconds)
        shared = _shared(origin or Origin(), camera, part_type)
        wanted = [Wanted(source, name, shared, pattern is not None) for source, name in zip(found, names, strict=True)]
        filed = line.take(wanted, progress)
        finish_parts(store, site, filed, now())
    return report(store, wanted, filed)


def finish_parts(store: "Store", site: str, filed: Sequence[Filed], now: datetime) -> list[Decision]:
    """Decide the parts of these files that still wait, for pictures or because a run was killed."""
    parts = set(_parts(store, filed).values())
    waiting = parts - store.parts.decisions(parts).keys()
    return store.parts.close(site, waiting, now) if waiting else []


def report(store: "Store", wanted: Sequence[Wanted], filed: Sequence[Filed]) -> IngestReport:
    """Count what was filed and what was decided about it."""
    parts = _parts(store, filed)
    decisions = {part: decision.outcome.value for part, decision in store.parts.decisions(set(parts.values())).items()}
    fresh = {parts[one.source] for one in filed if one.outcome != "known" and one.source in parts}
    reasons = Counter(one.reason.partition(":")[0] for one in filed if one.outcome == "quarantined")
    files = []
    for one, became in zip(wanted, filed, strict=True):
        part = parts.get(became.source)
        decision = None if part is None else decisions.get(part)
        files.append(FileReport(str(one.source.name), became.outcome, became.reason, decision))
    return IngestReport(
        images=sum(one.outcome == "image" for one in filed),
        known=sum(one.outcome == "known" for one in filed),
        quarantined=dict(reasons.most_common()),
        decisions=count_outcomes(decisions[part] for part in fresh if part in decisions),
        files=files,
    )


def count_outcomes(outcomes: Iterable[str]) -> dict[str, int]:
    """{PASS, HOLD, FAIL}, each named even where there is none."""
    counts = Counter(outcomes)
    return {outcome.value: counts[outcome.value] for outcome in Outcome}


def recheck(store: "Store", image: Image, now: datetime, *, thorough: bool = True) -> Image:
    """Look whether the file of an image is still there and still the one that was filed.

    A file that vanished or changed keeps its record and holds its part. One that came back is right again, but what
    it made HOLD stays with a person.

    Args:
        store: bound to whoever looks.
        image: as the store has it.
        now: aware UTC.
        thorough: compare the bytes; else only where the file was touched after it arrived.

    Returns:
        The image as it is afterwards.
    """
    if image.state is ImageState.QUARANTINED:
        return image
    path = Path(image.path)
    mark = stamp(path)
    untouched = mark is not None and mark[1] / 1e9 < image.arrived_at.timestamp()
    if not thorough and untouched and image.state is ImageState.OK:
        return image
    state, note = _state_of(image)
    if state is image.state:
        return image
    store.images.set_state(image.id, state, note, now)
    return store.images.get(image.id)


def restore(store: "Store", settings: Settings, image_id: int, now: datetime) -> Image:
    """Take a picture back from quarantine; what could not be read is read again and scored.

    Its part stays with a person until it is reviewed.

    Raises:
        BadInput: it still cannot be read; the message says why.
        Conflict: it is not in quarantine.
    """
    image = store.images.get(image_id)
    if image.width and image.height:
        return store.quarantine.restore(image_id, now)
    if image.state is not ImageState.QUARANTINED:
        raise Conflict(f"Image {image_id} is not in quarantine.")
    capture = image.capture
    part = None if capture.part == capture.source else capture.part
    wanted = Wanted(
        Source(capture.source, Path(image.path)),
        Naming(part, capture.view, capture.camera, capture.stage, capture.order),
        Origin(capture.camera, capture.line, capture.machine, capture.order, capture.stage, capture.part_type),
    )
    with Line(store, settings, image.site, now=lambda: now) as line:
        (filed,) = line.take([wanted])
    after = store.images.get(image_id)
    if filed.image_id != image_id:
        raise Conflict(
            f"The file of image {image_id} has other bytes now: it was filed anew as image {filed.image_id}."
        )
    if after.state is not ImageState.OK:
        raise BadInput(f"Image {image_id} still cannot be read: {after.state_note or filed.reason}")
    return after


def _shared(origin: Origin, camera: str | None, part_type: str | None) -> Origin:
    return replace(origin, camera=camera or origin.camera, part_type=part_type or origin.part_type)


def _parts(store: "Store", filed: Iterable[Filed]) -> dict[str, int]:
    """The part of each file by source."""
    filed = list(filed)
    known = store.images.many([one.image_id for one in filed if one.part_id is None and one.image_id is not None])
    found = {}
    for one in filed:
        if one.part_id is not None:
            found[one.source] = one.part_id
        elif one.image_id in known:
            found[one.source] = known[one.image_id].part_id
    return found


def _state_of(image: Image) -> tuple[ImageState, str]:
    path = Path(image.path)
    found = hash_of(path)
    if found is None:
        return ImageState.MISSING, f"{image.path} is not there or cannot be read"
    if found != image.sha256:
        return ImageState.CHANGED, f"{image.path} has other bytes than were filed (sha256 {found[:12]})"
    return ImageState.OK, ""
