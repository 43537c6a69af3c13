"""Looking at 12 megapixels in the own editor: zoom, crops, the small map, what shows from afar and from near."""

import pytest
from playwright.sync_api import expect

from app.widgets.desk.regions import Source
from core.records import Region
from tests.editor_page import LARGE, box, sheet

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def test_the_wheel_zooms_around_the_pointer_and_a_box_drawn_then_is_as_exact(open_editor, theme):
    editor = open_editor(theme=theme)
    x, y = map(round, editor.at(3000, 2000))  # a wheel's event knows whole pixels only
    editor.page.mouse.move(x, y)
    scale, left, top = editor.place
    stage = editor.stage.bounding_box()
    under = ((x - stage["x"] - left) / scale, (y - stage["y"] - top) / scale)
    for _ in range(4):
        editor.page.mouse.wheel(0, -500)
    editor.page.wait_for_function("Number(window.shadow.querySelector('.stage').dataset.view.split(' ')[0]) > 2")
    assert editor.at(*under) == pytest.approx((x, y), abs=1)
    editor.drag((2950, 1950), (3031, 2021))
    editor.told(1)
    assert box(editor.regions[-1]) == pytest.approx((2950, 1950, 81, 71), abs=0.5)


def test_plus_minus_fit_and_one_to_one(open_editor):
    editor = open_editor()
    whole = editor.place
    editor.press("+", "+", "-")
    assert editor.place[0] == pytest.approx(whole[0] * 1.4)
    editor.press("0")
    assert editor.place[0] == pytest.approx(1)
    editor.press("f")
    assert editor.place == pytest.approx(whole)
    editor.press("f")
    assert editor.place[0] > whole[0]


def test_space_and_a_drag_move_the_picture_and_so_does_the_middle_button(open_editor):
    editor = open_editor()
    start = editor.place
    editor.drag((1200, 300), (1400, 500), keys="Space")
    moved = editor.place
    assert moved[1] > start[1]
    assert moved[2] > start[2]
    editor.page.mouse.move(*editor.at(1200, 300))
    editor.page.mouse.down(button="middle")
    editor.page.mouse.move(*editor.at(1000, 100), steps=4)
    editor.page.mouse.up(button="middle")
    assert editor.place[1] < moved[1]
    assert editor.regions == []


def test_looking_closer_fetches_the_part_in_view_and_never_the_whole(open_editor):
    editor = open_editor()
    assert editor.fetched == ["http://editor.test/picture?screen"]
    editor.press("Tab", "0")
    expect(editor.stage).to_have_attribute("data-sharp", "yes", timeout=20_000)
    crops = [one for one in editor.fetched if "box=" in one]
    assert crops
    for url in crops:
        x, y, width, height = map(int, url.split("box=")[1].split("&")[0].split(","))
        assert width * height < LARGE[0] * LARGE[1] / 3
        assert x % 64 == y % 64 == 0
    editor.press("ArrowRight")  # a little further is in the margin that came with it
    expect(editor.stage).to_have_attribute("data-sharp", "yes")
    assert [one for one in editor.fetched if "box=" in one] == crops


def test_a_map_shows_the_whole_when_only_a_part_is_in_view_and_leads_there(open_editor):
    editor = open_editor()
    small = editor.page.locator("canvas.map")
    expect(small).to_be_hidden()
    editor.press("0")
    expect(small).to_be_visible()
    at = small.bounding_box()
    editor.page.mouse.click(at["x"] + at["width"] * 0.9, at["y"] + at["height"] * 0.9)
    scale, left, top = editor.place
    stage = editor.stage.bounding_box()
    assert (stage["width"] / 2 - left) / scale == pytest.approx(3600, abs=40)
    assert (stage["height"] / 2 - top) / scale == pytest.approx(2700, abs=40)


@pytest.mark.parametrize("size", [(8000, 600), (500, 6000)])
def test_a_strip_fills_the_stage_and_its_map_lies_along_its_whole_side(open_editor, size):
    editor = open_editor(sheet(size), ())
    small, stage = editor.page.locator("canvas.map").bounding_box(), editor.stage.bounding_box()
    along, across = ("width", "height") if size[0] > size[1] else ("height", "width")
    assert small[along] > 0.8 * stage[along]
    assert small[across] <= 90
    scale = editor.place[0]
    assert size[0 if across == "width" else 1] * scale == pytest.approx(stage[across], abs=1)
    editor.drag((100, 100), (220, 180))
    editor.told(1)
    assert box(editor.regions[-1]) == pytest.approx((100, 100, 120, 80), abs=1)


