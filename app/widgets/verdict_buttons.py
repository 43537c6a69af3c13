"""The bar under the picture: one key each, and no act that can land on the wrong part.

The key of a button names the item it was drawn for. A second press that arrives late carries the old key, and its
callback the old item, so it never reaches the next part.
"""

import streamlit as st

from app import desk
from app.state import QueueState
from app.theme import VERDICTS
from core.records import Task, Verdict

KEYS = {Verdict.PASS: "A", Verdict.FAIL: "S", Verdict.REWORK: "W", Verdict.UNSURE: "D"}


def verdict_buttons(task: Task) -> None:
    """Pass, fail, rework, unsure."""
    for verdict, shortcut in KEYS.items():
        look = VERDICTS[verdict]
        st.button(
            look.word,
            key=f"queue.{verdict}.{task.id}.{task.revision}.{task.fence}",
            icon=look.icon,
            shortcut=shortcut,
            on_click=desk.answer,
            args=(verdict, task.id, task.revision, task.fence),
        )


def layer_buttons(view: QueueState, *, heatmap: bool, where: bool) -> None:
    """Show or hide what lies over the picture; a filled button is on."""
    for name, label, icon, shortcut, there in (
        ("heatmap", "Heatmap", ":material/local_fire_department:", "G", heatmap),
        ("where", "Where", ":material/my_location:", "H", where),
        ("regions", "Regions", ":material/crop_free:", "N", True),
    ):
        if there:
            st.button(
                label,
                key=f"queue.{name}",
                icon=icon,
                shortcut=shortcut,
                type="primary" if getattr(view, name) else "secondary",
                on_click=_toggle,
                args=(view, name),
            )


def _toggle(view: QueueState, name: str) -> None:
    setattr(view, name, not getattr(view, name))


def save_buttons(task: Task) -> Verdict | None:
    """Save the regions with a verdict; the one that was pressed, or None."""
    pressed = None
    for verdict in (Verdict.FAIL, Verdict.REWORK, Verdict.PASS, Verdict.UNSURE):
        look = VERDICTS[verdict]
        if st.button(
            f"Save as {look.word.lower()}",
            key=f"correct.{verdict}.{task.id}.{task.revision}.{task.fence}",
            icon=look.icon,
            shortcut=KEYS[verdict],
            type="primary" if verdict is Verdict.FAIL else "secondary",
        ):
            pressed = verdict
    return pressed
