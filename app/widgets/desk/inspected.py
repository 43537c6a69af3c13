"""What the inspect page shows of one scored picture."""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from app import bench, context, desk, theme
from app.jobs.intake.documents import answer
from app.jobs.intake.inspect import Inspected
from app.state import InspectState
from app.web.pictures import overlay_png
from app.widgets.charts import class_bars, score_band
from app.widgets.desk.viewer import Layer, absolute, drawn, picture_url, viewer
from app.widgets.text import one_line, plain, share
from core.decide.decision import Decided
from core.decide.policy import Policy
from core.pictures.boxes import area_percentage
from core.pictures.decode import sha256_of
from core.records import Grid, Image, ImageState
from core.roles import Action

SHOWN = 24
STRIP = 6  # of them on the demo plant, to try without a picture of one's own
PREVIEWS = 9  # of them with a small copy; as many as stand in a row
REFUSALS = 4  # spelt out; more would push the picture off the screen
_FILES, _PICKED, _CHOSEN = "inspect.files", "inspect.filed", "inspect.chosen"
TILE_COLUMNS = ("x", "y", "width", "height", "score")


def begun(view: InspectState, site: str) -> bool:
    """Whether there is anything to show beside the invitation to drop pictures."""
    picked = st.session_state.get(f"{_PICKED}.{site}")
    return bool(st.session_state.get(_FILES) or picked or view.results or view.refused)


def pictures(view: InspectState, site: str, begun: bool) -> tuple[Sequence[bench.Dropped], Image | None]:
    """Where pictures come from: a large place to drop them, which makes room once there are some."""
    with st.container(border=not begun, key="inspect.more" if begun else "inspect.drop"):
        if not begun:
            st.markdown("### :material/add_photo_alternate: Drop one or many pictures here", text_alignment="center")
        uploads = st.file_uploader("Pictures", type=bench.TYPES, accept_multiple_files=True, key=_FILES,
                                   label_visibility="collapsed", on_change=_taken_away, args=(view,),
                                   max_upload_size=context.settings().upload_bytes >> 20)  # fmt: skip
        filed = _filed(site)
        if not begun and context.demo_plant():
            _strip(filed, site)
        return uploads, _filed_choice(filed, site)


def _taken_away(view: InspectState) -> None:
    view.message = view.failed = ""
    if not st.session_state.get(_FILES):  # the last one was removed; leaving the page calls nothing and keeps them
        view.results.clear()
        view.refused.clear()


def _filed(site: str) -> Mapping[int, Image]:
    """The newest pictures that the plant has filed, by id; none that this person has to judge by eye first."""
    newest = context.store().images.find(site=site, state=ImageState.OK, limit=4 * SHOWN)
    blind = desk.still_blind(context.store(), newest)
    return {image.id: image for image in [one for one in newest if one.id not in blind][:SHOWN]}


def _strip(filed: Mapping[int, Image], site: str) -> None:
    """A few of them, from the least to the most suspicious, each scored by one click."""
    said = context.store().images.predictions(list(filed))
    ranked = sorted(filed, key=lambda number: said[number].score if number in said else 0.0)
    count = min(STRIP, len(ranked))
    chosen = [ranked[round(place * (len(ranked) - 1) / max(count - 1, 1))] for place in range(count)]
    if not chosen:
        return
    st.caption("Or try one of the demo plant's own:", text_alignment="center")
    with st.container(key="inspect-strip", horizontal=True, horizontal_alignment="center", gap="small"):
        for number in chosen:
            st.button(f"![{plain(_named(filed[number]), 60)}]({picture_url(filed[number], 'thumb')})",
                      key=f"inspect.try.{number}", on_click=_pick, args=(site, number))  # fmt: skip


def _pick(site: str, number: int) -> None:
    st.session_state[f"{_PICKED}.{site}"] = number


def _filed_choice(filed: Mapping[int, Image], site: str) -> Image | None:
    """One of the filed pictures, picked by number from small copies."""
    with st.popover("Or pick a filed picture", icon=":material/photo_library:", width="stretch"):
        if not filed:
            st.caption("This site has no pictures to show yet.")
            return None
        picked = st.selectbox("Filed picture", list(filed), index=None, key=f"{_PICKED}.{site}",
                              format_func=lambda one: _named(filed[one]), placeholder="Newest first")  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            for number in list(filed)[:PREVIEWS]:
                st.image(absolute(f"/img/{number}/thumb"), caption=str(number), width=76, alt=f"Image {number}")
    return None if picked is None else filed[picked]


def _named(image: Image) -> str:
    said = (image.capture.part, image.capture.camera, image.capture.view)
    return " · ".join([str(image.id), *(one_line(one, 24) for one in said if one)])


def refusals(view: InspectState) -> None:
    """Which pictures could not be scored, and why."""
    for text in list(view.refused.values())[:REFUSALS]:
        st.error(plain(text, 300), icon=":material/broken_image:")
    if len(view.refused) > REFUSALS:
        st.error(f"{len(view.refused) - REFUSALS} more could not be scored.", icon=":material/broken_image:")
    if view.stumbled & view.refused.keys():
        st.button("Try again", key="inspect.again", icon=":material/refresh:", on_click=_try_again, args=(view,))


def _try_again(view: InspectState) -> None:
    for name in view.stumbled:
        view.refused.pop(name, None)
    view.stumbled.clear()


