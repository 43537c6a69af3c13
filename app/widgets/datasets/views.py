"""A dataset on its page: its certificate, what is in it, what may go wrong, and how it differs from another."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.datasets import Opened, differs, site_shares
from app.theme import BadgeColour
from app.widgets.charts import plot
from app.widgets.gallery import gallery
from app.widgets.text import count, one_line, plain
from core.learn.datasets.checks import Result
from core.learn.datasets.overview import Overview, risks

LOOKS: Mapping[str, tuple[str, BadgeColour]] = {
    Result.PASS: (":material/check_circle:", "green"),
    Result.FAIL: (":material/cancel:", "red"),
    Result.UNSURE: (":material/help:", "orange"),
    Result.ABSENT: (":material/remove:", "gray"),
}
_HELD = {
    True: ":green-badge[:material/check_circle: well]",
    False: ":orange-badge[:material/error: look at it]",
    None: ":gray-badge[:material/remove: not known]",
}
_ORDER = (Result.FAIL, Result.UNSURE, Result.PASS, Result.ABSENT)


def result_badge(result: str) -> None:
    """One of the four answers: word, icon and colour together."""
    icon, colour = LOOKS[result]
    st.badge(result, icon=icon, color=colour)


def certificate(found: Opened, *, key: str) -> None:
    """Each check with its answer, the failing first; what offends as pictures."""
    known = found.head.get("certificate", {})
    if "checks" not in known:
        st.info("This dataset was built before there were certificates: build it anew to have one. Groups and files "
                "are each on one side.", icon=":material/history:")  # fmt: skip
        return
    if known["result"] == Result.FAIL:
        st.error("A failed check stops a training. `holdpoint train --despite REASON` goes on all the same; the reason "
                 "stays in the model's card.", icon=":material/block:")  # fmt: skip
    for check in sorted(known["checks"], key=lambda one: _ORDER.index(Result(one["result"]))):
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                result_badge(check["result"])
                st.markdown(f"**{plain(check['name'].capitalize())}**", width="content")
                st.caption(_figure(check), width="content")
            st.markdown(plain(check["sentence"], 500))
            _details(check)
            _offending(check, found.images, key=key)


def _figure(check: Mapping[str, Any]) -> str:
    if check.get("value") is None:
        return ""
    told = f"{check['value']:.3f}"
    if check.get("interval"):
        told += f" ({check['interval'][0]:.3f} to {check['interval'][1]:.3f})"
    return f"{told} · limit {check['limit']:g} · n {check['n']:,}"


def _details(check: Mapping[str, Any]) -> None:
    if not check.get("details"):
        return
    with st.expander(count(len(check["details"]), "figure")):
        st.dataframe(
            [
                {
                    "of": one["name"],
                    "answer": one["result"] + (", marginal" if one["marginal"] else ""),
                    "value": f"{one['value']:+.1%}" if check["name"] == "camera balance" else f"{one['value']:.1%}",
                    "from": None if one["interval"] is None else f"{one['interval'][0]:.1%}",
                    "to": None if one["interval"] is None else f"{one['interval'][1]:.1%}",
                    "limit": f"{one['limit']:.0%}",
                    "n": one["n"],
                }
                for one in check["details"]
            ],
            hide_index=True,
            height="content",
        )


def _offending(check: Mapping[str, Any], images: Mapping[str, int], *, key: str) -> None:
    paths = check.get("images", ())
    if not paths:
        return
    with st.expander(f"{count(check['offending'], 'picture')} that it is about", key=f"{key}.{check['name']}"):
        gallery([images[path] for path in paths if path in images], width=96, most=8)
        st.code("\n".join(one_line(path, 160) for path in paths), language=None)


def composition(found: Opened) -> None:
    """By class, from what there was to what is trained on and measured."""
    table = found.head.get("composition")
    if not table:
        st.dataframe([{"side": side, **{name: str(value) for name, value in row.items()}}
                      for side, row in found.head.get("counts", {}).items()], hide_index=True)  # fmt: skip
        return
    st.dataframe(
        [{"class": name or "all pictures", **row} for name, row in table.items()], hide_index=True, height="content"
    )
    st.caption("Raw is what the filters chose; balanced is what one turn of training shows, repeats and guesses "
               "included. A picture with two classes is in two rows.")  # fmt: skip
    left = found.head.get("left_out") or {}
    if left:
        st.caption("Left out: " + ", ".join(f"{plain(why)} {number:,}" for why, number in left.items()) + ".")


def overview(found: Opened, sites: Sequence[str], *, key: str) -> None:
    """The checklist, sizes, and training beside the site."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("What may go wrong", anchor=False)
        for risk in risks(found.training):
            st.markdown(f"{_HELD[risk.held]} **{risk.name}.** {plain(risk.sentence, 400)}")
        _prevalence(found.whole, found.training)
    with right:
        st.subheader("How large the drawn defects are", anchor=False)
        _sizes(found.training, key=key)
    _beside(found, sites)


