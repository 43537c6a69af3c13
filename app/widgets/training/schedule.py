"""The form of a pipeline: its schedule with the next times on the site's clock, and the rest as YAML."""

import streamlit as st

from app import training
from app.training import Draft, TrainingState
from app.widgets.text import local, one_line, plain
from core.learn.pipeline import Pipeline
from core.plant import Site


def pipeline_choice(found: list[Pipeline]) -> Pipeline | None:
    """One of the site's pipelines; None stands for a new one."""
    names = [one.name for one in found]
    captions = [_caption(one) for one in found]
    if not names:
        return None
    chosen = st.radio("Pipeline", [*names, training.NEW], key="training.pipeline",
                      format_func=lambda one: one_line(one) if one else "A new one",
                      captions=[*captions, "from a template"])  # fmt: skip
    return next((one for one in found if one.name == chosen), None)


def _caption(one: Pipeline) -> str:
    if not one.schedule:
        return "by hand"
    return f"{one.schedule}, {'next ' + local(one.next_at, one.timezone) if one.on else 'off'}"


def schedule_form(view: TrainingState, site: Site, chosen: Pipeline | None, datasets: list[str]) -> None:
    """Change a pipeline, or begin one."""
    stamp = f"{site.name}.{chosen.name}.{chosen.number}" if chosen is not None else f"{site.name}.new"
    text_key, line_key, on_key = (f"training.{name}.{stamp}" for name in ("text", "line", "on"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        line = st.text_input("Schedule", chosen.schedule if chosen else "0 2 * * 6", key=line_key, width=220,
                             placeholder="by hand",
                             help="Minute, hour, day, month, weekday, on the site's clock. 0 2 * * 6 is Saturdays at "
                                  "two. Empty: it runs only when somebody starts it.")  # fmt: skip
        st.toggle("Obey it", chosen.on if chosen else True, key=on_key, disabled=not line.strip())
    text = st.text_area("Configuration", training.text_of(chosen, site.name, datasets), key=text_key, height=420,
                        help="YAML, as `holdpoint pipeline check FILE` takes it.")  # fmt: skip
    found = training.draft(text, line, site)
    _said(found, site)
    with st.container(horizontal=True):
        st.button("Save", type="primary", icon=":material/save:", key=f"training.save.{stamp}",
                  disabled=found.made is None, on_click=training.save,
                  args=(view, text_key, line_key, on_key, site, chosen))  # fmt: skip
        if chosen is not None:
            st.button("Run it now", icon=":material/play_arrow:", key=f"training.start.{stamp}",
                      on_click=training.start, args=(view, chosen.name),
                      help="As it is saved, not as it stands in the form.")  # fmt: skip


def _said(found: Draft, site: Site) -> None:
    if found.made is None:
        st.warning(plain(found.trouble, 900), icon=":material/rule:")
        return
    if found.times:
        times = " · ".join(local(one, site.timezone) for one in found.times)
        st.caption(f":material/schedule: Next on the clock of {plain(site.timezone)}: {times}")
    else:
        st.caption(":material/touch_app: It runs only when somebody starts it.")
