"""The entry, twice: the server that `streamlit run app/main.py` starts, and the frame it draws around every page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from app import context, theme
from app.correcting import forget_saved_drafts
from app.jobs.upkeep.sealing import Sealer
from app.navigation import PAGES_FOLDER, check_page, navigation
from app.web import oidc
from app.web.guard import Guard, check_config
from app.web.listening import send_at_once
from app.web.routes import routes
from app.widgets.frame import person_menu, say_no, signed_out, status_bar
from core.errors import HoldpointError, NotAllowed


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Refuse to start with a protection off, and open the store before the first visitor."""
    check_config(st.get_option)
    send_at_once()
    context.warm(PAGES_FOLDER)
    oidc.check(context.settings())
    with Sealer(context.plant(), context.settings()):
        yield


def frame() -> None:
    """One run of the app for one person: who is it, which pages are theirs, then the page itself."""
    st.set_page_config(page_title="Holdpoint", page_icon=str(theme.ICON), layout="wide")
    theme.apply()
    try:
        person = context.me()
    except NotAllowed:
        signed_out()
        st.stop()
    page = navigation(person.role)
    person_menu(person)
    status_bar()
    forget_saved_drafts()
    try:
        check_page(page, person.role)
        page.run()
    except HoldpointError as error:
        say_no(error)


if __name__ == "__main__":  # Streamlit runs this file again for every visitor
    frame()
elif __name__ != "__mp_main__":  # and imports it once, to serve it; a child process needs neither
    app = st.App(
        Path(__file__),
        routes=routes(),
        middleware=[
            Middleware(
                Guard,
                signed_in=context.signed_in,
                may_upload=context.may_upload,
                allowed_hosts=lambda: st.get_option("server.allowedHosts"),
            )
        ],
        lifespan=lifespan,
    )
