"""Drawing regions on a scaled copy of a picture, and the way back into whole-image pixels.

`to_canvas` and `from_canvas` are pure; `edit_regions` puts the canvas of streamlit-drawable-canvas between them.
A region keeps its key on the canvas as the box's label, so that class, severity and score stay with it while it is
moved; a box without a known key is new.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import streamlit as st

from core.records import Region

HERE = Path(__file__).parent
LABEL_PX = 13
SHORT_KEY = 3  # letters of a key that fit on a box
SHORTEST_PX = 1.0  # a box thinner than a pixel of the picture is a slip of the mouse


@dataclass(frozen=True)
class Frame:
    """How a picture lies on its canvas.

    Attributes:
        image_wh, canvas_wh: whole pixels; the canvas shows the whole picture.
    """

    image_wh: tuple[int, int]
    canvas_wh: tuple[int, int]

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Canvas pixels for one picture pixel, each way: rounding the canvas to whole pixels makes them differ."""
        return self.canvas_wh[0] / self.image_wh[0], self.canvas_wh[1] / self.image_wh[1]


def frame_for(image_wh: tuple[int, int], room_wh: tuple[int, int], most: float = 8.0) -> Frame:
    """The largest whole-pixel canvas with the picture's proportions that fits; tiny pictures grow at most 8 times."""
    width, height = image_wh
    scale = min(room_wh[0] / width, room_wh[1] / height, most)
    return Frame(image_wh, (max(1, round(width * scale)), max(1, round(height * scale))))


def room(pictures: int) -> tuple[int, int]:
    """Screen pixels for the canvas at 1366 x 768, less where small pictures of other views need their row."""
    return (900, 486) if pictures > 1 else (900, 548)


def to_canvas(region: Region, frame: Frame) -> dict[str, float]:
    """A region's box in canvas pixels."""
    across, down = frame.scale_xy
    return {
        "left": region.x * across,
        "top": region.y * down,
        "width": region.width * across,
        "height": region.height * down,
    }


def from_canvas(box: Mapping[str, float], frame: Frame, like: Region) -> Region:
    """A box in canvas pixels as a region in whole-image pixels, cut at the picture's edges.

    A corner that was not moved by as much as half a picture pixel keeps its exact old place, so that opening and
    saving changes nothing. A mask belongs to its box: it stays while the box does and goes when the box is changed.

    Args:
        box: left, top, width, height in canvas pixels.
        frame: of this picture on this canvas.
        like: gives everything but the place; its own place wins where nothing moved.
    """
    across, down = frame.scale_xy
    width, height = frame.image_wh
    left, right = sorted((box["left"] / across, (box["left"] + box["width"]) / across))
    top, bottom = sorted((box["top"] / down, (box["top"] + box["height"]) / down))
    old = (like.x, like.y, like.x + like.width, like.y + like.height)
    new = (
        min(max(left, 0.0), width),
        min(max(top, 0.0), height),
        min(max(right, 0.0), width),
        min(max(bottom, 0.0), height),
    )
    if all(abs(before - after) < 0.5 for before, after in zip(old, new, strict=True)):
        return like
    x1, y1, x2, y2 = (round(value, 2) for value in new)
    return replace(like, x=x1, y=y1, width=round(x2 - x1, 2), height=round(y2 - y1, 2), mask=None, score=None)


def large_enough(region: Region) -> bool:
    """Whether a region can be meant."""
    return region.width >= SHORTEST_PX and region.height >= SHORTEST_PX


def drawing(regions: Sequence[Region], frame: Frame, colours: Mapping[str, str]) -> dict[str, Any]:
    """Regions as the canvas's own drawing; the label of a box is the region's key."""
    objects = [
        {
            "type": "LabeledRect",
            "label": region.key,
            "fontSize": LABEL_PX,
            **to_canvas(region, frame),
            "originX": "left",
            "originY": "top",
            "scaleX": 1,
            "scaleY": 1,
            "angle": 0,
            "stroke": colours.get(region.class_id or "", "#ffffff"),
            "strokeWidth": 2,
            "fill": "rgba(0, 0, 0, 0)",
            "lockRotation": True,
            "strokeUniform": True,
        }
        for region in regions
    ]
    return {"objects": objects}


def read_back(
    boxes: Sequence[Mapping[str, Any]], before: Sequence[Region], frame: Frame, new_like: Region
) -> tuple[Region, ...]:
    """What the canvas says now, as regions.

    Args:
        boxes: label, left, top, width, height in canvas pixels.
        before: what was on the canvas; a box is one of them by its label.
        frame: of this picture on this canvas.
        new_like: what a new box starts as; its key comes from its label.
    """
    known = {region.key: region for region in before}
    seen: Counter[str] = Counter()
    regions = []
    for box in boxes:
        label = str(box.get("label", "")) or "new"
        key = f"{label}.{seen[label]}" if seen[label] else label  # two boxes drawn before the page could answer
        seen[label] += 1
        fresh = replace(new_like, key=key, x=-1.0, y=-1.0, width=0.0, height=0.0)
        made = from_canvas(
            {side: float(box[side]) for side in ("left", "top", "width", "height")}, frame, known.get(key, fresh)
        )
        if large_enough(made):
            regions.append(made)
    return tuple(regions)


def free_key(taken: Iterable[str]) -> str:
    """The smallest number that is no key yet."""
    names = set(taken)
    return next(str(number) for number in count(1) if str(number) not in names)


def keyed(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions with keys that are short, unique and stay: those that have none, or a doubled one, get a number."""
    taken: set[str] = set()
    result = []
    for region in regions:
        short = 0 < len(region.key) <= SHORT_KEY and region.key not in taken
        key = region.key if short else free_key(taken | {r.key for r in regions})
        taken.add(key)
        result.append(replace(region, key=key))
    return tuple(result)


def new_region(class_id: str) -> Region:
    """What a freshly drawn box starts as; its place is set by the canvas."""
    return Region(0, 0, 0, 0, name=class_id, class_id=class_id)


@cache
def _settle() -> Any:
    """What keeps a key pressed right after a drag from being faster than the drag."""
    return st.components.v2.component("holdpoint_settle", js=(HERE / "settle.js").read_text(encoding="utf-8"))


def edit_regions(
    regions: Sequence[Region],
    *,
    background: str | bytes,
    frame: Frame,
    colours: Mapping[str, str],
    new_like: Region,
    key: str,
) -> tuple[Region, ...]:
    """Show the canvas and return the regions as they are on it now.

    Args:
        regions: what the canvas starts with; later changes of it are ignored until `key` changes.
        background: address or bytes of a copy of the picture.
        frame: of this picture on this canvas.
        colours: of the classes.
        new_like: what a new box starts as.
        key: must name the item and its revision: a canvas never outlives its item.
    """
    _settle()(key=f"{key}.settle", height="content")
    from streamlit_drawable_canvas import st_canvas  # outside a running server its import raises

    start_key = f"{key}.start"
    start = st.session_state.setdefault(start_key, drawing(regions, frame, colours))
    result = st_canvas(
        drawing_mode="labeled_rect",
        background_image=background,
        initial_drawing=start,
        width=frame.canvas_wh[0],
        height=frame.canvas_wh[1],
        stroke_width=2,
        stroke_color="#ffffff",
        fill_color="rgba(0, 0, 0, 0)",
        key=key,
        font_size=LABEL_PX,
        label=free_key(region.key for region in regions),
    )
    if result.json_data is None or "objects" not in result.json_data:
        return tuple(regions)
    return read_back(result.boxes, regions, frame, new_like)
