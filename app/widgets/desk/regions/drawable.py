"""The canvas of streamlit-drawable-canvas as an editor: for outlines and freehand masks, and for whoever prefers it.

The canvas shows a scaled copy and speaks of its own pixels. A box on it carries the number of its region as label; the
keys themselves stay here. An outline becomes a region: its box is its bounds, its mask the outline.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from app.widgets.desk.regions.contract import Edit, Engine, Payload, Sheet
from app.widgets.desk.regions.outlines import box_of, followed, rings_of
from app.widgets.desk.regions.wire import SMALLEST_PX
from app.widgets.desk.viewer import absolute
from core.records import Polygons, Region

LABEL_PX = 13
BRUSH_PX = 9
LOCKS = ("lockMovementX", "lockMovementY", "lockRotation", "lockScalingX", "lockScalingY")
OURS = LOCKS[0]  # the canvas keeps this of every object: an outline that has it is one that we drew
BOX, OUTLINE, FREEHAND = "labeled_rect", "polygon", "freedraw"
TOOLS: Mapping[str, str] = {BOX: "Box", OUTLINE: "Outline", FREEHAND: "Freehand"}
_SLOT = "regions.drawable"


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

    Corners that were not moved by as much as half a picture pixel keep their exact old places, so that opening and
    saving changes nothing. The mask follows; the model's score is gone with the model's box.

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
    after = (x1, y1, round(x2 - x1, 2), round(y2 - y1, 2))
    mask = followed(like.mask, (like.x, like.y, like.width, like.height), after)
    return replace(like, x=x1, y=y1, width=after[2], height=after[3], mask=mask, score=None)


def show(sheet: Sheet, regions: Sequence[Region]) -> dict[str, Any]:
    """Regions as the canvas's own drawing: a box each, labelled with its number, and the outline of its mask."""
    frame = frame_for(sheet.size_wh, sheet.room_wh)
    outlines: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number, region in enumerate(regions, start=1):
        kind = sheet.kind(region.class_id)
        colour = kind.colour if kind else sheet.unmapped
        if isinstance(region.mask, Polygons):
            outlines.extend(_outline(ring, frame, colour) for ring in region.mask.rings)
        boxes.append(
            {
                "type": "LabeledRect",
                "label": str(number),
                "fontSize": LABEL_PX,
                **to_canvas(region, frame),
                "originX": "left",
                "originY": "top",
                "scaleX": 1,
                "scaleY": 1,
                "angle": 0,
                "stroke": colour,
                "strokeWidth": 2,
                "fill": "rgba(0, 0, 0, 0)",
                "strokeUniform": True,
                # With the outline tool the canvas tells of outlines only: a box moved meanwhile would be lost.
                **dict.fromkeys(LOCKS if sheet.tool == OUTLINE else ("lockRotation",), True),
            }
        )
    return {"objects": [*outlines, *boxes]}


def _outline(ring: Sequence[float], frame: Frame, colour: str) -> dict[str, Any]:
    across, down = frame.scale_xy
    points = [(x * across, y * down) for x, y in zip(ring[::2], ring[1::2], strict=True)]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return {
        "type": "Path",
        "path": [["M" if i == 0 else "L", x, y] for i, (x, y) in enumerate(points)] + [["Z"]],
        "left": left,
        "top": top,
        "originX": "left",
        "originY": "top",
        "stroke": colour,
        "strokeWidth": 1,
        "fill": f"{colour}44",
        **dict.fromkeys(LOCKS, True),
    }


def read(sheet: Sheet, regions: Sequence[Region], payload: Payload | None) -> tuple[Region, ...]:
    """What the canvas says now.

    Args:
        sheet: of this picture.
        regions: that the canvas started with; a box is one of them by its label.
        payload: item, `fresh` for the keys of what is new, and the canvas's objects.
    """
    if payload is None or payload.get("item") != sheet.item or not isinstance(payload.get("objects"), list):
        return tuple(regions)
    frame, fresh = frame_for(sheet.size_wh, sheet.room_wh), str(payload.get("fresh", "new"))
    numbered = {str(number): region for number, region in enumerate(regions, start=1)}
    new_like = Region(-1.0, -1.0, 0.0, 0.0, name=sheet.new_class, class_id=sheet.new_class)
    seen: Counter[str] = Counter()
    found = []
    for drawn in payload["objects"]:
        if drawn.get("type") == "LabeledRect":
            label = str(drawn.get("label", "")) or "new"
            key = f"{fresh}-{label}.{seen[label]}" if seen[label] or label not in numbered else ""
            like = numbered[label] if not key else replace(new_like, key=key)
            seen[label] += 1
            region = from_canvas(_box(drawn), frame, like)
        elif drawn.get("type") in ("Path", "Polygon") and not drawn.get(OURS):
            seen["path"] += 1
            mask = rings_of(drawn, frame.scale_xy, sheet.size_wh)
            if mask is None:
                continue
            x, y, width, height = box_of(mask)
            region = Region(x, y, width, height, new_like.name, new_like.class_id, mask=mask,
                            key=f"{fresh}-path.{seen['path']}")  # fmt: skip
        else:
            continue
        if region.width >= SMALLEST_PX and region.height >= SMALLEST_PX:
            found.append(region)
    return tuple(found)


