"""A site's line made ready: decoder, net and store joined, so that pictures become decided parts.

    files ─▶ known already? ─▶ decode in child processes ─▶ score ahead in one stream ─▶ file a batch in one transaction

Whatever goes wrong with one picture is written down with that picture and holds its part; the others go on.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from app.jobs.sources import Naming, Source, hash_of
from app.settings import CHECKOUT, Settings
from core.decide.decision import NO_MODEL
from core.errors import HoldpointError, ModelError, NotFound, QuarantineReason, Unreadable
from core.pictures.decode import Limits
from core.pictures.sandbox import DecodePool, Read
from core.pictures.tiling import Look
from core.plant import Arrival, Filed, PartType
from core.records import Capture, Exposure, ImageState, Pixels, Prediction

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine

# What a net, its file or its device may raise. The part is held with the message; nothing is lost and nothing passes.
MODEL_FAILURES = (
    HoldpointError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Progress = Callable[[int, int, str], None]
SHIPPED = CHECKOUT / "models" / "shipped"
FILING = 2  # batches that may be on their way into the store while the net goes on


def quiet(done: int, total: int, message: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Origin:
    """What is known about every picture of one delivery; a file's own name may say more."""

    camera: str | None = None
    line: str | None = None
    machine: str | None = None
    order: str | None = None
    stage: str | None = None
    part_type: str | None = None


@dataclass(frozen=True)
class Wanted:
    """One picture to be filed.

    Attributes:
        naming: read from the file's name, or given with an upload.
        needs_part: a part id has to be known, because --part-from asks for one.
    """

    source: Source
    naming: Naming = field(default_factory=Naming)
    origin: Origin = field(default_factory=Origin)
    needs_part: bool = False

    @property
    def part(self) -> str:
        """The part this picture is of; the picture's own name where nobody says."""
        return self.naming.part or self.source.name

    def capture(self, read: Read | None = None) -> Capture:
        """As the store files it."""
        return Capture(
            source=self.source.name,
            part=self.part,
            order=self.naming.order or self.origin.order,
            machine=self.origin.machine,
            line=self.origin.line,
            camera=self.naming.camera or self.origin.camera,
            stage=self.naming.stage or self.origin.stage,
            view=self.naming.view,
            part_type=self.origin.part_type,
            taken_at=None if read is None else read.decoded.taken_at,
            exposure=Exposure() if read is None else read.decoded.exposure,
        )


@dataclass
class _Batch:
    """Pictures that are filed together; all pictures of a part are in one."""

    wanted: list[Wanted]
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    listed: bool = False

    @property
    def complete(self) -> bool:
        return self.listed and len(self.arrivals) + len(self.known) == len(self.wanted)


