"""What alarms asked for: each record with its figures, open until somebody says what came of it."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app import alarm_desk, context
from app.state import FormState
from app.widgets.gallery import gallery
from app.widgets.quality.calibration import refit_facts
from app.widgets.text import ago, local, one_line, plain
from core.plant import Site
from core.roles import Action
from core.times import time_of
from core.watch.alarms import FollowUp, checked_off
from core.watch.checklist import FEATURES
from core.watch.rules import Step

ICONS: Mapping[Step, str] = {
    Step.INVESTIGATE: "troubleshoot",
    Step.PROPOSE: "tune",
    Step.RECALIBRATE: "straighten",
    Step.RETRAIN: "model_training",
    Step.SCALE_UP: "add_box",
}


def follow_up_card(view: FormState, one: FollowUp, site: Site) -> None:
    """One record: what is asked for, what was measured, and the way to close it."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(str(one.kind), icon=f":material/{ICONS[one.kind]}:", color="blue" if one.open else "gray")
            whence = f"alarm {one.alarm}" if one.alarm is not None else plain(one.opened_by)
            st.caption(f"{whence} · {ago(one.opened_at, context.now())}", width="content")
        st.markdown(plain(one.text, 300))
        with st.expander("What was measured", on_change="ignore"):
            if "trouble" in one.document:
                st.warning(plain(str(one.document["trouble"]), 300))
            _SHOWN[one.kind](one.document, site)
            if one.kind is Step.INVESTIGATE:
                _checklist(view, one)
        if not one.open:
            st.caption(f"Closed by {plain(one.closed_by or '')}: {plain(one.note, 300)}")
        elif context.may(Action.POLICY):
            key = f"alarms.came.{one.id}"
            with st.popover("Close", icon=":material/check:"):
                st.text_input("What came of it", key=key, max_chars=300)
                st.button("Close it", key=f"alarms.finish.{one.id}", type="primary",
                          on_click=alarm_desk.finish, args=(view, one.id, key))  # fmt: skip


def _investigation(document: Mapping[str, Any], site: Site) -> None:
    if "before_images" in document:
        _side_by_side(document, ("before_images", "Before: some of the camera's reference"),
                      ("after_images", "After: its latest pictures when the alarm was raised"))  # fmt: skip
        moved = sorted(document["distances"].items(), key=lambda one: -one[1])
        st.caption(f"Moved on that day, 0 to 1: {', '.join(f'{plain(name)} {value:.2f}' for name, value in moved)}.")
    _side_by_side(document, ("train_images", f"Then: {document.get('learned_from', 'nothing known')}"),
                  ("site_images", "Now: the site's latest pictures"))  # fmt: skip
    pairs = document.get("differences", ())
    if pairs:
        st.dataframe(
            [
                {
                    "feature": f"{one['feature']} ({FEATURES.get(one['feature'], '')})",
                    "then": one["then"],
                    "now": one["now"],
                    "distance": one["distance"],
                    "look here": "yes" if one["stands_out"] else "",
                    "pictures": f"{one['n_then']} / {one['n_now']}",
                }
                for one in pairs
            ],
            hide_index=True,
            height="content",
        )
        st.caption("Medians, and the Kolmogorov-Smirnov distance of the two sets: 0 is alike, 1 shares nothing.")
    changes = document.get("changes", ())
    st.markdown("**Changed in the last 30 days**")
    if not changes:
        st.caption("Neither model, policy, calibration nor classes.")
    for one in changes:
        at = local(time_of(one["at"]), site.timezone)
        st.caption(f"{at} · {plain(one['what'])} · {plain(one['by'])} · {plain(one['reason'] or one['about'])}")


def _side_by_side(document: Mapping[str, Any], *sides: tuple[str, str]) -> None:
    for column, (name, says) in zip(st.columns(2), sides, strict=True):
        with column:
            st.caption(plain(says))
            ids = [int(one) for one in document.get(name, ())]
            if ids:
                gallery(ids, width=84, most=12)
            else:
                st.caption("No picture.")


def _checklist(view: FormState, one: FollowUp) -> None:
    """Each point with who looked at it, or the button that says so."""
    events = [] if one.alarm is None else context.store().alarms.history(one.alarm)
    seen = {event.what: event.by for event in events}
    st.markdown("**Go through**")
    for check in one.document.get("checks", ()):
        by = seen.get(checked_off(check["key"]))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/{'check_box' if by else 'check_box_outline_blank'}: {plain(check['says'])}")
            if by:
                st.caption(plain(by), width="content")
            elif one.open and context.may(Action.POLICY):
                st.button("Looked at", key=f"alarms.check.{one.id}.{check['key']}", on_click=alarm_desk.check_off,
                          args=(view, one.id, check["key"]))  # fmt: skip


def _policy(document: Mapping[str, Any], _site: Site) -> None:
    for one in document.get("policies", ()):
        st.markdown(
            f"Policy **{one['number']}** waits on the policy page: pass below {one['pass_below']:.3g}, "
            f"today {one['was']:.3g}."
        )


def _recalibration(document: Mapping[str, Any], _site: Site) -> None:
    if "bars" in document:
        st.markdown(
            f"Scores and labels are **{document['gap']:.2f}** apart on average. Two people confirm the calibration "
            "anew on the policy page, or one withdraws it there; then nothing passes by itself."
        )
        fitted = document.get("refit", {})
        if "trouble" in fitted:
            st.caption(plain(str(fitted["trouble"]), 300))
        elif fitted:
            refit_facts(fitted)
        st.caption(plain(str(document.get("source", ""))))
        st.dataframe(
            [{"score": f"{one['low']:.1f}–{one['high']:.1f}", "mean score": one["said"], "share defective": one["seen"],
              "pictures": one["n"]} for one in document["bars"]],
            hide_index=True, height="content",
        )  # fmt: skip
        cells = document["confusion"]
        st.caption(f"At .5: {cells['tp']} defective flagged, {cells['fn']} not; {cells['fp']} good flagged, "
                   f"{cells['tn']} not.")  # fmt: skip


def _retraining(document: Mapping[str, Any], _site: Site) -> None:
    if "labels" in document:
        st.markdown(f"**{document['labels']:,}** labels since the model was made, {document['corrected']:,} of them "
                    "corrected.")  # fmt: skip
        rows = [{"class": one_line(name), "labels": n} for name, n in sorted(document["classes"].items())]
        st.dataframe(rows, hide_index=True, height="content")


def _capacity(document: Mapping[str, Any], _site: Site) -> None:
    if "waiting" in document:
        st.markdown(f"{document['waiting']:,} parts waited and {document['leased']:,} were in hands.")
        if not document["figures"]:
            return
        rows = [
            {"what": one["kind"], "about": one_line(one["subject"] or "the site"), "value": one["value"],
             "note": one_line(one["note"] or "")} for one in document["figures"]
        ]  # fmt: skip
        st.dataframe(rows, hide_index=True, height="content")


_SHOWN: Mapping[Step, Callable[[Mapping[str, Any], Site], None]] = {
    Step.INVESTIGATE: _investigation,
    Step.PROPOSE: _policy,
    Step.RECALIBRATE: _recalibration,
    Step.RETRAIN: _retraining,
    Step.SCALE_UP: _capacity,
}
