"""The alarms page (quality/alarms): list, acknowledge, close, resume by two, rules; and the status bar everywhere."""

from datetime import UTC, datetime

import pytest

from app import alarm_desk
from app.jobs.quality.follow_ups import fill
from app.settings import Settings
from app.state import FormState
from core.roles import WORKER, Actor
from core.watch.alarms import Raised
from core.watch.rules import DEFAULTS, RuleKind, Step
from data.store import open_store
from tests.small_plant import SITE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = "More than 1% of the defective parts pass: 2.1% (1.2% to 3.4%) of 640."


def store_of(plant, who):
    return open_store(plant.url, Actor(who))


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def field(page, kind, label):
    return next(one for one in getattr(page, kind) if one.label.startswith(label))


def words(page):
    return " ".join(one.value for one in [*page.markdown, *page.caption, *page.warning, *page.success])


@pytest.fixture
def alarm(plant):
    """A raised alarm that has paused the site and opened a record of each kind."""
    worker = open_store(plant.url, WORKER)
    worker.sites.pause(SITE, f"alarm: {TEXT}")
    steps = (Step.INVESTIGATE, Step.PROPOSE, Step.RECALIBRATE, Step.RETRAIN, Step.SCALE_UP)
    raised = Raised(RuleKind.MISSES, "", 0, TEXT, {"value": 0.021}, True, ["quality"],
                    [(step, f"please: {step}", {}) for step in steps])  # fmt: skip
    [alarm_id] = worker.watching.keep(SITE, 0, {"figures": []}, [raised], [], NOW)
    return alarm_id


def test_an_alarm_is_acknowledged_and_closed_with_what_it_was(app, plant, alarm):
    page = app("Quentin", "quality/alarms")
    assert "2\\.1%" in words(page)
    press(page, "Acknowledge")
    assert store_of(plant, "Quentin").alarms.get(alarm).state == "acknowledged"
    field(page, "text_input", "What it was").set_value("lamp 3 was dying")
    press(page, "Close the alarm")
    store = store_of(plant, "Quentin")
    assert store.alarms.get(alarm).state == "closed"
    assert [(one.what, one.by) for one in store.alarms.history(alarm)][-1] == ("closed", "Quentin")
    assert store.sites.get(SITE).paused is not None  # closing resumes nothing


def test_closing_without_a_word_is_refused(app, plant, alarm):
    page = press(app("Quentin", "quality/alarms"), "Close the alarm")
    assert "Say what it was" in page.error[0].value
    assert store_of(plant, "Quentin").alarms.get(alarm).state == "open"


def test_one_asks_to_resume_and_another_agrees(app, plant, alarm):
    page = app("Quentin", "quality/alarms")
    field(page, "text_input", "Why auto-PASS may be on again").set_value("lamp replaced, 60 parts checked")
    press(page, "Ask")
    assert store_of(plant, "Quentin").sites.get(SITE).paused is not None
    own = app("Quentin", "quality/alarms")
    assert "Agree to it" not in [button.label for button in own.button]
    other = app("Ada", "quality/alarms")
    field(other, "text_input", "Why it is right").set_value("seen it")
    press(other, "Agree to it")
    assert store_of(plant, "Ada").sites.get(SITE).paused is None


def test_every_record_that_an_alarm_opened_is_shown_and_closed(app, plant, alarm):
    page = app("Quentin", "quality/alarms")
    assert sum(button.label == "Close it" for button in page.button) == 5
    for _ in range(5):
        field(page, "text_input", "What came of it").set_value("done")
        press(page, "Close it")
    assert store_of(plant, "Quentin").alarms.follow_ups(SITE) == []
    assert len(store_of(plant, "Quentin").alarms.follow_ups(SITE, closed=True)) == 5


