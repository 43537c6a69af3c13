"""Keeping the facts of the analytics in step with the store: a thread of the worker publishes what is new.

It also follows up new answers against the model, which it counts from the same facts.

Whoever reads takes the newest rows from the store itself, so nothing waits for this; it keeps those few.
"""

import sys
import threading
import time
from typing import TYPE_CHECKING

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from app.jobs.quality.override_actions import follow_up, reader_of
from app.kpis.charts import facts_folder
from app.settings import Settings
from core.errors import HoldpointError
from core.roles import WORKER

if TYPE_CHECKING:
    from data.store import Store

EVERY_S = 2.0
FOLLOW_S = 30.0  # how often new answers against the model are followed up


def publish_facts(store: "Store", current: Settings, *, at_once: bool = False) -> int:
    """Publish what is new, where it is worth a file; the rows that were published."""
    from data.analytics.publish import publish

    return publish(store.acting_as(WORKER).facts, facts_folder(current), at_once=at_once)


class FactsKeeper:
    """A thread that publishes, in the worker's process; what it cannot do it says once, on standard error.

    Of several workers on one machine one publishes; another goes on where that one ends.

    Attributes:
        trouble: why it could not the last time; empty when it could.
    """

    def __init__(self, store: "Store", current: Settings, every_s: float = EVERY_S) -> None:
        """Start it."""
        self.trouble = ""
        self._store = store
        self._current = current
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="facts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the file that is being written."""
        self._ending.set()
        self._thread.join(30)

    def __enter__(self) -> "FactsKeeper":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stop()

    def _run(self) -> None:
        reader = reader_of(self._current)
        followed = float("-inf")
        while not self._ending.wait(self._every_s):
            try:
                publish_facts(self._store, self._current)
                if time.monotonic() - followed >= FOLLOW_S:
                    followed = time.monotonic()
                    follow_up(reader, self._store, self._store.database.clock())
                self.trouble = ""
            except (HoldpointError, SQLAlchemyError, duckdb.Error, OSError) as error:
                if str(error) != self.trouble:
                    self.trouble = str(error)
                    sys.stderr.write(f"The facts could not be published: {error}\n")
