"""The demo plant's pictures, drawn ahead in other processes and handed on in the order in which they are taken."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from heapq import heappop, heappush
from multiprocessing import get_context

from core.records import Region
from data.demo.plan import PlannedPart, Shot, taken

Taken = list[tuple[bytes, tuple[Region, ...]]]
_AHEAD = 12  # parts drawn before they are needed


@contextmanager
def drawn_ahead(planned: Iterable[PlannedPart], drawers: int) -> Iterator[Iterator[tuple[PlannedPart, Taken]]]:
    """Every part with its pictures, drawn ahead by other processes."""
    context = get_context("spawn")
    with ProcessPoolExecutor(max(1, drawers), context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:

        def results() -> Iterator[tuple[PlannedPart, Taken]]:
            ahead: deque[tuple[PlannedPart, Future[Taken]]] = deque()
            for part in planned:
                ahead.append((part, pool.submit(draw_part, part)))
                if len(ahead) >= _AHEAD:
                    first, drawing = ahead.popleft()
                    yield first, drawing.result()
            while ahead:
                first, drawing = ahead.popleft()
                yield first, drawing.result()

        try:
            yield results()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def draw_part(part: PlannedPart) -> Taken:
    """All files of a part, and what is truly on them; runs in a child process."""
    import cv2

    cv2.setNumThreads(1)
    return [taken(part, shot) for shot in part.shots]


def in_time(pictures: Iterable[tuple[PlannedPart, Taken]]) -> Iterator[tuple[datetime, PlannedPart, Shot, bytes]]:
    """The pictures of overlapping parts in the order in which they are taken."""
    waiting: list[tuple[datetime, int, PlannedPart, Shot, bytes]] = []
    count = 0
    for part, shots in pictures:
        while waiting and waiting[0][0] <= part.at:
            due, _, of, shot, data = heappop(waiting)
            yield due, of, shot, data
        for shot, (data, _) in zip(part.shots, shots, strict=True):
            heappush(waiting, (part.taken_at(shot), count, part, shot, data))
            count += 1
    while waiting:
        due, _, of, shot, data = heappop(waiting)
        yield due, of, shot, data
