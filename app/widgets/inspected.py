"""What the inspect page shows of one scored picture."""

import base64
import json
from typing import Any

import streamlit as st

from app import bench, context, theme
from app.jobs.documents import answer
from app.jobs.inspect import Inspected
from app.state import InspectState
from app.web.pictures import overlay_png
from app.widgets.charts import class_bars, score_band
from app.widgets.gallery import gallery
from app.widgets.text import one_line, plain, share
from app.widgets.viewer import Layer, drawn, viewer
from core.decide.decision import Decided
from core.pictures.boxes import area_percentage
from core.records import Grid, Image, ImageState
from core.roles import Action

SHOWN = 24
TILE_COLUMNS = ("x", "y", "width", "height", "score")


def demo_choice(site: str | None, *, key: str) -> Image | None:
    """A picture that the plant has filed, picked from small copies."""
    if site is None:
        return None
    with st.popover("Or pick a filed picture", icon=":material/photo_library:", width="stretch"):
        images = context.store().images.find(site=site, state=ImageState.OK, limit=SHOWN)
        if not images:
            st.caption("This site has no pictures yet.")
            return None
        number = st.selectbox("Picture", range(len(images)), index=None, key=f"{key}.{site}",
                              format_func=lambda i: _named(images[i]), placeholder="Newest first")  # fmt: skip
        gallery([image.id for image in images], width=76, most=12)
    return None if number is None else images[number]


def _named(image: Image) -> str:
    return f"{image.id} · {one_line(image.capture.camera or '', 20)} {one_line(image.capture.view or '', 20)}"


def chosen_result(view: InspectState) -> Inspected | None:
    """The result in view; with several, a row of names to choose from."""
    names = list(view.results)
    if not names:
        return None
    if len(names) > 1:
        at = names.index(view.chosen) if view.chosen in names else 0
        picked = st.selectbox("Scored pictures", names, index=at, key="inspect.chosen",
                              format_func=lambda one: f"{one_line(view.results[one].name, 60)}   "
                              f"{share(view.results[one].prediction.score)}")  # fmt: skip
        view.chosen = picked
    found: Inspected = view.results.get(view.chosen or "", view.results[names[0]])
    return found


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def show(result: Inspected, view: InspectState, *, key: str) -> None:
    """The picture with heatmap, dense map, tiles and regions to switch."""
    prediction = result.prediction
    options = {"Heatmap": prediction.heatmap, "Where": prediction.where, "Regions": True, "Tiles": prediction.tiles}
    there = [name for name, value in options.items() if value is not None]
    usual = [name for name in there if name in ("Heatmap", "Regions")]
    shown = st.pills("Over the picture", there, selection_mode="multi", default=usual,
                     key="inspect.layers", label_visibility="collapsed") or []  # fmt: skip
    layers = tuple(
        Layer(name, _overlay(grid, ramp), words, ramp, True)
        for name, grid, words, ramp in (
            ("Heatmap", prediction.heatmap, "Why this score", theme.HEATMAP_RAMP),
            ("Where", prediction.where, "Where", theme.WHERE_RAMP),
        )
        if grid is not None and name in shown
    )
    colours = theme.class_colours(prediction.class_scores)
    regions = [drawn(one, colours) for one in prediction.regions] if "Regions" in shown else []
    if "Tiles" in shown and prediction.tiles is not None:
        regions += [_tile(*row) for row in prediction.tiles.tolist()]
    viewer(
        item=f"{result.sha256}.{prediction.model}",
        url=_data_url(result.preview, "jpeg"),
        size_wh=(result.width, result.height),
        alt=result.name,
        layers=layers,
        regions=regions,
        key=key,
        height="calc(100dvh - 330px)",
    )


def _overlay(grid: Grid, ramp: tuple[tuple[int, int, int], ...]) -> str:
    return _data_url(overlay_png(grid, ramp), "png")


def _tile(x: float, y: float, width: float, height: float, score: float) -> dict[str, Any]:
    inset = 3
    return {
        "x": x + inset, "y": y + inset, "width": width - 2 * inset, "height": height - 2 * inset, "label": share(score),
        "colour": "#ffb000" if score >= 0.5 else "#8fb8d8", "dashed": True,
    }  # fmt: skip


def verdict(result: Inspected, decided: Decided) -> None:
    """What the site's policy makes of it, and why."""
    prediction = result.prediction
    with st.container(horizontal=True, vertical_alignment="center"):
        theme.badge(theme.OUTCOMES[decided.outcome])
        st.caption(f"{prediction.milliseconds:.0f} ms engine, {result.decode_ms:.0f} ms to open", width="content")
    for reason in decided.reasons:
        st.markdown(f":material/chevron_right: {plain(reason.text, 300)}")
    score_band(decided.score, None, key="inspect.band")
    if prediction.class_scores:
        class_bars(prediction.class_scores)
    st.caption(f"{plain(result.back_end)} · {result.width} × {result.height} px")


def result_tabs(result: Inspected, decided: Decided, site: str) -> None:
    """Regions, tiles, facts and the endpoint's JSON."""
    prediction = result.prediction
    regions, tiles, document = st.tabs(
        [
            f"Regions ({len(prediction.regions)})",
            f"Tiles ({0 if prediction.tiles is None else len(prediction.tiles)})",
            "JSON",
        ]
    )
    with regions:
        if prediction.regions:
            st.dataframe(
                [
                    {"class": one.class_id or one.name, "score": one.score, "x": one.x, "y": one.y, "width": one.width,
                     "height": one.height, "area %": area_percentage(one, result.width, result.height)}
                    for one in prediction.regions
                ],
                hide_index=True, height="content",
            )  # fmt: skip
        else:
            st.caption("The map stands out nowhere: no region is proposed.")
    with tiles:
        if prediction.tiles is None:
            st.caption("This model keeps no scores by tile.")
        else:
            st.dataframe(
                [dict(zip(TILE_COLUMNS, row, strict=True)) for row in prediction.tiles.tolist()],
                hide_index=True, height=240,
            )  # fmt: skip
    with document:
        policy = context.store().policies.in_force(site)
        answered = answer(
            result.sha256,
            prediction,
            (result.width, result.height),
            decided.outcome,
            decided.reasons,
            decided.route,
            context.now(),
            policy=policy.number if policy else None,
        )
        st.code(json.dumps(answered, indent=2), language="json", height=260)


def send_button(view: InspectState, result: Inspected, site: str) -> None:
    """Ask for a person, once for each picture."""
    sent = view.sent.get(result.sha256)
    if sent:
        st.success(sent, icon=":material/check:")
        return
    if not (context.may(Action.REVIEW) or context.may(Action.INGEST)):
        return
    data = next((one.getvalue() for one in st.session_state.get("inspect.files") or []
                 if one.name == result.name), None)  # fmt: skip
    if data is not None:
        st.button("Send to the queue", key=f"inspect.send.{result.sha256[:12]}", icon=":material/send:",
                  width="stretch", on_click=bench.send_to_queue, args=(view, result, data, site))  # fmt: skip