class Line:
    """Opened once, used for many deliveries; a context manager.

    Args:
        store: bound to whoever files.
        settings: of the plant.
        site: has to exist.
        model: another than the site's own.
        now: the clock; tests give another.
        pool: decoders shared with others; its own where None.
    """

    def __init__(
        self,
        store: "Store",
        settings: Settings,
        site: str,
        model: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pool: DecodePool | None = None,
    ) -> None:
        self.store, self.settings, self.now = store, settings, now
        self.site = store.sites.get(site)
        self._model = model
        self._shared = pool
        self._exit = ExitStack()
        self._looks: dict[str | None, Look] = {}
        self._pool: DecodePool | None = None
        self._engine: Engine | None = None
        self._engine_of: str | None = None
        self._broken: str | None = None

    def __enter__(self) -> "Line":
        """Start the decoders; a model that was asked for by name has to be there."""
        if self._model is not None:
            find_model(self.store, self.settings, self._model)
        self._pool = self._shared or self._exit.enter_context(decoders(self.settings))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the decoders."""
        self._exit.close()

    def take(self, wanted: Sequence[Wanted], progress: Progress = quiet, *, more_to_come: bool = False) -> list[Filed]:
        """Decode, score and file; a part is decided as soon as its views are there.

        Args:
            wanted: pictures, each source once.
            progress: called after every transaction.
            more_to_come: the pictures of a part arrive one by one; where nobody counted them, it waits for more.

        Returns:
            One entry for each picture, in the order given.
        """
        if self._pool is None:
            raise HoldpointError("The line is not open: use it in a with block.")
        self.site = self.store.sites.get(self.site.name)  # the model in use may have changed since the last delivery
        self._load()
        self._looks = {
            kind.name: look for kind in self.store.part_types.all(self.site.name) if (look := look_of(kind)) is not None
        }
        filed: dict[str, Filed] = {}
        flight: deque[_Batch] = deque()
        asked: deque[tuple[_Batch, Wanted]] = deque()
        batches = iter(_batches(wanted, self.settings.batch_images))
        self._progress(progress, 0, len(wanted))
        with ThreadPoolExecutor(1, "filing") as clerk:  # the net does not wait for the disk
            filing: deque[Future[dict[str, Filed]]] = deque()

            def gather(most: int) -> None:
                """Take in what was filed, in order; an error of the store ends the delivery here."""
                while filing and (len(filing) > most or filing[0].done()):
                    filed.update(filing.popleft().result())
                    self._progress(progress, len(filed), len(wanted))

            for batch, one, read, prediction, error in self._scored(self._reads(batches, flight, asked)):
                batch.arrivals[one.source.name] = _arrival(one, read, prediction, error)
                while flight and flight[0].complete:
                    filing.append(clerk.submit(self._file, flight.popleft(), more_to_come))
                    gather(most=FILING)
            while flight:
                filing.append(clerk.submit(self._file, flight.popleft(), more_to_come))
            gather(most=0)
        return [filed[one.source.name] for one in wanted]

    def _progress(self, progress: Progress, done: int, total: int) -> None:
        progress(done, total, f"pictures at {self.site.name}")

    def _load(self) -> None:
        """Have the net that decides here ready; where it cannot be had, say why on every picture."""
        name = self._model or self.site.model
        if name is None:
            self._engine, self._engine_of, self._broken = None, None, NO_MODEL
            return
        if self._engine is not None and self._engine_of == name:
            return
        try:
            self._engine = open_model(self.store, self.settings, name)
            self._engine_of, self._broken = name, None
        except MODEL_FAILURES as error:
            self._engine, self._engine_of, self._broken = None, None, sentence(error)

    def _reads(
        self, batches: Iterator[list[Wanted]], flight: "deque[_Batch]", asked: "deque[tuple[_Batch, Wanted]]"
    ) -> Iterator[tuple[_Batch, Wanted, Read]]:
        """Pictures as they come out of the decoders; what was refused is put into its batch at once."""
        if self._pool is None:
            return
        for answer in self._pool.decode(one.source.path for one in self._unknown(batches, flight, asked)):
            batch, one = asked.popleft()
            if isinstance(answer, Unreadable):
                batch.arrivals[one.source.name] = _refused(one, answer.reason, str(answer), answer.sha256)
            else:
                yield batch, one, answer

    def _unknown(
        self, batches: Iterator[list[Wanted]], flight: "deque[_Batch]", asked: "deque[tuple[_Batch, Wanted]]"
    ) -> Iterator[Wanted]:
        """What has to be decoded: not what is known, and not what is refused unopened."""
        for wanted in batches:
            batch = _Batch(wanted)
            flight.append(batch)
            hashes: dict[str, str] = {}
            for one in wanted:
                refused = one.source.refused
                if refused is not None:
                    batch.arrivals[one.source.name] = _refused(one, refused, f"{one.source.name}: {refused}", None)
                elif (sha256 := hash_of(one.source.path)) is not None:
                    hashes[one.source.name] = sha256
            # What could not be read or scored before is tried again; the store recognises it and keeps one image.
            known = self.store.arrivals.known(
                self.site.name, hashes.items(), readable=True, scored=self._engine is not None
            )
            batch.known.update({source: image_id for (source, _), image_id in known.items()})
            for one in wanted:
                if one.source.name not in batch.known and one.source.name not in batch.arrivals:
                    asked.append((batch, one))
                    yield one
            batch.listed = True

    def _scored(
        self, reads: Iterator[tuple[_Batch, Wanted, Read]]
    ) -> Iterator[tuple[_Batch, Wanted, Read, Prediction | None, str | None]]:
        """Score in one stream; after a failure each picture of it is tried alone, so that one cannot spoil the rest."""
        engine = self._engine
        if engine is None:
            for batch, one, read in reads:
                yield batch, one, read, None, self._broken
            return
        waiting: deque[tuple[_Batch, Wanted, Read]] = deque()
        feed = _Feed(reads, waiting, self._looks, engine.card.look)
        while not feed.ended:
            taken = feed.count
            try:
                for prediction in engine.stream(feed.pixels(), feed.looks()):
                    yield *waiting.popleft(), prediction, None
            except MODEL_FAILURES:
                if feed.failed:  # not the net but the decoders or the store
                    raise
            while waiting:
                item = waiting.popleft()
                yield *item, *_alone(engine, item[2].decoded.pixels, feed.look_of(item[1]))
            if feed.count == taken:  # the stream takes nothing any more
                for item in reads:
                    yield *item, *_alone(engine, item[2].decoded.pixels, feed.look_of(item[1]))
                return

    def _file(self, batch: _Batch, more_to_come: bool) -> dict[str, Filed]:
        now = self.now()
        arrivals = [batch.arrivals[one.source.name] for one in batch.wanted if one.source.name in batch.arrivals]
        filed = {}
        if arrivals:
            for one in self.store.arrivals.file(self.site.name, arrivals, now=now, more_to_come=more_to_come):
                filed[one.source] = one
        for source, image_id in batch.known.items():
            filed[source] = Filed(source, "known", "filed before", image_id)
        return filed


class _Feed:
    """Hands pixels to the net and remembers whose they are."""

    def __init__(
        self,
        reads: Iterator[tuple[_Batch, Wanted, Read]],
        waiting: "deque[tuple[_Batch, Wanted, Read]]",
        looks: Mapping[str | None, Look],
        usual: Look,
    ) -> None:
        self._reads, self._waiting, self._looks, self._usual = reads, waiting, looks, usual
        self._next: deque[Look] = deque()
        self.count = 0
        self.ended = self.failed = False

    def pixels(self) -> Iterator[Pixels]:
        """What the net sees; says afterwards whether the pictures ran out or their source failed."""
        while True:
            try:
                item = next(self._reads)
            except StopIteration:
                self.ended = True
                return
            except MODEL_FAILURES:
                self.ended = self.failed = True
                raise
            self.count += 1
            self._waiting.append(item)
            self._next.append(self.look_of(item[1]))
            yield item[2].decoded.pixels

    def looks(self) -> Iterator[Look]:
        """How each of those pictures is looked at, in step with them."""
        self._next.clear()  # now, not when the first look is asked for: by then it is waiting there
        return iter(self._next.popleft, None)

    def look_of(self, one: Wanted) -> Look:
        """As its part type has it, or the card."""
        return self._looks.get(one.origin.part_type, self._usual)


def decoders(settings: Settings) -> DecodePool:
    """Child processes that open pictures, as the settings say."""
    return DecodePool(settings.decoders, limits(settings), settings.decode_seconds)


def limits(settings: Settings) -> Limits:
    """What a picture may be."""
    return Limits(pixels=settings.picture_pixels)


def look_of(kind: PartType) -> Look | None:
    """How the net looks at pictures of a part type; None leaves it to the card, where nobody set anything."""
    usual = PartType(kind.name)
    if (kind.scale, kind.tile, kind.stride, kind.whole_picture) == (
        usual.scale,
        usual.tile,
        usual.stride,
        usual.whole_picture,
    ):
        return None
    return Look(kind.tile, kind.stride, kind.scale, kind.whole_picture)


def find_model(store: "Store | None", settings: Settings, name: str) -> Path:
    """The folder of a model: one the store knows, one that is shipped, or a folder that is named itself.

    Raises:
        NotFound: no such model.
        ModelError: the card in the folder is not the one the store knows.
    """
    from models.checkpoint import CARD, read_card

    known = None
    if store is not None:
        with suppress(NotFound):
            known = store.models.get(name)
    plain = "/" not in name and not name.startswith(".")
    places = [settings.models / name, SHIPPED / name] if plain else []
    if known is not None:
        places.insert(0, settings.home / known.path)  # an absolute path stays as it is
    folder = next((place for place in [*places, Path(name)] if (place / CARD).is_file()), None)
    if folder is None:
        have = sorted(place.parent.name for root in (settings.models, SHIPPED) for place in root.glob(f"*/{CARD}"))
        raise NotFound(f"There is no model '{name}': there are {', '.join(have) or 'none yet; train one'}.")
    if known is not None and (found := read_card(folder).sha256) != known.sha256:
        raise ModelError(
            f"{folder} holds other weights (sha256 {found[:12]}) than the store knows as {name} ({known.sha256[:12]}): "
            "take the model from its backup."
        )
    return folder


def open_model(store: "Store | None", settings: Settings, name: str) -> "Engine":
    """The engine of a model; see `find_model`."""
    from models.engine import open_engine

    return open_engine(find_model(store, settings, name), settings.device, cache=settings.compiled)


def sentence(error: BaseException) -> str:
    """A failure in one line that an inspector can read."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, HoldpointError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def _batches(wanted: Sequence[Wanted], size: int) -> Iterator[list[Wanted]]:
    """Lists of about `size`, never dividing a part."""
    parts: dict[str, list[Wanted]] = {}
    for one in wanted:
        parts.setdefault(one.part, []).append(one)
    batch: list[Wanted] = []
    for pictures in parts.values():
        if batch and len(batch) + len(pictures) > size:
            yield batch
            batch = []
        batch += pictures
    if batch:
        yield batch


