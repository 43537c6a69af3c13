"""Shadow scoring: a process of its own follows what production has filed, so nothing it does can delay or change that.

    line ─▶ store ─▶ decision                      (never waits, never reads what a shadow says)
              └──────▶ this process ─▶ shadow_predictions

It runs at the lowest priority, one picture after the other. A model that cannot be opened, a picture that is gone, a
process that dies: each is noted with the shadow and tried again, and production never hears of it.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.intake.line import MODEL_FAILURES, Progress, decoders, look_of, open_model, quiet, sentence
from app.jobs.processes import child_process, end_on_signals
from app.settings import Settings, settings
from core.errors import HoldpointError, ModelError, Unreadable
from core.records import Image
from core.roles import WORKER
from core.serving import Shadow, ShadowScore

if TYPE_CHECKING:
    from core.pictures.sandbox import DecodePool
    from data.store import Store
    from models.engine import Engine

AT_ONCE = 16  # pictures whose scores are written together
EVERY_S = 2.0
AGAIN_S = 30.0  # after a shadow that failed, or a process that died
NICE = 15


class Looker:
    """Scores what waits for the shadows of a plant; a context manager."""

    def __init__(
        self, store: "Store", current: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._current, self._now = store, current, now
        self._exit = ExitStack()
        self._pool: DecodePool | None = None

    def __enter__(self) -> "Looker":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the decoders."""
        self._exit.close()

    def look(self, shadow: Shadow, most: int = AT_ONCE) -> int:
        """Score the next pictures of one shadow; one whose time is over and that has seen all is ended.

        Returns:
            How many pictures it has dealt with; 0 where none waits or it cannot score.
        """
        waiting = self._store.shadows.waiting(shadow.id, most)
        if not waiting:
            self._note(shadow, "", ended=self._now() >= shadow.until)
            return 0
        try:
            engine = self._engine(shadow)
            scores = self._scores(engine, shadow.site, waiting)
        except MODEL_FAILURES as error:
            self._note(shadow, sentence(error))
            return 0
        self._store.shadows.keep(shadow.id, scores, self._now())
        self._note(shadow, "")
        return len(waiting)

    def _note(self, shadow: Shadow, trouble: str, *, ended: bool = False) -> None:
        """Write how it stands, where that is news: whoever writes for nothing keeps others from the store."""
        if ended or trouble != shadow.trouble:
            self._store.shadows.note(shadow.id, trouble, self._now())

    def _engine(self, shadow: Shadow) -> "Engine":
        """The very weights that the shadow was started with.

        Raises:
            ModelError: the store knows others by now.
        """
        if self._store.models.get(shadow.model).sha256 != shadow.sha256:
            raise ModelError(f"The weights of {shadow.model} are not those that were started: start it again.")
        return open_model(self._store, self._current, shadow.model)

    def _scores(self, engine: "Engine", site: str, waiting: Sequence[Image]) -> list[ShadowScore]:
        if self._pool is None:
            self._pool = self._exit.enter_context(decoders(self._current))
        looks = {kind.name: look_of(kind) for kind in self._store.part_types.all(site)}
        found = []
        reads = self._pool.decode(Path(one.path) for one in waiting)
        for image, read in zip(waiting, reads, strict=True):
            if isinstance(read, Unreadable):
                found.append(ShadowScore(image.id, error=str(read)))
                continue
            if read.sha256 != image.sha256:
                found.append(ShadowScore(image.id, error="the file has changed since it was filed"))
                continue
            try:
                (said,) = engine.score([read.decoded.pixels], looks.get(image.capture.part_type or ""))
            except MODEL_FAILURES as error:
                found.append(ShadowScore(image.id, error=sentence(error)))
                continue
            if not 0 <= said.score <= 1:
                found.append(ShadowScore(image.id, error="its answer is not a number"))
                continue
            found.append(ShadowScore(image.id, said.score, dict(said.class_scores), said.milliseconds))
        return found


def catch_up(
    store: "Store", current: Settings, site: str | None = None, *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC), progress: Progress = quiet,
) -> int:  # fmt: skip
    """Score everything that waits for the shadow of a site, or of all sites, here and now.

    Returns:
        Pictures that were dealt with.
    """
    done = 0
    with Looker(store, current, now) as looker:
        for shadow in store.shadows.due():
            if site is not None and shadow.site != site:
                continue
            while some := looker.look(shadow):
                done += some
                progress(done, 0, f"{shadow.model} at {shadow.site}")
    return done


class ShadowKeeper:
    """A thread of the worker that keeps the shadows' process going while there is a shadow."""

    def __init__(self, store: "Store", current: Settings, every_s: float = EVERY_S) -> None:
        """Start it."""
        self._store = store.acting_as(WORKER)
        self._current = current
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadows", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ShadowKeeper":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End, and the process with it."""
        self._ending.set()
        self._thread.join(30)

    def _run(self) -> None:
        trouble = ""
        while not self._ending.wait(self._every_s):
            try:
                if self._store.shadows.due():
                    self._supervise()
                trouble = ""
            except (HoldpointError, SQLAlchemyError, OSError) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    sys.stderr.write(f"Shadows cannot look on and are tried again: {error}\n")

    def _supervise(self) -> None:
        """Run the process until it ends by itself or this thread has to; after a bad end wait a while."""
        log = self._current.home / "logs" / "shadows.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "app.jobs.science.shadow"]
        with log.open("a") as story, child_process(command, self._current, story) as child:
            while child.poll() is None and not self._ending.is_set():
                try:
                    child.wait(0.5)
                except subprocess.TimeoutExpired:
                    continue
            bad = child.returncode not in (None, 0)
        if bad:
            self._ending.wait(AGAIN_S)


def main() -> int:
    """Look on for as long as there is a shadow."""
    from app.jobs.upkeep.sealing import open_plant

    os.nice(NICE)
    ending = threading.Event()
    end_on_signals(ending)
    current = settings()
    store = open_plant(current, WORKER)
    resting: dict[int, float] = {}
    with Looker(store, current) as looker:
        while not ending.is_set():
            due = store.shadows.due()
            if not due:
                return 0
            worked = 0
            for shadow in due:
                if time.monotonic() < resting.get(shadow.id, 0.0) or ending.is_set():
                    continue
                some = looker.look(shadow)
                worked += some
                if not some and store.shadows.waiting(shadow.id, 1):
                    resting[shadow.id] = time.monotonic() + AGAIN_S
            if not worked:
                ending.wait(EVERY_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
