"""The thresholds page below its title: controls, charts, what a band means and guarantees, how to propose it."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from app import threshold_desk as desk
from app.jobs.quality import thresholds as job
from app.jobs.quality.thresholds import Effect, Study
from app.threshold_desk import BAND, HIGH, LOW, ThresholdsState
from app.widgets.frame import notices
from app.widgets.quality.threshold_charts import distributions, figures, over_thresholds
from app.widgets.quality.threshold_tables import comparison, near_misses, replayed
from app.widgets.text import count, plain, share
from core.decide.guarantee import Guarantee, Status
from core.decide.optimum import Best, Prices
from core.decide.rates import curves, grid
from core.decide.staffing import Staffing

STEP = 0.0001
POINTS = 90
WORDS = {
    Status.MET: ("met", ":material/verified:", "green"),
    Status.IMPOSSIBLE: ("impossible", ":material/block:", "red"),
    Status.INSUFFICIENT: ("not enough evidence", ":material/hourglass_empty:", "orange"),
}


@dataclass(frozen=True)
class Asked:
    """What the controls of the right column say."""

    miss: float
    confidence: float
    classes: tuple[str, ...]
    prices: Prices
    staffing: Staffing


@st.fragment
def panel(view: ThresholdsState, study: Study) -> None:
    """Everything that follows a slider; only this part of the page is drawn again."""
    desk.keep_keys(view)
    left, right = st.columns([3, 2], gap="medium")
    with right:
        asked = _questions(study)
    promise = desk.promise(view, study, asked.miss, asked.confidence, asked.classes)
    best = desk.best(view, study, asked.prices, asked.staffing)
    with left:  # first what moves with the slider: the browser draws it while the rest is on its way
        figures(distributions(study.past, view.low, view.high, _marks(study, promise, best)), key="thresholds.scores")
        _edges(view)
        found = curves(study.past, grid(study.past, POINTS, view.low, view.high), view.high, asked.prices,
                       asked.staffing, asked.confidence)  # fmt: skip
        figures(over_thresholds(found, view.low, view.high), key="thresholds.curves")
    with right:
        _meaning(view, study, asked, job.effect(study.past, view.low, view.high, asked.prices))
        _promise(view, study, promise)
        _best(view, best, promise)
    comparison(study, view, promise, best, asked.prices)
    _propose(view, study, best, asked.prices)
    near_misses(study, view.low, view.high)
    replayed(view, study, asked.prices, asked.staffing)


def _edges(view: ThresholdsState) -> None:
    """Both edges as one slider and two numbers."""
    st.slider("HOLD between", 0.0, 1.0, step=STEP, format="%.4f", key=BAND, on_change=desk.moved_slider, args=(view,))
    one, two = st.columns(2)
    one.number_input("Pass below", 0.0, 1.0, step=0.01, format="%.4f", key=LOW, on_change=desk.moved_number,
                     args=(view,))  # fmt: skip
    two.number_input("Fail above", 0.0, 1.0, step=0.01, format="%.4f", key=HIGH, on_change=desk.moved_number,
                     args=(view,))  # fmt: skip


def _questions(study: Study) -> Asked:
    """What to guarantee, what things cost and who looks; what nobody has set is called an assumption."""
    staffing, guessed = job.staffing_of(study.base.attendance, study.rates)
    prices, priced = job.prices_of(study.base.costs, staffing.seconds_per_look)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        miss = st.number_input("Miss at most, %", 0.01, 50.0, 1.0, 0.1, key="thresholds.miss", width=130,
                               help="The share of defective parts that may pass.")  # fmt: skip
        sure = st.number_input("Sure, %", 50.0, 99.9, 95.0, 1.0, key="thresholds.sure", width=110)
        known = study.site.taxonomy.ids
        classes = st.multiselect("And for each class", known, [one for one in study.safety_classes if one in known],
                                 key=f"thresholds.classes.{study.site.name}",
                                 help="Safety classes share the error with the site.")  # fmt: skip
    said = " · ".join(["assumed cost"] * priced + ["assumed pace"] * guessed) or "from the policy and measured"
    with st.popover(f"Costs and inspectors ({said})", icon=":material/payments:"):
        st.caption("Set for good on the Policy page; here they are tried.")
        key = f"thresholds.{study.site.name}"
        of_miss = st.number_input("A miss costs", 0.0, value=float(prices.miss), key=f"{key}.ofmiss")
        of_reject = st.number_input(
            "A false reject costs", 0.0, value=float(prices.false_reject), key=f"{key}.ofreject"
        )
        look = st.number_input("A look costs", 0.0, value=float(prices.look), key=f"{key}.look")
        inspectors = st.number_input("Inspectors at a time", 0.0, 100.0, float(staffing.inspectors), 0.5,
                                     key=f"{key}.inspectors")  # fmt: skip
        seconds = st.number_input("Seconds for a look", 1.0, 3600.0, float(staffing.seconds_per_look), 1.0,
                                  key=f"{key}.seconds")  # fmt: skip
        tried = Staffing(staffing.parts_per_hour, seconds, inspectors, staffing.hours, staffing.running_hours)
        st.caption(plain(tried.said, 300))
    return Asked(miss / 100, sure / 100, tuple(classes), Prices(of_miss, of_reject, look), tried)


def _meaning(view: ThresholdsState, study: Study, asked: Asked, now: Effect) -> None:
    today = None
    if study.standing:
        today = job.effect(study.past, *study.base.band, asked.prices)
    bound = job.miss_bound(study.past, view.low, asked.confidence)
    with st.container(border=True):
        st.markdown(f"**Hold from {share4(view.low)} to {share4(view.high)}**")
        for line in job.meaning(study, now, today, bound, asked.confidence, asked.staffing):
            st.markdown(plain(line, 400))
    if study.unanswered:
        st.caption(
            f"{count(study.unanswered, 'held or audited part')} without an answer yet: these figures are of the "
            "others, and move when the queue is cleared."
        )


def _promise(view: ThresholdsState, study: Study, promise: Guarantee) -> None:
    word, icon, colour = WORDS[promise.status]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Guarantee**", width="content")
            st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]  # one of the names above
            st.space("stretch")
            if promise.status is Status.MET:
                st.button("Try it", key="thresholds.takepromise", on_click=desk.take,
                          args=(view, promise.pass_below, view.high))  # fmt: skip
        st.markdown(plain(promise.sentence, 500))
        if study.unanswered:
            st.caption(
                f"It is about the parts that were answered. {study.unanswered:,} more that were held or drawn "
                "still wait, and which of them wait is no chance: it holds for the site when they are answered."
            )
        if len(promise.families) > 1:
            st.caption(plain(
                "Each holds alone with an error of "
                f"{promise.delta:.2%}: " + "; ".join(
                    f"{name} {one.status} ({one.missed:,} of {one.defective:,})"
                    for name, one in promise.families.items()
                ), 400))  # fmt: skip


def _best(view: ThresholdsState, best: Best | None, promise: Guarantee) -> None:
    with st.container(border=True):
        if best is None:
            st.markdown("**Optimum**")
            st.caption("Nothing is labelled by chance yet, so nothing can be weighed: answer held and audited parts.")
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Least cost: hold from {share4(best.pass_below)} to {share4(best.fail_above)}**",
                        width="content")  # fmt: skip
            st.space("stretch")
            st.button("Try it", key="thresholds.takebest", on_click=desk.take,
                      args=(view, best.pass_below, best.fail_above))  # fmt: skip
        more = "; the inspectors' capacity stops it from holding more" if best.bound else ""
        st.caption(f"{1000 * best.cost:,.0f} per 1,000 parts{more}.")
        if best.pass_below > promise.pass_below:
            st.caption("It would pass more than is guaranteed: costs weigh a miss, they do not forbid it.")


def _marks(study: Study, promise: Guarantee, best: Best | None) -> Mapping[str, float]:
    marks = {}
    if promise.status is Status.MET:
        marks["guaranteed"] = promise.pass_below
    if best is not None:
        marks["least cost"] = best.pass_below
        marks["least cost, fail"] = best.fail_above
    f2 = job.best_f2(study.past)
    if f2 is not None:
        marks["best F2"] = f2[0]
    return marks


def _propose(view: ThresholdsState, study: Study, best: Best | None, prices: Prices) -> None:
    why = f"thresholds.why.{study.site.name}"
    with st.container(horizontal=True, vertical_alignment="bottom", border=True):
        st.text_input("Why these thresholds are right", key=why, max_chars=300, on_change="ignore",
                      placeholder="One sentence that an auditor will read")  # fmt: skip
        st.button(f"Propose {share4(view.low)} to {share4(view.high)}", key="thresholds.propose", type="primary",
                  icon=":material/send:", on_click=desk.propose,
                  args=(view, study, best, prices, why))  # fmt: skip
    notices(view.message, view.failed)


def share4(value: float) -> str:
    """A threshold with as many digits as it needs, up to four."""
    text = f"{value:.4f}".rstrip("0")
    return share(value) if len(text.rpartition(".")[2]) <= 2 else text.removeprefix("0")
