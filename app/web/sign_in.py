"""The sign-in page and the two posts behind it; plain HTML, so that nothing runs before somebody is known."""

import base64
import ipaddress
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

from core.roles import Role

HERE = Path(__file__).parent
ICON = HERE / "icon.png"
WRONG = "Name or password is wrong. Check both, or ask your administrator."
SLOW_DOWN = "Too many attempts. Wait a minute, then try again."
ENDED = "You are signed out."


@cache
def _page() -> Template:
    return Template((HERE / "sign_in.html").read_text(encoding="utf-8"))


@cache
def _icon() -> str:
    return base64.b64encode(ICON.read_bytes()).decode("ascii")


def on_loopback(client: str | None, bound_to: str | None) -> bool:
    """Whether both the server's own address and the caller's are this machine.

    Args:
        client: the caller's address.
        bound_to: what the server listens on; None is every interface.
    """
    return _is_loopback(client) and _is_loopback(bound_to)


def _is_loopback(address: str | None) -> bool:
    if address is None:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def safe_next(target: str) -> str:
    """Where to go after sign-in: a path of this server, or its front page."""
    parts = urlsplit(target)
    local = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith(("//", "/\\"))
    return parts.path if local and "\\" not in target else "/"


def page(*, demo_people: Sequence[tuple[str, Role]], next_path: str, message: str = "", company: str = "") -> str:
    """The whole page as HTML.

    Args:
        demo_people: name and role of those who may enter by a button; empty unless loopback and demo plant.
        next_path: from `safe_next`.
        message: a sentence on top; empty for none.
        company: name of the company's own sign-in; empty where there is none.
    """
    target = quote(next_path)
    people = "".join(
        f'<form method="post" action="/sign-in?next={target}">'
        f'<button class="person" name="demo" value="{escape(name)}">'
        f"<b>{escape(name)}</b><span>{escape(role.spoken)}</span></button></form>"
        for name, role in demo_people
    )
    demo = (
        f'<section aria-labelledby="demo"><h2 id="demo">Demo plant: come in as</h2><div class="people">{people}</div>'
        '<p class="note">These buttons exist only on this machine and only with the demo plant.</p></section>'
    )
    by_company = (
        f'<section><a class="go" href="/sign-in/company?next={target}">Sign in with {escape(company)}</a></section>'
    )
    focus = "" if people or company else " autofocus"
    form = (
        '<section aria-labelledby="own"><h2 id="own">Your account</h2>'
        f'<form method="post" action="/sign-in?next={target}">'
        '<label for="name">Name</label>'
        f'<input id="name" name="name" autocomplete="username" required maxlength="200"{focus}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required'
        ' maxlength="1000">'
        '<button class="go">Sign in</button></form>'
        '<p class="note">No account yet? An administrator makes it, on the People page or with '
        "<code>holdpoint users add</code>.</p></section>"
    )
    return _page().substitute(
        icon=_icon(),
        message=f'<p role="alert">{escape(message)}</p>' if message else "",
        demo=demo if people else "",
        company=by_company if company else "",
        form=form,
    )