def test_two_fingers_zoom_and_move_and_draw_nothing(open_editor):
    editor = open_editor(touch=True)
    start = editor.place
    stage = editor.stage.bounding_box()
    at = [(stage["x"] + stage["width"] * f, stage["y"] + stage["height"] / 2) for f in (0.45, 0.55)]
    touch = editor.page.context.new_cdp_session(editor.page)

    def send(kind, points):
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    send("touchStart", at[:1])
    send("touchStart", at)
    for spread in (20, 60, 120):
        send("touchMove", [(at[0][0] - spread, at[0][1]), (at[1][0] + spread, at[1][1])])
    send("touchEnd", [])
    scale = "Number(window.shadow.querySelector('.stage').dataset.view.split(' ')[0])"
    editor.page.wait_for_function(f"(start) => {scale} > start * 2", arg=start[0])
    assert editor.regions == []


def test_grips_show_twelve_pixels_and_more_and_every_control_can_be_hit_in_gloves(open_editor, theme):
    editor = open_editor(theme=theme)
    editor.press("Tab")
    expect(editor.page.locator("tr.open")).to_have_count(1)
    bright = """() => {
      const ink = window.shadow.querySelector("canvas.ink");
      const [scale, x, y] = window.shadow.querySelector(".stage").dataset.view.split(" ").map(Number);
      const pen = ink.getContext("2d");
      const left = Math.round(x + 500 * scale) - 12, top = Math.round(y + 600 * scale) - 12;
      const seen = pen.getImageData(left, top, 24, 24).data;
      const white = (i, j) => [0, 1, 2].every((part) => seen[4 * (j * 24 + i) + part] > 250);
      return Math.max(...[...Array(24).keys()].map((j) => [...Array(24).keys()].filter((i) => white(i, j)).length));
    }"""
    editor.page.wait_for_function(f"({bright})() >= 11")  # and a dark line of two pixels around it
    for control in editor.page.locator(".bar button:visible, .chips button, .copies button, tr[data-key]").all():
        assert control.bounding_box()["height"] >= 40


def test_the_legend_names_the_keys_and_everything_fits_1366_by_768(open_editor, theme):
    editor = open_editor(theme=theme)
    for key in ("Tab", "Del", "Ctrl Z", "Enter", "Space drag"):
        expect(editor.page.locator(".legend kbd", has_text=key)).to_be_visible()
    legend = editor.page.locator(".legend").bounding_box()
    assert legend["y"] + legend["height"] <= 768
    stage = editor.stage.bounding_box()
    assert stage["width"] >= 0.65 * 1366


def test_lines_are_as_thick_on_the_screen_from_afar_as_from_near(open_editor):
    editor = open_editor()
    thickness = """(side) => {
      const ink = window.shadow.querySelector("canvas.ink"), pen = ink.getContext("2d");
      const [scale, x, y] = window.shadow.querySelector(".stage").dataset.view.split(" ").map(Number);
      const row = Math.round(y + 700 * scale), from = Math.round(x + side * scale) - 8;
      const seen = pen.getImageData(from, row, 16, 1).data;
      return [...Array(16).keys()].filter((i) => seen[4 * i + 3] > 60).length;
    }"""
    editor.page.wait_for_function("window.shadow.querySelector('.stage').dataset.shown === '2'")
    afar = editor.page.evaluate(thickness, 500)
    editor.page.mouse.move(*editor.at(500, 700))
    editor.page.mouse.wheel(0, -900)
    editor.page.wait_for_function(f"({thickness})(500) >= 4")
    assert 4 <= afar <= 7
    assert abs(editor.page.evaluate(thickness, 500) - afar) <= 1


def test_three_hundred_regions_open_and_answer_within_a_second(open_editor):
    many = tuple(
        Region(40 + 130 * (n % 30), 60 + 280 * (n // 30), 90, 60, "CRACK", "CRACK", None, 0.5, None, f"m{n}")
        for n in range(300)
    )
    editor = open_editor(sheet(LARGE, standing=many, sources=(Source("the model", "small-1", many),)), many)
    expect(editor.page.locator("tr[data-key]")).to_have_count(300)
    spent = editor.page.evaluate("""async () => {
      const start = performance.now();
      window.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab", code: "Tab", bubbles: true }));
      window.dispatchEvent(new KeyboardEvent("keydown", { key: "2", code: "Digit2", bubbles: true }));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return performance.now() - start;
    }""")
    editor.told(1)
    assert editor.regions[0]["class"] == "SURFACE_PIT"
    assert spent < 1000
