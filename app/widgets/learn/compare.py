"""Whether choosing was worth it: learning curves, labels to a target against chance, money, when to stop."""

from typing import Any

import streamlit as st

from app import context, learn
from app.learn import LearnState
from app.widgets.charts import plot
from app.widgets.frame import nothing
from app.widgets.jobs import job_row, worker_state
from app.widgets.learn.charts import curves_figure
from app.widgets.text import count, local, one_line, plain
from core.learn.backtest import COMPARED
from core.learn.select import STRATEGIES
from core.plant import JobState

WORDS = {learn.LABELS_SO_FAR: "Everything labelled so far"}


def compare_form(view: LearnState, datasets: list[str]) -> None:
    """What to replay: a dataset or all labels so far, strategies, whose features."""
    able = [name for name, one in STRATEGIES.items() if not one.needs and name != "random"]
    dataset = st.selectbox("Labels of", datasets, key="learn.dataset", bind="query-params",
                           format_func=lambda one: WORDS.get(one, one_line(one)))  # fmt: skip
    names = ["as they were asked for"]
    if dataset == learn.LABELS_SO_FAR:
        st.caption("What the labels of each strategy's batches were worth beside those of the random arms, tested on "
                   "labels that no batch asked for.")  # fmt: skip
    else:
        st.caption("Its rounds are replayed as if the labels had been bought one batch after the other.")
        names = st.multiselect("Strategies beside random", able, [one for one in COMPARED if one != "random"],
                               format_func=lambda one: STRATEGIES[one].title, key="learn.compared")  # fmt: skip
    model = st.selectbox("Features of", learn.models(), key="learn.features",
                         help="Frozen: only a linear head learns in each round.")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seeds = st.number_input("Divisions", 1, 100, 10, key="learn.divisions", width=150,
                                help="Each divides the groups anew into a pool and a test part.")  # fmt: skip
        price = st.number_input("Price of a label", 0.0, 1e5, 0.5, key="learn.price2", width=150)
    pressed = st.button("Compare", icon=":material/compare_arrows:", type="primary", key="learn.compare",
                        disabled=not names or model is None)  # fmt: skip
    if pressed:
        learn.compare(view, str(dataset), names, str(model), int(seeds), float(price))
        st.rerun()
    if view.comparing is not None:
        worker_state()
        _follow(view)


@st.fragment(run_every=1.5)
def _follow(view: LearnState) -> None:
    if view.comparing is None:
        return
    job = context.store().jobs.get(view.comparing)
    job_row(job)
    if job.state in (JobState.DONE, JobState.FAILED):
        view.comparing, view.why_not = None, job.error
        st.rerun()


def compared(found: list[dict[str, Any]], why_not: str) -> None:
    """The newest comparison of a dataset, below why the last one came to nothing."""
    if why_not:
        nothing("Not compared", icon="pending", then=plain(why_not, 400))
    elif not found:
        nothing("Nothing compared yet", icon="compare_arrows",
                then="Compare the batches that were answered, or replay the labels of a dataset.")  # fmt: skip
    if not found:
        return
    names = [one["dataset"] for one in found]
    chosen = names[0]
    if len(names) > 1:
        chosen = st.selectbox("Comparison", names, key="learn.comparison",
                              format_func=lambda one: WORDS.get(one, one_line(one)))  # fmt: skip
    one = found[names.index(chosen)]
    st.caption(
        f"{count(one['pictures'], 'picture')}, {one['defective']:,} defective, of {count(one['groups'], 'group')} · "
        f"{count(one['seeds'], 'division')} · {plain(str(one['features']))} · {local(learn.time_of(one['made_at']))}"
    )
    for name, told in one["strategies"].items():
        if name != "random":
            icon = ":material/trending_up:" if told["better"] else ":material/trending_flat:"
            st.markdown(f"{icon} {plain(learn.sentence(name, told), 300)}")
    plot(curves_figure(one), f"learn.curves.{chosen}", 380)
    st.caption(
        f"AUROC on test pictures of other groups, with 95% intervals over divisions and test groups together. The "
        f"dotted line is {one['target_share']:.0%} of what the whole pool gives. n = {one['groups']} groups."
    )
    st.dataframe(learn.rows(one), hide_index=True, height="content")
    st.caption("Stop: the labels after which doubling them gained less than .01, the whole interval saying so.")