def _refused(one: Wanted, reason: QuarantineReason, note: str, sha256: str | None) -> Arrival:
    return Arrival(
        capture=one.capture(),
        path=str(one.source.path),
        sha256=sha256 or "",
        state=ImageState.QUARANTINED,
        state_note=note,
        reason=reason,
    )


def _arrival(one: Wanted, read: Read, prediction: Prediction | None, error: str | None) -> Arrival:
    if prediction is not None and not _usable(prediction):
        prediction, error = None, "its answer is not a number"
    return Arrival(
        capture=one.capture(read),
        path=str(one.source.path),
        sha256=read.sha256,
        width=read.decoded.width,
        height=read.decoded.height,
        quality=read.quality,
        prediction=prediction,
        error=error,
        **_without_part(one),
    )


def _without_part(one: Wanted) -> dict[str, Any]:
    """A picture of nobody knows which part is scored and kept, but can only be taken in by a person."""
    if not one.needs_part or one.naming.part is not None:
        return {}
    return {
        "state": ImageState.QUARANTINED,
        "state_note": f"nothing in '{one.source.path.name}' says which part it shows",
        "reason": QuarantineReason.UNKNOWN_ID,
    }


def _usable(prediction: Prediction) -> bool:
    numbers = [prediction.score, *prediction.class_scores.values()]
    return all(0 <= number <= 1 for number in numbers) and (
        prediction.novelty is None or math.isfinite(prediction.novelty)
    )


def _alone(engine: "Engine", pixels: Pixels, look: Look) -> tuple[Prediction | None, str | None]:
    try:
        (prediction,) = engine.score([pixels], look)
    except MODEL_FAILURES as error:
        return None, sentence(error)
    return prediction, None
