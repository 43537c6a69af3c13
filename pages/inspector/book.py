"""Defect book: what each class looks like, what only looks like it, and what is doubtful."""

from functools import partial

import streamlit as st

from app import book_desk, context
from app.book_desk import BookState
from app.state import state
from app.widgets.frame import nothing, notices, title
from app.widgets.gallery import site_choice
from app.widgets.taxonomy.book_edit import add_picture, edit_example, edit_text, exchange
from app.widgets.taxonomy.book_page import class_choice, show_page
from core.roles import Action

view = state(BookState)
title("inspector/book")
notices(view.message, view.failed)
site_name = site_choice([site.name for site in context.store().sites.all()], "book.site")
if site_name is None:
    nothing("No site yet", icon="domain", then="Make the demo plant, import a folder, or ask an administrator.")
    st.stop()

site = context.store().sites.get(site_name)
pages = book_desk.pages(site_name)
left, right = st.columns([1, 3], gap="medium")
with left:
    page = class_choice(site.taxonomy, pages)
    editing = context.may(Action.TAXONOMY) and st.toggle("Change the book", key="book.editing")
    if editing:
        exchange(view, site, pages)
if page is None:
    with right:
        nothing("No class yet", icon="account_tree", then="The book has a page for each class of the taxonomy.")
    st.stop()
with right:
    if editing and page.known:
        edit_text(view, site_name, page)
    show_page(site.taxonomy, page, partial(edit_example, view, site.taxonomy) if editing else None)
    if editing and page.known:
        add_picture(view, site, page)
