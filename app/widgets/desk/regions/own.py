"""The daily editor: our own component with zoom, keys, touch, undo and drafts, see editor.js."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.desk.regions import wire
from app.widgets.desk.regions.acts import news, session
from app.widgets.desk.regions.contract import Edit, Engine, Payload, Sheet
from core.records import Region

HERE = Path(__file__).parent
SCRIPTS = ("drafts.js", "place.js", "regions.js", "table.js", "hands.js", "keys.js", "editor.js")  # one module
STYLES = ("editor.css", "table.css")


def joined(names: Sequence[str]) -> str:
    """Files of this folder as one text."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def show(sheet: Sheet, regions: Sequence[Region]) -> dict[str, Any]:
    """Everything the browser needs of one picture."""
    rows = [wire.written(region, sheet.by(region)) for region in regions]
    standing = [wire.written(region, sheet.by(region)) for region in sheet.standing]
    return {
        "item": sheet.item,
        "url": sheet.picture,
        "crop": sheet.crop,
        "width": sheet.size_wh[0],
        "height": sheet.size_wh[1],
        "height_css": sheet.height,
        "alt": sheet.alt,
        "classes": [
            {"id": one.id, "label": one.label, "colour": one.colour, "severities": [str(s) for s in one.severities]}
            for one in sheet.kinds
        ],
        "unmapped": sheet.unmapped,
        "next": sheet.new_class,
        "regions": rows,
        "standing": standing,
        "base": hashlib.sha256(json.dumps(standing).encode()).hexdigest()[:16],
        "sources": [
            {
                "title": one.title,
                "by": one.by,
                "regions": [wire.written(region, sheet.by(region)) for region in one.regions],
            }
            for one in sheet.sources
        ],
        "owner": {
            "user": sheet.owner.user,
            "task": sheet.owner.task,
            "revision": sheet.owner.revision,
            "image": sheet.owner.image,
        },
        "elsewhere": list(sheet.elsewhere),
        "others": sheet.others,
        "saved": [list(one) for one in sheet.saved],
    }


def read(sheet: Sheet, regions: Sequence[Region], payload: Payload | None) -> tuple[Region, ...]:
    """The regions as the browser has them now."""
    if payload is None or payload.get("item") != sheet.item or not isinstance(payload.get("regions"), list):
        return tuple(regions)
    return wire.read(payload["regions"], sheet, (*regions, *sheet.known))


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_regions", html='<div class="editor-root"></div>', css=joined(STYLES), js=joined(SCRIPTS)
    )


def mount(sheet: Sheet, regions: Sequence[Region], key: str) -> Edit:
    """Draw it; later changes of `regions` are ignored until the item or the key changes."""
    result = _component()(
        key=key,
        data={**show(sheet, regions), "session": session()},
        on_drawn_change=lambda: None,
        on_enter_change=lambda: None,
        width="stretch",
        height="content",
    )
    drawn = result.get("drawn")
    entered = news("enter", sheet.item, result.get("enter")) is not None
    return Edit(read(sheet, regions, drawn), _others(sheet, drawn), entered)


def _others(sheet: Sheet, payload: Payload | None) -> dict[int, Sequence[Payload] | None]:
    """Drafts of the part's other pictures that were asked for."""
    if payload is None or payload.get("item") != sheet.item or not isinstance(payload.get("others"), dict):
        return {}
    there = {int(image): rows for image, rows in payload["others"].items() if str(image).isdecimal()}
    return {image: rows for image, rows in there.items() if rows is None or isinstance(rows, list)}


ENGINE = Engine("own", "Boxes", "fast, with keys and zoom", show, read, mount)
