"""A site's line made ready: decoder, net and store joined, so that pictures become decided parts.

    files ─▶ known already? ─▶ decode in child processes ─▶ score ahead in one stream ─▶ file a batch in one transaction

Whatever goes wrong with one picture is written down with that picture and holds its part; the others go on. Which model
decides is asked of the store before each batch: a promotion or a roll back ends the stream behind the batch that runs,
and the next one is scored by the other model.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from app.jobs.intake.batches import Batch, Origin, Wanted, arrived, divided, refusal
from app.jobs.intake.opening import MODEL_FAILURES, SHIPPED, find_model, look_of, open_model, sentence
from app.jobs.intake.sources import Naming, hash_of
from app.jobs.science.detectors.line import Drawing
from app.jobs.science.novelty.judging import Comparing
from app.jobs.words.covering import SiteCovers
from app.jobs.words.prints import PrintReader
from app.settings import Settings
from core.decide.decision import NO_MODEL
from core.errors import HoldpointError, Unreadable
from core.pictures.decode import Limits
from core.pictures.sandbox import DecodePool, Read
from core.pictures.tiling import Look
from core.plant import Filed
from core.records import Pixels, Prediction

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine, Observation

__all__ = [
    "MODEL_FAILURES",
    "SHIPPED",
    "Line",
    "Naming",
    "Origin",
    "Progress",
    "Wanted",
    "decoders",
    "find_model",
    "limits",
    "look_of",
    "open_model",
    "quiet",
    "sentence",
]

Progress = Callable[[int, int, str], None]
FILING = 2  # batches that may be on their way into the store while the net goes on


def quiet(done: int, total: int, message: str) -> None:
    """Progress that nobody watches."""


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
        self._comparing = Comparing(store, settings, site)
        self._drawing = Drawing(store, settings, site)
        self._printed = PrintReader(store, settings, site)
        self._covering = SiteCovers(store, site)
        self._pool: DecodePool | None = None
        self._engine: Engine | None = None
        self._engine_of: str | None = None
        self._broken: str | None = None

    def __enter__(self) -> "Line":
        """Start the decoders; a model that was asked for by name has to be there."""
        if self._model is not None:
            find_model(self.store, self.settings, self._model)
        self._pool = self._shared or self._exit.enter_context(decoders(self.settings))
        self._exit.enter_context(self._printed)
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
        self.site = self.store.sites.get(self.site.name)  # which may have changed since the last delivery
        self._load(self._model or self.site.model)
        self._looks = {
            kind.name: look for kind in self.store.part_types.all(self.site.name) if (look := look_of(kind)) is not None
        }
        self._printed.load(self.now())
        self._covering.load()
        self._drawing.ask()
        filed: dict[str, Filed] = {}
        flight: deque[Batch] = deque()
        asked: deque[tuple[Batch, Wanted]] = deque()
        batches = iter(divided(wanted, self.settings.batch_images))
        self._progress(progress, 0, len(wanted))
        with ThreadPoolExecutor(1, "filing") as clerk:  # the net does not wait for the disk
            filing: deque[Future[dict[str, Filed]]] = deque()

            def gather(most: int) -> None:
                """Take in what was filed, in order; an error of the store ends the delivery here."""
                while filing and (len(filing) > most or filing[0].done()):
                    filed.update(filing.popleft().result())
                    self._progress(progress, len(filed), len(wanted))

            for batch, one, read, prediction, error, seen in self._scored(self._reads(batches, flight, asked)):
                prediction, error = self._comparing.compared(
                    batch, one.origin.part_type, read.decoded.pixels, prediction, error, self._engine, seen
                )
                self._drawing.draw(one.source.name, read.decoded.pixels)
                printed = self._printed.read(one.origin.part_type, one.naming.view, read.decoded.pixels)
                batch.arrivals[one.source.name] = arrived(
                    one, read, prediction, error, printed, self._covering.find(read.decoded.pixels, printed)
                )
                while flight and flight[0].complete:
                    filing.append(clerk.submit(self._file, flight.popleft(), more_to_come))
                    gather(most=FILING)
            while flight:
                filing.append(clerk.submit(self._file, flight.popleft(), more_to_come))
            gather(most=0)
        return [filed[one.source.name] for one in wanted]

    def _progress(self, progress: Progress, done: int, total: int) -> None:
        progress(done, total, f"pictures at {self.site.name}")

    def _load(self, name: str | None) -> None:
        """Have the net that decides here ready; where it cannot be had, say why on every picture."""
        if name is None:
            self._engine, self._engine_of, self._broken = None, None, NO_MODEL
            return
        if self._engine is not None and self._engine_of == name and self._engine.levels == self._levels(self._engine):
            return
        try:
            self._engine = open_model(self.store, self.settings, name, self._comparing.levels)
            self._engine_of, self._broken = name, None
        except MODEL_FAILURES as error:
            self._engine, self._engine_of, self._broken = None, None, sentence(error)

    def _levels(self, engine: "Engine") -> tuple[int, ...]:
        """Of the middle layers that a memory now in force wants of this model's pass."""
        return self._comparing.levels(engine.card.sha256)

    def _deciding(self, batch: Batch) -> str | None:
        """The model that a batch is scored by: the one in use when its first picture comes to the net."""
        if not batch.asked:
            batch.model = self._model or self.store.promotions.in_use(self.site.name)
            batch.asked = True
        return batch.model

    def _reads(
        self, batches: Iterator[list[Wanted]], flight: "deque[Batch]", asked: "deque[tuple[Batch, Wanted]]"
    ) -> Iterator[tuple[Batch, Wanted, Read]]:
        """Pictures as they come out of the decoders; what was refused is put into its batch at once."""
        if self._pool is None:
            return
        for answer in self._pool.decode(one.source.path for one in self._unknown(batches, flight, asked)):
            batch, one = asked.popleft()
            if isinstance(answer, Unreadable):
                batch.arrivals[one.source.name] = refusal(one, answer.reason, str(answer), answer.sha256)
            else:
                yield batch, one, answer

    def _unknown(
        self, batches: Iterator[list[Wanted]], flight: "deque[Batch]", asked: "deque[tuple[Batch, Wanted]]"
    ) -> Iterator[Wanted]:
        """What has to be decoded: not what is known, and not what is refused unopened."""
        for wanted in batches:
            batch = Batch(wanted)
            flight.append(batch)
            hashes: dict[str, str] = {}
            for one in wanted:
                refused = one.source.refused
                if refused is not None:
                    batch.arrivals[one.source.name] = refusal(one, refused, f"{one.source.name}: {refused}", None)
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
        self, reads: Iterator[tuple[Batch, Wanted, Read]]
    ) -> "Iterator[tuple[Batch, Wanted, Read, Prediction | None, str | None, Observation | None]]":
        """Score in one stream; after a failure each picture of it is tried alone, so that one cannot spoil the rest."""
        waiting: deque[tuple[Batch, Wanted, Read]] = deque()
        feed = _Feed(reads, waiting, self._looks, self._deciding)
        while feed.more():
            self._load(feed.model)
            engine = self._engine
            if engine is None:
                for batch, one, read in feed.items():
                    yield batch, one, read, None, self._broken, None
                continue
            feed.usual = engine.card.look
            taken = feed.count
            try:
                for seen in engine.observe(feed.pixels(), feed.looks()):
                    prediction = engine.read(seen)
                    yield *waiting.popleft(), prediction, None, seen
            except MODEL_FAILURES:
                if feed.failed:  # not the net but the decoders or the store
                    raise
            while waiting:
                item = waiting.popleft()
                yield *item, *_alone(engine, item[2].decoded.pixels, feed.look_of(item[1]))
            if feed.count == taken:  # the stream takes nothing any more
                for item in feed.items():
                    yield *item, *_alone(engine, item[2].decoded.pixels, feed.look_of(item[1]))

    def _file(self, batch: Batch, more_to_come: bool) -> dict[str, Filed]:
        now = self.now()
        arrivals = [batch.arrivals[one.source.name] for one in batch.wanted if one.source.name in batch.arrivals]
        filed = {}
        if arrivals:
            for one in self.store.arrivals.file(self.site.name, arrivals, now=now, more_to_come=more_to_come):
                filed[one.source] = one
        for source, image_id in batch.known.items():
            filed[source] = Filed(source, "known", "filed before", image_id)
        self._drawing.keep(filed)
        return filed


