"""A batch before and after it was sent: what it is, its pictures, where they lie in the pool, what came of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from app import learn
from app.learn import LearnState
from app.theme import BadgeColour
from app.widgets.charts import plot
from app.widgets.desk.viewer import absolute
from app.widgets.learn.charts import ARMS, balance_figure, map_figure
from app.widgets.text import ago, count, plain
from core.learn.metrics import proportion_interval
from core.learn.select import STRATEGIES
from core.learn.select.batches import Batch, BatchState, Item

STATES: dict[BatchState, tuple[str, str, BadgeColour]] = {
    BatchState.PROPOSED: ("not sent yet", ":material/edit_note:", "gray"),
    BatchState.SENDING: ("on its way to the queue", ":material/sync:", "blue"),
    BatchState.SENT: ("in the queue", ":material/checklist:", "green"),
    BatchState.DISCARDED: ("thrown away", ":material/delete:", "orange"),
}
AXES = {"site": "By site", "camera": "By camera", "likely": "By likeliest answer"}
ACROSS = 6


def batch_choice(view: LearnState, found: Sequence[Batch]) -> Batch | None:
    """The batch to look at; the newest, or the one that was just chosen, unless somebody picks another."""
    shown = learn.on_page(view, found)
    if shown is None or len(found) == 1:
        return shown
    numbers = [one.id for one in found]
    words = {one.id: f"Batch {one.id} · {one.strategy} · {count(one.chosen, 'picture')} · {STATES[one.state][0]}"
             for one in found}  # fmt: skip
    picked = st.selectbox("Batches", numbers, numbers.index(shown.id), key=f"learn.batch.{numbers[0]}.{view.batch}",
                          format_func=words.__getitem__, label_visibility="collapsed")  # fmt: skip
    return found[numbers.index(picked)]


def heading(view: LearnState, batch: Batch, now: datetime) -> None:
    """What the batch is, and the two things that can be done with it."""
    word, icon, colour = STATES[batch.state]
    title = STRATEGIES[batch.strategy].title if batch.strategy in STRATEGIES else batch.strategy
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Batch {batch.id}", anchor=False, width="content")
        st.badge(word, icon=icon, color=colour)
        st.space("stretch")
        if batch.state in (BatchState.PROPOSED, BatchState.SENDING):
            st.button("Throw away", icon=":material/delete:", key=f"learn.discard.{batch.id}",
                      on_click=learn.discard, args=(view, batch),
                      disabled=batch.state is BatchState.SENDING)  # fmt: skip
            st.button(f"Send {count(batch.chosen, 'task')} to the queue", icon=":material/send:", type="primary",
                      key=f"learn.send.{batch.id}", on_click=learn.send, args=(view, batch))  # fmt: skip
    time, money = learn.hours(batch.chosen * batch.seconds), batch.chosen * batch.price
    facts = batch.facts
    st.caption(
        f"{plain(title)} · {count(batch.chosen, 'picture')} of a pool of {facts['pool']:,} · as {plain(batch.model)} "
        f"sees them · {time}, {money:,.2f} in money · {plain(batch.by)}, {ago(batch.made_at, now)}"
    )
    told = [f"{number:,} {plain(why)}" for why, number in facts.get("left_out", {}).items()]
    told += [f"the quota of {plain(name)} lacks {missing}" for name, missing in facts.get("short", {}).items()]
    if facts.get("unreadable"):
        told.append(f"{facts['unreadable']:,} could not be read")
    if facts.get("foreign"):
        told.append(f"{facts['foreign']:,} of sites where another model is in use")
    if facts.get("cut"):
        told.append(f"{facts['cut']:,} were left out by chance, so that memory suffices")
    if told:
        st.caption("Passed over: " + "; ".join(told) + ".")


def outcome(batch: Batch, items: Sequence[Item]) -> None:
    """How far the labelling is, and what each arm has found."""
    asked = [one for one in items if one.task_id is not None]
    if not asked:
        return
    st.progress(batch.done / len(asked), text=f"{batch.done:,} of {len(asked):,} answered")
    rows = []
    for arm, (word, _, _) in ARMS.items():
        mine = [one for one in asked if one.arm == arm]
        known = [one for one in mine if one.defective is not None]
        if not mine:
            continue
        found = sum(bool(one.defective) for one in known)
        between = proportion_interval(found, len(known))
        classes = Counter(name for one in known for name in one.classes)
        rows.append(
            {
                "arm": word,
                "asked": len(mine),
                "labelled": len(known),
                "defective": found,
                "share": "–" if between is None else f"{found / len(known):.0%} ({between.low:.0%}–{between.high:.0%})",
                "classes": ", ".join(f"{name} {n}" for name, n in classes.most_common(4)),
            }
        )
    st.dataframe(rows, hide_index=True, height="content")
    st.caption("Shares of defective pictures with their 95% intervals. Finding more defects than chance does not yet "
               "make a better model: Compare says whether it does.")  # fmt: skip


def figures(batch: Batch, items: Sequence[Item]) -> None:
    """The map of the pool and the balance."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**Where they lie**")
        plot(map_figure(batch.facts.get("map", []), items), f"learn.map.{batch.id}", 330)
        st.caption("Each dot is a picture; near ones look alike to the model. Two directions of many are drawn.")
    with right:
        axis = st.segmented_control("Balance", list(AXES), default="likely", format_func=lambda one: AXES[one],
                                    key="learn.axis", required=True)  # fmt: skip
        rows = batch.facts.get("balance", {}).get(axis, [])
        plot(balance_figure(rows, batch.chosen, batch.facts["pool"]), f"learn.balance.{batch.id}.{axis}", 330)


def pictures(view: LearnState, items: Sequence[Item]) -> None:
    """The chosen pictures with why each was chosen."""
    arms: Counter[str] = Counter(one.arm for one in items)
    words = {"all": f"All {len(items)}", **{arm: f"{ARMS[arm][0]} {arms[arm]}" for arm in ARMS if arms[arm]}}
    arm = st.pills("Pictures", list(words), default="all", format_func=lambda one: words[one], key="learn.arm")
    mine = [one for one in items if arm in (None, "all", one.arm)]
    for start in range(0, min(view.shown, len(mine)), ACROSS):
        for column, one in zip(st.columns(ACROSS, gap="small"), mine[start : min(start + ACROSS, view.shown)],
                               strict=False):  # fmt: skip
            with column:
                st.image(absolute(f"/img/{one.image_id}/thumb"), alt=f"Image {one.image_id}", width="stretch")
                st.caption(f":material/{ARMS[one.arm][1]}: {plain(one.why, 90)}{_became(one)}")
    if len(mine) > view.shown:
        st.button(f"Show more of {len(mine):,}", key="learn.shown", icon=":material/expand_more:",
                  on_click=_more, args=(view,))  # fmt: skip


def _became(one: Item) -> str:
    if one.skipped:
        return f" · not asked: {plain(one.skipped)}"
    if one.defective is None:
        return ""
    return f" · **{plain(', '.join(one.classes)) or 'defective'}**" if one.defective else " · **good**"


def _more(view: LearnState) -> None:
    view.shown += 6 * ACROSS
