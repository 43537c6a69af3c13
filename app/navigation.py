"""The one list of pages: where each lies, who gets it, and what its help says."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from core.errors import NotAllowed
from core.roles import Action, Role, allowed

REFUSED = "Not for your role"
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
        "One part at a time, the most urgent first; the next ones are held ready. The part is yours while you look at "
        "it and goes back by itself if you leave.\n\n"
        "**A** pass · **S** fail · **W** rework · **D** unsure (asks for a second look) · **B** correct the boxes · "
        "**M** note\n\n"
        "**G** heatmap: why this score · **H** where: the dense map · **R** the raw picture (tap to switch, hold to "
        "peek) · **N** regions · **F** fit · **0** one to one · **+ −** zoom · wheel, pinch and drag work too\n\n"
        "**Z** takes the last answer back, again and again · **P** looks at the part before, **Escape** returns\n\n"
        "An answer is kept in this browser until it is stored, through a lost connection or a reload; three may wait. "
        "One that cannot be stored comes back and says why. A key counts for the picture that you see: the second "
        "half of a double press counts for nothing. After an answer against the model, **1–6** give a reason, or "
        "nothing does.\n\n"
        "Where the first look is your own, the model's word comes with your answer: **Enter** keeps that, another key "
        "changes it, and both stay on record. A dashed box is the model's, a solid one a person's. Keys rest while you "
        "type.",
    ),
    PageEntry(
        "inspector/correct",
        "Correct",
        "Inspect",
        "draw",
        Action.REVIEW,
        "The regions start as the model drew them, or as the last review has them. **Drag** on empty ground draws, "
        "inside a region moves it, at its grips resizes it; **Shift** and a drag draw on top of another one.\n\n"
        "**1–9** class of the chosen region and of the next one · **Shift 1–3** minor, major, critical (**Shift 0** "
        "not said) · **Tab** next region, **Shift Tab** the one before · **Del** removes\n\n"
        "**Arrows** nudge by a pixel, with Shift by ten; with nothing chosen they move the picture · **Ctrl Z** undo, "
        "**Ctrl Shift Z** redo\n\n"
        "**Wheel, pinch, + −** zoom · **F** fits the picture, or fills the stage · **0** one to one · **Space** and a "
        "drag, or two fingers, move the picture · **Esc** lets go; after a second one, Tab leaves the picture\n\n"
        "**Enter** saves as fail and goes on; without any region it asks · **S** fail · **W** rework · **A** pass · "
        "**D** unsure · **B** back to the queue\n\n"
        "What is not saved yet is kept in this browser for you alone, through a reload, a lost connection or a new "
        "sign-in. It ends when it is saved, or when somebody has answered the part since. For outlines and freehand "
        "masks change the editor at the top right.",
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
        "inspector/book",
        "Defect book",
        "Inspect",
        "menu_book",
        Action.SEE,
        "What each class of defect looks like at a site: a text, pictures that **show it**, pictures that **only look "
        "like it** with what they really are, and **borderline** ones with what was settled. A picture shows the part "
        "that counts, with what lies around it.\n\n"
        "While a part waits for an answer its pictures are not shown here to those who answer. QA leads and data "
        "scientists change the book; each change leaves its row in the audit trail.",
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
        "What is in force at a site, and where set for a line, a part type or a class. A policy is never edited: "
        "change the form and **propose** it, and somebody else approves it with a reason. **Tighten now** needs nobody "
        "else: it is refused where any possible part would be decided less strictly. Going back and resuming always "
        "take two.\n\n"
        "For a part the narrowest policy decides: part type on a line, part type, line, whole site. A class's limits "
        "only make it stricter; a part that would fail without a sure class goes to a person.\n\n"
        "Nothing passes by itself without an approved policy, without a calibration that two have confirmed on a "
        "confusion matrix, from the day on which it was to be looked at again, or while auto-PASS is paused.",
    ),
    PageEntry(
        "quality/thresholds",
        "Thresholds",
        "Quality",
        "show_chart",
        Action.POLICY,
        "What a setting would do before it does it. Move the band: the charts, the sentences and the table follow, "
        "each figure with its interval. Misses and escapes are estimated from parts that were held or drawn by "
        "chance; what was imported shows in the distribution only.\n\n"
        "**Guarantee** is the least strict 'pass below' that keeps the miss rate with the confidence you ask for, "
        "for the site and for each safety class at once: met, impossible, or not enough evidence and how much is "
        "missing. **Least cost** is the best band that the inspectors can carry. **Replay** decides the parts of "
        "the weeks again, by every rule. **Propose** asks a second person; the optimum is kept beside what you "
        "chose.",
    ),
    PageEntry(
        "quality/alarms",
        "Alarms",
        "Quality",
        "notifications_active",
        Action.SEE,
        "What broke a rule, what was done about it, and the rules. An alarm that pauses makes every PASS of its "
        "site a HOLD from the next decision on, until one person asks to resume and another agrees.\n\n"
        "**Acknowledge** says that you look after it, **Close** what it was; its rule is then watched anew, and "
        "after a drift today's pictures become the reference. **Asked for** holds what alarms set off: read what "
        "was measured, and close each with what came of it.\n\n"
        "A stricter rule is in force at once, a looser one when somebody else has approved it. The worker looks "
        "about once a minute; the promise about false pauses does not depend on how often anybody looks.",
    ),
    PageEntry(
        "quality/analytics",
        "Analytics",
        "Quality",
        "query_stats",
        Action.SEE,
        "Every number with its interval, how many it rests on, what it means and the query that made it. Misses and "
        "escapes come from audits alone: what people answered against the model says nothing about what nobody looked "
        "at. Hours, days and weeks are on each site's own clock. Press a bar to see its pictures, and go on to correct "
        "one. Rows can be taken away as CSV or Parquet; `holdpoint kpi` prints the same.",
    ),
    PageEntry(
        "quality/audits",
        "Audits",
        "Quality",
        "fact_check",
        Action.POLICY,
        "A random share of what passed or failed by itself is looked at all the same, blind among the other tasks, and "
        "each was drawn with a probability that is on record: from these come the rates, each with its interval. "
        "**Miss rate** is about defective parts, **escape rate** about passed ones: they are two numbers. Gold items "
        "tell how often people themselves err, and the rates are restated for it. The planner says how many clean "
        "audits a claim takes, and how long that is.",
    ),
    PageEntry(
        "quality/inspectors",
        "Inspectors",
        "Quality",
        "visibility",
        Action.POLICY,
        "People are instruments, too. A share of the answers is asked of a second person without sight of the first; "
        "where two differ, a third settles it. Gold items are parts with a known answer, blind among the rest; an "
        "answer to one tells the line nothing and changes no label. The figures are about agreement and what is worth "
        "a lesson: there is no ranking.",
    ),
    PageEntry(
        "quality/acceptance",
        "Acceptance",
        "Quality",
        "task_alt",
        Action.SEE,
        "Is it good enough? Each target beside its measured value, interval, n and query; met, or missed, only "
        "where the whole interval says so. OEE of each line with its inputs, those that are assumptions named so. "
        "Before and after a change: what it did beyond the way things went already. What customers report stands by "
        "itself: it comes late and is only part of what escapes.",
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
        "rewritten: a change is a new version.\n\n"
        "**Classes** changes, adds or retires one, and says first which names and labels follow. **Names by site** "
        "has every name as it came, with its pictures. **Versions** compares any two and puts an earlier one in force "
        "again, as a further one. What each class looks like stands in the defect book.",
    ),
    PageEntry(
        "science/datasets",
        "Datasets",
        "Science",
        "inventory_2",
        Action.DATASET,
        "A dataset is a frozen list of labelled pictures with their sides: train, validation, test. Pictures of one "
        "part, one order, the same bytes, and look-alikes stay on one side; or the sides are cut by time. The same "
        "labels, name and seed give the same bytes.\n\n"
        "The **certificate** asks what could leak or mislead. *Fail* stops a training, unless somebody gives a reason "
        "that stays in the model's card; *not enough evidence* and *not applicable* stop nothing. **Overview** tells "
        "what may go wrong: defects too small after the planned resize, cut by tile borders, classes out of balance. "
        "`holdpoint dataset` does the same.",
    ),
    PageEntry(
        "science/learn",
        "Learn",
        "Science",
        "school",
        Action.DATASET,
        "Which pictures are worth a person's minute. Choose a strategy and a budget; the worker looks at every picture "
        "that has no label and does not wait in the queue, and proposes a batch. Part of each batch is drawn at "
        "random: only beside that can anybody say whether the choice was worth it. Nobody is asked before you "
        "**send** it; its tasks then come in the one queue, and nobody can tell them from others.\n\n"
        "A diamond was chosen, a square fills a quota, a circle was drawn at random. **Compare** draws what labels "
        "bought under each strategy beside those of the random arms, or replays a dataset; it says so where a "
        "choice is no better than random. `holdpoint select` does the same.",
    ),
    PageEntry(
        "science/labels",
        "Label quality",
        "Science",
        "grading",
        Action.DATASET,
        "Labels to doubt, the most worth a look first: the model disagrees (confident learning, on labels it was not "
        "trained on), the same picture has another label elsewhere, a box lies off the picture, has no area, is tiny "
        "or huge, or two people differ. Your label is on the left, the model's view on the right.\n\n"
        "**S** sends the part back into the queue to be labelled again, and shows the next one · **→** next · **←** "
        "the one before. The label stays as it is until somebody answers. **Look again** runs in the worker.",
    ),
    PageEntry(
        "science/training",
        "Training",
        "Science",
        "exercise",
        Action.TRAIN,
        "A pipeline validates the labels, settles the augmentation, trains, evaluates, asks the gate and lets the "
        "model look on. **Schedule** holds its configuration and its cron line, on the site's clock; every time begins "
        "one run, and times that nobody was there for are made up for by one. **Runs** shows each step; one that fails "
        "raises an alarm, and **Go on** begins with it again. A run that was killed goes on by itself.\n\n"
        "**Experiments** sets models side by side on the same pictures, each figure with its interval, and tests each "
        "against the one in use. **Curves** warns where a net learns its pictures by heart. **Augmentation** shows "
        "what is done to pictures, and what is switched off because it would hide or make defects. `holdpoint "
        "pipeline` does the same from a file.",
    ),
    PageEntry(
        "science/models",
        "Models",
        "Science",
        "model_training",
        Action.SEE,
        "Every model version with what it was measured to do, beside the two rules that need no model. The gate says "
        "pass, fail, or how much more evidence it takes, on bounds that hold all together. A shadow scores the live "
        "pictures and decides nothing. One person promotes what passed its gate, two may override it, one takes it "
        "back; every process obeys on its next batch. Another model passes nothing by itself until two calibrate it.",
    ),
    PageEntry(
        "words/complaints",
        "Complaints",
        "Words",
        "contact_support",
        Action.SEE,
        "What customers told and sent back, beside the pictures of the part. **A** visible · **S** not visible · **D** "
        "cannot tell · **→** next · **←** the one before. What the model said, and who let the part go, show with your "
        "answer. A visible defect that was let go is an **escape**: it goes to be labelled and is reported beside the "
        "audits, never in them.\n\n"
        "Fields were read by a model that is often wrong: confirm or correct them. Nothing is done about a complaint "
        "before somebody confirms it. **Trend** sets complaints beside interception, before and after a change. "
        "**Patterns** shows only what stands out by an exact test, with chance findings kept under one in ten. A "
        "**notice** is drafted by one and approved by another. `holdpoint complaints` does the same.",
    ),
    PageEntry(
        "words/prints",
        "Printed labels",
        "Words",
        "barcode_reader",
        Action.SEE,
        "What the label on each kind of part has to say. Labels are read as parts come in, offline; a part is **held** "
        "where the label is missing, cut off, on the wrong side, cannot be read surely, is another item's, or says "
        "that the goods are expired or short-dated.\n\n"
        "A date is never guessed: 03/04/26 stays two dates until the site says what its dates begin with, and it only "
        "matters where the two lead to different answers. The catalogue says how each item's label reads; words in "
        "it that look alike when misread (0 and O, 1 and I) count as read.\n\n"
        "**Accuracy** shows readings drawn by chance: **A** right, **S** wrong.",
    ),
    PageEntry(
        "words/notes",
        "Notes",
        "Words",
        "sticky_note_2",
        Action.SEE,
        "What people typed or said, and logs, labelled by themselves: labelling functions vote on every word, each "
        "with the weight that its accuracy on a labelled part has earned. A tie, a doubt, and a name that may be a "
        "person's or a thing's (AMBIGUOUS) are nobody's label until a person answers: **1–8** the label, **0** none of "
        "them.\n\n"
        "Only cleared text is kept, and what is personal is covered before: [NAME], and [NAME?] for a name in doubt. "
        "**Functions** has coverage, conflicts, accuracy and weights, and the rules. A change of the rules labels "
        "everything anew as a further version; **Versions** shows the difference. What people said beats every "
        "rule.\n\n"
        "**Check by hand** shows notes drawn by chance: **A** all right, or type the labels as they should be. "
        "**New names** lists words that no list knows.",
    ),
    PageEntry(
        "admin/people",
        "People",
        "Admin",
        "group",
        Action.PEOPLE,
        "Accounts, roles and sites. A password has 15 characters or more; a sentence is easiest. A new role or "
        "password, and disabling somebody, end their sessions at once. Nobody changes their own account. A "
        "leaver's name can be replaced by a number: what they did stays on record.",
    ),
    PageEntry(
        "admin/sites",
        "Sites",
        "Admin",
        "factory",
        Action.PEOPLE,
        "A plant's time zone, in which its people read times, and whether a picture has to name its part. Cameras "
        "and lines appear with their first picture; announce one here to see it before. Model, policy and classes "
        "are set on their own pages.",
    ),
    PageEntry(
        "admin/audit",
        "Audit trail",
        "Admin",
        "history",
        Action.AUDIT,
        "Who did what, when and why. Each event is kept with its act, and sealed within a second into a chain "
        "whose key is not in the store. **Verify** looks at every event and seal and names what was edited, "
        "removed, swapped or inserted. The chain's end is kept every day beside the store; carry one elsewhere "
        "with `holdpoint audit head`, and a cut-off end is found, too.",
    ),
    PageEntry(
        "admin/upkeep",
        "Upkeep",
        "Admin",
        "inventory_2",
        Action.UPKEEP,
        "Backups and how long what is kept. A backup is a folder with a manifest of hashes; `holdpoint restore` "
        "puts it into an empty HOLDPOINT_HOME. Retention deletes once a day what is older than the rules say, "
        "never what an open task is about, and leaves its row in the audit trail. Rehearse counts and deletes "
        "nothing.",
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
    """Draw the menu of one role on top of the page and return the page asked for.

    The addresses of pages for other roles are known, too, but lead to nothing but a sentence: Streamlit's own answer to
    an unknown address says neither why nor what to do.
    """
    sections: dict[str, list[st.Page]] = {}
    mine = pages_for(role)
    for entry in mine:
        sections.setdefault(entry.section, []).append(as_streamlit(entry))
    for entry in PAGES:
        if entry not in mine:
            sections.setdefault("", []).append(
                st.Page(partial(refuse, entry, role), title=REFUSED, url_path=entry.url, visibility="hidden")
            )
    return st.navigation(sections, position="top")


def refuse(entry: PageEntry, role: Role) -> None:
    """Say whose page it is, and what to do instead.

    Raises:
        NotAllowed: always.
    """
    *others, last = (one.spoken for one in Role if allowed(one, entry.action))
    whose = f"{', '.join(others)} and {last}" if others else last
    raise NotAllowed(
        f"The page {entry.title} is not for the role {role.spoken}, only for {whose}: go on with one of the pages in "
        "the menu above, or ask an administrator for another role."
    )


def check_page(page: st.Page, role: Role) -> None:
    """Refuse a page that is not for the role, however it came to be run.

    Raises:
        NotAllowed: it is for others.
    """
    for entry in PAGES:
        if page.url_path == ("" if entry.path == "home" else entry.url):
            if not allowed(role, entry.action):
                refuse(entry, role)
            return
    raise NotAllowed("There is no such page: choose one in the menu above.")


def go(path: str, **query: str) -> None:
    """Go to another page of the list."""
    st.switch_page(PAGES_FOLDER / f"{path}.py", query_params=query)
