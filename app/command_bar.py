"""A sentence in place of filters: understood by the text model, shown, and applied by a press."""

from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from app import context
from app.jobs.intake.opening import SHIPPED
from app.kpis.asked import GRAINS
from app.kpis.charts import charts
from core.errors import NotFound
from core.words.command import Filters, Names, filters_of

if TYPE_CHECKING:
    from models.text.checkpoint import TextModel
    from models.text.understanding import Understood

DOMAIN = "notes"
FOLDER = SHIPPED / "text"
MOST = 300  # characters of a sentence
OF_CLASSES = "defects"  # the chart to turn to where a class is asked for and the chosen one has none


def available() -> bool:
    """Whether there is a model that understands commands."""
    return (FOLDER / "card.json").is_file()


@lru_cache(maxsize=1)
def _model() -> "TextModel":
    from models.text.checkpoint import load

    return load(FOLDER)


def understood(words: str) -> "Understood":
    """What a sentence asks for."""
    from models.text.understanding import understand

    return understand(_model(), [words[:MOST]], domain=DOMAIN)[0]


def filters(said: "Understood") -> Filters:
    """Its filters, by the names of the sites that this person may see."""
    store = context.store()
    places = store.facts.places()
    sites = [name for name, _, _ in places.sites.values()]
    taxonomies = []
    for name in sites:
        try:
            taxonomies.append(store.sites.get(name).taxonomy)
        except NotFound:  # removed since the facts were written down
            continue
    names = Names(sites, tuple(places.lines.values()), tuple(places.cameras.values()), tuple(taxonomies))
    return filters_of([(one.label, one.text) for one in said.slots], names, context.now().date())


def apply(found: Filters) -> None:
    """Set the analytics' own controls; they can be changed again like any other choice."""
    session = st.session_state
    for key, value in (("site", found.site), ("line", found.line), ("camera", found.camera)):
        session[f"analytics.{key}"] = value
    if found.class_id is not None:
        chosen = charts().get(session.get("analytics.chart", ""))
        if chosen is None or "class" not in chosen.groups:
            session["analytics.chart"] = OF_CLASSES
        session["analytics.class"] = found.class_id
    if found.since is not None and found.until is not None:
        for grain in GRAINS:
            session[f"analytics.days.{grain}"] = (found.since, found.until)
    session["analytics.command"] = ""
