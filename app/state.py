"""Half-finished work of one page: a dataclass each, kept for the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import streamlit as st

from core.errors import HoldpointError
from core.plant import ALL, Narrow
from core.records import Region, Verdict

T = TypeVar("T")


@dataclass
class QueueState:
    """What the pages about a part in hand share; the queue's own work is kept by its desk in the browser.

    Attributes:
        started: when a part was first looked at, as a timestamp by task id.
        narrow: the share of the queue that was asked for.
    """

    started: dict[int, float] = field(default_factory=dict)
    narrow: Narrow = ALL


@dataclass
class CorrectState:
    """What has been drawn and not yet saved.

    Attributes:
        item: names the task, revision and lease that the drafts belong to; another item drops them.
        drafts: regions as edited, by image id.
        redraws: grows when an engine must start again from the draft.
        engine, tool: that this person edits with; an empty one is the default.
        next_class: that the next region gets, by image id, where it was chosen outside the editor.
        saved: (task, revision) of what was saved lately; their drafts in the browser may go.
        restored: names the picture whose draft came back from the browser and may be thrown away.
        case: the part in hand as it was gathered, and when.
        wanted: verdict and item that somebody asked to save and that no run of the page has come to yet.
    """

    item: str | None = None
    image: int | None = None
    drafts: dict[int, tuple[Region, ...]] = field(default_factory=dict)
    redraws: int = 0
    engine: str = ""
    tool: str = ""
    next_class: dict[int, str] = field(default_factory=dict)
    saved: list[tuple[int, int]] = field(default_factory=list)
    restored: str = ""
    case: Any = None  # an app.shown.Case, which imports what imports this
    gathered: datetime | None = None
    wanted: tuple[Verdict, str] | None = None
    message: str = ""
    failed: str = ""


@dataclass
class InspectState:
    """Pictures scored on the inspect page; nothing of it is stored.

    Attributes:
        results: what the engine said, by the picture's name on the page.
        chosen: the one in view.
        warmed: the model that was loaded ahead.
        sent: what became of those sent to the queue, by content hash.
        refused: why some of the pictures on the page could not be scored, by name.
        stumbled: those among them that may go well another time.
    """

    results: dict[str, Any] = field(default_factory=dict)
    chosen: str | None = None
    warmed: str | None = None
    sent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    stumbled: set[str] = field(default_factory=set)
    message: str = ""
    failed: str = ""


@dataclass
class FormState:
    """The last answer of a page that is mostly a form, shown once."""

    message: str = ""
    failed: str = ""
    job: int | None = None
    choice: Any = None


@dataclass
class AccountState(FormState):
    """The form about one's own account."""


@dataclass
class HomeState(FormState):
    """Front page."""


@dataclass
class ImportState(FormState):
    """Import page."""


@dataclass
class ExportState(FormState):
    """Export page."""


@dataclass
class TaxonomyState(FormState):
    """Taxonomy page."""


@dataclass
class ModelsState(FormState):
    """Models page."""


@dataclass
class PartTypesState(FormState):
    """Part types page."""


@dataclass
class QuarantineState(FormState):
    """Quarantine page."""


@dataclass
class PeopleState(FormState):
    """People page."""


@dataclass
class SitesState(FormState):
    """Sites page."""


@dataclass
class AuditState(FormState):
    """Audit page.

    Attributes:
        before: events older than this id are shown; None starts at the newest.
        asked: the filters that the page stands for.
        verified: what the last look at the chain found.
    """

    before: int | None = None
    asked: Any = None
    verified: Any = None


@dataclass
class UpkeepState(FormState):
    """Upkeep page."""


@dataclass
class AuditsState(FormState):
    """Audits page."""


@dataclass
class EyesState(FormState):
    """Inspectors page."""


@dataclass
class PolicyState(FormState):
    """Policy page.

    Attributes:
        about: site, line and part type that the form is about.
        seen: the version of the site's policies when the form was opened; None opens it anew.
        start: the policy whose rules stood in it then.
    """

    about: Any = None
    seen: int | None = None
    start: Any = None


@dataclass
class AlarmsState(FormState):
    """Alarms page."""


def state(kind: type[T]) -> T:
    """The session's one object of this kind, made on first use."""
    key = f"state.{kind.__name__}"
    found: T | None = st.session_state.get(key)
    if found is None or type(found).__name__ != kind.__name__:
        found = st.session_state[key] = kind()
    return found


class Says(Protocol):
    """A page's state that can show how the last act went."""

    message: str
    failed: str


@contextmanager
def told(page: Says) -> Iterator[None]:
    """Turn what the plant says no with into the page's own words; anything else is a bug and goes on."""
    page.message = page.failed = ""
    try:
        yield
    except HoldpointError as error:
        page.failed = str(error)