def _box(drawn: Mapping[str, Any]) -> dict[str, float]:
    """An object's place in canvas pixels, whichever point of it the canvas counts from."""
    wide = float(drawn.get("width", 0)) * float(drawn.get("scaleX", 1))
    high = float(drawn.get("height", 0)) * float(drawn.get("scaleY", 1))
    share = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}
    return {
        "left": float(drawn.get("left", 0)) - share[str(drawn.get("originX", "left"))] * wide,
        "top": float(drawn.get("top", 0)) - share[str(drawn.get("originY", "top"))] * high,
        "width": wide,
        "height": high,
    }


@dataclass(frozen=True)
class _Start:
    """What the canvas on the screen began with."""

    key: str
    regions: tuple[Region, ...]
    fresh: str


def mount(sheet: Sheet, regions: Sequence[Region], key: str) -> Edit:
    """Draw it; later changes of `regions` are ignored until the key or the tool changes."""
    from streamlit_drawable_canvas import st_canvas  # outside a running server its import raises

    tool = sheet.tool or BOX
    widget = f"{key}.{tool}"
    start: _Start | None = st.session_state.get(_SLOT)
    if start is None or start.key != widget:
        start = st.session_state[_SLOT] = _Start(widget, tuple(regions), f"d-{secrets.token_hex(6)}")
    kind = sheet.kind(sheet.new_class)
    frame = frame_for(sheet.size_wh, sheet.room_wh)
    drawing = show(sheet, start.regions)
    result = st_canvas(
        drawing_mode=tool,
        background_image=absolute(sheet.picture),
        initial_drawing=drawing,
        width=frame.canvas_wh[0],
        height=frame.canvas_wh[1],
        stroke_width=BRUSH_PX if tool == FREEHAND else 2,
        stroke_color=kind.colour if kind and tool != BOX else "#ffffff",
        fill_color="rgba(0, 0, 0, 0)",
        key=widget,
        font_size=LABEL_PX,
        label=next_label(start.regions, _objects(widget)) if tool == BOX else "",
    )
    said = result.json_data or {}
    if said.get("objects") == drawing["objects"]:
        return Edit(tuple(regions))
    now = read(sheet, start.regions, {**said, "item": sheet.item, "fresh": start.fresh})
    return Edit(_named_since(now, start.regions, regions), again=_masks_changed(now, start.regions))


def next_label(start: Sequence[Region], objects: Sequence[Mapping[str, Any]]) -> str:
    """The label of the next box: a number that no box on the canvas has."""
    labels = (str(one.get("label", "")) for one in objects)
    return str(max([len(start), *(int(label) for label in labels if label.isdecimal())]) + 1)


def _objects(widget: str) -> Sequence[Mapping[str, Any]]:
    """What the canvas has said before it is drawn again."""
    said = st.session_state.get(widget) or {}
    return list(((said.get("drawing") or {}).get("raw") or {}).get("objects", []))


def _named_since(now: Sequence[Region], start: Sequence[Region], before: Sequence[Region]) -> tuple[Region, ...]:
    """New regions keep the class they were first read with, when another one is chosen for the next."""
    older = {one.key for one in start}
    given = {one.key: one for one in before if one.key not in older}
    return tuple(
        replace(one, class_id=given[one.key].class_id, name=given[one.key].name, severity=given[one.key].severity)
        if one.key in given
        else one
        for one in now
    )


def _masks_changed(now: Sequence[Region], start: Sequence[Region]) -> bool:
    """Whether an outline is new or has followed its box: the canvas then has to be drawn anew."""
    before = {one.key: one.mask for one in start}
    return any(one.mask != before.get(one.key) for one in now)


ENGINE = Engine("drawable", "Canvas", "outlines and freehand masks; no zoom, no keys", show, read, mount, TOOLS)
