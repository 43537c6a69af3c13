"""The queue's page in a real browser: key to picture, key to figures in step, first loads, memory for each session.

Beside it runs a bare Streamlit page with one picture and one button, in the same run and the same browser: what the
framework itself takes for one press.
"""

import re
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from app.navigation import pages_for
from core.roles import Role
from data.store import open_store
from tests.e2e.crowded import fill
from tests.e2e.house import House, launch
from tests.small_plant import SITE, make_plant

TASKS, WAITING, SESSIONS = 50, 2000, 20
PATIENCE_MS = 60_000
BARE = """
import streamlit as st
st.set_page_config(layout="wide")
shown = st.session_state.setdefault("shown", 0)
def go_on():
    st.session_state.shown += 1
st.image(PICTURES[shown % len(PICTURES)], width=900)
st.button("Next", on_click=go_on)
st.text(f"picture {st.session_state.shown}")
"""

# Times come from the browser's own clock: the event's time stamp, and the second frame after the change. A frame's
# callback runs before it is painted, so the second one runs after the first has been.
LISTEN_FIRST = """
window.addEventListener('keydown', (event) => {
  if (!window.desk || !'asw'.includes(event.key)) return;
  window.pressed = { at: event.timeStamp, item: window.desk.dataset.item, done: window.done.textContent };
}, true);
"""
WATCH = """() => {
  const find = (name, node) => node.querySelector(name) || [...node.querySelectorAll('*')]
    .map((one) => one.shadowRoot && find(name, one.shadowRoot)).find(Boolean) || null;
  const afterPaint = (act) => requestAnimationFrame(() => requestAnimationFrame(act));
  Object.assign(window, { painted: [], stepped: [], pressed: null });
  Object.assign(window, { desk: find('.desk-root', document), done: find('.shift span', document) });
  new MutationObserver(() => {
    const one = window.pressed;
    if (!one || one.seen || window.desk.dataset.item === one.item) return;
    one.seen = true;
    const picture = window.desk.querySelector('.world:not(.waiting) img');
    const look = () => {
      if (picture.complete && picture.naturalWidth) window.painted.push(performance.now() - one.at);
      else requestAnimationFrame(look); // a picture that comes late counts with all its time
    };
    afterPaint(look);
  }).observe(window.desk, { attributes: true, attributeFilter: ['data-item'] });
  new MutationObserver(() => {
    const one = window.pressed;
    if (!one || one.stepped || window.done.textContent === one.done) return;
    one.stepped = true;
    afterPaint(() => window.stepped.push(performance.now() - one.at));
  }).observe(window.done, { childList: true, characterData: true, subtree: true });
}"""
WATCH_BARE = """() => {
  window.stepped = [];
  let one = null;
  const said = () => (document.body.innerText.match(/picture (\\d+)/) || [])[1];
  window.addEventListener('click', (event) => { one = { at: event.timeStamp, said: said() }; }, true);
  new MutationObserver(() => {
    if (!one || one.done || said() === one.said) return;
    const mine = one;
    mine.done = true;
    requestAnimationFrame(() => requestAnimationFrame(() => window.stepped.push(performance.now() - mine.at)));
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


def _figures(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "n": len(ordered),
        "median_ms": round(median(ordered), 1),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
        "worst_ms": round(ordered[-1], 1),
    }


def _come_in(page: Any, url: str, name: str, path: str = "queue") -> None:
    page.goto(f"{url}/{path}")
    page.get_by_role("button", name=re.compile(f"^{name}")).click()


def _ready(page: Any) -> str:
    handle = page.wait_for_selector(".desk-root[data-ready]:not([data-ready=''])", timeout=PATIENCE_MS)
    return str(handle.get_attribute("data-ready"))


def keys(browser: Any, url: str, bare_url: str) -> dict[str, Any]:
    """Fifty answers as the model leans, each beside a press on the bare page, and fifty against it.

    Those against it wait a moment for a reason before they are sent, so only their pictures are timed.
    """
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.add_init_script(LISTEN_FIRST)
    _come_in(page, url, "Ines")
    _ready(page)
    bare = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    bare.goto(bare_url)
    bare.get_by_role("button", name="Next").wait_for(timeout=PATIENCE_MS)
    bare.evaluate(WATCH_BARE)
    found: dict[str, Any] = {}
    for name, key in (("with the model", "s"), ("against it", "a")):
        page.evaluate(WATCH)
        for number in range(1, TASKS + 1):
            page.bring_to_front()
            item = _ready(page)
            page.keyboard.press(key)
            page.wait_for_function("item => window.desk.dataset.item !== item", arg=item, timeout=PATIENCE_MS)
            if key == "s":
                page.get_by_text("all saved").wait_for(timeout=PATIENCE_MS)
                page.wait_for_function("n => window.stepped.length === n", arg=number, timeout=PATIENCE_MS)
                bare.bring_to_front()
                bare.get_by_role("button", name="Next").click()
                bare.get_by_text(f"picture {number}", exact=True).wait_for(timeout=PATIENCE_MS)
                bare.wait_for_function("n => window.stepped.length === n", arg=number, timeout=PATIENCE_MS)
        page.wait_for_function("n => window.painted.length === n", arg=TASKS, timeout=PATIENCE_MS)
        found[name] = {"key_to_painted": _figures(page.evaluate("window.painted"))}
        if key == "s":
            found[name]["key_to_figures_in_step"] = _figures(page.evaluate("window.stepped"))
            found["bare page, press to picture"] = _figures(bare.evaluate("window.stepped"))
        page.get_by_text("all saved").wait_for(timeout=PATIENCE_MS)
    page.context.close()
    bare.context.close()
    return found


def _bare_load(browser: Any, url: str) -> float:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    started = time.monotonic()
    page.goto(url)
    page.get_by_role("button", name="Next").wait_for(timeout=PATIENCE_MS)
    found = round(time.monotonic() - started, 2)
    page.context.close()
    return found


def first_loads(browser: Any, url: str) -> dict[str, float]:
    """From the address to the page's own title, each in a window that has never been here, in seconds."""
    found = {}
    for role, name in ((Role.INSPECTOR, "Ines"), (Role.QA_LEAD, "Quentin"), (Role.DATA_SCIENTIST, "Dora"),
                       (Role.ADMIN, "Ada")):  # fmt: skip
        window = browser.new_context(viewport={"width": 1366, "height": 768})
        page = window.new_page()
        _come_in(page, url, name, "models")
        page.get_by_role("heading", level=1).first.wait_for(timeout=PATIENCE_MS)
        cookies = window.cookies()
        window.close()
        for entry in pages_for(role):
            if entry.title in found:
                continue
            fresh = browser.new_context(viewport={"width": 1366, "height": 768})
            fresh.add_cookies(cookies)
            page = fresh.new_page()
            started = time.monotonic()
            page.goto(f"{url}/{'' if entry.path == 'home' else entry.url}")
            if entry.path == "inspector/queue":
                _ready(page)
            page.get_by_role("heading", level=1, name=re.compile(entry.title.split()[0])).first.wait_for(
                timeout=PATIENCE_MS
            )
            page.locator("[data-testid=stSkeleton]").first.wait_for(state="hidden", timeout=PATIENCE_MS)
            found[entry.title] = round(time.monotonic() - started, 2)
            fresh.close()
    return found


