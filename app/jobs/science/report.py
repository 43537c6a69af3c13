"""The page that `evaluate` writes: one HTML file that needs nothing else, with its plots as SVG."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from core.learn import metrics
from core.learn.evaluation import Judged

_WIDE, _HIGH, _EDGE = 320, 240, 44
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5c6675; --line: #d5dae1; --model: #0b6bcb; --other: #b4530a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf1; --dim: #9aa5b4; --line: #3a4350; --model: #6db3ff; --other: #f2a35e }
  body { background: #14181e }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 1080px; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 2rem } p.dim, figcaption, small { color: var(--dim) }
table { border-collapse: collapse } th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: right }
th:first-child, td:first-child { text-align: left }
.figures { display: flex; flex-wrap: wrap; gap: .8rem }
.figures div { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem }
.figures b { display: block; font-size: 1.5rem }
.plots { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0 }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif } .caution { color: var(--other); font-weight: 600 }
.frame { fill: none; stroke: var(--line) } .by { fill: none; stroke: var(--dim); stroke-dasharray: 4 4 }
.model { fill: none; stroke: var(--model); stroke-width: 2 } .dots { fill: var(--model) }
.good { fill: var(--model); opacity: .6 } .bad { fill: var(--other); opacity: .6 }
.other { fill: none; stroke: var(--other); stroke-width: 2 }
"""

Points = npt.NDArray[np.float64]


def report(document: Mapping[str, Any], judged: Sequence[Judged], history: Sequence[Mapping[str, Any]] = ()) -> str:
    """The whole page, from what `evaluate` returns, its pictures, and the training's epochs."""
    title = f"{document['model']} on {document['dataset']}, {document['split']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">{escape(_facts(document))}</p>',
        f'<p class="caution">{escape(str(document["caution"]))}</p>' if document.get("caution") else "",
        _figures(document),
        "<h2>Beside the rules that need no model</h2>",
        _baselines(document),
        "<h2>Plots</h2>",
        '<div class="plots">' + "".join(_plots(judged, history)) + "</div>",
        "<h2>Classes</h2>",
        _classes(document),
        "<h2>Recall by size of defect</h2>",
        _sizes(document.get("recall_by_size")),
        "<h2>Confusion</h2>",
        _confusion(document),
        "<h2>Furthest from the truth</h2>",
        _worst(judged),
    ]
    body = "\n".join(p for p in parts if p)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _facts(document: Mapping[str, Any]) -> str:
    prevalence = document["prevalence"]
    joined = f" {document['part_rule']}" if document.get("part_rule") else ""
    return (
        f"{document['images']} pictures of {document['parts']} parts; defective: {document['defective']} pictures "
        f"({number(prevalence['per_image'], share=True)} per picture), {document['defective_parts']} parts "
        f"({number(prevalence['per_part'], share=True)} per part). {document['back_end']}. {document['evaluated_at']}. "
        f"Intervals are 95% and count each part once.{joined}"
    )


def _figures(document: Mapping[str, Any]) -> str:
    shown = (
        ("Recall at 5% false rejects", "recall_at_5_percent_frr", "recall_at_5_percent_frr_interval"),
        ("AUROC by picture", "auroc", "auroc_interval"),
        ("AUROC by part", "part_auroc", "part_auroc_interval"),
        ("PR-AUC by picture", "pr_auc", None),
        ("Pointing game", "pointing_game", "pointing_game_interval"),
        ("Calibration error", "calibration_error", None),
    )
    boxes = []
    for label, key, interval in shown:
        between = document.get(interval) if interval else None
        small = f"<small>{number(between[0])} to {number(between[1])}</small>" if between else ""
        if interval and not between and document[key] is not None:
            small = "<small>too few groups to say how sure</small>"
        boxes.append(f"<div>{label}<b>{number(document[key])}</b>{small}</div>")
    return '<div class="figures">' + "".join(boxes) + "</div>"


def _baselines(document: Mapping[str, Any]) -> str:
    columns = ("tp", "fn", "fp", "tn", "recall", "precision", "f1", "f2", "false_reject_rate")
    names = (
        ("at_threshold", f"model, score of {document['threshold']} and above"),
        ("flag_all", "flag everything"),
        ("pass_all", "pass everything"),
    )
    told = (
        "The model beats flagging everything (F2)."
        if document["beats_flag_all"]
        else "The model is not better than flagging everything (F2)."
    )
    return (
        _table(
            ("by picture", *(c.replace("_", " ") for c in columns)),
            [(label, *(number(document[key][c]) for c in columns)) for key, label in names],
        )
        + f"<p>{told}</p>"
    )


def _classes(document: Mapping[str, Any]) -> str:
    if not document["per_class"]:
        return "<p>The model knows no classes.</p>"
    columns = ("precision", "recall", "f1", "pr_auc", "n")
    return _table(
        ("class", *(c.replace("_", " ") for c in columns)),
        [(name, *(number(score[c]) for c in columns)) for name, score in document["per_class"].items()],
    )


def _sizes(found: Mapping[str, Any] | None) -> str:
    if not found:
        return "<p>Not applicable: it needs drawn regions and good pictures.</p>"
    rows = [
        (
            str(one["size"]),
            str(one["n"]),
            str(one["parts"]),
            number(one["stopped_recall"]),
            number(one["recall"]),
            f"{number(one['interval'][0])} to {number(one['interval'][1])}" if one["interval"] else "",
        )
        for one in [*found["bins"], found["all"]]
    ]
    heads = ("size", "regions", "parts", "stopped", "found", "95%")
    return _table(heads, rows) + f"<p>{escape(str(found['definition']))}</p>"


