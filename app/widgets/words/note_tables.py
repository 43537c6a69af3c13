"""Tables of the page of notes: functions, accuracy, versions and their difference, emerging names, imports."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import context
from app.jobs.words.notes import Accuracy, compare, function_table
from app.notes import NotesState, add_entry, relabel, set_rules
from app.widgets.frame import nothing
from app.widgets.text import count, local, one_line, plain, share
from app.widgets.words.note_text import marked
from core.learn.metrics.proportions import Interval, proportion_interval
from core.words.labelling.emerging import Emerging
from core.words.labelling.registry import LABELS, Combination, LabelRules
from data.store.words.notes_rows import KeptRules, NoteImport, Version

COMBINATIONS: tuple[Combination, ...] = ("weighted vote", "Dawid-Skene", "majority vote")


def functions(version: Version) -> None:
    """Coverage, overlaps, conflicts, accuracy and weight of each function."""
    says = {name: (kind, sentence) for name, kind, sentence in version.document["functions"]}
    notes = max(1, version.tally.get("counts", {}).get("notes", 0))
    rows = []
    for one in function_table(version):
        kind, sentence = says[one.name]
        accuracy = one.record.right / one.record.said if one.record.said else None
        rows.append({
            "function": one_line(one.name), "goes by": kind, "votes in": one.texts / notes, "words": one.words,
            "overlaps": one.overlaps / one.words if one.words else None,
            "conflicts": one.conflicts / one.words if one.words else None,
            "right": f"{one.record.right} of {one.record.said}" if one.record.said else "not measured",
            "accuracy": accuracy, "95%": _between(proportion_interval(one.record.right, one.record.said)),
            "weight": f"{one.weight[0]:.1f}" if one.weight[0] == one.weight[1]
            else f"{one.weight[0]:.1f} to {one.weight[1]:.1f}",
            "votes for": one_line(sentence),
        })  # fmt: skip
    rows.sort(key=lambda row: -row["words"])
    percent = st.column_config.NumberColumn(format="percent")
    shares = ("votes in", "overlaps", "conflicts", "accuracy")
    st.dataframe(rows, hide_index=True, column_config=dict.fromkeys(shares, percent))
    st.caption(
        f"Right counts spans on the labelled part ({count(version.document['labelled_part'], 'note')}) whose every "
        "word bears the label; the interval is exact and takes spans as independent. A weight is the log-odds of being "
        "right, smoothed and by label; at or below chance it is 0 and the function says nothing. Overlaps and "
        "conflicts are shares of the function's words."
    )


def rules_form(view: NotesState, site: str, kept: KeptRules, names: Sequence[str], may_change: bool) -> None:
    """How votes are joined, who stays silent, and the site's own words."""
    rules = kept.rules
    key = f"notes.rules.{site}.{kept.number}"
    for label, words in sorted(rules.entries.items()):
        st.caption(f"The site's own {label}: {plain(', '.join(words), 400)}")
    if not may_change:
        st.caption("QA leads, data scientists and administrators change the rules.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        combine = st.selectbox("Votes are joined by", COMBINATIONS, COMBINATIONS.index(rules.combine),
                               key=f"{key}.combine", width=260)  # fmt: skip
        limit = st.number_input("A label needs a probability of", 0.5, 0.99, rules.limit, 0.05, key=f"{key}.limit",
                                width=260)  # fmt: skip
    every = sorted({*names, *rules.off})
    off = st.multiselect("Functions that stay silent", every, list(rules.off), key=f"{key}.off")
    st.text_input("Reason", key=f"{key}.why", placeholder="Why, in a sentence", max_chars=300)
    made = LabelRules(rules.entries, tuple(off), float(limit), combine)
    st.button("Change the rules and label everything anew", key=f"{key}.save", icon=":material/save:", type="primary",
              on_click=set_rules, args=(view, site, kept, made, f"{key}.why"))  # fmt: skip
    if kept.number:
        st.caption(f"Rules {kept.number}, {plain(kept.by, 60)}, {local(kept.set_at)}: {plain(kept.reason)}")


