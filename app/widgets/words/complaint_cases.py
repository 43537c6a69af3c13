"""One complaint at a time: its words beside the pictures, what was understood, a person's word, and what is done."""

from collections.abc import Sequence

import streamlit as st

from app import complaints as desk
from app import context, theme
from app.complaints import ComplaintsState, Shown
from app.widgets.desk.viewer import drawn, picture_url, viewer
from app.widgets.frame import nothing
from app.widgets.text import count, option, plain, share
from app.widgets.words import complaint_claims
from core.plant import Site
from core.roles import Action
from core.words.complaints.acts import RULE
from core.words.complaints.fields import INTENTS, SHOWN
from core.words.complaints.records import Act, ActState, Complaint, ComplaintState, Sight

HEIGHT = "min(46vh, 400px)"
_KEYS = {Sight.VISIBLE: ("A", ":material/visibility:"), Sight.NOT_VISIBLE: ("S", ":material/visibility_off:"),
         Sight.CANNOT_TELL: ("D", ":material/help:")}  # fmt: skip
_STATES = {ActState.CONFIRMED: ("green", ":material/check:"), ActState.DECLINED: ("gray", ":material/block:"),
           ActState.PROPOSED: ("blue", ":material/lightbulb:")}  # fmt: skip
_NO_CLASS = "no class of this site"


def table(view: ComplaintsState, found: Sequence[Complaint], site: Site, which: str) -> None:
    """The list, with a mark at the one in view; a row can be chosen."""
    key = f"complaints.table.{site.name}.{which}.{view.place}.{len(found)}"
    rows = [
        {
            "": "▸" if place == view.place else "",
            "id": one.told.reference,
            "told on": one.told.told_on,
            "about": ", ".join(one.reading.intents).replace("_", " ") or "–",
            "seen": "escape" if one.escape else str(one.sight or ""),
        }
        for place, one in enumerate(found)
    ]
    st.dataframe(
        rows, hide_index=True, height=min(38 + 35 * len(rows), 640), key=key, selection_mode="single-row",
        selection_default={"selection": {"rows": [view.place]}}, on_select=lambda: desk.turn_to(view, key),
        column_config={"": st.column_config.TextColumn(width=28)},
    )  # fmt: skip
    if len(found) >= desk.LISTED:
        st.caption(f"The last {desk.LISTED} are listed; `holdpoint complaints list` has all.")