def _confusion(document: Mapping[str, Any]) -> str:
    names = document["confusion"]["names"]
    rows = [(name, *map(str, row)) for name, row in zip(names, document["confusion"]["matrix"], strict=True)]
    return _table(("is \\ said", *names), rows)


def _worst(judged: Sequence[Judged], most: int = 20) -> str:
    ranked = sorted(judged, key=lambda j: -abs(j.score - j.defective))[:most]
    return _table(
        ("picture", "part", "is", "said", "score"),
        [(j.file, j.group, j.is_true, j.said, number(j.score)) for j in ranked],
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def number(value: object, share: bool = False) -> str:
    """As people read it; "not applicable" for None."""
    if value is None:
        return "not applicable"
    if isinstance(value, float):
        return f"{value:.1%}" if share else f"{value:.3f}"
    return str(value)


def _plots(judged: Sequence[Judged], history: Sequence[Mapping[str, Any]]) -> list[str]:
    scores = np.array([j.score for j in judged])
    defective = np.array([j.defective for j in judged], bool)
    drawn = [
        _curve("ROC", "false-reject rate", "recall", metrics.roc_curve(scores, defective), diagonal=True),
        _curve("Precision and recall", "recall", "precision", metrics.precision_recall_curve(scores, defective)),
        _reliability(scores, defective),
        _histogram(scores, defective),
    ]
    return [*drawn, _history(history)] if len(history) > 1 else drawn


def _x(value: float) -> float:
    return round(_EDGE + value * (_WIDE - _EDGE - 10), 1)


def _y(value: float) -> float:
    return round(_HIGH - _EDGE + 8 - value * (_HIGH - _EDGE - 10), 1)


def _line(x: Points, y: Points, look: str = "model") -> str:
    points = " ".join(f"{_x(a)},{_y(b)}" for a, b in zip(x, y, strict=True))
    return f'<polyline class="{look}" points="{points}"/>'


def _figure(title: str, across: str, up: str, inside: str, top: Callable[[float], str] = lambda v: f"{v:g}") -> str:
    """Axes from 0 to 1 either way around what is drawn; `top` writes the numbers of the upward one."""
    ticks = "".join(
        f'<text x="{_x(v)}" y="{_y(0) + 14}" text-anchor="middle">{v:g}</text>'
        f'<text x="{_x(0) - 5}" y="{_y(v) + 4}" text-anchor="end">{top(v)}</text>'
        for v in (0.0, 0.5, 1.0)
    )
    frame = f'<rect class="frame" x="{_x(0)}" y="{_y(1)}" width="{_x(1) - _x(0):.1f}" height="{_y(0) - _y(1):.1f}"/>'
    names = (
        f'<text x="{_x(0.5)}" y="{_HIGH - 6}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(12 {_y(0.5)}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
    )
    return (
        f'<figure><svg role="img" aria-label="{escape(title)}" width="{_WIDE}" height="{_HIGH}" '
        f'viewBox="0 0 {_WIDE} {_HIGH}">{frame}{ticks}{names}{inside}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def _curve(title: str, across: str, up: str, curve: metrics.Curve | None, diagonal: bool = False) -> str:
    if curve is None:
        return _figure(f"{title}: not applicable, only one kind of picture", across, up, "")
    by = _line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "by") if diagonal else ""
    return _figure(title, across, up, by + _line(curve.x, curve.y))


def _reliability(scores: Points, defective: npt.NDArray[np.bool_]) -> str:
    dots = "".join(
        f'<circle class="dots" cx="{_x(b.said)}" cy="{_y(b.seen)}" r="{2 + 10 * (b.n / len(scores)) ** 0.5:.1f}">'
        f"<title>{b.n} pictures</title></circle>"
        for b in metrics.reliability(scores, defective)
    )
    by = _line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "by")
    return _figure("Do scores mean what they say", "score", "share defective", by + dots)


def _histogram(scores: Points, defective: npt.NDArray[np.bool_]) -> str:
    edges = np.linspace(0, 1, 21)
    good, bad = (np.histogram(scores[d], edges)[0] for d in (~defective, defective))
    highest = max(1, int(max(good.max(), bad.max())))
    bars = "".join(
        f'<rect class="{look}" x="{_x(edges[i])}" y="{_y(count / highest)}" width="{_x(0.05) - _x(0):.1f}" '
        f'height="{_y(0) - _y(count / highest):.1f}"><title>{count} {name}</title></rect>'
        for counts, look, name in ((good, "good", "good"), (bad, "bad", "defective"))
        for i, count in enumerate(counts)
        if count
    )
    return _figure(
        "Scores of good (blue) and defective (orange)", "score", "pictures", bars, lambda v: f"{v * highest:g}"
    )


def _history(history: Sequence[Mapping[str, Any]]) -> str:
    loss = np.array([e["loss"] for e in history], np.float64)
    at = np.linspace(0, 1, len(loss))
    highest = float(loss.max()) or 1.0
    checked = [
        (a, float(e["validation"]["auroc"]))
        for a, e in zip(at, history, strict=True)
        if e.get("validation") and e["validation"].get("auroc") is not None
    ]
    lines = _line(at, loss / highest)
    if checked:
        lines += _line(np.array([a for a, _ in checked]), np.array([v for _, v in checked]), "other")
    title = f"Training: loss (blue, of {highest:.2f}) and validation AUROC (orange) over {len(loss)} epochs"
    return _figure(title, "share of the epochs", "", lines)
