"""Regions as rows beside the canvas: class, severity, where each came from, and a way out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from app.widgets.text import plain, share
from core.records import Region, Severity
from core.taxonomy import Taxonomy

ANY = "not said"


def region_table(
    regions: Sequence[Region], taxonomy: Taxonomy, colours: Mapping[str, str], *, key: str
) -> tuple[Region, ...]:
    """Draw a row for each region and return them as chosen; one that was removed is missing.

    Args:
        regions: each with a unique key, which names its row.
        taxonomy: gives classes and severities.
        colours: of the classes.
        key: must name the picture and its revision.
    """
    result = []
    for region in regions:
        changed = _row(region, taxonomy, colours, f"{key}.{region.key}")
        if changed is not None:
            result.append(changed)
    return tuple(result)


def _row(region: Region, taxonomy: Taxonomy, colours: Mapping[str, str], key: str) -> Region | None:
    source = "drawn by a person" if region.score is None else f"model {share(region.score)}"
    with st.container(border=True, gap="small", key=f"{key}.row"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(region.key)}** · {region.width:.0f} × {region.height:.0f} px · {source}"
                + ("" if region.class_id else f" · :orange[{plain(region.name, 40)}]"),
            )
            st.space("stretch")
            gone = st.button("Remove", key=f"{key}.remove", icon=":material/delete:", type="tertiary")
        left, right = st.columns([3, 2], gap="small")
        ids = [*taxonomy.ids, *([""] if region.class_id is None else [])]
        class_id = left.selectbox(
            f"Class of region {region.key}",
            ids,
            index=ids.index(region.class_id or "") if (region.class_id or "") in ids else 0,
            format_func=lambda one: taxonomy.get(one).label if one else "not mapped",
            key=f"{key}.class",
            label_visibility="collapsed",
        )
        severity = _severity(right, region, taxonomy, class_id, key)
    if gone:
        return None
    if (class_id or None) == region.class_id and severity == region.severity:
        return region
    name = class_id or region.name
    return replace(region, class_id=class_id or None, name=name, severity=severity, score=None)


def _severity(
    place: "st.delta_generator.DeltaGenerator", region: Region, taxonomy: Taxonomy, class_id: str, key: str
) -> Severity | None:
    """Only what the class allows can be chosen; a class without that severity starts again at 'not said'."""
    allowed = taxonomy.get(class_id).severities if class_id else tuple(Severity)
    options = [ANY, *(one.value for one in allowed)]
    present = region.severity.value if region.severity in allowed and region.severity else ANY
    chosen = place.selectbox(
        f"Severity of region {region.key}",
        options,
        index=options.index(present),
        key=f"{key}.severity.{class_id}",
        label_visibility="collapsed",
    )
    return None if chosen == ANY else Severity(chosen)
