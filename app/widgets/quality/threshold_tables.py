"""Tables of the thresholds page: a band beside its rivals, near misses with their pictures, and the replay."""

from typing import Any

import streamlit as st

from app import threshold_desk as desk
from app.jobs.quality import thresholds as job
from app.jobs.quality.thresholds import Study
from app.threshold_desk import ThresholdsState
from app.widgets.desk.viewer import absolute
from app.widgets.text import count, local, one_line, plain
from core.decide.guarantee import Guarantee, Status
from core.decide.optimum import Best, Prices, baselines
from core.decide.replay import PastPart
from core.decide.staffing import Staffing
from core.records import Outcome

NEAR = 6
CHANGES = 12


def comparison(study: Study, view: ThresholdsState, promise: Guarantee, best: Best | None, prices: Prices) -> None:
    """What is tried beside today's policy, the optima and the rules that need no model."""
    bands = {"this setting": (view.low, view.high)}
    if study.standing:
        bands["today's policy"] = study.base.band
    if promise.status is Status.MET:
        bands["guaranteed"] = (promise.pass_below, max(promise.pass_below, view.high))
    if best is not None:
        bands["least cost"] = (best.pass_below, best.fail_above)
    f2 = job.best_f2(study.past)
    if f2 is not None:
        bands["best F2"] = (f2[0], max(f2[0], view.high))
    bands |= {"flag everything": (0.0, 1.0), "pass everything": (1.0, 1.0)}
    rows: list[dict[str, Any]] = []
    for name, (low, high) in bands.items():
        made = job.effect(study.past, low, high, prices)
        rows.append(
            {
                "band": name, "pass below": low, "fail above": high, "passed": made.passed, "held": made.held,
                "failed": made.failed, "missed": made.miss_rate, "F2": made.counts.f(2),
                "cost of 1,000": None if made.cost is None else 1000 * made.cost,
            }
        )  # fmt: skip
    number = st.column_config.NumberColumn
    st.dataframe(
        rows, hide_index=True, height="content", key="thresholds.compared",
        column_config={
            **{name: number(format="%.4f") for name in ("pass below", "fail above")},
            **{name: number(format="percent") for name in ("passed", "held", "failed")},
            "missed": number(
                "missed of defective", format="percent", help="Estimated from parts drawn by chance."
            ),
            "F2": number(format="%.3f", help="All that does not pass counts as flagged."),
            "cost of 1,000": number(format="%.0f"),
        },
    )  # fmt: skip
    made = job.effect(study.past, view.low, view.high, prices)
    said = baselines(made.counts)
    if made.passed > 0 and not made.cleared + made.missed:
        st.caption("No part that was drawn by chance would pass here, so misses are not seen: audit what passes.")
    elif not said.better:
        st.caption(plain(said.sentence, 400))


def near_misses(study: Study, low: float, high: float) -> None:
    """Parts just outside the band, with their pictures."""
    st.subheader("Just outside the band", anchor=False)
    parts = job.near_misses(study, low, high, NEAR)
    if not parts:
        st.caption("No scored part lies outside this band.")
        return
    st.dataframe(
        [_near(study, part, low) for part in parts], hide_index=True, height="content", row_height=64,
        key="thresholds.near",
        column_config={"picture": st.column_config.ImageColumn(width="small"),
                       "score": st.column_config.NumberColumn(format="%.4f")},
    )  # fmt: skip


def _change(difference: float, digits: int) -> str | None:
    """With its sign; None where it would read as no change."""
    return f"{difference:+,.{digits}f}" if round(difference, digits) else None


def _near(study: Study, part: PastPart, low: float) -> dict[str, Any]:
    pictures = sorted(part.evidence.pictures, key=lambda one: -(one.prediction.score if one.prediction else -1.0))
    truth = {None: "not known", True: "defective", False: "good"}[part.defective]
    return {
        "picture": absolute(f"/img/{pictures[0].image_id}/thumb") if pictures else None,
        "score": part.score,
        "would": "pass" if (part.score or 0.0) < low else "fail",
        "was": str(part.was),
        "known": truth,
        "classes": one_line(", ".join(sorted(part.classes)), 60),
        "part": part.part_id,
        "decided": local(part.decided_at, study.site.timezone),
    }


def replayed(view: ThresholdsState, study: Study, prices: Prices, staffing: Staffing) -> None:
    """What this setting would have done over the weeks, and the queue it makes."""
    st.subheader(f"Replay of {count(study.weeks, 'week')}", anchor=False)
    st.button(f"Decide {count(len(study.parts), 'part')} again", key="thresholds.replay", icon=":material/replay:",
              on_click=desk.run_replay, args=(view, study, prices, staffing))  # fmt: skip
    if view.replayed is None:
        st.caption("Every part goes through the whole decision again, with each other reason for HOLD.")
        return
    (low, high), again, queue = view.replayed
    if (low, high) != (view.low, view.high):
        st.caption(f"This is of {low:.4f} to {high:.4f}: press again for the present band.")
    with st.container(horizontal=True):
        st.metric("Would change", f"{len(again.changed):,} of {again.parts:,}")
        before_h, after_h = again.held_per_hour
        st.metric("Held per hour", f"{after_h:.1f}", _change(after_h - before_h, 1), delta_color="inverse")
        st.metric("Misses of audits held", f"{again.misses_held} of {again.misses}")
        st.metric("Known defects passed anew", f"{again.new_misses}")
        if again.cost is not None:
            before, after = again.cost
            st.metric("Cost", f"{after:,.0f}", _change(after - before, 0), delta_color="inverse")
        st.metric("Longest wait", f"{queue.longest_h:.1f} h", help="In 28 simulated days of such a queue.")
    st.caption(
        f"The queue {'grows from week to week' if queue.grows else 'does not grow'}: inspectors look "
        f"{queue.busy:.0%} of their time. {plain(staffing.said, 300)}"
    )
    rows = [
        {"part": part_id, "was": str(was), "would be": str(would)} for part_id, was, would in again.changed[:CHANGES]
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content", key="thresholds.changed")
        loosened = sum(would is Outcome.PASS for _, _, would in again.changed)
        st.caption(f"{len(again.changed):,} would change, {loosened:,} of them to PASS; the newest are shown.")
