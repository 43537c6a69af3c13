"""The one list of pages: where each lies, who gets it, and what its help says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.errors import NotAllowed
from core.roles import Action, Role, allowed

PAGES_FOLDER = Path(__file__).resolve().parents[1] / "pages"


@dataclass(frozen=True)
class PageEntry:
    """One page.

    Attributes:
        path: below `pages/`, without `.py`; its last part is the address.
        action: who may do this sees the page; the store checks every call again.
    """

    path: str
    title: str
    section: str
    icon: str
    action: Action
    help: str

    @property
    def url(self) -> str:
        """Path in the address bar."""
        return self.path.rsplit("/", 1)[-1]


PAGES = (
    PageEntry(
        "home",
        "Home",
        "",
        "home",
        Action.SEE,
        "What waits, what runs and what to do next. Numbers are counted when the page opens. A job that runs can be "
        "cancelled here; what it has already filed stays filed.",
    ),
    PageEntry(
        "inspector/queue",
        "Queue",
        "Inspect",
        "rule",
        Action.REVIEW,
        "One part at a time, the most urgent first. The part is yours while you look at it and goes back by itself if "
        "you leave.\n\n"
        "**A** pass · **S** fail · **W** rework · **D** unsure (asks for a second look) · **B** correct the boxes\n\n"
        "**G** heatmap: why this score · **H** where: the dense map (tap to switch, hold to peek) · **N** regions\n\n"
        "**F** fit · **1** one to one · **+ −** zoom · wheel and drag work too\n\n"
        "**Z** undo your last answer · **P** look at the part before\n\n"
        "A dashed box is the model's, a solid one a person's. Keys rest while you type in a field.",
    ),
    PageEntry(
        "inspector/correct",
        "Correct",
        "Inspect",
        "draw",
        Action.REVIEW,
        "The boxes start as the model drew them. Drag on the picture to add one. Move the pointer over the picture "
        "and press the pencil at its top right to move, resize or delete one. Give each box its class and "
        "severity in the table on the right, then save with a verdict. Corners are kept in the whole picture's own "
        "pixels. The older look at a part stays on record: a "
        "correction is a new review.",
    ),
    PageEntry(
        "inspector/inspect",
        "Inspect a picture",
        "Inspect",
        "center_focus_strong",
        Action.SCORE,
        "Drop pictures and see what the model says: verdict, heatmap, tiles, classes, regions and time. Nothing is "
        "stored unless you send a picture to the queue. Scoring runs beside the page, one picture at a time for all "
        "who ask.",
    ),
    PageEntry(
        "quality/parttypes",
        "Part types",
        "Quality",
        "category",
        Action.PART_TYPE,
        "How each kind of part is looked at: working scale, distance between tiles, and whether the whole picture is "
        "scored too (for what is larger than a tile: a bent box, a missing label). More tiles find smaller defects and "
        "take longer: the first table measures the time on this machine, the second says what each choice finds of "
        "labelled defects, by their size.",
    ),
    PageEntry(
        "quality/policy",
        "Policy",
        "Quality",
        "tune",
        Action.POLICY,
        "The thresholds in force at a site. A policy is never edited: propose a new one, somebody else approves it. "
        "Without an approved policy nothing passes by itself.",
    ),
    PageEntry(
        "admin/quarantine",
        "Quarantine",
        "Quality",
        "report",
        Action.RESTORE,
        "Files that could not be used, each with its reason. Restore one when its file is mended: it is read again and "
        "scored by the next ingest.",
    ),
    PageEntry(
        "science/import",
        "Import",
        "Science",
        "upload",
        Action.IMPORT,
        "Labelled pictures in COCO, YOLO, VOC, masks, Severstal, a folder per class or CSV. Upload a zip, or take a "
        "folder that an administrator has put into the import inbox. A dry run reads everything and changes nothing. "
        "Importing twice changes nothing either.",
    ),
    PageEntry(
        "science/export",
        "Export",
        "Science",
        "download",
        Action.EXPORT,
        "Labels with their provenance, in six formats. 'Only corrected' are those where a person differs from what the "
        "model had said. The file is written whole or not at all, and kept for download.",
    ),
    PageEntry(
        "science/taxonomy",
        "Taxonomy",
        "Science",
        "account_tree",
        Action.TAXONOMY,
        "The numbered list of defect classes of a site. Names that nobody has mapped yet are at the top with their "
        "pictures: map one with a click. They count as defective, but in no class, until then. History is never "
        "rewritten: a change is a new version.",
    ),
    PageEntry(
        "science/models",
        "Models",
        "Science",
        "model_training",
        Action.SEE,
        "Every model version with what it was measured to do. Beside each figure stand the two rules that need no "
        "model: flag everything, pass everything.",
    ),
    PageEntry(
        "admin/people",
        "People",
        "Admin",
        "group",
        Action.PEOPLE,
        "Accounts, roles and sites. A password has 15 characters or more; a sentence is easiest. Disabling somebody "
        "ends their sessions at once. Nobody changes their own role.",
    ),
)
BY_PATH: Mapping[str, PageEntry] = {entry.path: entry for entry in PAGES}


def pages_for(role: Role) -> list[PageEntry]:
    """The pages of one role, in the order of the list."""
    return [entry for entry in PAGES if allowed(role, entry.action)]


def as_streamlit(entry: PageEntry) -> st.Page:
    """The page as Streamlit knows it."""
    return st.Page(
        PAGES_FOLDER / f"{entry.path}.py",
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.url,
        default=entry.path == "home",
    )


def navigation(role: Role) -> st.Page:
    """Draw the menu of one role on top of the page and return the page asked for."""
    sections: dict[str, list[st.Page]] = {}
    for entry in pages_for(role):
        sections.setdefault(entry.section, []).append(as_streamlit(entry))
    return st.navigation(sections, position="top")


def check_page(page: st.Page, role: Role) -> None:
    """Refuse a page that is not for the role, however it came to be run.

    Raises:
        NotAllowed: it is for others.
    """
    entry = next((one for one in PAGES if page.url_path in (one.url, "") and page.title == one.title), None)
    if entry is None or not allowed(role, entry.action):
        raise NotAllowed(f"This page is not for the role {role.spoken}.")


def go(path: str, **query: str) -> None:
    """Go to another page of the list."""
    st.switch_page(PAGES_FOLDER / f"{path}.py", query_params=query)
