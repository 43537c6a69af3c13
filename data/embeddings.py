"""Embeddings: what each picture looks like to one model, in Parquet files of that model, asked through DuckDB.

One folder for each model, named by the hash of its weights; one row for each picture in it, written once. A file is
whole or not there. The database that reads them may read that folder and nothing else, and keeps to its share of
memory; what it finds goes into one array row by row.
"""

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import BadInput, Busy
from core.records import Floats

MEMORY = "256MB"  # of the database itself, beside the array that it fills
READ_AT_ONCE = 2048  # rows
BUDGET_BYTES = 4 << 30


class Embedded(NamedTuple):
    """What a model's one pass said of a picture.

    Attributes:
        vector: (d,) float32.
        probabilities: (1 + k,): no defect, then each class of the card; they add up to 1.
    """

    image_id: int
    sha256: str
    vector: Floats
    probabilities: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """Rows of some pictures, in the order in which they were asked for.

    Attributes:
        image_ids: (n,) of those that there are.
        vectors: (n, d) float32.
        probabilities: (n, 1 + k).
    """

    image_ids: npt.NDArray[np.int64]
    vectors: Floats
    probabilities: npt.NDArray[np.float64]


class Embeddings:
    """The files of one model."""

    def __init__(self, folder: Path, model_sha256: str) -> None:
        """Nothing is opened or made yet.

        Args:
            folder: of all models' embeddings.
            model_sha256: of the weights.
        """
        if not model_sha256.isalnum():
            raise BadInput("A model's hash is letters and digits: this card is damaged.")
        self.folder = folder / model_sha256[:32]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The only writer of this model's files.

        Raises:
            Busy: somebody else computes them now.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Busy("Another job computes this model's embeddings now: try again when it is done.") from error
            yield

    def missing(self, images: Mapping[int, str]) -> list[int]:
        """Ids of the pictures, given with their hashes, that have no row yet."""
        files = self._files()
        if not files or not images:
            return list(images)
        wanted = pa.table({"image_id": pa.array(images, pa.int64()), "sha256": pa.array(images.values(), pa.string())})
        with self._asking(wanted) as connection:
            rows = connection.execute(
                "SELECT image_id FROM wanted ANTI JOIN read_parquet($files) USING (image_id, sha256)", {"files": files}
            ).fetchall()
        absent = {int(row[0]) for row in rows}
        return [image_id for image_id in images if image_id in absent]

    def add(self, rows: Sequence[Embedded]) -> None:
        """Write rows as one more file; call it inside `writing`, with pictures that are missing."""
        if not rows:
            return
        vectors = np.stack([one.vector for one in rows]).astype(np.float32, copy=False)
        shares = np.stack([one.probabilities for one in rows]).astype(np.float64, copy=False)
        if not (np.isfinite(vectors).all() and np.isfinite(shares).all()):
            raise BadInput("An embedding is not finite: check the model before anything is chosen by it.")
        table = pa.table(
            {
                "image_id": pa.array([one.image_id for one in rows], pa.int64()),
                "sha256": pa.array([one.sha256 for one in rows], pa.string()),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
                "probabilities": pa.FixedSizeListArray.from_arrays(pa.array(shares.ravel()), shares.shape[1]),
            }
        )
        draft = self.folder / f".{uuid4().hex}"
        pq.write_table(table, draft, compression="zstd", compression_level=1, use_dictionary=False)
        draft.rename(self.folder / f"{uuid4().hex}.parquet")

    def width(self) -> int | None:
        """Numbers in a vector; None while there is none."""
        files = self._files()
        if not files:
            return None
        return int(pq.read_schema(files[0]).field("vector").type.list_size)

    def room(self, budget: int = BUDGET_BYTES) -> int | None:
        """How many pictures' vectors fit into a budget of bytes; None while nobody knows how long they are."""
        width = self.width()
        return None if width is None else max(1, budget // (4 * width))

    def read(self, image_ids: Sequence[int], budget: int = BUDGET_BYTES) -> Found:
        """Rows of pictures; those that have none are left out.

        Raises:
            BadInput: they do not fit into the budget of bytes.
        """
        files, width = self._files(), self.width()
        if not files or width is None or not len(image_ids):
            return Found(np.empty(0, np.int64), np.empty((0, width or 0), np.float32), np.empty((0, 1)))
        if len(image_ids) * width * 4 > budget:
            raise BadInput(
                f"{len(image_ids):,} embeddings of {width:,} numbers do not fit into {budget / 2**20:,.0f} MiB: "
                "choose one site, or fewer pictures."
            )
        count = len(image_ids)
        wanted = pa.table({"image_id": pa.array(image_ids, pa.int64()), "place": pa.array(range(count), pa.int64())})
        vectors = np.empty((count, width), np.float32)
        shares: npt.NDArray[np.float64] | None = None
        there = np.zeros(count, bool)
        with self._asking(wanted) as connection:
            answer = connection.sql(
                "SELECT place, vector, probabilities FROM read_parquet($files) JOIN wanted USING (image_id)",
                params={"files": files},
            )
            for batch in answer.to_arrow_reader(READ_AT_ONCE):
                place = batch.column("place").to_numpy()
                vectors[place] = batch.column("vector").flatten().to_numpy().reshape(-1, width)
                part = batch.column("probabilities").flatten().to_numpy().reshape(len(place), -1)
                shares = np.zeros((count, part.shape[1])) if shares is None else shares
                shares[place] = part
                there[place] = True
        ids = np.asarray(image_ids, np.int64)
        if shares is None:
            return Found(ids[:0], vectors[:0], np.empty((0, 1)))
        if there.all():
            return Found(ids, vectors, shares)
        kept = np.flatnonzero(there)
        for start in range(0, len(kept), READ_AT_ONCE):  # close the gaps in place: a copy would need the room twice
            some = kept[start : start + READ_AT_ONCE]
            vectors[start : start + len(some)] = vectors[some]
        return Found(ids[kept], vectors[: len(kept)], shares[kept])

    def _files(self) -> list[str]:
        return sorted(str(one) for one in self.folder.glob("*.parquet"))

    @contextlib.contextmanager
    def _asking(self, wanted: pa.Table) -> Iterator[Any]:
        """A database in memory that may read this folder and nothing else."""
        settings: dict[str, Any] = {
            "memory_limit": MEMORY, "threads": 2, "temp_directory": "", "preserve_insertion_order": False,
            "autoinstall_known_extensions": False, "autoload_known_extensions": False,
            "allow_community_extensions": False, "python_enable_replacements": False,
        }  # fmt: skip
        connection = duckdb.connect(config=settings)
        try:
            connection.execute("SET VARIABLE folder = $1", [str(self.folder)])
            connection.execute("SET allowed_directories = [getvariable('folder')]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            connection.register("wanted", wanted)
            yield connection
        finally:
            connection.close()
