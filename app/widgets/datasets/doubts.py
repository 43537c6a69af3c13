"""A doubted label beside the model's view of the same picture, and where people differ."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import theme
from app.label_quality import Doubt, LabelQualityState, send_back, step
from app.widgets.desk.viewer import drawn, picture_url, viewer
from app.widgets.gallery import gallery
from app.widgets.text import count, plain, share
from core.plant import Site
from core.records import NO_DEFECT, Region

HEIGHT = "calc(100dvh - 490px)"


def controls(view: LabelQualityState, entry: Mapping[str, Any], found: Doubt | None, most: int) -> None:
    """Back, next, and the one key that sends a label back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Before", key="labels.before", icon=":material/arrow_back:", shortcut="Left", on_click=step,
                  args=(view, -1, most), disabled=view.place == 0)  # fmt: skip
        st.button("Send back for relabelling", key="labels.send", icon=":material/undo:", type="primary", shortcut="S",
                  on_click=send_back, args=(view, view.place, entry, most),
                  disabled=found is None or found.asked)  # fmt: skip
        st.button("Next", key="labels.next", icon=":material/arrow_forward:", shortcut="Right", on_click=step,
                  args=(view, 1, most), disabled=view.place >= most - 1)  # fmt: skip
        st.caption(f"{view.place + 1:,} of {most:,}", width="content")
        if found is not None and found.asked:
            st.badge("waits for a new label", icon=":material/hourglass_empty:", color="blue")


def side_by_side(found: Doubt, site: Site) -> None:
    """The label on the left, the model on the right, both on the picture."""
    image, label, said = found.image, found.label, found.said
    colours = theme.class_colours(one.id for one in site.taxonomy.classes)
    st.markdown(f"**{plain(str(found.entry['why']).capitalize())}.** {plain(str(found.entry['sentence']), 400)}")
    left, right = st.columns(2, gap="small")
    with left:
        if label is None:
            st.caption("The label was taken back since.")
        else:
            names = ", ".join((*label.classes, *label.unmapped)) or ("defective" if label.defective else NO_DEFECT)
            st.caption(f"Labelled **{plain(names)}** by {plain(label.by)}, {label.status}")
        _picture(found, label.regions if label else (), colours, person=True, key="labels.picture.label")
    with right:
        if said is None:
            st.caption("No model has looked at this picture.")
        else:
            likeliest = max(sorted(said.class_scores), key=lambda name: said.class_scores[name], default=None)
            named = f", likeliest {plain(likeliest)} {share(said.class_scores[likeliest])}" if likeliest else ""
            st.caption(f"Model {plain(said.model)}: defect **{share(said.score)}**{named}")
        _picture(found, said.regions if said else (), colours, person=False, key="labels.picture.model")
    st.caption(f"Part {plain(image.capture.part)} · {plain(image.path, 160)}")
    others = [int(one) for one in found.entry.get("others", ())]
    if others:
        st.caption("The same picture elsewhere:")
        gallery(others, width=110, most=6)


def _picture(found: Doubt, regions: tuple[Region, ...], colours: Mapping[str, str], *, person: bool, key: str) -> None:
    image = found.image
    whose = "label" if person else "model"
    viewer(
        item=f"{image.id}.{whose}",
        url=picture_url(image),
        size_wh=(image.width, image.height),
        alt=f"Part {image.capture.part} with the {whose}'s {count(len(regions), 'region')}",
        key=key,
        regions=[drawn(one, colours, person=person) for one in regions],
        height=HEIGHT,
    )


def confusions(report: Mapping[str, Any]) -> None:
    """Which classes people mix up, and who with whom."""
    found = report["confusions"]
    if not found:
        st.caption("Wherever two people answered the same part, they said the same.")
        return
    rows = [
        {
            "one said": one["classes"][0],
            "another said": one["classes"][1],
            "parts": one["n"],
            "who": ", ".join(f"{a} – {b} {number}" for a, b, number in one["people"][:4]),
        }
        for one in found
    ]
    st.dataframe(rows, hide_index=True, height="content")
    st.caption("The first answers of the first two people about a part; a later answer may follow the other's.")
