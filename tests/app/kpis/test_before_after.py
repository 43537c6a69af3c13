"""Before and after: what is measured beside what was typed, and customers' reports by themselves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.kpis.asked import Asked
from app.kpis.charts import Answer, answer
from core.kpis.baseline import Baseline
from core.roles import Actor
from data.analytics.read import Reader
from data.store import Store, open_store
from tests.kpi_plant import DAYS, NOW, START, fill

SINCE = datetime(2026, 1, 5)  # noqa: DTZ001 - on the sites' own clocks
ASKED = Asked(SINCE, SINCE + timedelta(days=DAYS + 5), site="Lyon")


@pytest.fixture
def plant(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url, clock=lambda: NOW)
    fill(opened)
    yield opened
    opened.close()


def compared(store: Store, folder: Path, asked: Asked = ASKED) -> Answer:
    return answer(Reader(folder), store, "before-after", asked, NOW)


def test_every_figure_stands_beside_the_baseline_that_was_set(plant: Store, tmp_path: Path) -> None:
    found = compared(plant, tmp_path)
    rows = {row["figure"]: row for row in found.rows}
    assert rows["parts a week"]["baseline"] == 150
    assert rows["detection rate"]["baseline"] == 0.85
    assert rows["estimated escapes a year"]["baseline"] == 340
    assert rows["agreement of two inspectors"]["baseline"] == 0.82
    assert found.counted.more["baseline_set"]["reason"] == "from the shift books"
    for name in ("detection rate", "false reject rate", "escape rate", "estimated escapes a year"):
        for side in ("before", "after"):
            assert rows[name][f"{side}_low"] <= rows[name][side] <= rows[name][f"{side}_high"], (name, side)
    assert rows["parts a week"]["weeks_before"] >= 4


def test_a_site_without_a_baseline_says_that_its_figures_are_assumptions(plant: Store, tmp_path: Path) -> None:
    found = compared(plant, tmp_path, replace(ASKED, site="Oslo"))
    assert any("Nobody has set a baseline" in note for note in found.counted.notes)
    assert found.counted.more["baseline"] == vars(Baseline())


def test_several_sites_have_no_baseline_together(plant: Store, tmp_path: Path) -> None:
    found = compared(plant, tmp_path, replace(ASKED, site=None))
    assert {row["baseline"] for row in found.rows} == {None}
    assert any("choose a site" in note for note in found.counted.notes)


def test_the_parts_of_a_side_are_those_that_were_decided_then(plant: Store, tmp_path: Path) -> None:
    found = compared(plant, tmp_path)
    series = found.counted.more["series"]["parts a week"]
    place = next(n for n, start in enumerate(series["weeks"]) if start >= found.counted.more["change"])
    row = next(one for one in found.rows if one["figure"] == "parts a week")
    assert row["before"] == pytest.approx(sum(series["values"][:place]) / place, rel=0.2)


def test_what_customers_report_never_stands_beside_an_estimate(plant: Store, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    before = compared(plant, tmp_path)
    told = answer(reader, plant, "reported-escapes", ASKED, NOW)
    assert sum(row["parts"] for row in told.rows) == 15
    assert {row["days_late"] for row in told.rows} == {0, 7, 14, 21, 28}
    assert "lower bound" in told.chart.definition
    for one in plant.reported.escapes("Lyon"):
        plant.reported.take_back(one.number, "for the test", NOW)
    assert answer(reader, plant, "reported-escapes", ASKED, NOW).rows == []
    assert compared(plant, tmp_path).rows == before.rows


def test_reports_of_other_sites_are_not_counted_for_whoever_may_not_see_them(plant: Store, tmp_path: Path) -> None:
    vera = plant.acting_as(Actor("Vera"))  # sees Oslo
    told = answer(Reader(tmp_path), vera, "reported-escapes", replace(ASKED, site=None, by="site"), NOW)
    assert {row["group"] for row in told.rows} == {"Oslo"}
    assert START.date() < told.rows[0]["bucket"]
