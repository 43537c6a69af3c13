"""A model's gate on a page: the answer, every criterion with its bounds, and the way to ask again."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import context, registry
from app.state import ModelsState
from app.theme import BadgeColour
from app.widgets.datasets.choice import dataset_choice
from app.widgets.jobs import follow_and_redraw, worker_state
from app.widgets.text import count, local, one_line, plain, share
from core.gates.records import Answer, GateResult
from core.plant import ModelVersion
from core.roles import Action

LOOKS: Mapping[Answer, tuple[str, BadgeColour]] = {
    Answer.PASS: (":material/check_circle:", "green"),
    Answer.FAIL: (":material/cancel:", "red"),
    Answer.UNSURE: (":material/help:", "orange"),
}
SPLITS = ("test", "val")


def answer_badge(answer: Answer) -> None:
    """Word, icon and colour."""
    icon, colour = LOOKS[answer]
    st.badge(str(answer), icon=icon, color=colour)


def gate_panel(view: ModelsState, version: ModelVersion, site: str, found: Sequence[GateResult]) -> None:
    """The last gate of a version at a site, those before it, and the way to another."""
    if not found:
        st.caption(
            f"{plain(version.name)} has not been through the gate at {plain(site)}. The gate measures it on pictures "
            "it has not seen and answers pass, fail, or how much more evidence it takes."
        )
    else:
        _shown(found[0])
    if context.may(Action.TRAIN):
        _ask(view, version, site)
    if len(found) > 1:
        with st.expander(f"{count(len(found) - 1, 'gate')} before"):
            st.dataframe([_line(one) for one in found[1:]], hide_index=True, height="content")


def _shown(kept: GateResult) -> None:
    document = kept.document
    with st.container(horizontal=True, vertical_alignment="center"):
        answer_badge(kept.answer)
        against = f"against {plain(kept.against)}" if kept.against else "with no model in use beside it"
        st.caption(
            f"{plain(kept.dataset)}, {plain(kept.split)} pictures, {against} · {plain(kept.by)}, "
            f"{local(kept.made_at)} · gate {kept.id}",
            width="content",
        )
    said = str(document["sentence"])
    st.markdown(plain(said[:1].upper() + said[1:], 500))
    criteria: Sequence[Mapping[str, Any]] = document["criteria"]
    order = {str(Answer.FAIL): 0, str(Answer.UNSURE): 1, str(Answer.PASS): 2}
    deciding = sorted((one for one in criteria if one["decides"]), key=lambda one: order[one["answer"]])
    st.dataframe([_row(one) for one in deciding], hide_index=True, height=min(38 + 35 * len(deciding), 460))
    st.caption(
        f"All bounds hold together: the chance that a model which breaks any limit passes is at most "
        f"{document['limits']['joint']:.0%}, so each of the {len(deciding)} criteria is answered at "
        f"{100 * document['level']:.2g}%. Pictures of one part count as one."
    )
    for one in document.get("cautions", ()):
        st.caption(plain(str(one), 400))
    _at_share(document)
    sliced = [one for one in criteria if not one["decides"] and not _restated(one, document)]
    if sliced:
        with st.expander("Blurry, dark and partial pictures: reported, they do not decide"):
            st.dataframe([_row(one) for one in sliced], hide_index=True, height="content")
            st.caption("The blurriest and the darkest tenth of the pictures, and those flagged so.")


def _at_share(document: Mapping[str, Any]) -> None:
    """What precision is where defects are as rare as on the line."""
    line = document.get("line_share")
    if line is None:
        return
    there = [one for one in document["criteria"] if _restated(one, document)]
    st.markdown(f"**Where defects are as rare as at {plain(line['site'])}**")
    st.caption(
        f"{line['value']:.2%} of the parts there are defective (between {line['low']:.2%} and {line['high']:.2%}, from "
        f"{count(line['answers'], 'answer')} about held and audited parts of the last {line['days']} days). The list "
        "has its own balance; these figures weigh its parts as the line has them."
    )
    st.dataframe([_row(one) for one in there], hide_index=True, height="content")


def _restated(one: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    line = document.get("line_share")
    return line is not None and str(one["name"]).endswith(f"at {line['site']}'s share of defects")


def _row(one: Mapping[str, Any]) -> dict[str, str]:
    more, unsure = one["more_needed"], one["answer"] == str(Answer.UNSURE)
    return {
        "answer": {"pass": "✓ pass", "fail": "✕ fail"}.get(one["answer"], "? not enough"),
        "criterion": one_line(str(one["name"])),
        "value": _figure(one["value"]),
        "bounds": f"{_figure(one['low'])} to {_figure(one['high'])}",
        "limit": f"{'at least' if one['at_least'] else 'at most'} {_figure(one['limit'])}",
        "of": f"{one['n']:,} {one['unit']}",
        "more needed": f"{more:,}" if more is not None else "none would do" if unsure else "",
    }


def _figure(value: float | None) -> str:
    """A share or a difference; what is not nought never reads so."""
    if value is None or value == 0:
        return "–" if value is None else "0"
    if abs(value) < 0.001:
        return "under .001" if value > 0 else "over −.001"
    sign = "−" if value < 0 else ""
    return sign + (f"{abs(value):.3f}"[1:] if abs(value) < 0.01 else share(abs(value)))


def _line(one: GateResult) -> dict[str, str]:
    return {
        "when": local(one.made_at),
        "answer": str(one.answer),
        "on": one_line(f"{one.dataset}, {one.split}"),
        "against": one.against or "–",
        "by": one_line(one.by),
        "said": one_line(str(one.document["sentence"])),
    }


def _ask(view: ModelsState, version: ModelVersion, site: str) -> None:
    key = f"models.gate.{version.name}.{site}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = dataset_choice(SPLITS, key=key)
        if chosen is None:
            return
        dataset, split = chosen
        st.button("Run the gate", key=f"{key}.run", icon=":material/door_front:", disabled=split is None,
                  on_click=registry.submit_gate, args=(view, version.name, site, dataset, split))  # fmt: skip
    if view.job is not None:
        worker_state()
        follow_and_redraw(view.job)
