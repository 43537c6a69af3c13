"""Shadow, promotion and the way back on a page: what looks on, what decides, and how that came about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app import context, registry
from app.jobs.science.shadowed import comparison
from app.state import ModelsState
from app.widgets.desk.viewer import absolute
from app.widgets.text import count, local, one_line, plain, share
from core.errors import Conflict
from core.plant import ModelVersion, Site
from core.roles import Action
from core.serving import MOST_HOURS, SHADOW_HOURS, ModelChange

AT_ONCE = 8


def shadow_panel(view: ModelsState, version: ModelVersion, site: Site) -> None:
    """What the site's shadow would have said beside production, and the way to start or end one."""
    found = comparison(context.store(), site.name, context.now())
    if found["shadow"] is None:
        st.caption(
            f"No model has looked on at {plain(site.name)} yet. A shadow scores every picture that production scores, "
            "in a process of its own, and decides nothing."
        )
    else:
        _compared(found)
    running = found["shadow"] is not None and found["state"] == "running"
    if context.may(Action.PROMOTE):
        _shadow_controls(view, version, site, running, str(found.get("model", "")))


def _compared(found: Mapping[str, Any]) -> None:
    running = found["state"] == "running"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(found["state"], icon=":material/visibility:", color="blue" if running else "gray")
        until = local(datetime.fromisoformat(found["until"]))
        since = local(datetime.fromisoformat(found["from"]))
        st.caption(f"**{plain(found['model'])}** from {since} {'until' if running else 'to'} {until}", width="content")
    if found["trouble"]:
        st.warning(f"It could not look on last time: {plain(found['trouble'], 300)}", icon=":material/error:")
    one, two, three, four = st.columns(4)
    with one.container(border=True):
        st.metric("Pictures compared", f"{found['pictures']:,}")
        st.caption(_errors(found["errors"]))
    with two.container(border=True):
        st.metric("Flagged by one of the two", f"{found['differ']:,}")
        st.caption(f"{found['only_new']:,} by the shadow, {found['only_old']:,} by production")
    pair = found["paired"]
    with three.container(border=True):
        st.metric("Right more often, points", "–" if not pair["n"] else f"{100 * pair['difference']:+.1f}")
        st.caption(_paired(pair))
    times = found["milliseconds"]
    with four.container(border=True):
        st.metric("Milliseconds, median", "–" if times["new"] is None else f"{times['new']:.0f}")
        st.caption("" if times["old"] is None else f"production {times['old']:.0f}")
    if pair["n"]:
        st.caption(found["caution"])
    _disagreements(found["disagreements"], found["differ"])


def _errors(errors: Mapping[str, int]) -> str:
    total = sum(errors.values())
    if not total:
        return "none that it could not score"
    worst = max(errors, key=lambda why: errors[why])
    return plain(f"{total:,} it could not score, such as: {worst}", 120)


def _paired(pair: Mapping[str, Any]) -> str:
    if not pair["n"]:
        return "nobody has labelled any of these parts yet"
    low, high = pair["interval"]
    return (
        f"95%: {100 * low:+.1f} to {100 * high:+.1f}, {count(pair['n'], 'labelled part')}: {pair['gained']:,} gained, "
        f"{pair['lost']:,} lost, p {share(pair['p_value'])} (McNemar)"
    )


def _disagreements(found: Sequence[Mapping[str, Any]], many: int) -> None:
    """Pictures that one of the two flags, the widest apart first, each with both scores and what people say."""
    if not found:
        return
    st.markdown("**Where they disagree**")
    with st.container(horizontal=True, gap="small"):
        for one in found[:AT_ONCE]:
            with st.container(width=150, gap=None):
                st.image(absolute(f"/img/{one['image']}/thumb"), width=150, alt=f"Image {one['image']}")
                people = {None: "no label", True: "people: defective", False: "people: good"}[one["defective"]]
                st.caption(f"shadow **{share(one['new'])}**  \nproduction **{share(one['old'])}**  \n{people}")
    if many > AT_ONCE:
        st.caption(f"{AT_ONCE} of {many:,}, the widest apart first.")


