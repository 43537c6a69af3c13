"""The comparison of before and after, drawn: the measured weeks, the fitted line, and where it was going anyway."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.kpis.asked import Asked
from app.kpis.charts import Answer, answer
from data.analytics.read import Reader
from data.store import open_store
from tests.kpi_plant import DAYS, NOW, fill


@pytest.fixture
def found(sqlite_url: str, tmp_path: Path) -> Answer:
    store = open_store(sqlite_url, clock=lambda: NOW)
    fill(store)
    since = datetime(2026, 1, 5)  # noqa: DTZ001 - on the sites' own clocks
    made = answer(Reader(tmp_path), store, "before-after", Asked(since, since + timedelta(days=DAYS), site="Lyon"), NOW)
    store.close()
    return made


def drawn(made: Answer) -> AppTest:
    def page(made):
        from app.widgets.kpis.before_after import comparison, weeks

        comparison(made)
        weeks(made)

    return AppTest.from_function(page, args=(made,), default_timeout=120).run()


def test_each_figure_has_its_baseline_and_what_the_change_did(found: Answer) -> None:
    page = drawn(found)
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["figure"]) == [row["figure"] for row in found.rows]
    parts = table[table["figure"] == "parts a week"].iloc[0]
    assert parts["baseline"] == "150"
    assert " to " in parts["the change did (95%)"]
    rate = table[table["figure"] == "detection rate"].iloc[0]
    assert rate["after"].count("%") == 3


def test_the_weeks_stand_beside_the_line_that_those_before_carry_on(found: Answer) -> None:
    page = drawn(found)
    for name in page.selectbox[0].options:
        page.selectbox[0].set_value(name).run()
        assert not page.exception
        spec = json.loads(page.get("plotly_chart")[0].proto.spec)
        series = found.counted.more["series"][name]
        names = [trace.get("name") for trace in spec["data"]]
        assert "measured" in names
        assert ("fitted" in names) == ("as the weeks before were going" in names) == ("fitted" in series)
        assert any(shape["type"] == "line" for shape in spec["layout"]["shapes"])
