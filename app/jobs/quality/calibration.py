"""Guarantees from a file of labelled parts, so that anyone can check them against their own simulation."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.decide.guarantee import Guarantee, guarantee
from core.errors import BadInput
from core.learn.metrics.scored import Array, Flags

COLUMNS = ("site", "score", "defective", "weight")
CLASS = "safety_class"  # an optional column: the safety class that a defective row shows
LARGEST = 4 << 30  # bytes
_TRUE, _FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


@dataclass(frozen=True)
class Rows:
    """Labelled parts of one site; (n,) each.

    Attributes:
        weights: 1 / inclusion probability.
        classes: which rows show each safety class, by name.
    """

    scores: Array
    defective: Flags
    weights: Array
    classes: Mapping[str, Flags]


def from_file(path: Path, miss: float, confidence: float) -> list[dict[str, Any]]:
    """One answer for each site of the file, in the order of their names.

    Args:
        path: a CSV with the columns site, score, defective, weight and, where there are any, safety_class.
        miss: the largest miss rate.
        confidence: of each site's answer, jointly over the site and its safety classes.

    Returns:
        [{site, pass_below, fail_above, miss_bound, status, more_needed, defective, good, sentence, families}];
        `fail_above` is None: nothing in such a file says what a false reject may cost.

    Raises:
        BadInput: the file cannot be used; the message names column, row and what to do.
    """
    return [
        document(site, rows, guarantee(rows.scores, rows.defective, rows.weights, miss, confidence, rows.classes))
        for site, rows in sorted(read(path).items())
    ]


def document(site: str, rows: Rows, found: Guarantee) -> dict[str, Any]:
    """A guarantee as JSON and in words."""
    return {
        "site": site,
        "pass_below": found.pass_below,
        "fail_above": None,
        "miss_bound": found.miss_bound,
        "status": str(found.status),
        "more_needed": found.more_needed,
        "defective": found.defective,
        "good": int((~rows.defective).sum()),
        "sentence": found.sentence,
        "families": {
            name: {
                "status": str(one.status),
                "pass_below": one.pass_below,
                "miss_bound": one.miss_bound,
                "missed": one.missed,
                "defective": one.defective,
                "more_needed": one.more_needed,
            }
            for name, one in found.families.items()
        },
    }


def read(path: Path) -> dict[str, Rows]:
    """The rows of each site.

    Raises:
        BadInput: the file cannot be used.
    """
    columns = _columns(path)
    if not len(columns["site"]):
        raise BadInput(f"{path.name} has a header and no row: write a row for each labelled part.")
    scores = _numbers(columns["score"], "score", path, lambda v: (v >= 0) & (v <= 1), "a probability from 0 to 1")
    weights = _numbers(columns["weight"], "weight", path, lambda v: (v > 0) & np.isfinite(v),
                       "above 0: 1 / inclusion probability, 1 where sampling is plain")  # fmt: skip
    answers, said = _coded(columns["defective"])
    lower = [one.lower() for one in answers]
    _all(np.isin(lower, _TRUE + _FALSE)[said], columns["defective"], "defective", path, "1 or 0")
    defective = np.isin(lower, _TRUE)[said]
    names, at = _coded(columns["site"])
    _all(np.array([bool(name) for name in names])[at], columns["site"], "site", path, "a name")
    shown = _coded(columns[CLASS]) if CLASS in columns else ([], np.zeros(len(at), np.int64))
    order = np.argsort(at, kind="stable")
    found = {}
    for site, mine in zip(names, np.split(order, np.cumsum(np.bincount(at))[:-1]), strict=True):
        d = defective[mine]
        classes: dict[str, Flags] = {}
        for code in np.unique(shown[1][mine][d]) if shown[0] else ():
            if shown[0][code]:
                classes[shown[0][code]] = d & (shown[1][mine] == code)
        found[site] = Rows(scores[mine], d, weights[mine], classes)
    return found


def _columns(path: Path) -> dict[str, Any]:
    """Every wanted column as Arrow text without spaces around it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as reader

    if not path.is_file():
        raise BadInput(f"There is no file {path}: give a CSV with the columns {', '.join(COLUMNS)}.")
    if path.stat().st_size > LARGEST:
        raise BadInput(f"{path.name} is larger than {LARGEST >> 30} GiB: split it by site.")
    header = [name.strip() for name in _header(path)]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInput(
            f"{path.name} has no column {' and no column '.join(missing)}: the first line has to name "
            f"{', '.join(COLUMNS)}; it names {', '.join(header) or 'nothing'}."
        )
    twice = [name for name in (*COLUMNS, CLASS) if header.count(name) > 1]
    if twice:
        raise BadInput(f"{path.name} names the column {twice[0]} twice: keep one of them.")
    names = [f"{place}.{name}" for place, name in enumerate(header)]  # other columns may repeat a name
    try:
        table = reader.read_csv(
            path,
            reader.ReadOptions(column_names=names, skip_rows=1),
            reader.ParseOptions(newlines_in_values=False),
            reader.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return {name: pa.chunked_array([], pa.string()) for name in COLUMNS}
        raise BadInput(f"{path.name} is no CSV that can be read ({str(error).splitlines()[0]}).") from error
    wanted = [name for name in (*COLUMNS, CLASS) if name in header]
    return {name: pc.utf8_trim_whitespace(table.column(header.index(name))) for name in wanted}


def _header(path: Path) -> Sequence[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader([file.readline(1 << 16)]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name} is no text in UTF-8: write it as CSV.") from error


def _numbers(texts: Any, name: str, path: Path, fits: Any, what: str) -> Array:
    import pyarrow as pa

    try:
        values = texts.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        values = np.array([_number(text) for text in texts.to_pylist()])
    _all(fits(values), texts, name, path, what)  # nan fits nothing
    return np.asarray(values, np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _coded(texts: Any) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The distinct texts of a column, and which of them each row has."""
    coded = texts.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _all(fine: npt.NDArray[np.bool_], texts: Any, name: str, path: Path, what: str) -> None:
    """Refuse the first row that does not fit, and say how many there are."""
    if fine.all():
        return
    bad = np.flatnonzero(~fine)
    first = str(texts[int(bad[0])])[:40]
    shown = f"'{first}'" if first else "nothing"
    more = f", and {len(bad) - 1} more rows" if len(bad) > 1 else ""
    raise BadInput(f"{path.name}, line {bad[0] + 2}: {name} is {shown}{more}; it has to be {what}.")
