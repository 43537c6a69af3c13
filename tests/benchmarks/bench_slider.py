"""The thresholds page in a real browser: from a key on the slider to both figures redrawn with the band where it is.

Beside it runs a bare Streamlit page with one slider and one line of text, in the same run and the same browser: what
the framework itself takes for one move.
"""

import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.plant import Arrival
from core.records import Capture, Prediction, Quality, Review, Verdict
from core.roles import Actor
from data.store import Store, open_store
from tests.benchmarks.bench_page import PATIENCE_MS, _figures
from tests.e2e.house import House, launch
from tests.small_plant import SITE, make_plant

PARTS, ANSWERED, MOVES = 5000, 700, 30
FINE = Quality(500.0, 0.5, 0.2, 0.0, 0.0)
BARE = """
import streamlit as st
moved = st.slider("Level", 0.0, 1.0, (0.2, 0.8), step=0.0001, format="%.4f")
st.text(f"level {moved}")
"""

# Times come from the browser's own clock: the key's time stamp, and the second frame after the change. A frame's
# callback runs before it is painted, so the second one runs after the first has been.
WATCH = """said => {
  window.moved = [];
  const look = new Function('return ' + said);
  let one = null;
  const step = () => {
    if (!one) return;
    const now = look();
    if (now.length && now.length === one.before.length && now.every((text, i) => text !== one.before[i])) {
      const mine = one;
      one = null;
      requestAnimationFrame(() => requestAnimationFrame(() => window.moved.push(performance.now() - mine.at)));
    } else requestAnimationFrame(step);
  };
  window.addEventListener('keydown', (event) => { one = { at: event.timeStamp, before: look() }; step(); }, true);
}"""
# The band that each figure was drawn with; a figure's script sets it when all of it is in the page.
LINES = """(() => {
  const all = (node) => [...node.querySelectorAll('.figures[data-band]'), ...[...node.querySelectorAll('*')]
    .flatMap((one) => (one.shadowRoot ? all(one.shadowRoot) : []))];
  return all(document).map((one) => one.dataset.band);
})()"""
SAID = "[(document.body.innerText.match(/level .*/) || [''])[0]]"


def fill(store: Store) -> None:
    """Parts of four weeks, decided under a policy, and answers to some of those that were held or audited."""
    made = store.acting_as(Actor("Ada")).policies.propose(SITE, 0.3, 0.8, "to begin with", audit_pass=0.1)
    store.acting_as(Actor("Quentin")).policies.approve(SITE, made.number, "agreed")
    store.sites.set_calibrated(SITE)
    rng, now = np.random.default_rng(3), datetime.now(UTC)
    bad = rng.random(PARTS) < 0.1
    scores = rng.beta(np.where(bad, 6.0, 1.5), np.where(bad, 2.0, 8.0))
    arrivals = [
        Arrival(Capture(f"bench:{i}", f"B-{i:05}", line="line B", taken_at=now - timedelta(minutes=7 * i)),
                f"/x/{i}.png", f"{i:064x}", 640, 400, FINE, Prediction("small-1", float(scores[i]), {"CRACK": 0.9}))
        for i in range(PARTS)
    ]  # fmt: skip
    for start in range(0, PARTS, 500):
        store.arrivals.file(SITE, arrivals[start : start + 500], close_parts=True, now=now - timedelta(hours=1))
    truth = {f"B-{i:05}": bool(one) for i, one in enumerate(bad)}
    ines = store.acting_as(Actor("Ines"))
    for _ in range(ANSWERED):
        task = ines.queue.lease(site=SITE)
        if task is None:
            break
        verdict = Verdict.FAIL if truth.get(store.parts.get(task.part_id).name, True) else Verdict.PASS
        ines.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Ines"))


def _moves(page: Any, said: str) -> dict[str, float]:
    """Both ends of a slider, a key at a time."""
    page.evaluate(WATCH, said)
    ends = page.locator("[data-testid=stSlider] input[type=range]")
    for number in range(MOVES):
        end = ends.nth(number // (MOVES // 2) % 2)
        end.focus()
        end.press("PageUp" if number % 2 else "PageDown")
        page.wait_for_function("n => window.moved.length === n", arg=number + 1, timeout=PATIENCE_MS)
        page.wait_for_timeout(400)  # what follows the figures belongs to no other move
    found: list[float] = page.evaluate("window.moved")
    return _figures(found)


def main() -> dict[str, Any]:
    """Both pages, one after the other, in one browser."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="holdpoint-slider-") as name:
        plant = make_plant(Path(name) / "home", demo=True)
        store = open_store(plant.url)
        fill(store)
        store.close()
        script = Path(name) / "bare.py"
        script.write_text(BARE)
        with sync_playwright() as playwright, House(plant) as app, House(plant, script=script) as bare:
            browser = launch(playwright)
            page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
            page.goto(f"{app.url}/thresholds?thresholds.site={SITE}")
            page.get_by_role("button", name=re.compile("^Quentin")).click()
            page.get_by_text("Replay of 4 weeks").wait_for(timeout=PATIENCE_MS)
            page.locator(".figures[data-band] figure").first.wait_for(timeout=PATIENCE_MS)
            page.wait_for_timeout(2000)
            mine = _moves(page, LINES)
            page.context.close()
            page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
            page.goto(bare.url)
            page.get_by_text("level (0.2, 0.8)").wait_for(timeout=PATIENCE_MS)
            theirs = _moves(page, SAID)
            browser.close()
    return {"parts": PARTS, "key to figures redrawn": mine, "bare page, key to text": theirs}