def sessions(browser: Any, url: str, web: psutil.Process) -> dict[str, float]:
    """What the server's memory grows by for each signed-in session on the queue."""

    def held() -> float:
        return float(web.memory_full_info().uss) / 2**20

    windows = []
    names = ("Ines", "Quentin", "Dora")
    for number in range(3):  # what is loaded once is not a session's
        windows.append(browser.new_context(viewport={"width": 1366, "height": 768}))
        page = windows[-1].new_page()
        _come_in(page, url, names[number])
        _ready(page)
    before = held()
    for number in range(SESSIONS):
        windows.append(browser.new_context(viewport={"width": 1366, "height": 768}))
        page = windows[-1].new_page()
        _come_in(page, url, names[number % len(names)])
        _ready(page)
    after = held()
    for one in windows:
        one.close()
    return {"sessions": SESSIONS, "server_mib": round(after, 1), "mib_for_each": round((after - before) / SESSIONS, 2)}


def main() -> dict[str, Any]:
    """Everything, one after the other, in one browser."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="holdpoint-page-") as name:
        home = Path(name) / "home"
        plant = make_plant(home, parts=24, demo=True)
        fill(plant.url, WAITING, home / "pictures")
        script = Path(name) / "bare.py"
        pictures = [str(one) for one in sorted((home / "pictures").glob("*.png"))[:8]]
        script.write_text(BARE.replace("PICTURES", repr(pictures)))
        with (
            sync_playwright() as playwright,
            House(plant) as app,
            House(plant, script=script) as bare,
        ):
            browser = launch(playwright)
            store = open_store(plant.url)
            waiting = store.queue.counts(SITE).waiting
            store.close()
            pressed = keys(browser, app.url, bare.url)
            loads = {"bare page": _bare_load(browser, bare.url), **first_loads(browser, app.url)}
            with House(plant) as fresh:  # so that nobody's old session ends meanwhile
                memory = sessions(browser, fresh.url, psutil.Process(fresh.web.pid))
            browser.close()
    in_step, framework = pressed["with the model"]["key_to_figures_in_step"], pressed["bare page, press to picture"]
    return {
        "waiting": waiting,
        **pressed,
        "in_step_over_bare": round(in_step["median_ms"] / framework["median_ms"], 2),
        "first_load_s": loads,
        "memory": memory,
    }
