"""What the thresholds page keeps and what its buttons do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import streamlit as st

from app import context
from app.jobs.quality import thresholds as job
from app.jobs.quality.thresholds import Study, rounded_down, rounded_up
from app.state import FormState, told
from core.decide.guarantee import Guarantee
from core.decide.optimum import Best, Prices
from core.decide.replay import Replay, replay
from core.decide.staffing import Backlog, Staffing, simulate_queue
from core.errors import BadInput

FRESH = timedelta(minutes=5)
QUEUE_DAYS = 28
LOW, HIGH, BAND = "thresholds.low", "thresholds.high", "thresholds.band"


@dataclass
class ThresholdsState(FormState):
    """Thresholds page.

    Attributes:
        about: site and weeks that the study is of.
        study: read when the page was opened, when the policies changed, and every few minutes.
        low, high: the band that is tried.
        asked: what the guarantee was asked, and its answer.
        replayed: the band that was replayed, what came of it, and the queue it makes.
    """

    about: tuple[str, int] | None = None
    study: Study | None = None
    read_at: datetime | None = None
    low: float = 0.2
    high: float = 0.8
    asked: object = None
    promise: Guarantee | None = None
    weighed: object = None
    best: Best | None = None
    replayed: tuple[tuple[float, float], Replay, Backlog] | None = None


def study(view: ThresholdsState, site: str, weeks: int) -> Study:
    """The parts of a site's last weeks; read again when that is needed."""
    store, now = context.store(), context.now()
    old = view.study
    if (
        old is None
        or view.about != (site, weeks)
        or view.read_at is None
        or now - view.read_at > FRESH
        or old.version != store.policies.version(site)
    ):
        old = job.gather(store, site, weeks, now)
        if view.about is None or view.about[0] != site:
            _set(view, *old.base.band)
        view.about, view.study, view.read_at = (site, weeks), old, now
        view.asked = view.promise = view.weighed = view.best = view.replayed = None
    return old


def promise(view: ThresholdsState, found: Study, miss: float, confidence: float, classes: Sequence[str]) -> Guarantee:
    """What is guaranteed; asked again only when the question changes."""
    asked = (miss, confidence, tuple(classes))
    if view.promise is None or view.asked != asked:
        view.promise, view.asked = job.promise(found.past, miss, confidence, classes), asked
    return view.promise


def best(view: ThresholdsState, found: Study, prices: Prices, staffing: Staffing) -> Best | None:
    """The band of least cost; weighed again only when figures change."""
    asked = (prices, staffing)
    if view.weighed != asked:
        view.best, view.weighed = job.best_band(found.past, prices, staffing), asked
    return view.best


def moved_slider(view: ThresholdsState) -> None:
    """The slider was moved: the number boxes follow."""
    _set(view, *st.session_state[BAND])


def moved_number(view: ThresholdsState) -> None:
    """A number was typed: the slider follows; an edge pushed past the other takes it along."""
    low, high = st.session_state[LOW], st.session_state[HIGH]
    if low > high:
        low, high = (low, low) if low != view.low else (high, high)
    _set(view, low, high)


def take(view: ThresholdsState, low: float, high: float) -> None:
    """Try a band that was found."""
    _set(view, rounded_down(low), rounded_up(max(low, high)))


def _set(view: ThresholdsState, low: float, high: float) -> None:
    view.low, view.high = float(low), float(high)
    st.session_state[LOW], st.session_state[HIGH] = view.low, view.high
    st.session_state[BAND] = (view.low, view.high)


def keep_keys(view: ThresholdsState) -> None:
    """Give the controls their values: those of a page that was left are forgotten by Streamlit, not by its state."""
    if LOW not in st.session_state or HIGH not in st.session_state or BAND not in st.session_state:
        _set(view, view.low, view.high)


def run_replay(view: ThresholdsState, found: Study, prices: Prices, staffing: Staffing) -> None:
    """Decide every part of the weeks again under the band that is tried, and run the queue it makes."""
    with told(view):
        draft = replace(found.base, pass_below=view.low, fail_above=view.high)
        again = replay(found.parts, draft, found.in_force, prices=prices)
        held = sum(count for outcome, count in again.would.items() if outcome.value == "HOLD")
        share = held / again.parts if again.parts else 0.0
        queue = simulate_queue(staffing, share, QUEUE_DAYS, np.random.default_rng(0))
        view.replayed = ((view.low, view.high), again, queue)


def propose(view: ThresholdsState, found: Study, best_one: Best | None, prices: Prices, why_key: str) -> None:
    """Propose the band that is tried, with the optimum beside it; somebody else approves it."""
    with told(view):
        reason = str(st.session_state.get(why_key, "")).strip()
        if not reason:
            raise BadInput("Say in a sentence why these thresholds are right: the one who approves reads it.")
        optimum = None
        if best_one is not None:
            optimum = job.recorded(found, best_one, (view.low, view.high), prices, reason)
        draft = replace(found.base, site=found.site.name, pass_below=view.low, fail_above=view.high, optimum=optimum)
        made = context.store().policies.put_forward(draft, reason, seen=found.version, now=context.now())
        view.message = f"Policy {made.number} waits for approval by somebody else, on the Policy page."
        st.session_state[why_key] = ""