def turn(view: ComplaintsState, most: int) -> None:
    """Back and on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Before", key="complaints.before", icon=":material/arrow_back:", shortcut="Left",
                  on_click=desk.step, args=(view, -1), disabled=view.place == 0)  # fmt: skip
        st.button("Next", key="complaints.next", icon=":material/arrow_forward:", shortcut="Right",
                  on_click=desk.step, args=(view, 1), disabled=view.place >= most - 1)  # fmt: skip
        st.caption(f"{view.place + 1:,} of {most:,}", width="content")


def case(view: ComplaintsState, found: Shown, site: Site) -> None:
    """Everything about one complaint."""
    one = found.complaint
    _head(one)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _pictures(found, site)
        if one.part_id is not None and one.state is not ComplaintState.ASIDE:
            _question(view, found)
    with right:
        _words(one)
        _understood(view, one, site)
    lower_left, lower_right = st.columns([3, 2], gap="medium")
    with lower_left:
        _part(view, found)
        complaint_claims.claims_of(found)
    with lower_right:
        _acts(view, found)


def _head(one: Complaint) -> None:
    told = one.told
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"#### {plain(told.kind.capitalize())} {plain(told.reference, 40)}", width="content")
        if one.escape:
            st.badge("escape", icon=":material/warning:", color="red")
        elif one.state is ComplaintState.ASIDE:
            st.badge("set aside", icon=":material/block:", color="gray")
        if one.reading.confirm:
            st.badge("fields to confirm", icon=":material/help:", color="orange")
    numbers = {"order": told.order, "item": told.item, "seller": told.seller, "batch": told.batch,
               "tracking": told.tracking}  # fmt: skip
    shipped = f" · shipped {told.shipped_on:%d %b %Y}" if told.shipped_on else ""
    late = "" if one.delay_days is None else f" · {count(one.delay_days, 'day')} after it left"
    st.caption(f"told on {told.told_on:%d %b %Y}{shipped}{late}"
               + "".join(f" · {name} {plain(value, 60)}" for name, value in numbers.items() if value))  # fmt: skip


def _words(one: Complaint) -> None:
    with st.container(border=True, gap="small"):
        st.text(one.told.text or "(sent back without a word)")
        if one.covered:
            what = ", ".join(count(n, kind, f"{kind}s" if kind != "address" else "addresses")
                             for kind, n in one.covered.items())  # fmt: skip
            st.caption(f"Covered before it was kept: {plain(what)}.")


def _pictures(found: Shown, site: Site) -> None:
    one = found.complaint
    if not found.images:
        nothing("No picture", icon="hide_image", then="No part is linked, or its pictures are not there any more.")
        return
    names = {place: image.capture.view or f"picture {place + 1}" for place, (image, _) in enumerate(found.images)}
    place = 0
    if len(names) > 1:
        chosen = st.segmented_control("Picture", list(names), default=0, key=f"complaints.view.{one.id}",
                                      format_func=lambda at: option(names[at], 30),
                                      label_visibility="collapsed")  # fmt: skip
        place = chosen if chosen is not None else 0
    image, said = found.images[place]
    colours = theme.class_colours(one.id for one in site.taxonomy.classes)
    seen = one.sight is not None and not found.blind  # the first look is the person's own
    viewer(
        item=f"complaint.{one.id}.{image.id}",
        url=picture_url(image),
        size_wh=(image.width, image.height),
        alt=f"Part {image.capture.part}, {names[place]}",
        key=f"complaints.picture.{one.id}.{image.id}.{seen}",
        regions=[drawn(region, colours) for region in said.regions] if seen and said is not None else [],
        height=HEIGHT,
    )
    if seen and said is not None:
        st.caption(f"The model's score of this picture: **{share(said.score)}**; dashed boxes are the model's.")
    elif found.blind and one.sight is not None:
        st.caption("The part waits for an answer in the queue: what the model said shows when you have given yours.")
    elif not seen:
        st.caption("What the model said shows with your answer.")


def _question(view: ComplaintsState, found: Shown) -> None:
    one = found.complaint
    if one.sight is not None and one.passage is not None:
        st.markdown(f"**{one.sight.capitalize()}**, says {plain(one.answered_by, 60)}. {plain(one.passage.sentence)}")
        if one.note:
            st.caption(f"Note: {plain(one.note)}")
    if not context.may(Action.REVIEW):
        return
    note = f"complaints.note.{one.id}"
    st.markdown("Do the pictures show what the customer tells?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for sight, (key, icon) in _KEYS.items():
            st.button(sight.capitalize(), key=f"complaints.sight.{sight.name}.{one.id}", icon=icon, shortcut=key,
                      type="primary" if sight is one.sight or (one.sight is None and sight is Sight.VISIBLE)
                      else "secondary", on_click=desk.answer, args=(view, one, sight, note))  # fmt: skip
        st.text_input("Note", key=note, max_chars=300, placeholder="A note, if you like",
                      label_visibility="collapsed")  # fmt: skip


def _understood(view: ComplaintsState, one: Complaint, site: Site) -> None:
    key = f"complaints.fields.{one.id}.{one.state}"
    reading = one.reading
    may = context.may(Action.REVIEW)
    with st.container(border=True, gap="small"):
        if reading.out_of_scope and reading.confirm:
            st.caption("It seems to be about something that complaints are not about.")
        if not reading.model:
            st.caption("No text model was at hand: read it yourself.")
        intents = list(INTENTS)
        main = reading.intents[0] if reading.intents else None
        sure = "" if reading.sure is None else f" ({share(reading.sure)})"
        st.selectbox(f"About{sure}", intents, intents.index(main) if main in intents else None,
                     key=f"{key}.intent", format_func=lambda name: name.replace("_", " "), disabled=not may,
                     placeholder="Say what it is about")  # fmt: skip
        ids = list(site.taxonomy.ids)
        st.selectbox("Class", ids, ids.index(reading.class_id) if reading.class_id in ids else None,
                     key=f"{key}.class", placeholder=_NO_CLASS, disabled=not may)  # fmt: skip
        for name, column in zip(SHOWN, (st.columns(2) * 3)[: len(SHOWN)], strict=True):
            field = reading.fields.get(name)
            said = "" if field is None or field.sure is None else f" ({share(field.sure)})"
            column.text_input(f"{name.capitalize()}{said}", "" if field is None else field.value,
                              key=f"{key}.{name}", max_chars=120, disabled=not may)  # fmt: skip
        if may:
            label = "These are right" if reading.confirm else "Change them"
            st.button(label, key=f"{key}.save", icon=":material/check:", on_click=desk.correct,
                      args=(view, one.id, key), type="primary" if reading.confirm else "secondary")  # fmt: skip


def _part(view: ComplaintsState, found: Shown) -> None:
    one = found.complaint
    st.markdown(f"**Part {plain(found.part, 60)}**" if found.part else "**No part is linked**")
    st.caption(plain(one.link_why, 300))
    if not context.may(Action.REVIEW):
        return
    key = f"complaints.part.{one.id}.{one.part_id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if found.candidates:
            st.selectbox("Which part is meant?", found.candidates, None, key=key, format_func=option,
                         placeholder="Choose one of these")  # fmt: skip
        else:
            st.text_input("Another part", key=key, max_chars=200, placeholder="The name its pictures carry")
        st.button("Link", key=f"{key}.link", icon=":material/link:", on_click=desk.link, args=(view, one.id, key))
        if one.sight is None and one.state is not ComplaintState.ASIDE:
            with st.popover("Set aside", icon=":material/block:"):
                why = f"complaints.aside.{one.id}"
                st.text_input("Why it is no complaint", key=why, max_chars=200)
                st.button("Set aside", key=f"{why}.now", on_click=desk.put_aside, args=(view, one.id, why))


def _acts(view: ComplaintsState, found: Shown) -> None:
    st.markdown("**What to do**", help=RULE)
    if not found.acts:
        st.caption("The rule proposes nothing for this.")
    for act in found.acts:
        _act(view, act)


def _act(view: ComplaintsState, act: Act) -> None:
    colour, icon = _STATES[act.state]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(f"{act.kind} · {act.state}", icon=icon, color=colour)  # type: ignore[arg-type]
            if act.by:
                st.caption(f"by {plain(act.by, 60)}", width="content")
        st.caption(plain(act.why, 300) + (f" {plain(act.note)}" if act.note else ""))
        if act.state is ActState.PROPOSED and context.may(Action.COMPLAINTS):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.button("Confirm", key=f"complaints.act.{act.id}", icon=":material/check:",
                          on_click=desk.confirm_act, args=(view, act))  # fmt: skip
                with st.popover("Leave it"):
                    why = f"complaints.leave.{act.id}"
                    st.text_input("Why not", key=why, max_chars=200)
                    st.button("Leave it", key=f"{why}.now", on_click=desk.decline_act, args=(view, act, why))
