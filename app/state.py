"""Half-finished work of one page: a dataclass each, kept for the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import streamlit as st

from core.errors import HoldpointError
from core.records import Region

T = TypeVar("T")


@dataclass
class QueueState:
    """What the queue page shows over the picture, and the last act.

    Attributes:
        image: chosen view of the part in hand, as (task, image).
        acted: (task, revision, fence) of acts already sent: a second press of the same one is dropped.
        done: task ids answered in this session, oldest first, for undo.
        message: what the last act did, shown once.
    """

    heatmap: bool = False
    where: bool = False
    regions: bool = True
    image: tuple[int, int] | None = None
    looking_back: int | None = None
    acted: list[tuple[int, int, int]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    message: str = ""
    failed: str = ""
    started: dict[int, float] = field(default_factory=dict)


@dataclass
class CorrectState:
    """What has been drawn and not yet saved.

    Attributes:
        item: names the task and revision that the drafts belong to; another item drops them.
        drafts: regions as edited, by image id.
        redraws: grows when the canvas must start again from the draft.
    """

    item: str | None = None
    image: int | None = None
    drafts: dict[int, tuple[Region, ...]] = field(default_factory=dict)
    redraws: int = 0
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
    """

    results: dict[str, Any] = field(default_factory=dict)
    chosen: str | None = None
    warmed: str | None = None
    sent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
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
class PolicyState(FormState):
    """Policy page."""


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
