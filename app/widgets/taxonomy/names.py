"""Names as they came: those that mean nothing yet, and all of them by site."""

from collections.abc import Sequence

import streamlit as st

from app import acts, class_desk, context
from app.state import TaxonomyState
from app.widgets.frame import nothing
from app.widgets.gallery import gallery
from app.widgets.text import count, one_line, plain
from core.plant import Site, UnmappedName


def unmapped_names(view: TaxonomyState, site: Site, unmapped: Sequence[UnmappedName]) -> None:
    """Each with its pictures and the classes that look most like it; one click maps it."""
    if not unmapped:
        nothing(
            "Every name is mapped", icon="task_alt", then="Names from the next import that are unknown appear here."
        )
    for name in unmapped:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            gallery(name.images, width=84, most=3)
            with st.container(width="content"):
                st.text(name.name)
                st.caption(count(name.count, "image"))
            st.space("stretch")
            for class_id in name.nearest:
                st.button(
                    plain(site.taxonomy.get(class_id).label),
                    key=f"taxonomy.map.{site.name}.{name.name}.{class_id}",
                    icon=":material/arrow_forward:",
                    on_click=acts.map_name,
                    args=(view, site.name, name.name, class_id),
                )
            with st.popover("Other", icon=":material/more_horiz:"):
                chosen = st.selectbox("Class", site.taxonomy.ids, key=f"taxonomy.other.{site.name}.{name.name}")
                st.button(
                    "Map to this class",
                    key=f"taxonomy.mapother.{site.name}.{name.name}",
                    on_click=acts.map_name,
                    args=(view, site.name, name.name, chosen),
                    disabled=chosen is None,
                )


def names_by_site() -> None:
    """Every name with its pictures at each site and the class it means there; and the pictures of one name."""
    names = context.store().taxonomies.names()
    if not names:
        nothing("No name yet", icon="label", then="Names come with imported labels, and with what people draw.")
        return
    sites, rows = class_desk.by_name(names)
    st.dataframe(
        [{one_line(str(key)): one_line(str(value)) if key != "pictures" else value for key, value in row.items()}
         for row in rows],
        hide_index=True, height=min(38 + 35 * len(rows), 420),
    )  # fmt: skip
    st.caption(
        f"{count(len(rows), 'name')} at {count(len(sites), 'site')}, as they came. Counted are pictures on which an "
        "answer that stands uses the name, of a file or a person; behind the arrow is the class it means there now."
    )
    chosen = st.selectbox("Pictures with the name", [str(row["name"]) for row in rows], index=None, width=320,
                          key="taxonomy.named", format_func=one_line, placeholder="Choose a name")  # fmt: skip
    if chosen is None:
        return
    at = [one.site for one in names if one.name == chosen]
    for site, images in class_desk.pictures_named(at, chosen).items():
        st.caption(f"{plain(site)}: the newest {count(len(images), 'picture')}")
        gallery(images, width=110, most=len(images))
