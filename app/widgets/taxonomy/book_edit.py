"""Changing the defect book: its texts, its pictures and their order, and carrying it elsewhere."""

from collections.abc import Sequence

import streamlit as st

from app import book_desk
from app.book_desk import BookState, Candidate
from app.widgets.desk.viewer import absolute, picture_url
from app.widgets.taxonomy.book_page import KINDS, really_word
from app.widgets.text import one_line, plain, share
from core.defect_book import MOST_CAPTION, MOST_TEXT, BookPage, Box, Example, ExampleKind
from core.plant import Site
from core.records import NO_DEFECT, Region
from core.taxonomy import Taxonomy

ACROSS = 6
ANY = "any label"


def edit_text(view: BookState, site: str, page: BookPage) -> None:
    """The words of a page."""
    key = f"book.text.{site}.{page.class_id}"
    asks = "How it comes about, how to see it, where it begins and ends, what it is not"
    text = st.text_area("What to know about it", page.text, key=key, height=150, max_chars=MOST_TEXT, placeholder=asks)
    st.button("Keep this text", key=f"{key}.keep", icon=":material/save:", disabled=text.strip() == page.text,
              on_click=book_desk.write, args=(view, site, page.class_id, text))  # fmt: skip


def edit_example(view: BookState, taxonomy: Taxonomy, one: Example, first: bool, last: bool) -> None:
    """What can be done with a picture on a page."""
    key = f"book.example.{one.id}.{one.kind}.{one.place}"
    with st.container(horizontal=True, gap="small"):
        st.button("Earlier", key=f"{key}.up", icon=":material/arrow_back:", disabled=first, help="Show it earlier",
                  on_click=book_desk.move, args=(view, one.id, -1))  # fmt: skip
        st.button("Later", key=f"{key}.down", icon=":material/arrow_forward:", disabled=last, help="Show it later",
                  on_click=book_desk.move, args=(view, one.id, 1))  # fmt: skip
        with st.popover("Change", icon=":material/edit:"):
            caption = st.text_input("What to look at", one.caption, key=f"{key}.caption", max_chars=MOST_CAPTION)
            kind, really = _kind(taxonomy, one.class_id, key, one.kind, one.really)
            st.button("Keep this", key=f"{key}.keep", icon=":material/save:", on_click=book_desk.change,
                      args=(view, one.id, caption, kind, really))  # fmt: skip
            st.button("Take off the page", key=f"{key}.off", icon=":material/delete:", on_click=book_desk.remove,
                      args=(view, one.id))  # fmt: skip


def add_picture(view: BookState, site: Site, page: BookPage) -> None:
    """Find a picture and say what it shows."""
    st.markdown("**Put a picture on this page**")
    key = f"book.find.{site.name}.{page.class_id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        classes = [page.class_id, *(one for one in site.taxonomy.ids if one != page.class_id), NO_DEFECT, ANY]
        word = {one: ANY if one == ANY else really_word(site.taxonomy, one) for one in classes}
        labelled = st.selectbox("Labelled as", classes, key=f"{key}.label", width=260, on_change=_anew, args=(view,),
                                format_func=word.__getitem__)  # fmt: skip
        words = st.text_input("or part, or number of a picture", key=f"{key}.words", width=260, max_chars=200,
                              on_change=_anew, args=(view,))  # fmt: skip
    found = book_desk.search(site.name, None if labelled == ANY else labelled, words, view.skip)
    if not found:
        st.caption(
            "No such picture" + (" behind these." if view.skip else ": label some first, or search for another.")
        )
    for start in range(0, len(found), ACROSS):
        for column, one in zip(st.columns(ACROSS, gap="small"), found[start : start + ACROSS], strict=False):
            with column:
                _offer(view, one)
    with st.container(horizontal=True):
        st.button("Back to the first", key=f"{key}.first", icon=":material/first_page:", disabled=not view.skip,
                  on_click=_anew, args=(view,))  # fmt: skip
        st.button("More pictures", key=f"{key}.more", icon=":material/expand_more:",
                  disabled=bool(words.strip()) or len(found) < book_desk.FOUND,
                  on_click=_go_on, args=(view,))  # fmt: skip
    chosen = next((one for one in found if one.image.id == view.chosen), None)
    if chosen is not None:
        _place(view, site, page, chosen)


def _offer(view: BookState, one: Candidate) -> None:
    number = one.image.id
    st.image(absolute(picture_url(one.image, "thumb")), width="stretch", alt=f"Image {number}, {one_line(one.says)}")
    st.caption(f"{number} · {plain(one.says, 60)}")
    st.button("Take this one", key=f"book.take.{number}", type="primary" if view.chosen == number else "secondary",
              on_click=_take, args=(view, number))  # fmt: skip


