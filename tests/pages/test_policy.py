"""The policy page: what is in force and for whom, what one may do alone, and what waits for somebody else."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import desk
from core.audits.facts import Shares
from core.decide.attendance import Attendance
from core.decide.policy import ClassRule, Costs, Optimum
from core.decide.requests import Matrix
from core.decide.tighter import differences
from core.learn.metrics import Counts
from core.records import Outcome, Severity
from core.roles import Actor
from data.store import Store, open_store
from data.tables import sites
from tests.small_plant import SITE

PAGE = "quality/policy"


@pytest.fixture
def lead(plant) -> Store:
    """The store as Quentin, with a policy for Lyon that Ada has approved and a confirmed calibration."""
    store = open_store(plant.url)
    quentin, ada = (store.acting_as(Actor(name)) for name in ("Quentin", "Ada"))
    store.models.add({"name": "small-1"}, "/m", "1" * 64)
    store.sites.set_model(SITE, "small-1")
    until = store.database.clock() + timedelta(days=90)
    asked = quentin.requests.ask_calibration(SITE, Matrix(Counts(118, 9, 6, 127), "small-1", "examined"), until, "so")
    ada.requests.agree(asked.number, "checked")
    best = Optimum(0.25, 0.7, "least cost on 412 labelled parts")
    quentin.policies.propose(SITE, 0.3, 0.8, "four weeks measured", optimum=best)
    ada.policies.approve(SITE, 1, "a fail costs a re-melt")
    yield quentin
    store.close()


def field(page, kind, label):
    return next(one for one in getattr(page, kind) if one.label.startswith(label))


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def words(page) -> str:
    found = [*page.markdown, *page.caption, *page.warning, *page.error, *page.success, *page.info]
    return " ".join(str(one.value) for one in found).replace("\\", "")


def fill(page, **values):
    """Type into the form; the reason always."""
    for label, value in values.items():
        field(page, "number_input", label.replace("_", " ")).set_value(value)
    next(one for one in page.text_input if one.placeholder.startswith("One sentence")).set_value("a crack")
    return page


def test_it_shows_what_is_in_force_who_decided_it_and_what_the_figures_would_have_chosen(app, lead):
    said = words(app("Quentin", PAGE))
    assert "Auto-PASS is on" in said
    assert "Passes below **.30**, fails above **.80**" in said
    assert "Proposed by Quentin" in said
    assert "Approved by Ada" in said
    assert "The figures alone would have chosen .25 to .70 (least cost on 412 labelled parts)" in said
    assert "Chosen otherwise: a fail costs a re-melt" in said


def test_a_site_without_policy_and_calibration_is_marked_so(app, plant):
    said = words(app("Quentin", PAGE))
    assert "No approved policy: nothing passes by itself" in said
    assert "Not calibrated: nothing passes by itself" in said


def test_a_lead_tightens_alone_and_at_once(app, lead):
    page = press(fill(app("Quentin", PAGE), Pass_below=0.2), "Tighten now")
    assert "in force for the whole site: it only tightens" in words(page)
    found = lead.policies.in_force(SITE)
    assert (found.number, found.pass_below, found.proposed_by, found.approved_by) == (2, 0.2, "Quentin", "Quentin")


def test_what_is_looser_is_refused_alone_and_says_why(app, lead):
    page = press(fill(app("Quentin", PAGE), Pass_below=0.4), "Tighten now")
    assert "passes below .40, now below .30" in page.error[0].value.replace("\\", "")
    assert lead.policies.in_force(SITE).number == 1
    press(page, "Propose")
    assert lead.policies.history(SITE)[0].pass_below == 0.4
    assert "Somebody else approves it" in words(app("Quentin", PAGE))
    other = app("Ada", PAGE)
    assert "pass below .30 → .40" in words(other)
    assert "Looser: it passes below .40, now below .30" in words(other)
    field(other, "text_input", "Why these").set_value("agreed")
    press(other, "Put in force")
    assert lead.policies.in_force(SITE).number == 2


def test_the_form_keeps_the_rules_that_nobody_touched(app, lead):
    rich = replace(
        lead.policies.in_force(SITE), classes={"CRACK": ClassRule(0.1, 0.6, 0.4)}, minimum_confidence=None,
        costs=Costs({Severity.CRITICAL: 2000.0}), attendance=Attendance(seconds_per_part=45.0, parts_per_shift=200.0),
        audit_pass=0.0213,
    )  # fmt: skip
    lead.policies.put_forward(rich, "cracks")
    lead.acting_as(Actor("Ada")).policies.approve(SITE, 2, "fine")
    press(fill(app("Quentin", PAGE), Pass_below=0.2), "Tighten now")
    found = lead.policies.in_force(SITE)
    assert differences(found, lead.policies.history(SITE)[1]) == ["pass below .30 → .20"]
    assert (found.classes, found.costs, found.attendance, found.audit_pass) == (
        rich.classes, rich.costs, rich.attendance, rich.audit_pass,
    )  # fmt: skip


def test_a_line_gets_a_policy_of_its_own_and_it_is_ended_by_two(app, lead):
    page = app("Quentin", PAGE)
    field(page, "selectbox", "For").set_value("line B").run()
    press(fill(page, Pass_below=0.1), "Tighten now")
    assert [one.scope for one in lead.policies.all_in_force(SITE)] == ["the whole site", "line B"]
    page = app("Quentin", PAGE)
    assert "Otherwise than for the whole site: pass below .30 → .10" in " ".join(words(page).split())
    field(page, "text_input", "Why the wider").set_value("a new lamp")
    press(page, "Propose its end")
    other = app("Ada", PAGE)
    field(other, "text_input", "Why these").set_value("seen")
    press(other, "Put in force")
    assert lead.policies.in_force(SITE, line="line B").number == 1


def test_where_one_line_audits_the_first_look_is_the_inspectors_own_everywhere(app, lead, plant):
    """Or the kinds of tasks could be told apart on the other lines."""
    lead.policies.tighten(replace(lead.policies.in_force(SITE), line="line B", audit_pass=0.05), "watch the new lamp")
    page = app("Quentin", PAGE)
    assert page.toggle[0].value
    assert page.toggle[0].disabled
    ines = open_store(plant.url, Actor("Ines"))
    task = ines.queue.lease()
    assert desk.case_of(task.part_id, task, ines).blind
    ines.close()


def test_going_back_is_proposed_and_waits(app, lead):
    lead.policies.tighten(replace(lead.policies.in_force(SITE), pass_below=0.2), "a crack")
    page = app("Quentin", PAGE)
    field(page, "text_input", "Why these rules again").set_value("it was a drawing error")
    press(page, "Propose to go back")
    assert lead.policies.history(SITE)[0].rolls_back_to == 1
    assert lead.policies.in_force(SITE).number == 2
    assert "goes back to policy 1" in words(app("Ada", PAGE))


def test_the_second_of_two_who_edit_at_once_is_told_and_begins_anew(app, lead):
    page = fill(app("Quentin", PAGE), Fail_above=0.7)
    ada = lead.acting_as(Actor("Ada"))
    ada.policies.tighten(replace(ada.policies.in_force(SITE), pass_below=0.1), "line stop")
    press(page, "Tighten now")
    assert "Policy 2 was approved by Ada since you began" in page.error[0].value.replace("\\", "")
    assert (lead.policies.in_force(SITE).number, lead.policies.in_force(SITE).fail_above) == (2, 0.8)
    assert field(page, "number_input", "Pass below").value == 0.1
    press(fill(page, Fail_above=0.7), "Tighten now")
    assert (lead.policies.in_force(SITE).pass_below, lead.policies.in_force(SITE).fail_above) == (0.1, 0.7)


def test_an_open_form_says_when_the_policies_have_changed(app, lead):
    page = app("Quentin", PAGE)
    lead.policies.tighten(replace(lead.policies.in_force(SITE), pass_below=0.1), "line stop")
    page.run()
    assert "have changed since you opened this form" in words(page)
    press(page, "Begin anew")
    assert field(page, "number_input", "Pass below").value == 0.1


def test_auto_pass_is_paused_by_one_and_resumed_by_two(app, lead):
    page = app("Quentin", PAGE)
    field(page, "text_input", "Why").set_value("lamp flickers")
    press(page, "Pause now")
    page = app("Quentin", PAGE)
    field(page, "text_input", "Why auto-PASS may").set_value("a new lamp")
    press(page, "Ask")
    assert lead.sites.get(SITE).paused == "lamp flickers"
    other = app("Ada", PAGE)
    field(other, "text_input", "Why it is right").set_value("seen")
    press(other, "Agree to it")
    assert lead.sites.get(SITE).paused is None


def test_an_overdue_calibration_is_shown(app, lead):
    with lead.database.transaction() as connection:
        ago = lead.database.clock() - timedelta(days=1)
        connection.execute(sa.update(sites).where(sites.c.name == SITE).values(calibrated_until=ago))
    assert "Auto-PASS rests: the calibration was to be looked at again by" in words(app("Quentin", PAGE))


def test_a_calibration_is_asked_for_with_a_matrix_that_is_called_what_it_is(app, lead):
    page = app("Quentin", PAGE)
    assert "118 of 127 defective pictures flagged, 6 of 133 good ones (examined)" in words(page)
    field(page, "checkbox", "Counts from elsewhere").set_value(True)
    for label, value in (
        ("defective, flagged", 6053),
        ("defective, missed", 2),
        ("good, flagged", 8618),
        ("good, passed", 1),
    ):
        field(page, "number_input", label).set_value(value)
    field(page, "text_input", "Where they come").set_value("a supplier's report")
    field(page, "text_input", "Why the scores").set_value("99.97% recall")
    press(page, "Ask to confirm")
    [waits] = lead.requests.waiting(SITE)
    assert "no better than flagging everything" in waits.content["caveats"][0]
    assert "no better than flagging everything" in words(app("Ada", PAGE))


def test_a_calibration_that_does_not_hold_is_withdrawn_alone(app, lead):
    page = app("Quentin", PAGE)
    next(one for one in page.text_input if one.key == f"policy.uncalibrate.why.{SITE}").set_value(
        "the camera was moved"
    )
    press(page, "Withdraw it now")
    assert not lead.sites.get(SITE).calibrated


def test_typed_figures_are_marked_and_contradictions_pointed_out(app, lead):
    typed = Attendance(seconds_per_part=45, parts_per_shift=200)
    lead.policies.put_forward(replace(lead.policies.in_force(SITE), attendance=typed), "as they say")
    lead.acting_as(Actor("Ada")).policies.approve(SITE, 2, "fine")
    said = words(app("Quentin", PAGE))
    assert "200 parts × 45 s is 2.5 h of a shift of 8 h" in said
    assert "Seconds a part (assumed): 45" in said


def test_scores_fitted_anew_say_what_is_missing_where_too_few_parts_are_labelled(app, lead):
    page = app("Quentin", PAGE)
    press(page, "Fit the scores anew")
    assert "are needed to fit scores anew" in words(page)
    assert "the model's own scores, as they are" in words(page)


def test_audits_by_score_are_proposed_in_words(app, lead):
    page = app("Quentin", PAGE)
    field(page, "number_input", "Share of passes").set_value(0.05)
    field(page, "text_input", "Audited otherwise").set_value("pass .10-.30: 25%")
    fill(page)
    press(page, "Propose")
    newest = lead.policies.history(SITE)[0]
    assert newest.audit_share(Outcome.PASS, 0.2) == 0.25
    assert newest.audit_share(Outcome.PASS, 0.05) == 0.05
    assert "audited by score none → pass .10-.30: 25%" in words(page)


def test_the_first_look_says_why_it_cannot_be_switched_off(app, lead):
    lead.gold.set_shares(SITE, Shares(second=0.1), "to know how far people agree")
    page = app("Quentin", PAGE)
    toggle = next(one for one in page.toggle if one.label.startswith("Inspectors answer"))
    assert toggle.disabled
    assert toggle.value
    assert "second looks are asked" in toggle.help
