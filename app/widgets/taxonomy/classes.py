"""The classes of a site: as they are, and changed, added or retired by a further version."""

import streamlit as st

from app import class_desk
from app.state import TaxonomyState
from app.widgets.frame import nothing
from app.widgets.taxonomy.versions import show_difference
from app.widgets.text import plain
from core.plant import Site
from core.records import Severity
from core.taxonomy import MAX_NAME, DefectClass, Taxonomy
from core.taxonomy_edits import MAX_TEXT, aliases_of, difference

NEW = "＋ a new class"


def class_table(site: Site) -> None:
    """Every class in the order of keys and class heads."""
    if not site.taxonomy.classes:
        nothing("No classes yet", icon="account_tree",
                then="Add one below, import a taxonomy under Versions, or take a shipped one.")  # fmt: skip
        return
    st.caption(f"{plain(site.taxonomy.name)} {plain(site.taxonomy.version)}, version {site.taxonomy_number} here")
    st.dataframe(
        [
            {
                "id": one.id,
                "label": one.label,
                "aliases": ", ".join(one.aliases),
                "severities": ", ".join(one.severities),
                "parent": one.parent or "",
                "description": one.description,
            }
            for one in site.taxonomy.classes
        ],
        hide_index=True,
        height="content",
    )


def class_form(view: TaxonomyState, site: Site) -> None:
    """Change one class; what the change does is told before it is made."""
    st.subheader("Change a class", anchor=False)
    key = f"taxonomy.edit.{site.name}.{site.taxonomy_number}"
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = st.selectbox("Class", [*site.taxonomy.ids, NEW], key=f"{key}.class")
        entry = None if chosen == NEW else site.taxonomy.get(str(chosen))
        changed = _fields(site.taxonomy, entry, f"{key}.{'new' if entry is None else entry.id}")
    with right:
        taxonomy, failed = class_desk.drafted(site, changed)
        if taxonomy is None:
            st.caption(plain(failed, 400))
        else:
            _proposed(view, site, taxonomy, f"{key}.put.{chosen}", "Put in force as a new version")
        if entry is not None:
            with st.popover("Retire this class", icon=":material/archive:"):
                _retire(view, site, entry, f"{key}.retire.{entry.id}")


def _fields(taxonomy: Taxonomy, entry: DefectClass | None, key: str) -> DefectClass | None:
    class_id = entry.id if entry is not None else str(
        st.text_input("Id", key=f"{key}.id", max_chars=MAX_NAME, placeholder="EDGE_CHIP",
                      help="Stays for ever; data sets and models name the class by it.")
    )  # fmt: skip
    label = st.text_input("Label", "" if entry is None else entry.label, key=f"{key}.label", max_chars=MAX_NAME)
    description = st.text_area("Description", "" if entry is None else entry.description, key=f"{key}.text",
                               max_chars=MAX_TEXT, height=90)  # fmt: skip
    aliases = st.text_area("Other names, one on each line", "" if entry is None else "\n".join(entry.aliases),
                           key=f"{key}.aliases", height=120)  # fmt: skip
    severities = st.pills("Severities", list(Severity), selection_mode="multi", key=f"{key}.severities",
                          default=list(Severity) if entry is None else list(entry.severities))  # fmt: skip
    groups = sorted({one.parent for one in taxonomy.classes if one.parent} | set(taxonomy.ids))
    parent = st.selectbox("Group that it belongs to", groups, key=f"{key}.parent", accept_new_options=True,
                          index=groups.index(entry.parent) if entry is not None and entry.parent in groups else None,
                          placeholder="Stands alone")  # fmt: skip
    if not severities:
        st.caption("A class needs one severity at least.")
        return None
    kept = tuple(one for one in Severity if one in severities)
    return class_desk.typed(class_id, entry, label=label.strip() or class_id.strip(), description=description.strip(),
                            aliases=aliases_of(aliases), severities=kept, parent=parent or None)  # fmt: skip


def _retire(view: TaxonomyState, site: Site, entry: DefectClass, key: str) -> None:
    others = [one for one in site.taxonomy.ids if one != entry.id]
    into = st.selectbox("Its names go to", others, index=None, key=f"{key}.into",
                        placeholder="Nobody: they become unmapped")  # fmt: skip
    _proposed(view, site, class_desk.without(site, entry.id, into), key, f"Retire {entry.id}")
    st.caption("Models and policies that name the class keep it until they are changed themselves.")


def _proposed(view: TaxonomyState, site: Site, taxonomy: Taxonomy, key: str, word: str) -> None:
    """What a version would change, the reason, and the button."""
    found = difference(site.taxonomy, taxonomy)
    if found.empty:
        st.caption("Nothing is changed yet: what a change does to names and labels is told here before it is made.")
        return
    show_difference(found, class_desk.moved(site.name, site.taxonomy, taxonomy) if found.names else [])
    why = st.text_input("Why", key=f"{key}.why", max_chars=300)
    st.button(plain(word), key=f"{key}.go", icon=":material/publish:", type="primary", disabled=not why.strip(),
              on_click=class_desk.put, args=(view, site, taxonomy, why))  # fmt: skip
