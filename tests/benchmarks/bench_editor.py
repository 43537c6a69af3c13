"""What 300 regions on 12 megapixels cost: our own editor in a real browser, and both engines' words in Python.

The browser has no GPU here. Opening is measured from the call of the component to the second painted frame, without
the picture's own way over the network; a key from its press to the second painted frame.
"""

import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from playwright.sync_api import sync_playwright

from app.widgets.desk.regions import ENGINES, Source
from core.records import Region
from tests.editor_page import EditorPage, sheet

SIZE, REGIONS, TURNS = (4000, 3000), 300, 9
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
_KEY = """async (key) => {
  const start = performance.now();
  window.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - start;
}"""
_WHEEL = """async () => {
  const stage = window.shadow.querySelector(".stage"), at = stage.getBoundingClientRect();
  const start = performance.now();
  const where = { clientX: at.x + 300, clientY: at.y + 200 };
  stage.dispatchEvent(new WheelEvent("wheel", { ...where, deltaY: -40, cancelable: true }));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - start;
}"""


def main() -> dict[str, Any]:
    """Measure, and return medians and the slowest of some turns in milliseconds."""
    many = tuple(
        Region(40.0 + 130 * (n % 30), 60.0 + 280 * (n // 30), 90, 60, "CRACK", "CRACK", None, 0.5, None, f"m{n}")
        for n in range(REGIONS)
    )
    laid = sheet(SIZE, standing=many, sources=(Source("the model", "small-1", many),))
    opened, keys, wheels = [], [], []
    with sync_playwright() as playwright:
        named = os.environ.get("HOLDPOINT_BROWSER") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=named if Path(named).exists() else None, args=list(FLAGS))
        for _ in range(TURNS):
            context = browser.new_context(viewport={"width": 1366, "height": 768})
            editor = EditorPage(context, SIZE)
            opened.append(editor.open(laid, many))
            for key, code in (("Tab", "Tab"), ("2", "Digit2"), ("ArrowRight", "ArrowRight"), ("Delete", "Delete")):
                keys.append(float(editor.page.evaluate(_KEY, {"key": key, "code": code})))
            wheels.append(float(editor.page.evaluate(_WHEEL)))
            context.close()
        browser.close()
    return {
        "picture": f"{SIZE[0]}x{SIZE[1]}, {REGIONS} regions, no GPU",
        "open_ms": _figures(opened),
        "key_ms": _figures(keys),
        "wheel_ms": _figures(wheels),
        "python_ms": {name: _python(name, laid, many) for name in ENGINES},
        "target": "open and react under 1000 ms",
    }


def _python(name: str, laid: Any, many: tuple[Region, ...]) -> dict[str, float]:
    """One run of the page: words for the browser, and its words read."""
    engine = ENGINES[name]
    said = {**engine.show(laid, many), "item": laid.item}
    if engine.read(laid, many, said) != many:
        raise RuntimeError(f"{name} changed what nobody touched")
    return {"show": _timed(lambda: engine.show(laid, many)), "read": _timed(lambda: engine.read(laid, many, said))}


def _timed(act: Callable[[], object]) -> float:
    spent = []
    for _ in range(TURNS):
        start = perf_counter()
        act()
        spent.append(1000 * (perf_counter() - start))
    return round(median(spent), 2)


def _figures(found: list[float]) -> dict[str, float]:
    return {"median": round(median(found), 1), "slowest": round(max(found), 1)}
