"""What the complaints page asks for and what its buttons do; each says in the page's own words how it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import streamlit as st

from app import context
from app.acts import Upload
from app.desk import still_blind
from app.jobs.files import write_whole
from app.jobs.words import complaint_figures as figures
from app.jobs.words.complaint_messages import chosen, who_hears
from app.state import FormState, told
from core.errors import BadInput, HoldpointError
from core.plant import Site
from core.records import Image, ImageState, Prediction
from core.words.complaints.fields import SHOWN
from core.words.complaints.patterns import Pattern, Tested
from core.words.complaints.reading import LARGEST, read_parts_of
from core.words.complaints.records import Act, Complaint, Sight
from core.words.complaints.trend import HORIZON_DAYS

if TYPE_CHECKING:
    from data.store.words.complaints import Which

LOOKED_BACK = 180  # days of complaints that are looked through for patterns and trends
LISTED = 200
YOUNG_HORIZON_DAYS = 7


@dataclass
class ComplaintsState(FormState):
    """Complaints page.

    Attributes:
        place: of the complaint in view among those that are listed.
        about: site and list that the place counts in.
        keep: number of a complaint that stays in view though it left its list, because somebody has just acted on it.
    """

    place: int = 0
    about: tuple[str, str] = ("", "")
    keep: int | None = None


@dataclass(frozen=True)
class Shown:
    """One complaint with what there is to see of it.

    Attributes:
        part: name of the part it is about; empty while none is known.
        images: of that part that can be shown, with what the model said of each.
        candidates: names of the parts that a person may choose among.
        blind: the part waits in the queue for this person's own first look.
    """

    complaint: Complaint
    part: str
    images: tuple[tuple[Image, Prediction | None], ...]
    candidates: tuple[str, ...]
    acts: tuple[Act, ...]
    blind: bool


def lists() -> "dict[Which, int]":
    """Every list, empty; see `counts`."""
    from data.store.words.complaints import Which

    return dict.fromkeys(Which, 0)


def listed(view: ComplaintsState, site: str, which: "Which") -> list[Complaint]:
    """The complaints of a list; the one that was acted on just now stays where it was."""
    found = context.store().complaints.find(site, which, LISTED)
    if view.about != (site, str(which)):
        view.about, view.place, view.keep = (site, str(which)), 0, None
    if view.keep is not None and all(one.id != view.keep for one in found):
        kept = context.store().complaints.get(view.keep)
        found.insert(min(view.place, len(found)), kept)
    view.place = max(0, min(view.place, len(found) - 1))
    return found


def shown(complaint: Complaint) -> Shown:
    """Everything about one of them."""
    store = context.store()
    part, images = "", list[Image]()
    if complaint.part_id is not None:
        part = store.parts.get(complaint.part_id).name
        images = [one for one in store.images.of_part(complaint.part_id) if one.state is ImageState.OK]
    said = store.images.predictions([one.id for one in images])
    names = tuple(store.parts.get(one).name for one in complaint.candidates)
    pictures = tuple((one, said.get(one.id)) for one in images)
    blind = bool(still_blind(store, images))
    return Shown(complaint, part, pictures, names, tuple(store.complaints.acts(complaint.id)), blind)


def step(view: ComplaintsState, by: int) -> None:
    """On to the next one, or back."""
    view.place += by if view.keep is None or by < 0 else 0  # the kept one stands in the next one's place
    view.keep = None
    view.message = view.failed = ""


def turn_to(view: ComplaintsState, key: str) -> None:
    """The one that was chosen in the table."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        view.place, view.keep = int(rows[0]), None
        view.message = view.failed = ""


def submit_file(view: ComplaintsState, site: str, upload: Upload | None) -> None:
    """Have a file read by the worker, which deletes it afterwards: it holds what customers wrote, as they wrote it."""
    with told(view):
        if upload is None:
            raise BadInput("Choose a CSV file first.")
        data = upload.getvalue()
        if len(data) > LARGEST:
            raise BadInput(f"The file has {len(data) >> 20} MiB: at most {LARGEST >> 20} are taken, so divide it.")
        path = context.settings().uploads / f"complaints-{uuid4().hex}.csv"
        write_whole(path, data, mode=0o600)
        given = {"site": site, "path": str(path), "name": upload.name}
        view.job = context.store().jobs.submit("complaints", given)
        view.message = "The worker reads it now; rows that cannot be used are listed when it is done."


def submit_volumes(view: ComplaintsState, site: str, upload: Upload | None) -> None:
    """Keep how many parts sellers and batches have had."""
    with told(view):
        if upload is None:
            raise BadInput("Choose a CSV file first.")
        good, bad = read_parts_of(upload.getvalue())
        count = context.store().complaint_counts.set_volumes(site, good, now=context.now())
        view.message = f"{count:,} sellers and batches have their number of parts."
        if bad:
            view.message += f" Not taken: {'; '.join(f'line {one.line}: {one.why}' for one in bad[:3])}"


def answer(view: ComplaintsState, complaint: Complaint, sight: Sight, note: str) -> None:
    """A person's word on the pictures."""
    with told(view):
        store = context.store()
        made = store.complaints.answer(complaint.id, sight, str(st.session_state.get(note, "")), context.now())
        view.keep = made.id
        passed = "" if made.passage is None else f" {made.passage.sentence}"
        follows = " It counts as an escape and goes to be labelled." if made.escape else ""
        view.message = f"Answered: {sight}.{passed}{follows}"


