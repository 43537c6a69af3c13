"""The analytics page and the acceptance page: what they show, to whom, and where they lead."""

import pytest

from core.records import Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE


@pytest.fixture
def answered(plant):
    """Half of the queue is answered: some against the model."""
    store = open_store(plant.url, Actor("Ines"))
    for number in range(4):
        task = store.queue.lease()
        verdict = Verdict.PASS if number % 2 else Verdict.FAIL
        classes = () if number % 2 else ("BURR",)
        store.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Ines", classes=classes, seconds=7.5))
    store.close()
    return plant


def chart(page, name):
    page.selectbox(key="analytics.chart").set_value(name).run()
    assert not page.exception
    return page


def query(page, key="analytics"):
    """What a person reads who opens the query beside a chart."""
    page.session_state[f"{key}.beside"] = "Query"
    page.run()
    assert not page.exception
    return " ".join(one.value for one in page.code)


def words(page):
    return " ".join(
        one.value for kind in ("caption", "markdown", "text", "info", "code") for one in getattr(page, kind)
    )


def test_a_viewer_sees_every_chart_with_its_definition_and_query(app, answered):
    from app.kpis.charts import charts
    from app.widgets.kpis.kpi_filters import OWN_PAGE

    page = app("Vera", "quality/analytics")
    assert not page.exception
    for name in charts():
        if name not in OWN_PAGE:
            chart(page, name)
            assert "SELECT" in query(page), name
            assert {one.label for one in page.get("download_button")} >= {"CSV", "Parquet"}, name


def test_overrides_show_pattern_count_and_what_follows(app, answered):
    page = chart(app("Quentin", "quality/analytics"), "overrides")
    table = page.dataframe[0].value
    assert set(table["what follows"]) <= {
        "a case is opened for each", "feeds the labelling queue", "is tracked",
    }  # fmt: skip
    assert table["count"].sum() >= 2


def test_from_a_bar_to_its_pictures_and_on_to_the_correction(app, answered):
    page = chart(app("Ines", "quality/analytics"), "overrides")
    rows = next(one for one in page.selectbox if one.label == "Pictures behind")
    rows.set_value(0).run()
    assert not page.exception
    correct = [one for one in page.button if one.label == "Correct"]
    assert correct
    correct[0].click().run()
    assert not page.exception
    held = open_store(answered.url, Actor("Ines")).queue.held()
    assert held is not None
    assert "Correct" in [one.value for one in page.title]


def test_a_viewer_may_look_at_pictures_and_correct_none(app, answered):
    page = chart(app("Vera", "quality/analytics"), "overrides")
    next(one for one in page.selectbox if one.label == "Pictures behind").set_value(0).run()
    assert "picture" in words(page)
    assert not [one for one in page.button if one.label == "Correct"]


def test_a_person_is_shown_only_their_sites(app, answered):
    page = chart(app("Tomas", "quality/analytics"), "throughput")
    site = next(one for one in page.selectbox if one.label == "Site")
    assert SITE not in site.options


def test_an_empty_time_says_what_to_do(app, plant):
    page = chart(app("Tomas", "quality/analytics"), "overrides")
    assert "Nothing was counted" in words(page)


def test_acceptance_shows_each_target_with_its_standing(app, answered):
    from core.kpis.acceptance import TARGETS

    page = app("Vera", "quality/acceptance")
    assert not page.exception
    shown = words(page)
    for target in TARGETS:
        assert target.name in shown
    assert "SELECT" in query(page, "acceptance.targets")
    page.session_state["acceptance.part"] = "OEE"
    page.run()
    assert "assumption" in words(page)


@pytest.mark.parametrize(("part", "rows"), [("OEE", "acceptance.oee"), ("Before and after", "acceptance.change")])
def test_the_other_parts_of_acceptance_are_counted_when_they_are_opened(app, answered, part, rows):
    page = app("Vera", "quality/acceptance")
    assert not [one for one in page.get("download_button") if one.proto.id.endswith(f"{rows}.csv")]
    page.session_state["acceptance.part"] = part
    page.run()
    assert not page.exception
    assert [one for one in page.get("download_button") if one.proto.id.endswith(f"{rows}.csv")]


def opened(app, name, part, site=None):
    page = app(name, "quality/acceptance")
    if site is not None:
        page.selectbox(key="acceptance.site").set_value(site)
    page.session_state["acceptance.part"] = part
    page.run()
    assert not page.exception
    return page


def press(page, label):
    next(one for one in page.button if one.label == label).click().run()
    assert not page.exception
    return page


def test_a_baseline_is_set_by_a_qa_lead_and_kept_with_the_name(app, answered):
    page = opened(app, "Quentin", "Before and after", SITE)
    assert "Nobody has set a baseline" in words(page)
    field = next(one for one in page.number_input if one.label.startswith("Detection"))
    field.set_value(0.9)
    next(one for one in page.text_input if one.label.startswith("Where these")).set_value("from the shift books")
    press(page, "Set")
    kept = open_store(answered.url).reported.baseline(SITE)
    assert kept is not None
    assert (kept.by, kept.reason, kept.baseline.detection) == ("Quentin", "from the shift books", 0.9)
    page = opened(app, "Vera", "Before and after", SITE)
    assert "set by Quentin" in words(page).replace("\\", "")
    assert not [one for one in page.button if one.label == "Set"]


def test_a_customers_report_is_entered_shown_by_itself_and_taken_back(app, answered):
    page = opened(app, "Quentin", "Customers' reports", SITE)
    assert "No customer has reported" in words(page)
    next(one for one in page.text_input if one.label == "Their number for it").set_value("C-17")
    next(one for one in page.number_input if one.label == "Defective parts").set_value(3)
    press(page, "Keep the report")
    assert "C-17" in words(page).replace("\\", "")
    assert "lower bound" in words(page)
    press(page, "Keep the report")  # the same form again has another, empty number: it is another report
    store = open_store(answered.url)
    assert [one.escape.parts for one in store.reported.escapes(SITE)] == [1, 3]
    why = next(one for one in page.text_input if one.label == "Why")
    why.set_value("another plant's").run()
    press(page, "Take it back")
    assert sum(one.taken_back_by is not None for one in store.reported.escapes(SITE)) == 1
    store.close()


def test_a_viewer_reads_reports_and_enters_none(app, answered):
    page = opened(app, "Vera", "Customers' reports", SITE)
    assert not [one for one in page.button if one.label in ("Keep the report", "Take it back")]


def test_a_file_of_reports_tells_the_rows_that_were_not_taken(answered):
    from app.jobs.quality.escapes import take

    store = open_store(answered.url, Actor("Quentin"))
    data = b"reported_on,parts,reference\n2026-01-02,2,A\nsoon,1,B\n2026-01-03,1,A\n2999-01-01,1,C\n"
    found = take(store, SITE, "reports.csv", data, store.database.clock())
    assert (found.new, found.parts, found.known) == (1, 2, ("A",))
    assert [one.line for one in found.bad] == [3, 5]
    assert found.sentence == "1 report of 2 parts kept, 1 known already, 2 rows not taken."
    store.close()