def test_a_point_of_the_checklist_is_looked_at_by_somebody(app, plant, alarm):
    worker = open_store(plant.url, WORKER)
    [one] = [found for found in worker.alarms.follow_ups(SITE) if found.kind is Step.INVESTIGATE]
    worker.watching.add_document(one.id, {"checks": [{"key": "colour", "says": "Colour: as it was?"}]})
    page = press(app("Quentin", "quality/alarms"), "Looked at")
    assert "Looked at" not in [button.label for button in page.button]
    assert store_of(plant, "Quentin").alarms.history(alarm)[-1].what == "looked at: colour"


def test_a_stricter_rule_is_in_force_at_once_and_a_looser_one_waits_for_somebody_else(app, plant):
    page = app("Quentin", "quality/alarms")
    field(page, "number_input", "Limit").set_value(0.5)
    next(one for one in page.text_input if one.placeholder.startswith("One sentence")).set_value("a safety part")
    press(page, "Change the rule")
    store = store_of(plant, "Quentin")
    assert store.alarms.rules(SITE)[RuleKind.MISSES].limit == pytest.approx(0.005)
    page = app("Quentin", "quality/alarms")
    field(page, "number_input", "Limit").set_value(3.0)
    next(one for one in page.text_input if one.placeholder.startswith("One sentence")).set_value("too nervous")
    press(page, "Change the rule")
    assert store.alarms.rules(SITE)[RuleKind.MISSES].limit == pytest.approx(0.005)
    other = app("Ada", "quality/alarms")
    field(other, "text_input", "Why it may be looser").set_value("agreed with the customer")
    press(other, "Put in force")
    assert store.alarms.rules(SITE)[RuleKind.MISSES].limit == pytest.approx(0.03)


def test_a_viewer_sees_alarms_and_has_no_way_to_touch_them(app, alarm):
    page = app("Vera", "quality/alarms")
    assert "2\\.1%" in words(page)
    assert not {"Acknowledge", "Close the alarm", "Close it", "Change the rule"} & {one.label for one in page.button}


def test_somebody_without_the_right_gets_the_stores_refusal(app, plant, alarm):
    app("Ines")
    view = FormState()
    alarm_desk.acknowledge(view, alarm)
    assert "may not" in view.failed
    alarm_desk.set_rule(view, SITE, DEFAULTS[RuleKind.MISSES], "why", 0)
    assert "may not" in view.failed


@pytest.mark.parametrize("who", ["Ines", "Quentin", "Vera"])
def test_the_status_bar_on_every_page_tells_of_pause_alarms_and_backlog(app, alarm, who):
    from app import context

    context._statuses.clear()
    shown = words(app(who))
    assert "auto-PASS paused" in shown
    assert "1 alarm" in shown
    assert f"{8 if who == 'Ines' else 9} waiting" in shown  # of Lyon alone, or of both sites


def test_a_camera_that_drifts_is_shown_with_its_time_its_features_and_pictures_before_and_after(app, plant):
    worker = open_store(plant.url, WORKER)
    ids = [one.id for one in worker.images.find(SITE, limit=4)]
    more = {"distances": {"embedding": 0.46, "sharpness": 0.03}, "feature": "embedding", "before": ids[:2],
            "began": "2026-03-02T08:20:00+00:00", "after": [*ids[2:], 10**6]}  # fmt: skip
    text = "A camera differs by more than 0.2 from its reference (camera cam 1): 0.46 of 60, most of all embedding."
    raised = Raised(RuleKind.DRIFT, "cam 1", 0, text, {"value": 0.46, "more": more}, False, [],
                    [(Step.INVESTIGATE, "Find out what moved.", {})])  # fmt: skip
    [alarm_id] = worker.watching.keep(SITE, 0, {"figures": []}, [raised], [], NOW)
    fill(worker, Settings(home=plant.home), alarm_id, NOW)
    page = app("Quentin", "quality/alarms")
    said = words(page).replace("\\", "")
    assert "Since about 02 Mar 2026" in said
    assert "cam 1" in said
    assert "embedding 0.46, sharpness 0.03" in said
    assert "Before: some of the camera's reference" in said
    assert len(page.get("image")) >= len(ids)  # and none of what a retention rule has taken
