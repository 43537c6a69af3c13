"""Part types: how each kind of part is looked at, what that costs in time, and what it finds."""

import streamlit as st

from app import acts, context
from app.navigation import go
from app.state import PartTypesState, state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.science import findings, look

view = state(PartTypesState)
title("quality/parttypes")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "parttypes.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
known = {one.name: one for one in context.store().part_types.all(site_name)}
left, right = st.columns([2, 3], gap="medium")
with left:
    name = st.selectbox("Part type", list(known), key="parttypes.name", index=0 if known else None,
                        accept_new_options=True, placeholder="Type a new name")  # fmt: skip
    if not name:
        nothing(
            "No part type yet", icon="category", then="Type a name above: without one, the model's own way is used."
        )
        st.stop()
    chosen = look.part_type_form(known.get(name), name, key=f"parttypes.{site_name}.{name}")
    st.button("Save", key="parttypes.save", type="primary", icon=":material/save:", on_click=acts.save_part_type,
              args=(view, site_name, chosen))  # fmt: skip
with right:
    st.subheader("What it costs", anchor=False)
    model = context.model_folder(site.model)
    if model is None or site.model is None:
        nothing("No model in use here", icon="model_training", then="Time is measured with the site's own model.")
        if st.button("See the models", key="parttypes.models"):
            go("science/models")
        st.stop()
    size = look.picture_size(site_name)
    looks = look.alternatives(chosen, context.store().models.get(site.model))
    look.costs(looks, model, size, key=f"parttypes.costs.{site_name}")
    st.subheader("What it finds", anchor=False)
    findings.findings(view, looks, site.model, model, key=f"parttypes.finds.{site_name}")
