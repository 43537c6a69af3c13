"""What the facts are: columns of each table, and the counts made of them when they are published.

Facts only ever grow. What a person took back is a row of its own with the sign -1 and everything else as it was, so
every number is a sum, of any files in any order. People are numbers, so a leaver's name is in no file.
"""

from collections.abc import Mapping

import pyarrow as pa

VERSION = 1  # of all this: facts of another version are made anew

_TIME = pa.timestamp("us")
_PLACE = [
    ("site_id", pa.int32()),
    ("line_id", pa.int32()),
    ("camera_id", pa.int32()),
    ("part_type_id", pa.int32()),
]
# `at_utc` is UTC, `local_at` the same moment on the site's own clock, by which hours, days and weeks are counted.
_WHEN = [("at_utc", _TIME), ("local_at", _TIME)]

TABLES: Mapping[str, pa.Schema] = {
    "predictions": pa.schema([
        ("id", pa.int64()), ("image_id", pa.int64()), *_PLACE, ("model", pa.string()), ("score", pa.float64()),
        ("milliseconds", pa.float64()), *_WHEN,
    ]),
    "decisions": pa.schema([
        ("id", pa.int64()), ("part_id", pa.int64()), ("image_id", pa.int64()), *_PLACE, ("number", pa.int32()),
        ("outcome", pa.string()), ("score", pa.float64()), ("model_class", pa.string()), ("reason", pa.string()),
        ("policy", pa.int32()), ("model", pa.string()), ("audit_share", pa.float64()), ("audited", pa.bool_()), *_WHEN,
    ]),
    "reviews": pa.schema([
        ("id", pa.int64()), ("review_id", pa.int64()), ("sign", pa.int32()), ("part_id", pa.int64()),
        ("image_id", pa.int64()), *_PLACE, ("task_id", pa.int64()), ("kind", pa.string()), ("verdict", pa.string()),
        ("class", pa.string()), ("person", pa.int32()), ("seconds", pa.float64()), ("decision_id", pa.int64()),
        ("outcome", pa.string()), ("score", pa.float64()), ("model_class", pa.string()), ("policy", pa.int32()),
        ("model", pa.string()), ("audit_share", pa.float64()), ("audited", pa.bool_()), ("decided_at", _TIME),
        ("decided_local", _TIME), ("asked_at", _TIME), *_WHEN,
    ]),
    "tasks": pa.schema([
        ("id", pa.int64()), ("part_id", pa.int64()), *_PLACE, ("kind", pa.string()), *_WHEN,
    ]),
}  # fmt: skip

# Few enough to be taken from the store whenever somebody asks; days are the site's own.
REPORTED = pa.schema([
    ("id", pa.int64()), ("site_id", pa.int32()), ("reported_on", pa.date32()), ("shipped_on", pa.date32()),
    ("parts", pa.int64()), ("class", pa.string()),
])  # fmt: skip

ROLLUPS: Mapping[str, str] = {
    "hourly": "decisions",
    "latency": "predictions",
    "confidence": "predictions",
    "answers": "reviews",
}
"""Counts made of the facts of each file, by the query `rollup_NAME`, and the table they are made of."""
