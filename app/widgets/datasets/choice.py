"""Choosing the pictures to measure on: a dataset, and one of its sides."""

from collections.abc import Sequence

import streamlit as st

from app import context
from app.widgets.text import one_line


def dataset_choice(splits: Sequence[str], *, key: str) -> tuple[str, str | None] | None:
    """Two boxes side by side, for a row with the button that uses them.

    Args:
        splits: sides that make sense, the best first.
        key: of the widgets.

    Returns:
        Dataset and side, None for a side where none of them has pictures; None where there is no dataset at all, which
        is said.
    """
    names = [one.name for one in context.store().datasets.names()]
    if not names:
        st.caption("There is no data set yet: import labelled pictures and build one (holdpoint dataset build).")
        return None
    dataset = st.selectbox("Data set", names, key=f"{key}.dataset", format_func=one_line)
    filled = context.store().datasets.sides(dataset)
    split = st.selectbox("Part of it", [one for one in splits if one in filled], key=f"{key}.split.{dataset}")
    return dataset, split