def correct(view: ComplaintsState, number: int, key: str) -> None:
    """What was understood, as the form has it now."""
    with told(view):
        values = {name: str(st.session_state.get(f"{key}.{name}", "")) for name in SHOWN}
        intent, class_id = st.session_state.get(f"{key}.intent"), st.session_state.get(f"{key}.class")
        context.store().complaints.correct(number, values, str(intent), class_id, context.now())
        view.keep = number
        view.message = "Confirmed."


def put_aside(view: ComplaintsState, number: int, key: str) -> None:
    """It is about something else."""
    with told(view):
        context.store().complaints.put_aside(number, str(st.session_state.get(key, "")), context.now())
        view.message = "Set aside: it counts in no figure. It can be taken in again under 'set aside'."


def link(view: ComplaintsState, number: int, key: str) -> None:
    """Say which part it is about."""
    with told(view):
        made = context.store().complaints.link_to(number, str(st.session_state.get(key) or ""), context.now())
        view.keep = number
        view.message = made.link_why


def confirm_act(view: ComplaintsState, act: Act) -> None:
    """Have it done."""
    with told(view):
        context.store().complaints.confirm_act(act.id, now=context.now())
        view.keep = act.complaint_id
        notice = " Somebody else approves the notice under Notices." if str(act.kind) == "notify" else ""
        view.message = f"Confirmed: {act.kind}.{notice}"


def decline_act(view: ComplaintsState, act: Act, key: str) -> None:
    """Leave it."""
    with told(view):
        context.store().complaints.decline_act(act.id, str(st.session_state.get(key, "")), context.now())
        view.keep = act.complaint_id
        view.message = f"Left: {act.kind}."


def trend(site: Site, since: date, change: date | None, days: int) -> figures.Trend:
    """Complaints and returns beside interception, told within so many days of leaving."""
    return figures.trend(context.store(), site.name, since, today(site), change, days)


def beside(site: Site, since: date) -> figures.Beside:
    """What complaints prove beside what audits estimate."""
    return figures.beside(context.store(), site.name, since, today(site))


def patterns(site: Site) -> Tested:
    """What stands out in the last half year."""
    return figures.patterns(context.store(), site.name, first_day(site))


def behind(site: Site, pattern: Pattern) -> tuple[list[str], list[int]]:
    """References of the complaints behind a pattern, and pictures of their parts."""
    one = pattern.group
    return context.store().complaint_counts.about(site.name, one.about, one.name, first_day(site), one.what)


def horizon(site: Site) -> int:
    """Days within which a complaint has to be told of to count: four weeks, or one while the plant is young."""
    weeks = context.store().complaint_counts.weeks(site.name, first_day(site), today(site), HORIZON_DAYS).weeks
    first = next((week.start for week in weeks if week.left), today(site))
    return HORIZON_DAYS if (today(site) - first).days >= 3 * HORIZON_DAYS else YOUNG_HORIZON_DAYS


def today(site: Site) -> date:
    """On the site's own clock."""
    return context.store().reported.today(site.name, context.now())


def first_day(site: Site) -> date:
    """From which on complaints are looked through."""
    return today(site) - timedelta(days=LOOKED_BACK)


def draft(view: ComplaintsState, site: Site, pattern: Pattern, looked: Tested) -> None:
    """Draft the notice about a pattern, for somebody else to approve."""
    with told(view):
        store = context.store()
        made = store.complaint_notices.draft(
            site.name, figures.draft(store, site.name, pattern, looked, first_day(site)), context.now()
        )
        view.message = f"Notice {made.id} is drafted: somebody else approves it under Notices."


def channel_names() -> list[str]:
    """Channels that can be told; none where the file of channels cannot be used."""
    try:
        return who_hears(context.settings())
    except HoldpointError:
        return []


def approve(view: ComplaintsState, number: int, key: str) -> None:
    """A second person's name under a notice."""
    with told(view):
        wanted: Sequence[str] = st.session_state.get(f"{key}.channels") or []
        if not wanted:
            raise BadInput("Choose a channel: nobody would be told.")
        reason = str(st.session_state.get(f"{key}.reason", ""))
        names = chosen(context.settings(), list(wanted))
        context.store().complaint_notices.approve(number, names, reason, context.now())
        view.message = f"Approved: it goes to {', '.join(names)}. What became of it stands below."


def decline(view: ComplaintsState, number: int, key: str) -> None:
    """Send nothing."""
    with told(view):
        reason = str(st.session_state.get(f"{key}.reason", ""))
        context.store().complaint_notices.decline(number, reason, context.now())
        view.message = "Declined: nothing is sent."


def again(view: ComplaintsState, number: int) -> None:
    """Try what was given up once more."""
    with told(view):
        count = context.store().complaint_notices.again(number, context.now())
        view.message = f"{count} {'message is' if count == 1 else 'messages are'} tried again."


def bad_rows(job: Any) -> list[Mapping[str, Any]]:
    """Rows of the last file that were not taken."""
    result = job.result if isinstance(job.result, Mapping) else {}
    return list(result.get("bad", ()))