class _Feed:
    """Hands the pixels of one model's batches to its net and remembers whose they are; looks one picture ahead.

    Attributes:
        model: that the next picture is for.
        usual: the look of its card.
        count: pictures handed out.
        failed: the source of the pictures did, not the net.
    """

    def __init__(
        self,
        reads: Iterator[tuple[Batch, Wanted, Read]],
        waiting: "deque[tuple[Batch, Wanted, Read]]",
        looks: Mapping[str | None, Look],
        deciding: Callable[[Batch], str | None],
    ) -> None:
        self._reads, self._waiting, self._looks, self._deciding = reads, waiting, looks, deciding
        self._ahead: tuple[Batch, Wanted, Read] | None = None
        self._next: deque[Look] = deque()
        self.usual = Look()
        self.model: str | None = None
        self.count = 0
        self.failed = False

    def more(self) -> bool:
        """Whether a picture waits; from now on it is its model's turn."""
        if not self._peek():
            return False
        self.model = self._of_next()
        return True

    def items(self) -> Iterator[tuple[Batch, Wanted, Read]]:
        """Pictures until they run out or another model's turn has come."""
        while self._peek() and self._of_next() == self.model:
            item, self._ahead = self._ahead, None
            if item is not None:
                self.count += 1
                yield item

    def pixels(self) -> Iterator[Pixels]:
        """What the net sees of them; says afterwards whether their source failed."""
        try:
            for item in self.items():
                self._waiting.append(item)
                self._next.append(self.look_of(item[1]))
                yield item[2].decoded.pixels
        except MODEL_FAILURES:
            self.failed = True
            raise

    def looks(self) -> Iterator[Look]:
        """How each of those pictures is looked at, in step with them."""
        self._next.clear()  # now, not when the first look is asked for: by then it is waiting there
        return iter(self._next.popleft, None)

    def look_of(self, one: Wanted) -> Look:
        """As its part type has it, or the card."""
        return self._looks.get(one.origin.part_type, self.usual)

    def _peek(self) -> bool:
        if self._ahead is None:
            self._ahead = next(self._reads, None)
        return self._ahead is not None

    def _of_next(self) -> str | None:
        return None if self._ahead is None else self._deciding(self._ahead[0])


def decoders(settings: Settings) -> DecodePool:
    """Child processes that open pictures, as the settings say."""
    return DecodePool(settings.decoders, limits(settings), settings.decode_seconds)


def limits(settings: Settings) -> Limits:
    """What a picture may be."""
    return Limits(pixels=settings.picture_pixels)


def _alone(engine: "Engine", pixels: Pixels, look: Look) -> "tuple[Prediction | None, str | None, Observation | None]":
    try:
        (seen,) = engine.observe([pixels], look)
        return engine.read(seen), None, seen
    except MODEL_FAILURES as error:
        return None, sentence(error), None
