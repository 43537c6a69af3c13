"""How long until another process counts an answer: from the moment it is kept to the end of a look that has it."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

from app.jobs.quality.facts import FactsKeeper
from app.jobs.quality.override_actions import reader_of
from app.settings import Settings
from core.records import Verdict
from data.store import open_store
from tests.data.store.plant import answer, arrival, file, person, site

ANSWERS, PICTURES = 40, 2_000
PAUSE_S = 0.25
LONGEST_S = 60.0


def freshness(scratch: Path) -> dict[str, Any]:
    """Answers one after the other while a second process looks again and again, and the worker publishes."""
    current = Settings(home=scratch / "fresh")
    current.home.mkdir(parents=True)
    store = open_store(current.database_url)
    site(store)
    for first in range(0, PICTURES, 200):
        file(store, *(arrival(number) for number in range(first + 1, first + 201)))
    ines = person(store, "ines")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_look, args=(current.database_url, str(current.home), there))
    lags: list[float] = []
    with FactsKeeper(store, current):
        child.start()
        here.recv()
        for number in range(1, ANSWERS + 1):
            task = ines.queue.lease()
            if task is None:
                break
            answer(ines, task, Verdict.PASS)
            kept = time.time()
            seen = 0
            while seen < number and here.poll(LONGEST_S):
                seen, ended = here.recv()
            lags.append(max(0.0, ended - kept))
            time.sleep(PAUSE_S)
    child.terminate()
    child.join()
    store.close()
    lags.sort()
    return {"answers": len(lags), "median_s": round(median(lags), 3), "p95_s": round(lags[int(0.95 * len(lags))], 3),
            "longest_s": round(lags[-1], 3), "aim_s": 5.0}  # fmt: skip


def _look(url: str, home: str, pipe: Connection) -> None:
    store, reader = open_store(url), reader_of(Settings(home=Path(home)))
    before = -1
    while True:
        with reader.asking(store.facts) as question:
            counted = sum(row["n"] for row in question.ask("exact_overrides"))
        if counted != before:
            pipe.send((counted, time.time()))
            before = counted
