"""The own editor alone in a browser: its real script and styles, a picture of any size, and no server behind it."""

import io
import json
import re
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image as Pillow
from playwright.sync_api import BrowserContext, Page, Route

from app.widgets.desk.regions import Kind, Owner, Sheet, Source, own
from core.records import Region, Severity

ORIGIN = "http://editor.test"
KINDS = (
    Kind("CRACK", "Crack", "#56b4e9", (Severity.MAJOR, Severity.CRITICAL)),
    Kind("SURFACE_PIT", "Surface pit", "#e69f00"),
    Kind("SURFACE_SCRATCH", "Surface scratch", "#2fd3a0"),
)
THEMES = {
    "dark": {"text-color": "#e9edf1", "background-color": "#12161b", "secondary-background-color": "#1e252d",
             "border-color": "#5f6d7b", "primary-color": "#2a74c6"},
    "light": {"text-color": "#1b2128", "background-color": "#ffffff", "secondary-background-color": "#eef1f4",
              "border-color": "#8d99a6", "primary-color": "#1260ad"},
}  # fmt: skip
_MOUNT = """
async ([data, script, style]) => {
  window.said = [];
  window.asked = [];
  const host = document.createElement("div");
  document.body.append(host);
  window.shadow = host.attachShadow({ mode: "open" });
  window.shadow.innerHTML = `<style>${style}</style><div class="editor-root"></div>`;
  const code = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const component = (await import(code)).default;
  window.give = (data) => component({
    data, parentElement: window.shadow,
    setStateValue: (name, value) => window.said.push([name, JSON.parse(JSON.stringify(value))]),
    setTriggerValue: (name, value) => window.asked.push([name, JSON.parse(JSON.stringify(value))]),
  });
  const start = performance.now();
  window.end = window.give(data);
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frames();
  return performance.now() - start;
}
"""


@lru_cache(maxsize=4)
def picture(size_wh: tuple[int, int], seed: int = 5) -> Pillow.Image:
    """A grey surface with grain and a bright square every 400 pixels, so that it shows where one is."""
    rng = np.random.default_rng(seed)
    width, height = size_wh
    grey = rng.normal(120, 9, (height // 2 + 1, width // 2 + 1)).repeat(2, 0).repeat(2, 1)[:height, :width]
    ys, xs = np.mgrid[0:height, 0:width]
    grey[((xs % 400) < 24) & ((ys % 400) < 24)] = 210
    return Pillow.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


@lru_cache(maxsize=16)
def screen_copy(size_wh: tuple[int, int]) -> bytes:
    """The same as the server's preview of it."""
    made = picture(size_wh).copy()
    made.thumbnail((1600, 1600))
    return _jpeg(made)


def _jpeg(made: Pillow.Image) -> bytes:
    buffer = io.BytesIO()
    made.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def sheet(size_wh: tuple[int, int], **given: Any) -> Sheet:
    """A sheet over a picture of that size."""
    base = {
        "item": "7.1.1.1.3", "size_wh": size_wh, "picture": "/picture?screen", "crop": "/picture?v=1",
        "alt": "Part P-001, view top", "kinds": KINDS, "new_class": "CRACK", "owner": Owner("Ines", 1, 1, 3),
        "height": "calc(100vh - 120px)",
    }  # fmt: skip
    return Sheet(**{**base, **given})


LARGE = (4000, 3000)
ONE = Region(500, 600, 400, 300, "CRACK", "CRACK", None, 0.61, None, "m1")
TWO = Region(2000.25, 1800.75, 200.5, 100.25, "pit", "SURFACE_PIT", Severity.MINOR, 0.4, None, "m2")
LAID = sheet(LARGE, standing=(ONE, TWO), sources=(Source("the model", "small-1", (ONE, TWO)),), model="small-1")


def box(row: dict[str, Any]) -> tuple[float, float, float, float]:
    """Of a region as the browser tells it: x, y, width, height."""
    return row["x"], row["y"], row["width"], row["height"]


class EditorPage:
    """An editor that is open in a browser."""

    def __init__(self, context: BrowserContext, size_wh: tuple[int, int], theme: str = "dark") -> None:
        self.size_wh = size_wh
        self.fetched: list[str] = []
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        colours = ";".join(f"--st-{name}:{value}" for name, value in THEMES[theme].items())
        self._html = (
            f'<!doctype html><html style="color-scheme:{theme}"><body style="margin:16px;{colours};'
            'background:var(--st-background-color);color:var(--st-text-color);font-family:sans-serif">'
            '<input id="note" aria-label="Note"></body></html>'
        )
        self.page.route(f"{ORIGIN}/**", self._answer)
        self.page.goto(ORIGIN)

    def _answer(self, route: Route) -> None:
        url = route.request.url
        if "/picture" not in url:
            route.fulfill(body=self._html, content_type="text/html")
            return
        self.fetched.append(url)
        box = re.search(r"box=(\d+),(\d+),(\d+),(\d+)&width=(\d+)", url)
        if box is None:
            route.fulfill(body=screen_copy(self.size_wh), content_type="image/jpeg")
            return
        x, y, wide, high, most = map(int, box.groups())
        made = picture(self.size_wh).crop((x, y, x + wide, y + high))
        made.thumbnail((most, 10_000))
        route.fulfill(body=_jpeg(made), content_type="image/jpeg")

    def open(self, laid: Sheet, regions: Any = ()) -> float:
        """Mount it; milliseconds until the second frame."""
        data = own.show(laid, regions)
        taken = self.page.evaluate(_MOUNT, [data, own.joined(own.SCRIPTS), own.joined(own.STYLES)])
        self.page.wait_for_function("window.shadow.querySelector('.stage').dataset.ready === 'yes'")
        return float(taken)

    def give(self, laid: Sheet, regions: Any = ()) -> None:
        """What Streamlit does at a rerun: the same component again, with other data."""
        self.page.evaluate("(data) => { window.give(data); }", own.show(laid, regions))

    @property
    def stage(self) -> Any:
        return self.page.locator(".stage")

    @property
    def regions(self) -> list[dict[str, Any]]:
        """What Python was told last."""
        self.page.wait_for_timeout(0)
        found = self.page.evaluate("window.said.filter(([name]) => name === 'drawn').at(-1)")
        return found[1]["regions"] if found else []

    @property
    def payload(self) -> dict[str, Any]:
        return self.page.evaluate("window.said.filter(([name]) => name === 'drawn').at(-1)[1]")

    @property
    def asked(self) -> list[Any]:
        return self.page.evaluate("window.asked")

    def told(self, count: int) -> None:
        """Wait until Python was told so many times."""
        self.page.wait_for_function("(n) => window.said.length >= n", arg=count)

    @property
    def place(self) -> tuple[float, float, float]:
        """Scale, x and y of the picture on the stage, in screen pixels."""
        scale, x, y = map(float, self.stage.get_attribute("data-view").split())
        return scale, x, y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is on the screen."""
        scale, left, top = self.place
        box = self.stage.bounding_box()
        return box["x"] + left + x * scale, box["y"] + top + y * scale

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, keys: str = "") -> None:
        """A drag between two points of the picture."""
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        if keys:
            self.page.keyboard.down(keys)
        self.page.mouse.move(x1, y1)
        self.page.mouse.down()
        self.page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2, steps=3)
        self.page.mouse.move(x2, y2, steps=3)
        self.page.mouse.up()
        if keys:
            self.page.keyboard.up(keys)

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.at(x, y))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def draft(self) -> dict[str, str]:
        return json.loads(self.page.evaluate("JSON.stringify({...localStorage})"))