def chosen_result(view: InspectState) -> Inspected | None:
    """The result in view, the newest at first; with several, their names to choose from."""
    names = list(view.results)
    if not names:
        return None
    if view.chosen not in names:
        view.chosen = names[-1]
    if len(names) > 1:
        st.session_state[_CHOSEN] = view.chosen
        st.selectbox("Scored pictures", names, key=_CHOSEN, on_change=_choose, args=(view,),
                     label_visibility="collapsed", width=380,
                     format_func=lambda one: f"{names.index(one) + 1} · {one_line(view.results[one].name, 40)}   "
                     f"{share(view.results[one].prediction.score)}")  # fmt: skip
    found: Inspected = view.results[view.chosen]
    return found


def _choose(view: InspectState) -> None:
    view.chosen = st.session_state[_CHOSEN]


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def layer_choice(result: Inspected) -> Collection[str]:
    """Heatmap, dense map, regions and tiles to switch, where the model gives them."""
    prediction = result.prediction
    options = {"Heatmap": prediction.heatmap, "Where": prediction.where, "Regions": True, "Tiles": prediction.tiles}
    there = [name for name, value in options.items() if value is not None]
    usual = [name for name in there if name in ("Heatmap", "Regions")]
    chosen = st.pills("Over the picture", there, selection_mode="multi", default=usual,
                      key="inspect.layers", label_visibility="collapsed")  # fmt: skip
    return set(chosen or ())


def show(result: Inspected, shown: Collection[str], *, key: str) -> None:
    """The picture with what was chosen to lie over it."""
    prediction = result.prediction
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
        height="calc(100dvh - 320px)",
    )


def _overlay(grid: Grid, ramp: tuple[tuple[int, int, int], ...]) -> str:
    return _data_url(overlay_png(grid, ramp), "png")


def _tile(x: float, y: float, width: float, height: float, score: float) -> dict[str, Any]:
    inset = 3
    return {
        "x": x + inset, "y": y + inset, "width": width - 2 * inset, "height": height - 2 * inset, "label": share(score),
        "colour": "#ffb000" if score >= 0.5 else "#8fb8d8", "dashed": True,
    }  # fmt: skip


def part_of(view: InspectState, result: Inspected, site: str) -> tuple[str | None, str | None]:
    """Line and part type whose policy decides: of a filed picture its own, of another one those that are chosen here.

    There is only something to choose where a line or part type has a policy of its own.
    """
    filed = bench.filed_as(view, result)
    if filed is not None:
        return filed.capture.line, filed.capture.part_type
    narrower = [one for one in context.store().policies.all_in_force(site) if not one.ends]
    chosen = []
    for label, names in (("Line", {one.line for one in narrower}), ("Part type", {one.part_type for one in narrower})):
        known = sorted(one for one in names if one is not None)
        key = f"inspect.{label.lower().replace(' ', '')}.{site}"
        chosen.append(st.selectbox(label, known, index=None, key=key, placeholder="any other") if known else None)
    return chosen[0], chosen[1]


def verdict(result: Inspected, decided: Decided, policy: Policy | None) -> None:
    """What the policy in force makes of it, and why."""
    prediction = result.prediction
    with st.container(horizontal=True, vertical_alignment="center"):
        theme.badge(theme.OUTCOMES[decided.outcome])
        st.caption(f"{prediction.milliseconds:.0f} ms engine, {result.decode_ms:.0f} ms to open", width="content")
    for reason in decided.reasons:
        st.markdown(f":material/chevron_right: {plain(reason.text, 300)}")
    if policy is not None:
        st.caption(f"By policy {policy.number}, for {plain(policy.scope, 80)}.")


def scores(result: Inspected, decided: Decided, policy: Policy | None) -> None:
    """The part's score in the band of its policy, and its share by class."""
    prediction = result.prediction
    score_band(decided.score, None if policy is None else policy.band, key="inspect.band")
    if prediction.class_scores:
        class_bars(prediction.class_scores)
    st.caption(f"{plain(result.back_end)} · {result.width} × {result.height} px")


def result_tabs(result: Inspected, decided: Decided, policy: Policy | None) -> None:
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
                    {"class": one.class_id or one.name, "score": None if one.score is None else round(one.score, 3),
                     "x": round(one.x, 1), "y": round(one.y, 1), "width": round(one.width, 1),
                     "height": round(one.height, 1),
                     "area %": round(area_percentage(one, result.width, result.height), 3)}
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
                [dict(zip(TILE_COLUMNS, (round(value, 3) for value in row), strict=True))
                 for row in prediction.tiles.tolist()],
                hide_index=True, height=240,
            )  # fmt: skip
    with document:
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
    if bench.filed_as(view, result) is not None:
        st.caption("The plant has filed this picture already.")
        return
    data = next((data for one in st.session_state.get(_FILES) or []
                 if one.name == result.name and sha256_of(data := one.getvalue()) == result.sha256), None)  # fmt: skip
    if data is None:
        st.caption("The file is not on the page any more: drop it again to send it to the queue.")
        return
    st.button("Send to the queue", key=f"inspect.send.{result.sha256[:12]}", icon=":material/send:",
              width="stretch", on_click=bench.send_to_queue, args=(view, result, data, site))  # fmt: skip
