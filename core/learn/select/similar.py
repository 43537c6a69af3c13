"""Pictures that are nearly the same: their embeddings point the same way from the middle of the pool."""

from dataclasses import dataclass

import numpy as np

from core.learn.select.pool import BLOCK_BYTES, Flags, Ints, Pool
from core.records import Floats


@dataclass
class Similar:
    """What a batch and the labels hold already, to be compared with.

    Attributes:
        limit: correlation from which two pictures count as one.
        middle: (d,) mean of the pool.
        kept: (room, d) directions of the batch so far; used: how many of its rows.
    """

    pool: Pool
    limit: float
    middle: Floats
    kept: Floats
    used: int = 0

    @classmethod
    def to(cls, pool: Pool, limit: float, room: int) -> "Similar":
        """Nothing is in the batch yet."""
        middle = pool.embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(pool, limit, middle, np.empty((min(room, pool.n), pool.embeddings.shape[1]), np.float32))

    def add(self, row: int) -> None:
        """This one is in the batch."""
        self.kept[self.used] = self._directions(self.pool.embeddings[row : row + 1])[0]
        self.used += 1

    def known(self, row: int) -> bool:
        """Whether a picture is nearly one of the batch."""
        way = self._directions(self.pool.embeddings[row : row + 1])[0]
        return bool(self.used) and float((self.kept[: self.used] @ way).max()) >= self.limit

    def labelled(self, rows: Ints) -> Flags:
        """(k,) which of these rows are nearly one that has a label."""
        ways = self._directions(self.pool.embeddings[rows])
        found = np.zeros(len(rows), bool)
        step = max(1, BLOCK_BYTES // (4 * max(len(rows), ways.shape[1], 1)))
        for start in range(0, len(self.pool.labelled) if len(rows) else 0, step):
            others = self._directions(self.pool.labelled[start : start + step])
            found |= (ways @ others.T).max(axis=1) >= self.limit
        return found

    def _directions(self, points: Floats) -> Floats:
        away = points - self.middle
        ways: Floats = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), np.float32(1e-12))
        return ways