def _prevalence(whole: Overview, training: Overview) -> None:
    rows = []
    for what in ("picture", "part", "tile"):
        one, all_of_it = training.prevalence[what], whole.prevalence[what]
        rows.append({"by": what, "defective in training": "–" if one is None else f"{one:.2%}",
                     "in all of it": "–" if all_of_it is None else f"{all_of_it:.2%}"})  # fmt: skip
    st.dataframe(rows, hide_index=True, height="content")


def _sizes(found: Overview, *, key: str) -> None:
    if not found.regions:
        st.caption("Nobody has drawn a defect on the training pictures.")
        return
    import plotly.graph_objects as go

    figure = go.Figure(go.Bar(x=list(found.sizes), y=list(found.sizes.values()), marker_color="#0072b2",
                              hovertemplate="%{y:,} defects of %{x}<extra></extra>"))  # fmt: skip
    figure.update_xaxes(title="longer side in the picture's own pixels")
    figure.update_yaxes(title="drawn defects")
    plot(figure, key=f"{key}.sizes", height=300)
    small = sum(found.sizes[name] for name in ("under 10 px", "10–25 px", "25–50 px")) / found.regions
    middle = found.sizes["50–100 px"] / found.regions
    st.caption(f"{found.regions:,} drawn defects on {found.pictures:,} training pictures: {small:.0%} under 50 px, "
               f"{middle:.0%} of 50 to 100 px.")  # fmt: skip


def _beside(found: Opened, sites: Sequence[str]) -> None:
    st.subheader("Training beside the site", anchor=False)
    there = site_shares(list(sites))
    columns = st.columns(2, gap="medium")
    for column, what, told in zip(columns, ("camera", "part_type"), ("camera", "part type"), strict=True):
        here = found.mixtures[what]
        names = sorted({*here, *there.get(what, {})}, key=lambda name: -here.get(name, 0.0))
        every = there.get(what, {})
        rows = [{told: one_line(name, 60), "in training": f"{here.get(name, 0):.1%}",
                 "of all pictures there": f"{every.get(name, 0):.1%}"} for name in names[:20]]  # fmt: skip
        column.dataframe(rows, hide_index=True, height="content")
    st.caption("All pictures there: labelled or not, of " + plain(", ".join(sites) or "no site") + ".")


def settings(found: Opened) -> None:
    """What it was built from; enough to build the same again."""
    head = {key: value for key, value in found.head.items() if key not in ("certificate", "composition", "counts")}
    st.json(head, expanded=2)


def comparison(name: str, others: Sequence[str], *, key: str) -> None:
    """How it differs from another one."""
    other = st.selectbox("Beside", others, index=None, key=f"{key}.other", format_func=one_line,
                         placeholder="Choose an earlier one")  # fmt: skip
    if not other:
        st.caption("Settings, pictures, sides and labels, from the other one to this.")
        return
    found = differs(other, name)
    if found["same"]:
        st.success("Both hold the same pictures, sides and labels.", icon=":material/check:")
        return
    one, two, three, four = st.columns(4)
    one.metric("Only in the other", f"{found['pictures']['only_first']:,}")
    two.metric("New here", f"{found['pictures']['only_second']:,}")
    three.metric("On another side", f"{sum(found['moved'].values()):,}")
    four.metric("Relabelled", f"{found['relabelled']:,}")
    if found["settings"]:
        st.dataframe([{"setting": name, "there": str(before), "here": str(after)}
                      for name, (before, after) in found["settings"].items()], hide_index=True)  # fmt: skip
    for what, examples in found["examples"].items():
        if examples:
            with st.expander(what.replace("_", " ").replace("first", "in the other").replace("second", "here")):
                st.code("\n".join(one_line(one, 200) for one in examples), language=None)
