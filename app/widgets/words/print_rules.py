"""The form of what is asked of printed labels, and the catalogue."""

import streamlit as st

from app.printing import PrintsState, save_catalogue, save_rules
from app.widgets.text import count, local, one_line, plain
from core.words.date_forms import Order
from core.words.expiry import Printing
from core.words.identity import CatalogueItem
from core.words.print_check import PrintRules
from data.store.line.print_rows import KeptRules

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch",
             "pt": "Portuguese", "pl": "Polish", "ko": "Korean", "ja": "Japanese", "zh": "Chinese", "ar": "Arabic",
             "he": "Hebrew"}  # fmt: skip


def rules_form(view: PrintsState, site: str, part_type: str, kept: KeptRules | None, views: tuple[str, ...]) -> None:
    """What is asked of one part type's labels, as it is and as it may become."""
    rules = (kept.rules if kept is not None else None) or PrintRules()
    key = f"prints.{site}.{part_type}"
    left, right = st.columns(2, gap="medium")
    with left:
        expiry = st.checkbox("A date has to be there and good", rules.expiry, key=f"{key}.expiry")
        short_days = st.number_input("Held with fewer days left than", 0, 3650, rules.short_days, key=f"{key}.short",
                                     disabled=not expiry)  # fmt: skip
        orders = [None, *Order]
        order = st.selectbox("Dates begin with", orders, orders.index(rules.printing.order), key=f"{key}.order",
                             format_func=lambda one: "either: 03/04/26 stays two dates" if one is None else str(one),
                             disabled=not expiry)  # fmt: skip
        languages = st.multiselect("Languages of month names", list(LANGUAGES), list(rules.printing.languages),
                                   key=f"{key}.languages", format_func=LANGUAGES.__getitem__)  # fmt: skip
    with right:
        identity = st.checkbox("The text has to be the expected item's", rules.identity, key=f"{key}.identity",
                               help="Expected is the one item of the catalogue that names this part type.")  # fmt: skip
        margin = st.slider("Likelier than any other item by", 0.0, 0.95, rules.least_margin, 0.05, key=f"{key}.margin",
                           disabled=not identity)  # fmt: skip
        with_label = st.multiselect("Views that carry the label", sorted({*views, *rules.views}), sorted(rules.views),
                                    key=f"{key}.views", placeholder="Any view")  # fmt: skip
        julian = st.checkbox("Lot codes YDDD and YYDDD are days of making", rules.printing.julian, key=f"{key}.julian")
        shelf_days = st.number_input("Days that goods last after the day of making", 0, 3650,
                                     rules.printing.shelf_days or 0, key=f"{key}.shelf",
                                     help="0: only a printed expiry date counts.")  # fmt: skip
    made = PrintRules(Printing(order, tuple(languages) or ("en",), julian, shelf_days or None), frozenset(with_label),
                      expiry, short_days, identity, margin)  # fmt: skip
    number = 0 if kept is None else kept.number
    reason = st.text_input("Reason", key=f"{key}.reason.{number}", placeholder="Why, in a sentence")
    with st.container(horizontal=True):
        st.button("Ask this from now on", key=f"{key}.save", type="primary", icon=":material/save:",
                  on_click=save_rules, args=(view, site, part_type, made, reason, number))  # fmt: skip
        if kept is not None and kept.rules is not None:
            st.button("Ask nothing any more", key=f"{key}.off", icon=":material/label_off:",
                      on_click=save_rules, args=(view, site, part_type, None, reason, number))  # fmt: skip
    if kept is not None:
        st.caption(f"Number {kept.number}, {plain(kept.by, 60)}, {local(kept.set_at)}: {plain(kept.reason)}")


def catalogue(view: PrintsState, site: str, items: list[CatalogueItem], may_change: bool) -> None:
    """The items of a site, and a file in their place."""
    if items:
        st.caption(count(len(items), "item"))
        st.dataframe(
            [{"number": one.entry.sku, "title": one.entry.title, "part type": one.part_type,
              "language": one.entry.language, **one.entry.attributes} for one in items],
            hide_index=True,
        )  # fmt: skip
    if not may_change:
        st.caption("Data scientists and administrators bring in a catalogue.")
        return
    file = st.file_uploader("A CSV file with the columns sku and title; part_type, language and attributes such as "
                            "size or colour may follow", type="csv", key=f"prints.{site}.file")  # fmt: skip
    if file is not None:
        st.button(f"Put {one_line(file.name, 40)} in place of the catalogue", key=f"prints.{site}.take",
                  icon=":material/upload:", on_click=save_catalogue, args=(view, site, file.getvalue()))  # fmt: skip
