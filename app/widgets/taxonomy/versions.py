"""Versions of a site's classes: who, when and why, how any two differ, one put in force again, and the exchange."""

import json
from collections.abc import Sequence

import streamlit as st

from app import acts, class_desk, context
from app.state import TaxonomyState
from app.widgets.text import count, local, one_line, plain
from core.plant import Site
from core.taxonomy_edits import NamedPictures, TaxonomyDiff, difference

MOST_NAMES = 200


def versions(view: TaxonomyState, site: Site) -> None:
    """The list, and the difference of two."""
    found = context.store().taxonomies.versions(site.name)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Versions", anchor=False)
        st.dataframe(
            [
                {"version": one.number, "by": one.by, "when": local(one.created_at, site.timezone), "note": one.note}
                for one in found
            ],
            hide_index=True,
            height=min(38 + 35 * max(1, len(found)), 420),
        )
        _exchange(view, site)
    with right:
        st.subheader("What differs", anchor=False)
        if len(found) < 2:
            st.caption("There is only one version: each change of a class makes another.")
            return
        by_number = {one.number: one for one in found}
        key = f"taxonomy.diff.{site.name}.{found[0].number}"
        with st.container(horizontal=True):
            old = st.selectbox("From version", list(by_number), 1, key=f"{key}.old", width=160)
            new = st.selectbox("to version", list(by_number), 0, key=f"{key}.new", width=160)
        told = difference(by_number[old].taxonomy, by_number[new].taxonomy)
        if told.empty:
            st.caption("Nothing differs.")
        else:
            moved = class_desk.moved(site.name, by_number[old].taxonomy, by_number[new].taxonomy)
            show_difference(told, moved if told.names else [])
        if old != found[0].number:
            with st.popover(f"Put version {old} in force again", icon=":material/history:"):
                st.caption("It comes as a further version; nothing is rewritten.")
                why = st.text_input("Why", key=f"{key}.why.{old}", max_chars=250)
                st.button(f"As version {found[0].number + 1}", key=f"{key}.again.{old}", disabled=not why.strip(),
                          on_click=class_desk.again, args=(view, site, by_number[old], why))  # fmt: skip


def show_difference(found: TaxonomyDiff, moved: Sequence[NamedPictures]) -> None:
    """What came, what went, what changed, and the labels that follow."""
    lines = [f":green-badge[added] **{plain(one.id)}** {plain(one.label)}" for one in found.added]
    lines += [f":red-badge[retired] **{plain(one.id)}** {plain(one.label)}" for one in found.retired]
    for change in found.changed:
        for field in change.fields:
            was, now = plain(field.was, 160) or "nothing", plain(field.now, 160) or "nothing"
            told = f"without {was}; with {now}" if field.field == "aliases" else f"{was} → {now}"
            lines.append(f":blue-badge[changed] **{plain(change.id)}** {field.field}: {told}")
    if found.reordered:
        lines.append(":gray-badge[order] the classes stand in another order, and so do their keys")
    for line in lines:
        st.markdown(line)
    if found.names:
        with st.expander(f"{count(len(found.names), 'name')} with another meaning"):
            st.dataframe(
                [{"name": one_line(one.name), "meant": one.was or "unmapped", "means": one.now or "unmapped"}
                 for one in found.names[:MOST_NAMES]],
                hide_index=True, height=min(38 + 35 * len(found.names[:MOST_NAMES]), 300),
            )  # fmt: skip
    if moved:
        pictures = sum(one.pictures for one in moved)
        st.markdown(f"**Labels that follow**: names on {count(pictures, 'picture')}")
        st.dataframe(
            [{"name": one_line(one.name), "pictures": one.pictures, "was": one.was or "unmapped",
              "becomes": one.now or "unmapped"} for one in moved[:MOST_NAMES]],
            hide_index=True, height=min(38 + 35 * len(moved[:MOST_NAMES]), 300),
        )  # fmt: skip
    elif found.names:
        st.caption("No picture carries such a name: no label changes.")


def _exchange(view: TaxonomyState, site: Site) -> None:
    st.subheader("Exchange", anchor=False)
    st.download_button(
        "Export as JSON",
        json.dumps(site.taxonomy.to_json(), indent=2, ensure_ascii=False),
        file_name=f"taxonomy-{site.taxonomy_number}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.form("taxonomy.import", clear_on_submit=True):
        upload = st.file_uploader("A taxonomy as JSON", type=["json"], max_upload_size=2)
        note = st.text_input("Why", max_chars=300, placeholder="What changed, and why")
        if st.form_submit_button("Put in force as a new version", icon=":material/upload:"):
            acts.append_taxonomy(view, site.name, upload, note)
            st.rerun()