def _shadow_controls(view: ModelsState, version: ModelVersion, site: Site, running: bool, model: str) -> None:
    key = f"models.shadow.{site.name}.{version.name}"
    if running:
        st.button(f"End the shadow {one_line(model)}", key=f"{key}.stop", icon=":material/visibility_off:",
                  on_click=registry.stop_shadow, args=(view, site.name))  # fmt: skip
        return
    if site.model == version.name:
        st.caption(f"{plain(version.name)} decides here: choose another version to let it look on.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Hours", 0.5, MOST_HOURS, SHADOW_HOURS, key=f"{key}.hours", width=140)
        st.text_input("Why", key=f"{key}.why", max_chars=300, width=360, placeholder="optional")
        st.button("Start the shadow", key=f"{key}.start", icon=":material/visibility:",
                  on_click=registry.start_shadow,
                  args=(view, site.name, version.name, f"{key}.hours", f"{key}.why"))  # fmt: skip


def promotion_panel(view: ModelsState, version: ModelVersion, site: Site) -> None:
    """What decides at the site, whether this version may, and the way back."""
    store = context.store()
    key = f"models.promote.{site.name}.{version.name}"
    may = context.may(Action.PROMOTE)
    if site.model is None:
        st.info(f"No model decides at {plain(site.name)}: every part is held.", icon=":material/info:")
    else:
        calibrated = "calibrated" if site.calibrated else "not calibrated: nothing passes by itself"
        st.markdown(f"**{plain(site.model)}** decides at {plain(site.name)}, {calibrated}.")
    with st.container(horizontal=True):
        if site.model == version.name:
            _way_back(view, site, store.promotions.way_back(site.name), key, may)
        elif may:
            _promote(view, version, site, key)
    _history(store.promotions.history(site.name, limit=20))


def _promote(view: ModelsState, version: ModelVersion, site: Site, key: str) -> None:
    try:
        why_not = context.store().promotions.hindered(site.name, version.name)
    except Conflict as error:  # it came into use since this page was drawn
        st.caption(plain(str(error), 300))
        return
    if why_not:
        st.warning(plain(f"{version.name}: {why_not}", 500), icon=":material/door_front:")
        with st.popover("Ask for an override", icon=":material/group:"):
            st.caption("Two people stand for it: you, and a QA lead or admin who agrees.")
            st.text_input("Why it should decide all the same", key=f"{key}.why", max_chars=300)
            st.button("Ask", key=f"{key}.ask", on_click=registry.ask_override,
                      args=(view, site.name, version.name, f"{key}.why"))  # fmt: skip
        return
    with st.popover("Promote", icon=":material/upgrade:"):
        st.caption("Every process obeys on its next batch. Until two people confirm its calibration, parts are held.")
        st.text_input("Why this one and none of the others", key=f"{key}.why", max_chars=300)
        st.button("Put in use", key=f"{key}.go", type="primary", on_click=registry.promote,
                  args=(view, site.name, version.name, f"{key}.why"))  # fmt: skip


def _way_back(view: ModelsState, site: Site, before: str | None, key: str, may: bool) -> None:
    if before is None:
        st.caption("There is no earlier model to go back to.")
    elif may:
        with st.popover(f"Roll back to {one_line(before, 60)}", icon=":material/undo:"):
            st.caption("Restores what was in force before, its calibration too where that still stands.")
            st.text_input("What is wrong with the model in use", key=f"{key}.back", max_chars=300)
            st.button("Roll back", key=f"{key}.undo", type="primary", on_click=registry.roll_back,
                      args=(view, site.name, f"{key}.back"))  # fmt: skip


def _history(found: Sequence[ModelChange]) -> None:
    if not found:
        return
    st.markdown("**How it came about**")
    rows = [
        {
            "when": local(one.at),
            "act": str(one.kind),
            "model": one.model or "none",
            "instead of": one.before or "none",
            "on": f"gate {one.gate}" if one.gate and not one.request else "two people" if one.request else "–",
            "by": one_line(one.by),
            "why": one_line(one.reason, 300),
            "alternatives": ", ".join(f"{other['model']} ({other['answer'] or 'no gate'})"
                                      for other in one.alternatives) or "–",
        }
        for one in found
    ]  # fmt: skip
    st.dataframe(rows, hide_index=True, height="content")