def accuracy(found: Accuracy) -> None:
    """The share of right notes with its interval, and each label's own figures."""
    if found.interval is None:
        st.caption("No note of the measuring half has been checked yet.")
        return
    st.metric("Notes labelled right to the word", share(found.right / found.checked), width="content",
              help="Exact 95% interval (Clopper and Pearson 1934) over notes drawn at random.")  # fmt: skip
    st.caption(
        f"{found.right} of {found.checked} checked notes, {_between(found.interval)} with 95% confidence. Half of the "
        "checked notes, by chance, teach the functions their weights and are not counted here."
    )
    st.dataframe(
        [{"label": label, "given": given, "of these right": _rate(right, given), "true": true,
          "of these found": _rate(right, true)} for label, (right, given, true) in found.labels.items()],
        hide_index=True, height="content",
    )  # fmt: skip


def versions(view: NotesState, site: str, held: Sequence[Version], zone: str, may_change: bool) -> None:
    """Every run of the rules; what differs between two."""
    st.dataframe(
        [{"version": one.number, "rules": one.rules, "notes": one.tally.get("counts", {}).get("notes", 0),
          "labelled": one.tally.get("counts", {}).get("labelled", 0), "by": one_line(one.by),
          "begun": local(one.begun_at, zone),
          "state": "whole" if one.finished_at is not None else "not finished"} for one in held],
        hide_index=True, height="content",
    )  # fmt: skip
    if may_change:
        st.button("Label everything anew, with weights from every check", key=f"notes.fresh.{site}",
                  icon=":material/refresh:", on_click=relabel, args=(view, site, True))  # fmt: skip
    whole = [one.number for one in held if one.finished_at is not None]
    if len(whole) < 2:
        st.caption("A change of the rules makes a further version; the difference of two is shown here.")
        return
    with st.container(horizontal=True):
        old = st.selectbox("From version", whole, 1, key=f"notes.{site}.old", width=160)
        new = st.selectbox("to version", whole, 0, key=f"notes.{site}.new", width=160)
    found = compare(context.store(), site, old, new)
    st.markdown(f"**{found.differing:,} of {found.notes:,} notes differ.**")
    st.dataframe([{"label": label, "added": one.added, "removed": one.removed, "changed": one.changed}
                  for label, one in found.by_label.items()], hide_index=True, height="content")  # fmt: skip
    for example in found.examples[:8]:
        text = context.store().notes.get(example.note).text
        with st.container(border=True, gap="small"):
            st.caption(f"note {example.note}: only in version {old}, then only in version {new}")
            st.markdown(marked(text, example.before))
            st.markdown(marked(text, example.after))


def emerging(view: NotesState, site: str, found: Sequence[Emerging], may_change: bool) -> None:
    """Words that no list knows, each with its contexts and the way onto a list."""
    if not found:
        nothing("No new name", icon="new_releases", then="Words that come up oftener than before are listed here.")
        return
    for one in found:
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(one.word)}**", width="content")
                st.caption(f"{count(one.now, 'note')} lately, {one.before} before · among {plain(one.near)}",
                           width="content")  # fmt: skip
                st.space("stretch")
                if may_change:
                    key = f"notes.emerging.{site}.{one.word}"
                    st.selectbox("It is a", LABELS, None, key=key, placeholder="It is a …", width=180,
                                 label_visibility="collapsed")  # fmt: skip
                    st.button("Put it on the list", key=f"{key}.add", icon=":material/playlist_add:",
                              on_click=add_entry, args=(view, site, one.word, key))  # fmt: skip
            for context_ in one.contexts:
                st.caption(f"… {plain(context_)} …")


def imports(found: Sequence[NoteImport], zone: str) -> None:
    """What was read of each file, and what was not kept."""
    st.dataframe(
        [{"file": one_line(one.source, 60), "rows": one.counts.get("read", 0), "new": one.counts.get("new", 0),
          "known": one.counts.get("known", 0), "not cleared": one.counts.get("uncleared", 0),
          "not usable": _reasons(one.counts.get("refused", {})), "covered": _reasons(one.counts.get("covered", {})),
          "by": one_line(one.by), "when": local(one.imported_at, zone)} for one in found],
        hide_index=True, height="content",
    )  # fmt: skip


def aside(counts: Mapping[str, int]) -> None:
    """Why notes were set aside."""
    if counts:
        st.caption(f"Set aside: {plain(_reasons(counts))}.")


def _reasons(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items())) or "–"


def _rate(right: int, of: int) -> str:
    return f"{right} ({_between(proportion_interval(right, of))})" if of else "–"


def _between(interval: Interval | None) -> str:
    return "–" if interval is None else f"{share(interval.low)}–{share(interval.high)}"
