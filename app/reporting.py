"""What the buttons of the acceptance page do: baselines set, customers' reports kept or taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import context
from app.state import FormState, told
from core.errors import BadInput
from core.kpis.baseline import Baseline
from core.kpis.escapes import BadRow, Escape

if TYPE_CHECKING:
    from app.jobs.quality.escapes import Imported

LARGEST = 20 << 20  # bytes of a file of reports


@dataclass
class AcceptanceState(FormState):
    """Acceptance page.

    Attributes:
        bad: rows of the last file that were not taken.
    """

    bad: tuple[BadRow, ...] = ()


def set_baseline(view: AcceptanceState, site: str, figures: Mapping[str, float], reason: str, seen: int) -> None:
    """Set how it was before; whoever was second is told, and nothing is overwritten."""
    with told(view):
        made = context.store().reported.set_baseline(site, Baseline(**figures), reason, seen=seen, now=context.now())
        view.message = f"Baseline {made.number} of {site} is what the time since is compared with."


def report(view: AcceptanceState, site: str, entered: Mapping[str, Any]) -> None:
    """Keep one report as it was typed."""
    with told(view):
        if not isinstance(entered["reported_on"], date):
            raise BadInput("Give the day on which the customer told.")
        one = Escape(**{**entered, "reference": entered["reference"] or None, "class_id": entered["class_id"] or None})
        took = context.store().reported.report(site, [one], "page", context.now())
        if took.known:
            raise BadInput(f"{site} has report {took.known[0]} already: nothing was written.")
        view.message = f"Report {took.new[0]} is kept: {one.parts:,} {'part' if one.parts == 1 else 'parts'}."


def import_file(view: AcceptanceState, site: str, name: str, data: bytes) -> None:
    """Keep the reports of a file; rows that cannot be kept are shown."""
    from app.jobs.quality.escapes import take

    view.bad = ()
    with told(view):
        if len(data) > LARGEST:
            raise BadInput(f"{name} is larger than {LARGEST >> 20} MiB: divide it.")
        found: Imported = take(context.store(), site, name, data, context.now())
        view.message, view.bad = found.sentence, found.bad


def take_back(view: AcceptanceState, number: int, key: str) -> None:
    """Say that a report was wrong."""
    with told(view):
        context.store().reported.take_back(number, str(st.session_state.get(key, "")), context.now())
        view.message = f"Report {number} is taken back: it stays on record and counts no more."
