"""Whether a model's scores are probabilities at a site: who confirmed it on what, and until when."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from app import context, ruling
from app.jobs.quality import recalibration
from app.state import FormState
from app.widgets.frame import nothing
from app.widgets.text import count, plain, share
from core.decide.attendance import Rates, contradictions, pace
from core.decide.policy import Policy
from core.decide.requests import Matrix, Wish, caveats
from core.decide.score_map import in_words, read_map
from core.errors import BadInput
from core.plant import Site

AGAIN = timedelta(days=90)
AS_NOW, ANEW, OWN = "as they are read now", "fitted anew", "the model's own, as they are"


def calibration(view: FormState, site: Site) -> None:
    """What is confirmed, what has been measured since, and the form that asks for a confirmation."""
    store, now = context.store(), context.now()
    last = next((one for one in store.requests.history(site.name)
                 if one.wish is Wish.CALIBRATION and one.approved_by is not None), None)  # fmt: skip
    if site.model is None:
        nothing("No model in use here", icon="model_training", then="A calibration is confirmed for a model.")
        return
    _confirmed(view, site, last)
    matrix = store.requests.matrix(site.name, now=now)
    st.markdown(f"**Measured now** · {plain(site.model)}")
    if matrix is None:
        st.caption("No labelled picture of this model in the last 90 days.")
    else:
        _matrix(matrix)
    anew = _anew(view, site)
    _form(view, site, matrix, anew)


def _anew(view: FormState, site: Site) -> Matrix | None:
    """Scores fitted to the site's own labelled parts, beside the present ones; only when somebody asks."""
    asked = ("refit", site.name, site.model)
    if st.button(
        "Fit the scores anew",
        icon=":material/straighten:",
        key=f"policy.refit.{site.name}",
        help="From the parts that chance drew and people labelled; nothing changes until two people say so.",
    ):
        view.choice = asked
    if view.choice != asked:
        return None
    try:
        found = recalibration.fit(context.store(), site.name, context.now())
    except BadInput as error:
        st.info(plain(str(error), 300), icon=":material/info:")
        return None
    refit_facts(recalibration.document(found))
    return recalibration.matrix_of(found)


def refit_facts(document: Mapping[str, Any]) -> None:
    """How scores fitted anew fare beside the present ones, on parts that the fit has not seen."""
    st.markdown(plain(str(document["sentence"]), 400))
    sides = (("now", document["old"], document["present_in_words"]), ("anew", document["new"],
                                                                      document["fitted_in_words"]))  # fmt: skip
    st.dataframe(
        [
            {
                "scores": name, "read as": words, "log loss": side["loss"], "said and seen apart": side["gap"],
                "defective flagged": side["confusion"]["tp"], "defective not": side["confusion"]["fn"],
                "good flagged": side["confusion"]["fp"], "good not": side["confusion"]["tn"],
            }
            for name, side, words in sides
        ],
        hide_index=True, height="content",
        column_config={one: st.column_config.NumberColumn(one, format="%.3f")
                       for one in ("log loss", "said and seen apart")},
    )  # fmt: skip
    st.caption("Flagged is a score of one half or more. Each part counts 1 / the probability with which it was drawn.")


def _form(view: FormState, site: Site, matrix: Matrix | None, anew: Matrix | None) -> None:
    now = context.now()
    present = _reading(site)
    choices = [AS_NOW, *([ANEW] if anew is not None else []), *([OWN] if present is not None else [])]
    with st.form(f"policy.calibrate.{site.name}"):
        which = AS_NOW
        if len(choices) > 1:
            which = st.radio("Scores", choices, index=int(anew is not None), horizontal=True)
        typed = st.checkbox("Counts from elsewhere", matrix is None, disabled=matrix is None,
                            help="Such as those of an examination set; otherwise the ones measured above.")  # fmt: skip
        cells = dict(zip(("tp", "fn", "fp", "tn"), st.columns(4), strict=True))
        words = {"tp": "defective, flagged", "fn": "defective, missed", "fp": "good, flagged", "tn": "good, passed"}
        counts = {name: int(column.number_input(words[name], 0, step=1)) for name, column in cells.items()}
        source = st.text_input("Where they come from", max_chars=200, placeholder="Only for counts from elsewhere")
        until = st.date_input("Look at it again by", (now + AGAIN).date())
        why = st.text_input("Why the scores are probabilities here", max_chars=300)
        if st.form_submit_button("Ask to confirm", icon=":material/verified:"):
            from core.learn.metrics import Counts

            if which == ANEW and anew is not None:
                used = anew
            elif which == OWN or typed or matrix is None:
                reading = None if which == OWN else present
                used = Matrix(Counts(**counts), site.model or "", f"typed: {source.strip()}", reading=reading)
            else:
                used = matrix
            ruling.ask_calibration(view, site.name, used, until, why)
            st.rerun()


