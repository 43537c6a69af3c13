"""Regions as rows beside an engine that has no table of its own: class, severity, score, source, and a way out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import streamlit as st

from app.widgets.desk.regions.acts import news, session
from app.widgets.desk.regions.contract import Payload, Sheet
from app.widgets.desk.regions.own import joined, show
from core.records import Region, Severity


def changed(sheet: Sheet, regions: Sequence[Region], change: Payload | None) -> tuple[Region, ...]:
    """The regions after what was chosen in a row; as they were where it is about another item or cannot be.

    Args:
        sheet: of the picture.
        regions: as they are.
        change: item, key, and one of class, severity (None for not said) and remove.
    """
    if change is None or change.get("item") != sheet.item:
        return tuple(regions)
    result = []
    for region in regions:
        if region.key != change.get("key"):
            result.append(region)
        elif not change.get("remove"):
            result.append(_with(sheet, region, change))
    return tuple(result)


def _with(sheet: Sheet, region: Region, change: Mapping[str, Any]) -> Region:
    kind = sheet.kind(change.get("class", region.class_id))
    if kind is None and "class" in change:
        return region
    allowed = kind.severities if kind else tuple(Severity)
    wanted = change.get("severity", region.severity)
    severity = next((one for one in allowed if wanted is not None and str(one) == str(wanted)), None)
    class_id = kind.id if kind else None
    if (class_id, severity) == (region.class_id, region.severity):
        return region
    name = region.name if class_id == region.class_id else str(class_id)
    return replace(region, class_id=class_id, name=name, severity=severity, score=None)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_region_table", html='<div class="rows"></div>', css=joined(("table.css", "rows.css")),
        js=joined(("table.js", "rows.js")),
    )  # fmt: skip


def region_table(sheet: Sheet, regions: Sequence[Region], *, key: str) -> tuple[Region, ...]:
    """Draw a row for each region and return them as chosen; one that was removed is missing.

    Args:
        sheet: of the picture.
        regions: each with a unique key, which names its row.
        key: must name the picture and its revision.
    """
    data = show(sheet, regions)
    result = _component()(
        key=key,
        data={name: data[name] for name in ("item", "regions", "classes", "unmapped")}
        | {"height_css": "44vh", "session": session()},
        on_changed_change=lambda: None,
        height="content",
    )
    return changed(sheet, regions, news("changed", sheet.item, result.get("changed")))
