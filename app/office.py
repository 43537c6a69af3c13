"""What the buttons of the administrator's pages do; each says in the page's own words how it went."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import context
from app.state import AuditState, FormState, PeopleState, told
from core.errors import BadInput
from core.retention import DataClass
from core.roles import Role


def typed(key: str) -> Any:
    """What a field holds at this moment: a callback's arguments are as old as the last run of the page."""
    return st.session_state.get(key)


# --- people ---------------------------------------------------------------------------------------------------------


def add_person(
    view: FormState, name: str, role: Role, sites: Sequence[str], password: str, identity: str = ""
) -> None:  # fmt: skip
    """Make an account; without a password for somebody whom the company's sign-in knows."""
    with told(view):
        secret = password or (None if identity.strip() else "")
        context.store().people.add(name.strip(), secret, role, tuple(sites) or None, identity=identity or None)
        view.message = f"{name.strip()} can sign in."


def choose(view: PeopleState, name: str | None) -> None:
    """Open somebody's account beside the list, or the empty form."""
    view.choice = name
    view.message = view.failed = ""


def set_role(view: FormState, name: str, key: str) -> None:
    """Another role; the store refuses one's own."""
    with told(view):
        person = context.store().people.set_role(name, Role(typed(key)))
        view.message = f"{name} is {person.role.spoken} from now on, and signs in again."


def set_sites(view: FormState, name: str, key: str) -> None:
    """Other sites; none chosen means all."""
    with told(view):
        person = context.store().people.set_sites(name, tuple(typed(key)) or None)
        view.message = f"{name} sees {'all sites' if person.sites is None else ', '.join(person.sites)}."


def set_identity(view: FormState, name: str, key: str) -> None:
    """The address under which the company's sign-in knows somebody."""
    with told(view):
        person = context.store().people.set_identity(name, typed(key))
        view.message = f"{name} comes in {f'as {person.identity}' if person.identity else 'by password only'}."


def reset_password(view: FormState, name: str, key: str) -> None:
    """A new password, to be told in person."""
    with told(view):
        context.store().people.set_password(name, str(typed(key) or ""))
        view.message = f"{name} has a new password and signs in again."


def change_own_password(view: FormState, name: str, *keys: str) -> None:
    """One's own password, from the fields of the old one, the new one, and the new one again."""
    with told(view):
        old, new, again = (str(typed(key) or "") for key in keys)
        if new != again:
            raise BadInput("The two new passwords differ: type the same one twice.")
        context.store().people.set_password(name, new, old)


def unlock(view: FormState, name: str) -> None:
    """Forget wrong passwords."""
    with told(view):
        context.store().people.unlock(name)
        view.message = f"{name} need not wait any more."


def disable(view: FormState, name: str) -> None:
    """End an account and its sessions."""
    with told(view):
        context.store().people.disable(name)
        view.message = f"{name} can no longer sign in."


def enable(view: FormState, name: str) -> None:
    """Let somebody in again."""
    with told(view):
        context.store().people.enable(name)
        view.message = f"{name} can sign in again."


def leave(view: PeopleState, name: str, key: str) -> None:
    """Take a leaver's name out; whoever does it types it once more."""
    with told(view):
        if str(typed(key) or "").strip() != name:
            raise BadInput(f"Type the name {name} to say that you mean it: there is no way back.")
        becomes = context.store().people.replace_name(name)
        view.choice = becomes
        view.message = f"{name} is '{becomes}' from now on, also in old records."


# --- sites ----------------------------------------------------------------------------------------------------------


def add_site(view: FormState, name: str, timezone: str, taxonomy: str | None, ids: bool) -> None:
    """A new site, with the taxonomy it starts from."""
    from data.taxonomies import shipped

    with told(view):
        chosen = None if taxonomy is None else shipped(taxonomy)
        context.store().sites.add(name.strip(), chosen, timezone.strip(), requires_ids=ids, now=context.now())
        view.message = f"{name.strip()} is a site. A model and a policy come next."


def set_timezone(view: FormState, site: str, key: str) -> None:
    """In which zone its people read times."""
    with told(view):
        context.store().sites.set_timezone(site, str(typed(key)))
        view.message = f"{site} reads times in {typed(key)}."


def require_ids(view: FormState, site: str, key: str) -> None:
    """Whether a picture has to name its part."""
    with told(view):
        context.store().sites.require_ids(site, bool(typed(key)))
        what = "quarantined" if typed(key) else "filed under its file's name"
        view.message = f"At {site} a picture without a part id is {what}."


def add_name(view: FormState, site: str, kind: str, name: str) -> None:
    """Announce a camera or line."""
    with told(view):
        context.store().sites.add_name(site, kind, name)
        view.message = f"{site} has the {kind} {name.strip()}."


def rename(view: FormState, site: str, kind: str, key: str) -> None:
    """Another name for a camera or line; its pictures go with it."""
    with told(view):
        name, becomes = str(typed(f"{key}.old") or ""), str(typed(f"{key}.new") or "").strip()
        context.store().sites.rename(site, kind, name, becomes)
        view.message = f"The {kind} {name} is called {becomes} from now on."


# --- audit trail ----------------------------------------------------------------------------------------------------


def verify(view: AuditState) -> None:
    """Look at the whole chain, in the name of whoever asks."""
    from app.jobs.upkeep import sealing

    with told(view):
        found = sealing.verify(context.store(), context.settings(), now=context.now())
        view.verified = found
        if found.ok:
            view.message = f"The trail is whole: {found.events:,} events, {found.sealed:,} sealed."
        else:
            view.failed = f"The trail is not as Holdpoint wrote it: {len(found.problems):,} findings below."


def older(view: AuditState, before: int | None) -> None:
    """The next page of the trail; None is the newest."""
    view.before = before


# --- upkeep ---------------------------------------------------------------------------------------------------------


def set_rule(view: FormState, kind: DataClass, for_ever: str, days: str) -> None:
    """How long a class of data is kept."""
    with told(view):
        chosen = None if typed(for_ever) else int(typed(days))
        context.store().upkeep.set_rule(kind, chosen, context.now())
        view.message = f"{kind.capitalize()}: kept {'for ever' if chosen is None else f'{chosen:,} days'}."


def submit_retention(view: FormState, dry_run: bool) -> None:
    """Let the worker delete what has been kept long enough, or only say what that would be."""
    with told(view):
        view.job = context.store().jobs.submit("retention", {"dry_run": dry_run})
        view.message = "The worker only counts: nothing is deleted." if dry_run else "The worker deletes it now."


def submit_backup(view: FormState) -> None:
    """Let the worker make a backup in the plant's own folder."""
    with told(view):
        view.job = context.store().jobs.submit("backup")
        view.message = "The worker makes it now. Carry it to another machine afterwards."
