"""The thread behind the endpoint: requests that wait at the same time are scored and filed together."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.api.answers import stored_answer
from app.jobs.intake.documents import answer
from app.jobs.intake.line import MODEL_FAILURES, Line, Origin, Wanted, decoders, open_model, sentence
from app.jobs.intake.sources import Naming, Source, keep
from app.settings import Settings
from core.decide.decision import PartEvidence, PartPicture, SiteRules, decide
from core.errors import BadInput, Conflict, Unreadable
from core.pictures.sandbox import DecodePool, Upload
from core.plant import Filed
from core.roles import Actor

if TYPE_CHECKING:
    from data.store import Store

ENDPOINT = Actor("endpoint", system=True)
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})


@dataclass(frozen=True)
class Ask:
    """One request, its picture still in memory.

    Attributes:
        key: the caller's idempotency key.
        done: gets the answer.
    """

    data: bytes
    name: str
    site: str | None
    naming: Naming
    origin: Origin
    key: str | None = None
    done: "Future[dict[str, Any]]" = field(default_factory=Future, compare=False)

    @property
    def source(self) -> str:
        """The same key from the same site is the same capture; without one each request is its own."""
        return f"request:{self.key}" if self.key else f"request:{uuid4().hex}"


class Service:
    """One thread that takes whatever waits, and scores and files it together."""

    def __init__(
        self,
        settings: Settings,
        store: "Store",
        model: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`model` answers requests that name no site."""
        self.settings, self.model, self.now = settings, model, now
        self.store = store.acting_as(ENDPOINT)
        self._waiting: queue.Queue[Ask | None] = queue.Queue()
        self._exit = ExitStack()
        self._pool: DecodePool | None = None
        self._lines: dict[str, Line] = {}
        self._thread = threading.Thread(target=self._work, name="endpoint", daemon=True)

    def start(self) -> None:
        """Start the decoders and the thread."""
        self._pool = self._exit.enter_context(decoders(self.settings))
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, then end."""
        self._waiting.put(None)
        self._thread.join()
        self._exit.close()

    def submit(self, ask: Ask) -> "Future[dict[str, Any]]":
        """Queue a request."""
        self._waiting.put(ask)
        return ask.done

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._waiting.get()]
            while len(batch) < self.settings.batch_images:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            ended = None in batch
            asks = [ask for ask in batch if ask is not None]
            for site in dict.fromkeys(ask.site for ask in asks):
                self._answer(site, [ask for ask in asks if ask.site == site])

    def _answer(self, site: str | None, asks: Sequence[Ask]) -> None:
        """Answer everybody; the thread outlives whatever happens here."""
        try:
            if site is None:
                self._only_score(asks)
            else:
                self._file(site, asks)
        except BaseException as error:
            for ask in asks:
                if not ask.done.done():
                    ask.done.set_exception(error)
            if not isinstance(error, Exception):
                raise

    def _only_score(self, asks: Sequence[Ask]) -> None:
        """Nothing is stored, and without a policy everything is HOLD."""
        if self.model is None or self._pool is None:
            raise BadInput("Name a site: this endpoint was started without a model of its own.")
        reads = list(self._pool.decode(Upload(ask.name, ask.data) for ask in asks))
        for ask, read in zip(asks, reads, strict=True):
            if isinstance(read, Unreadable):
                ask.done.set_exception(read)
                continue
            prediction, error = None, None
            try:
                (prediction,) = open_model(self.store, self.settings, self.model).score([read.decoded.pixels])
            except MODEL_FAILURES as failure:
                error = sentence(failure)
            picture = PartPicture(0, quality=read.quality, prediction=prediction, error=error)
            decided = decide(PartEvidence([picture]), SiteRules())
            size = (read.decoded.width, read.decoded.height)
            ask.done.set_result(
                answer(
                    read.sha256, prediction, size, decided.outcome, decided.reasons, decided.route, self.now(),
                    ask.origin.camera,
                )
            )  # fmt: skip

    def _file(self, site: str, asks: Sequence[Ask]) -> None:
        line = self._lines.get(site)
        if line is None:
            line = self._lines[site] = self._exit.enter_context(
                Line(self.store, self.settings, site, now=self.now, pool=self._pool)
            )
        wanted: dict[str, Wanted] = {}
        of: dict[str, list[Ask]] = {}
        for ask in asks:
            source = ask.source
            path = keep(ask.data, self.settings.uploads, _suffix(ask.name))
            before = self.store.images.find(site=site, source=source) if ask.key else []
            digest = sha256(ask.data).hexdigest()
            if any(image.sha256 != digest for image in before) or (
                source in wanted and wanted[source].source.path != path
            ):
                ask.done.set_exception(
                    Conflict(
                        f"The idempotency key '{ask.key}' was used for another picture: give each picture its own."
                    )
                )
                continue
            wanted[source] = Wanted(Source(source, path), ask.naming, ask.origin)
            of.setdefault(source, []).append(ask)
        filed = line.take(list(wanted.values()))
        for one in filed:
            document = self._document(one)
            for ask in of[one.source]:
                ask.done.set_result(document)

    def _document(self, filed: Filed) -> dict[str, Any]:
        if filed.image_id is None:
            raise BadInput(f"The picture was not kept: {filed.reason}")
        image = self.store.images.get(filed.image_id)
        return stored_answer(
            image,
            self.store.images.prediction(image.id),
            self.store.parts.decision(image.part_id),
            self.now(),
        )


def _suffix(name: str) -> str:
    """Of an upload's name; what is unknown is left away and decided by content alone."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES else ""
