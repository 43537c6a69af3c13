"""Perceptual signatures by content hash, in Parquet: made once for each picture, and at any time again."""

from collections.abc import Collection, Mapping
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Signature = npt.NDArray[np.uint8]
_MOST_FILES = 16  # beyond, they are put together


class SignatureCache:
    """A folder of Parquet files, each written whole; two processes may add at once."""

    def __init__(self, folder: Path, length: int, version: int) -> None:
        """Signatures of another length or version lie elsewhere and are never mixed in."""
        self.folder = folder / f"v{version}"
        self.length = length
        self._schema = pa.schema([("sha256", pa.string()), ("signature", pa.binary(length))])

    def load(self, wanted: Collection[str]) -> tuple[list[str], npt.NDArray[np.uint8]]:
        """The hashes that are known of those wanted, and (n, length) their signatures."""
        files = self._files()
        if not files:
            return [], np.empty((0, self.length), np.uint8)
        table = pa.concat_tables([pq.read_table(file, schema=self._schema) for file in files])
        table = table.filter(pc.is_in(table["sha256"], pa.array(sorted(wanted), pa.string())))
        hashes = table["sha256"].to_pylist()
        found = np.empty((0, self.length), np.uint8)
        if hashes:
            packed = table["signature"].combine_chunks()
            found = np.frombuffer(packed.buffers()[1], np.uint8).reshape(-1, self.length)
            found = found[packed.offset : packed.offset + len(packed)]
        first: dict[str, int] = {}
        for number, one in enumerate(hashes):
            first.setdefault(one, number)
        return list(first), found[list(first.values())]

    def add(self, made: Mapping[str, Signature]) -> None:
        """Keep more of them."""
        if not made:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = [made[one].astype(np.uint8).tobytes() for one in sorted(made)]
        self._write(
            pa.table({"sha256": sorted(made), "signature": pa.array(rows, pa.binary(self.length))}, self._schema)
        )
        files = self._files()
        if len(files) > _MOST_FILES:
            self._write(pa.concat_tables([pq.read_table(file, schema=self._schema) for file in files]))
            for file in files:
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet")) if self.folder.is_dir() else []

    def _write(self, table: pa.Table) -> None:
        path = self.folder / f"{uuid4().hex}.parquet"
        partial = path.with_suffix(".partial")
        pq.write_table(table, partial)
        partial.replace(path)