def _place(view: BookState, site: Site, page: BookPage, chosen: Candidate) -> None:
    """What the chosen picture shows, and where."""
    image = chosen.image
    key = f"book.place.{page.class_id}.{image.id}"
    with st.container(border=True):
        left, right = st.columns(2, gap="medium")
        with right:
            kind, really = _kind(site.taxonomy, page.class_id, key, ExampleKind.GOOD, None)
            choices = ["whole picture", *(_named(number, one) for number, one in enumerate(chosen.regions, 1)),
                       "another box"]  # fmt: skip
            first = next((number for number, one in enumerate(chosen.regions, 1) if one.class_id == page.class_id),
                         min(1, len(chosen.regions)))  # fmt: skip
            where = st.selectbox("Where to look", choices, first, key=f"{key}.where")
            at = choices.index(where)
            box = _typed_box(key, (image.width, image.height)) if at == len(choices) - 1 else (
                None if at == 0 else _box(chosen.regions[at - 1]))  # fmt: skip
            caption = st.text_input("What to look at", key=f"{key}.caption", max_chars=MOST_CAPTION)
            st.button("Put it on the page", key=f"{key}.add", icon=":material/add_photo_alternate:", type="primary",
                      on_click=book_desk.add,
                      args=(view, site.name, page.class_id, image.id, kind, caption, box, really))  # fmt: skip
        with left:
            st.image(absolute(book_desk.crop_of(image, box, 900)), width="stretch", alt=f"Image {image.id}")


def _kind(
    taxonomy: Taxonomy, class_id: str, key: str, kind: ExampleKind, really: str | None
) -> tuple[ExampleKind, str | None]:
    """What it shows; of a counter-example also what it is."""
    chosen = st.segmented_control("It", list(KINDS), default=kind, key=f"{key}.kind", required=True,
                                  format_func=lambda one: KINDS[one][0].lower())  # fmt: skip
    if chosen is not ExampleKind.COUNTER:
        return chosen or kind, None
    others = [NO_DEFECT, *(one for one in taxonomy.ids if one != class_id)]
    first = others.index(really) if really in others else 0
    other = st.selectbox("What it is", others, first, key=f"{key}.really",
                         format_func=lambda one: really_word(taxonomy, one))  # fmt: skip
    return chosen, other


def _typed_box(key: str, size_wh: tuple[int, int]) -> Box:
    wide, high = size_wh
    with st.container(horizontal=True):
        x = st.number_input("x", 0, wide - 1, 0, key=f"{key}.x", width=110)
        y = st.number_input("y", 0, high - 1, 0, key=f"{key}.y", width=110)
        width = st.number_input("width", 1, wide - int(x), min(200, wide - int(x)), key=f"{key}.w.{x}", width=110)
        height = st.number_input("height", 1, high - int(y), min(200, high - int(y)), key=f"{key}.h.{y}", width=110)
    return float(x), float(y), float(width), float(height)


def _box(region: Region) -> Box:
    return region.x, region.y, region.width, region.height


def _named(number: int, region: Region) -> str:
    score = "" if region.score is None else f" {share(region.score)}"
    return f"region {number}: {one_line(region.class_id or region.name, 40)}{score}"


def _take(view: BookState, image_id: int) -> None:
    view.chosen = image_id


def _anew(view: BookState) -> None:
    view.skip, view.chosen = 0, None


def _go_on(view: BookState) -> None:
    view.skip, view.chosen = view.skip + book_desk.FOUND, None


def exchange(view: BookState, site: Site, pages: Sequence[BookPage]) -> None:
    """Take the book away, or take in another's."""
    with st.expander("Carry it elsewhere", icon=":material/import_export:"):
        st.download_button("Taxonomy and book as JSON", lambda: book_desk.exported(site.taxonomy, pages),
                           file_name=f"book-{site.taxonomy_number}.json", mime="application/json",
                           icon=":material/download:", on_click="ignore", key=f"book.export.{site.name}")  # fmt: skip
        st.caption("Pictures are named by the hash of their bytes: a site that has the same files finds them.")
        with st.form("book.import", clear_on_submit=True):
            upload = st.file_uploader("A book as JSON", type=["json"], max_upload_size=2)
            if st.form_submit_button("Add to this book", icon=":material/upload:") and upload is not None:
                book_desk.take_in(view, site.name, upload.getvalue())
                st.rerun()
