"""How much one person may upload in a while: a full disk or memory would stop the desk for everybody."""

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 600.0
MOST_BYTES = 2 << 30  # ten of the largest files that the server takes


class UploadBudget:
    """Bytes that each person has announced in the last minutes.

    Args:
        most_bytes: for one person in the window.
        window_s: after which bytes are forgotten; Streamlit frees an upload with its session or page.
        clock: monotonic seconds.
    """

    def __init__(
        self, most_bytes: int = MOST_BYTES, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._window, self._clock = most_bytes, window_s, clock
        self._taken: dict[str, deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def take(self, name: str, size: int) -> bool:
        """Whether this person may upload so many bytes now; if so they count from now on."""
        now = self._clock()
        with self._lock:
            mine = self._taken.setdefault(name, deque())
            while mine and now - mine[0][0] > self._window:
                mine.popleft()
            if sum(taken for _, taken in mine) + size > self._most:
                return False
            mine.append((now, size))
            return True
