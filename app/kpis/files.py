"""A chart's rows as a file to take away: CSV for a spreadsheet, Parquet for a notebook."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.kpis.charts import Answer, plain
from data.formats.provenance import cell, csv_line


def as_csv(answer: Answer) -> bytes:
    """UTF-8 with a head; a text that a spreadsheet would run gets an apostrophe before it."""
    lines = [csv_line(answer.chart.columns)]
    lines += [csv_line([cell(plain(row.get(name))) for name in answer.chart.columns]) for row in answer.rows]
    return "".join(lines).encode()


def as_parquet(answer: Answer) -> bytes:
    """One table; definition and query travel in its metadata."""
    rows = [{name: row.get(name) for name in answer.chart.columns} for row in answer.rows]
    found = pa.Table.from_pylist(rows) if rows else pa.table({name: pa.nulls(0) for name in answer.chart.columns})
    found = found.replace_schema_metadata({"definition": answer.chart.definition, "sql": answer.chart.sql})
    sink = pa.BufferOutputStream()
    pq.write_table(found, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def shown(answer: Answer) -> list[list[object]]:
    """Rows for a terminal."""
    return [[_short(row.get(name)) for name in answer.chart.columns] for row in answer.rows]


def _short(value: Any) -> object:
    return f"{value:.4g}" if isinstance(value, float) else plain(value)
