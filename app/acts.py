"""What the buttons of the office pages do; each says in the page's own words how it went."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import uuid4

import streamlit as st

from app import context
from app.state import FormState, told
from app.web.unpack import unpack
from app.widgets.text import plain
from core.decide.policy import Policy
from core.errors import BadInput
from core.plant import PartType, Site
from core.taxonomy import Taxonomy

SHOWN_AT_ONCE = 50


class Upload(Protocol):
    """What a file uploader gives."""

    name: str

    def getvalue(self) -> bytes:
        """All of it."""


def map_name(view: FormState, site: str, name: str, class_id: str) -> None:
    """Give an unmapped name its class; labels are derived anew."""
    with told(view):
        changed = context.store().taxonomies.map_name(site, name, class_id, now=context.now())
        view.message = f"'{name}' now means {class_id}; version {changed} is in force."


def append_taxonomy(view: FormState, site: str, upload: Upload | None, note: str) -> None:
    """Put an uploaded taxonomy in force."""
    with told(view):
        if upload is None:
            raise BadInput("Choose a JSON file first.")
        taxonomy = Taxonomy.from_json(_text(upload.getvalue()))
        number = context.store().taxonomies.append(site, taxonomy, note.strip(), now=context.now())
        view.message = f"{plain(taxonomy.name)} is in force as version {number}."


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("The file is not text in UTF-8: export a taxonomy and change that.") from error


def restore(view: FormState, image_id: int) -> None:
    """Take a picture out of quarantine; one that could never be read is read again by the worker."""
    with told(view):
        store = context.store()
        image = store.images.get(image_id)
        if image.width:
            store.quarantine.restore(image_id, now=context.now())
            view.message = "Taken out of quarantine. Its part stays held until somebody has looked."
        else:
            store.jobs.submit("reread", {"image": image_id}, now=context.now())
            view.message = "The worker reads the file again: mend or replace it first if it is broken."


def _typed(key: str) -> str:
    """What a field holds at this moment: a callback's arguments are as old as the last run of the page."""
    return str(st.session_state.get(key, ""))


def pause_controls(view: FormState, site: Site) -> None:
    """Pause or resume auto-PASS, with a reason that inspectors will read."""
    if site.paused:
        st.warning(f"Auto-PASS is paused: {plain(site.paused)}", icon=":material/pause_circle:")
        why = f"policy.resumewhy.{site.name}"
        with st.popover("Ask to resume", icon=":material/play_circle:"):
            st.text_input("Why auto-PASS may be on again", key=why, max_chars=300)
            st.button("Ask", key=f"policy.resume.{site.name}", on_click=_ask_resume, args=(view, site.name, why))
        return
    why = f"policy.pausewhy.{site.name}"
    with st.popover("Pause auto-PASS", icon=":material/pause_circle:"):
        st.text_input("Why", key=why, max_chars=300)
        st.button("Pause now", key=f"policy.pause.{site.name}", on_click=_pause, args=(view, site.name, why))


def _pause(view: FormState, site: str, why: str) -> None:
    with told(view):
        context.store().sites.pause(site, _typed(why))
        view.message = f"Auto-PASS is paused at {site}."


def _ask_resume(view: FormState, site: str, why: str) -> None:
    with told(view):
        context.store().requests.ask_resume(site, _typed(why), now=context.now())
        view.message = "Asked. Auto-PASS stays paused until somebody else agrees."


def save_part_type(view: FormState, site: str, part_type: PartType) -> None:
    """Set how a part type is looked at; the next ingest uses it."""
    with told(view):
        context.store().part_types.put(site, part_type, now=context.now())
        view.message = f"{part_type.name} is saved: the next ingest looks at it this way."


def inbox_folders() -> list[str]:
    """Folders that an administrator has put into the import inbox; a form only ever picks one of these names."""
    inbox = context.settings().home / "inbox"
    if not inbox.is_dir():
        return []
    return sorted(entry.name for entry in inbox.iterdir() if entry.is_dir() and not entry.is_symlink())


def submit_import(
    view: FormState, *, site: str, upload: Upload | None, folder: str | None, format_name: str, own: bool,
    empty_is_good: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Unpack or choose the source, and leave the reading to the worker."""
    with told(view):
        if not site.strip():
            raise BadInput("Name the site that these pictures belong to.")
        if upload is not None:
            target = context.settings().uploads / f"import-{uuid4().hex}"
            files = unpack(_file_of(upload), target)
            source = target
            view.message = f"{files:,} files unpacked. "
        elif folder is not None and folder in inbox_folders():
            source = context.settings().home / "inbox" / folder
        else:
            raise BadInput("Upload a zip, or choose a folder of the inbox.")
        arguments: dict[str, Any] = {
            "source": str(source),
            "site": site.strip(),
            "format": format_name,
            "taxonomy": "own" if own else None,
            "empty": "good" if empty_is_good else None,
            "dry_run": dry_run,
        }
        view.job = context.store().jobs.submit("import", arguments)
        view.message += "The worker reads it now: leave this page if you like."


def _file_of(upload: Any) -> Any:
    return upload  # an uploaded file is a seekable stream


def submit_export(view: FormState, format_name: str, filters: dict[str, Any]) -> None:
    """Let the worker write an export."""
    with told(view):
        name = f"{format_name}-{context.now():%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
        arguments = {"dest": str(context.settings().exports / name), "format": format_name, **filters}
        view.job = context.store().jobs.submit("export", arguments)
        view.message = "The worker writes it now."


def first_look_control(view: FormState, site: Site, in_force: Sequence[Policy]) -> None:
    """Whether inspectors answer before they see what the model says; where eyes are checked, they always do."""
    checked = context.store().gold.shares(site.name)
    because = [
        what
        for what, there in (
            ("decided parts are audited", any(policy.audits for policy in in_force)),
            ("parts with a known answer are asked", checked.gold > 0),
            ("second looks are asked", checked.second > 0),
        )
        if there
    ]
    st.toggle(
        "Inspectors answer before they see what the model says",
        value=site.blind or bool(because),
        disabled=bool(because),
        key=f"policy.blind.{site.name}.{site.blind}.{bool(because)}",
        help=f"Always so here, because {' and '.join(because)}: no kind of task may be told from another."
        if because
        else "Audits, second looks and parts with a known answer switch it on by themselves.",
        on_change=_first_look,
        args=(view, site.name, not site.blind),
    )


def _first_look(view: FormState, site: str, blind: bool) -> None:
    with told(view):
        context.store().sites.set_blind(site, blind, now=context.now())
        view.message = f"At {site} the first look is the inspectors' own." if blind else f"At {site} all shows at once."
