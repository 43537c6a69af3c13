"""Parquet: the CSV table with typed columns, for notebooks and DuckDB. Written only."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from data.formats import table
from data.formats.provenance import Entry

NAME = "parquet"
TITLE = "Parquet table"
FILE = "labels.parquet"
_BATCH = 20_000
_KINDS = {"width": pa.int32(), "height": pa.int32(), "policy": pa.int64(), "changed": pa.bool_(),
          "probability": pa.float64(), "model_score": pa.float64(), "confidence": pa.int32(),
          "defect_codes": pa.list_(pa.string()), "model_classes": pa.list_(pa.string())}  # fmt: skip
SCHEMA = pa.schema([(name, _KINDS.get(name, pa.string())) for name in (*table.COLUMNS, *table.PROVENANCE, *table.SAID)])


def write(entries: Iterable[Entry], classes: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, list[bytes]]]:
    """labels.parquet, a row for each picture."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        rows: list[dict[str, object]] = []
        for row in table.cells_of(entries, classes):
            rows.append({name: _typed(name, row[name]) for name in SCHEMA.names})
            if len(rows) == _BATCH:
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
    yield FILE, [sink.getvalue().to_pybytes()]


def _typed(name: str, value: object) -> object:
    if value is None or value == "":
        return None
    if name == "model_score":
        return float(str(value))
    return value if name in _KINDS else str(value)
