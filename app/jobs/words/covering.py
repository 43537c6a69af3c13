"""Finding what is personal in pictures: words that the reader of print read, and faces.

As a part's picture comes in, where its label is read or its site covers every picture; later by the worker, where a
picture has to be covered and nobody has looked. What fails is kept as failed: such a picture is withheld.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.opening import sentence
from app.settings import Settings
from core.errors import BadInput, HoldpointError, ModelError, Unreadable
from core.pictures.covering import Covering
from core.plant import JobState
from core.privacy import CoveringRule, Mode
from core.records import Pixels
from core.roles import WORKER
from core.words.prints import Print, Reading
from core.words.redaction_prints import personal_prints

if TYPE_CHECKING:
    from data.store import Store
    from models.ocr.process import ReaderProcess

KIND = "covering"
STEP = 50  # pictures written down together
TEXT = "text: rules"


def covering_for(pixels: Pixels, reading: Reading, region: str | None = None) -> Covering:
    """What is personal in a picture whose print was read.

    Args:
        pixels: (h, w, 3) RGB, upright.
        reading: of the same picture.
        region: two letters of the site's country; None where nobody said.
    """
    from models.faces import NAME, faces

    if reading.failed is not None:
        return Covering((), f"its print could not be read: {reading.failed}", (reading.reader, NAME))
    try:
        seen = faces(pixels)
    except HoldpointError as error:
        return Covering((), sentence(error), (TEXT, NAME))
    return Covering((*personal_prints(reading.prints, region), *seen), None, (TEXT, NAME))


class SiteCovers:
    """What a site's line finds in the pictures whose print it reads; other pictures are the worker's."""

    def __init__(self, store: "Store", site: str) -> None:
        """For one site."""
        self._store, self._site = store, site
        self._rule = CoveringRule(site)

    def load(self) -> None:
        """Take the site's rule as it is now."""
        self._rule = self._store.privacy.rule(self._site)

    def find(self, pixels: Pixels, reading: Reading | None) -> Covering | None:
        """What is personal in a picture; None where its site covers nothing, or its print was not read."""
        if reading is None or self._rule.mode is Mode.NEVER:
            return None
        return covering_for(pixels, reading, self._rule.region or None)


def cover(
    store: "Store", current: Settings, site: str | None = None, *, again: bool = False,
    now: datetime | None = None, progress: Any = lambda done, total, message: None,
) -> dict[str, Any]:  # fmt: skip
    """Look at pictures that have to be covered and that nobody has looked at, or whose look failed.

    Args:
        store: of the plant.
        current: settings.
        site: only there.
        again: look at those that were looked at before, too; the newest look counts.
        now: aware UTC.
        progress: told after every picture.

    Returns:
        {images, failed, covers: {kind: n}, seconds}
    """
    from app.jobs.intake.line import decoders
    from app.jobs.words.prints import reader_process

    started = time.monotonic()
    told: dict[str, Any] = {"images": 0, "failed": 0, "covers": {}}
    process: ReaderProcess | None = None
    after = 0
    total = store.privacy.waiting_count(site, again=again)
    try:
        with decoders(current) as pool:
            while some := store.privacy.waiting(site, after=after, limit=STEP, again=again):
                after = some[-1].image.id
                made: list[tuple[int, Covering]] = []
                reads = pool.decode(Path(one.image.path) for one in some)
                for one, read in zip(some, reads, strict=True):
                    if isinstance(read, Unreadable):
                        made.append((one.image.id, Covering((), str(read))))
                    elif read.sha256 != one.image.sha256:
                        made.append((one.image.id, Covering((), "the file is not the one that was filed")))
                    else:
                        pixels = read.decoded.pixels
                        reading = one.reading
                        if reading is None or reading.failed is not None:
                            process = process or reader_process(current)
                            reading = read_every_way(process, pixels)
                        made.append((one.image.id, covering_for(pixels, reading)))
                    progress(told["images"] + len(made), max(total, 1), Path(one.image.path).name)
                store.privacy.found(made, now or datetime.now(UTC))
                told["images"] += len(made)
                told["failed"] += sum(found.failed is not None for _, found in made)
                for _, found in made:
                    for kind, count in found.counts.items():
                        told["covers"][kind] = told["covers"].get(kind, 0) + count
    finally:
        if process is not None:
            process.close()
    return told | {"seconds": round(time.monotonic() - started, 2)}


def read_every_way(process: "ReaderProcess", pixels: Pixels) -> Reading:
    """Read a picture in every way there is: what one way misses, another may see."""
    from models.ocr.reader import read_until

    started = time.perf_counter()

    def never(_prints: Sequence[Print]) -> bool:
        return False

    try:
        prints = read_until(lambda way: process.read(pixels, way), never)
    except ModelError as error:
        return Reading((), process.name, str(error), 1000 * (time.perf_counter() - started))
    return Reading(tuple(prints), process.name, None, 1000 * (time.perf_counter() - started))


def submit_when_due(store: "Store", now: datetime) -> int | None:
    """Ask for a look where a picture waits for one and no such job is on its way."""
    if not store.privacy.waiting_count(None, limit=1, new=True):
        return None
    if any(one.state in (JobState.WAITING, JobState.RUNNING) for one in store.jobs.recent(5, kind=KIND)):
        return None
    return store.acting_as(WORKER).jobs.submit(KIND, {}, now)


def cover_files(
    current: Settings, files: Sequence[Path], into: Path, region: str | None = None,
    progress: Any = lambda done, total, message: None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Write covered copies of picture files into a folder; of one that could not be looked at, none is written.

    Returns:
        [{file, covers: {kind: n}, failed}] in the order given.

    Raises:
        BadInput: a copy would lie over its own picture.
    """
    from app.jobs.files import write_whole
    from app.jobs.intake.line import decoders
    from app.jobs.words.prints import reader_process
    from core.pictures.covering import encoded, filled

    into.mkdir(parents=True, exist_ok=True)
    if any(file.resolve().parent == into.resolve() for file in files):
        raise BadInput(f"{into} holds the pictures themselves: give another folder.")
    done: list[dict[str, Any]] = []
    with decoders(current) as pool, reader_process(current) as process:
        for file, read in zip(files, pool.decode(files), strict=True):
            if isinstance(read, Unreadable):
                made = Covering((), str(read))
            else:
                pixels = read.decoded.pixels
                made = covering_for(pixels, read_every_way(process, pixels), region)
                if made.failed is None:
                    write_whole(into / file.name, encoded(filled(pixels, made.covers), file.suffix))
            done.append({"file": str(file), "covers": made.counts, "failed": made.failed})
            progress(len(done), len(files), file.name)
    return done
