"""Small pictures in a row, by address."""

from collections.abc import Sequence

import streamlit as st

from app.widgets.desk.viewer import absolute

_LAST_SITE = "site.last"


def gallery(image_ids: Sequence[int], *, width: int = 110, most: int = 6) -> None:
    """Thumbnails of filed images."""
    with st.container(horizontal=True, gap="small"):
        for image_id in image_ids[:most]:
            st.image(absolute(f"/img/{image_id}/thumb"), width=width, alt=f"Image {image_id}")


def site_choice(names: Sequence[str], key: str) -> str | None:
    """One of the sites this person was given, first the one chosen last on any page; None where there is none yet."""
    if not names:
        return None
    last = st.session_state.get(_LAST_SITE)
    first = names.index(last) if last in names else 0
    chosen = st.selectbox("Site", names, first, key=key, bind="query-params", width=260)
    st.session_state[_LAST_SITE] = chosen
    return chosen