def _reading(site: Site) -> Any:
    try:
        return read_map(site.score_map, site.model)
    except BadInput:
        return None


def _confirmed(view: FormState, site: Site, last: object) -> None:
    from core.decide.requests import Request

    if not site.calibrated:
        st.warning("No calibration is confirmed, so nothing passes by itself.", icon=":material/straighten:")
        return
    until = f"until {site.calibrated_until:%d %b %Y}" if site.calibrated_until else "with no date to look at it again"
    if isinstance(last, Request):
        counts = last.content["counts"]
        st.markdown(
            f"Confirmed {until}, asked by **{plain(last.by)}** and agreed by **{plain(last.approved_by or '')}**: "
            f"{counts['tp']:,} of {counts['tp'] + counts['fn']:,} defective pictures flagged, {counts['fp']:,} of "
            f"{counts['fp'] + counts['tn']:,} good ones ({plain(last.content['source'], 250)})."
        )
        for one in last.content["caveats"]:
            st.warning(plain(one, 300), icon=":material/warning:")
    else:
        st.markdown(f"Confirmed {until} when the site was set up, without a confusion matrix.")
    st.caption(f"Scores are read as {plain(in_words(_reading(site)), 200)}.")
    why = f"policy.uncalibrate.why.{site.name}"
    with st.popover("It does not hold any more", icon=":material/block:"):
        st.text_input("Why", key=why, max_chars=300)
        st.button("Withdraw it now", key=f"policy.uncalibrate.{site.name}", on_click=ruling.withdraw_calibration,
                  args=(view, site.name, why))  # fmt: skip


def _matrix(matrix: Matrix) -> None:
    counts = matrix.counts
    st.dataframe(
        [
            {"it was": "defective", "flagged": counts.tp, "not flagged": counts.fn},
            {"it was": "good", "flagged": counts.fp, "not flagged": counts.tn},
        ],
        hide_index=True,
    )
    st.caption(f"Flagged is a score of one half or more. {plain(matrix.source, 300)}.")
    for one in caveats(counts):
        st.warning(plain(one, 300), icon=":material/warning:")
    if matrix.bins:
        rows = [
            {"score": f"{share(one.low)} to {share(one.high)}", "said": one.said, "seen": one.seen, "pictures": one.n}
            for one in matrix.bins
        ]
        shown = {name: st.column_config.NumberColumn(name, format="%.2f") for name in ("said", "seen")}
        st.dataframe(rows, hide_index=True, column_config=shown, height="content")


def pace_facts(policy: Policy | None, rates: Rates) -> None:
    """Measured rates beside typed ones, and where the two contradict each other."""
    typed = policy.attendance if policy is not None else None
    seconds, assumed = pace(typed, rates)
    st.dataframe(
        [
            {"what": "parts an hour while the line runs", "value": _figure(rates.parts_per_hour, 1),
             "from": f"{count(rates.parts, 'part')} in {count(rates.hours, 'hour')}"},
            {"what": "held parts an hour", "value": _figure(rates.held_per_hour, 1), "from": f"{rates.held:,} held"},
            {"what": "seconds an inspector takes", "value": _figure(seconds, 0),
             "from": "assumed: typed" if assumed and typed is not None and typed.seconds_per_part is not None
             else f"{count(rates.answers, 'answer')}{', too few to count on' if assumed else ''}"},
        ],
        hide_index=True,
    )  # fmt: skip
    st.caption(f"Measured over the last {rates.days:.0f} days.")
    for one in contradictions(typed, rates):
        st.warning(plain(one, 300), icon=":material/balance:")


def _figure(value: float | None, digits: int) -> str:
    return "not known" if value is None else f"{value:,.{digits}f}"
