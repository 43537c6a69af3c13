"""One page of the defect book: what the class is, and pictures that show it, only look like it, or are doubtful."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app import book_desk
from app.theme import BadgeColour
from app.widgets.desk.viewer import absolute
from app.widgets.text import count, local, one_line, plain
from core.defect_book import BookPage, Example, ExampleKind
from core.records import NO_DEFECT, Image, ImageState
from core.taxonomy import DefectClass, Taxonomy

ACROSS = 4
WIDE = 640  # pixels of a crop

KINDS: Mapping[ExampleKind, tuple[str, str, BadgeColour, str]] = {
    ExampleKind.GOOD: ("Shows it", ":material/check_circle:", "green", "Pictures that show the defect as it is."),
    ExampleKind.COUNTER: (
        "Only looks like it", ":material/block:", "red", "Easily taken for it, and something else."
    ),
    ExampleKind.BORDERLINE: (
        "Borderline", ":material/help:", "orange", "Where people differ: what was settled, and why."
    ),
}  # fmt: skip


def class_choice(taxonomy: Taxonomy, pages: Sequence[BookPage]) -> BookPage | None:
    """The page to read; the address keeps it."""
    if not pages:
        return None
    names = [one.class_id for one in pages]
    words = {one.class_id: _label(taxonomy, one) for one in pages}
    captions = [_filled(one) for one in pages]
    chosen = st.radio("Class", names, key="book.class", format_func=words.__getitem__, bind="query-params",
                      captions=captions)  # fmt: skip
    return pages[names.index(chosen)] if chosen in names else None


def _label(taxonomy: Taxonomy, page: BookPage) -> str:
    return plain(taxonomy.get(page.class_id).label) if page.known else f"{plain(page.class_id)} (retired)"


def _filled(page: BookPage) -> str:
    if not page.examples:
        return "no picture yet" if not page.text else "a text, no picture yet"
    return ", ".join(f"{len(page.of(kind))} {word}" for kind, word in
                     ((ExampleKind.GOOD, "good"), (ExampleKind.COUNTER, "counter"), (ExampleKind.BORDERLINE,
                      "borderline")) if page.of(kind))  # fmt: skip


def show_page(taxonomy: Taxonomy, page: BookPage, edit: Callable[[Example, bool, bool], None] | None) -> None:
    """What everybody reads.

    Args:
        taxonomy: of the site.
        page: of the book.
        edit: draws what can be done with an example, told whether it is the first and the last of its kind; None for
            those who only read.
    """
    entry = taxonomy.get(page.class_id) if page.known else DefectClass(page.class_id)
    st.subheader(plain(entry.label), anchor=False)
    _facts(entry, page.known)
    if page.text and edit is None:
        st.markdown("  \n".join(plain(line, 6000) for line in page.text.splitlines()))
        st.caption(f"{plain(page.by)}, {local(page.written_at)}")
    images = book_desk.images_of(page)
    if page.held_back:
        st.info(
            f"{count(page.held_back, 'picture')} of this page {'is' if page.held_back == 1 else 'are'} not shown to "
            "you now: the part waits for an answer, which the book would give away.",
            icon=":material/visibility_off:",
        )
    for kind, (word, icon, colour, says) in KINDS.items():
        mine = page.of(kind)
        if not mine and edit is None:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(word, icon=icon, color=colour)
            st.caption(says, width="content")
        if not mine:
            st.caption("None yet.")
        for start in range(0, len(mine), ACROSS):
            for column, one in zip(st.columns(ACROSS, gap="small"), mine[start : start + ACROSS], strict=False):
                with column:
                    _card(taxonomy, one, images.get(one.image_id))
                    if edit is not None:
                        edit(one, one is mine[0], one is mine[-1])
    if not page.examples and not page.text and not page.held_back and edit is None:
        st.caption("Nobody has written this page yet. QA leads and data scientists can: switch on 'Change the book'.")


def _facts(entry: DefectClass, known: bool) -> None:
    told = [plain(entry.id)]
    if entry.parent:
        told.append(f"one of {plain(entry.parent)}")
    if known:
        told.append(", ".join(entry.severities))
    if entry.aliases:
        told.append(f"also called {plain(', '.join(entry.aliases), 160)}")
    st.caption(" · ".join(told))
    if entry.description:
        st.markdown(plain(entry.description, 2000))


def _card(taxonomy: Taxonomy, one: Example, image: Image | None) -> None:
    if image is None or image.state is not ImageState.OK:
        why = "is not there any more" if image is None else one_line(image.state.value)
        st.caption(f":material/broken_image: picture {one.image_id}: {plain(why)}")
    else:
        alt = f"{KINDS[one.kind][0]}: {one_line(one.caption) or one_line(one.class_id)}"
        st.image(absolute(book_desk.crop_of(image, one.box, WIDE)), width="stretch", alt=alt)
    if one.really is not None:
        st.badge(f"is {really_word(taxonomy, one.really)}", icon=":material/arrow_forward:", color="gray")
    told = [plain(one.caption, 300)] if one.caption else []
    if image is not None and one.box is not None:
        told.append(f"[whole picture](/img/{image.id}/screen)")
    if told:
        st.markdown(" · ".join(told))


def really_word(taxonomy: Taxonomy, class_id: str) -> str:
    """A class, or no defect, in words."""
    if class_id == NO_DEFECT:
        return "no defect"
    return plain(taxonomy.get(class_id).label if class_id in taxonomy.ids else class_id)
