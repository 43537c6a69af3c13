"""The thresholds page: a band is tried, explained and proposed; the store keeps what was chosen and what was best."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app import threshold_desk
from app.cli import main
from core.plant import Arrival
from core.records import Capture, Prediction, Quality, Review, Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

FINE = Quality(500.0, 0.5, 0.2, 0.0, 0.0)
PARTS = 160


@pytest.fixture(scope="module")
def answered_home(template, tmp_path_factory):
    """Lyon with a policy, parts that were decided under it, and answers to those that were held; made once."""
    home = tmp_path_factory.mktemp("answered")
    for file in template[0].home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, home / file.name)
    store = open_store(f"sqlite:///{home / 'holdpoint.sqlite3'}")
    made = store.acting_as(Actor("Ada")).policies.propose(SITE, 0.3, 0.9, "to begin with", audit_pass=0.5)
    store.acting_as(Actor("Quentin")).policies.approve(SITE, made.number, "agreed")
    store.sites.set_calibrated(SITE)
    rng, now = np.random.default_rng(3), datetime.now(UTC)
    arrivals, truth = [], {}
    for number in range(PARTS):
        bad = rng.random() < 0.4
        score = float(np.clip(rng.normal(0.75 if bad else 0.2, 0.12), 0, 1))
        name = f"S-{number:03}"
        truth[name] = bad
        arrivals.append(
            Arrival(Capture(f"made:{number}", name, line="line B", taken_at=now - timedelta(hours=number)),
                    f"/x/{number}.png", f"{number:064x}", 640, 400, FINE,
                    Prediction("small-1", score, {"CRACK": 0.9}))
        )  # fmt: skip
    store.arrivals.file(SITE, arrivals, close_parts=True, now=now - timedelta(hours=1))
    ines = store.acting_as(Actor("Ines"))
    while (task := ines.queue.lease(site=SITE)) is not None:
        bad = truth.get(store.parts.get(task.part_id).name, True)
        verdict = Verdict.FAIL if bad else Verdict.PASS
        ines.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Ines"))
    store.close()
    return home


@pytest.fixture
def answered(plant, answered_home):
    """A copy of it."""
    for file in answered_home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, plant.home / file.name)
    return plant


def words(page):
    return " ".join(one.value for one in (*page.markdown, *page.caption)).replace("\\", "")


def control(page, kind, label):
    return next(one for one in getattr(page, kind) if one.label.startswith(label))


def press(page, label):
    next(one for one in page.button if one.label.startswith(label)).click().run()
    assert not page.exception
    return page


def test_a_band_is_explained_of_a_thousand_parts(app, answered):
    page = app("Quentin", "quality/thresholds")
    assert not page.exception
    assert "Of 1,000 parts" in words(page)
    assert control(page, "number_input", "Pass below").value == 0.3


def test_slider_and_numbers_follow_each_other(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "number_input", "Pass below").set_value(0.45).run()
    assert control(page, "slider", "HOLD between").value == (0.45, 0.9)
    control(page, "slider", "HOLD between").set_value((0.5, 0.95)).run()
    assert control(page, "number_input", "Fail above").value == 0.95
    control(page, "number_input", "Pass below").set_value(0.97).run()
    assert control(page, "slider", "HOLD between").value == (0.97, 0.97)
    assert not page.exception


def test_too_few_defective_parts_are_not_enough_evidence_and_it_says_how_many_more(app, answered):
    page = app("Quentin", "quality/thresholds")
    assert "cannot show a threshold that misses at most 1%" in words(page)
    control(page, "number_input", "Miss at most").set_value(20.0).run()
    assert "Passing below" in words(page)
    press(page, "Try it")
    assert control(page, "number_input", "Pass below").value != 0.3


def test_what_is_proposed_waits_for_a_second_person_with_the_optimum_beside_it(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "slider", "HOLD between").set_value((0.25, 0.85)).run()
    press(page, "Propose")
    assert "Say in a sentence" in page.error[0].value.replace("\\", "")
    control(page, "text_input", "Why").set_value("Fewer misses").run()
    press(page, "Propose")
    made = open_store(answered.url, Actor("Quentin")).policies.history(SITE)[0]
    assert (made.pass_below, made.fail_above, made.approved, made.proposed_by) == (0.25, 0.85, False, "Quentin")
    assert made.audit_pass == 0.5
    assert made.optimum.why == "Fewer misses"
    assert made.optimum.cost_per_thousand is not None
    assert made.optimum.chosen_cost_per_thousand is not None
    assert "waits for approval" in page.success[0].value.replace("\\", "")


def test_each_approval_records_what_the_figures_alone_would_choose_and_why_it_is_not_that(app, answered, capsys):
    store = open_store(answered.url, Actor("Quentin"))
    store.policies.propose(SITE, 0.2, 0.95, "wider")
    page = app("Ada", "quality/policy")
    control(page, "text_input", "Why these").set_value("a fail costs a re-melt").run()
    press(page, "Put in force")
    found = store.policies.in_force(SITE)
    assert (found.number, found.optimum.why) == (2, "a fail costs a re-melt")
    assert "drawn by chance in the last 4 weeks" in found.optimum.basis
    assert found.optimum.cost_per_thousand <= found.optimum.chosen_cost_per_thousand
    store.policies.propose(SITE, 0.15, 0.95, "narrower")
    approve = ["thresholds", "approve", "3", "--site", SITE, "--reason", "agreed", "--by", "Ada", "--json"]
    assert main(approve) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["optimum"]["pass_below"] == found.optimum.pass_below
    assert made["optimum"]["why"] == "agreed"
    assert main(["thresholds", "tighten", "--site", SITE, "--reason", "a crack", "--by", "Ada", "--set",
                 "pass_below=0.1", "--json"]) == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["optimum"]["why"] == "a crack"


def test_of_a_line_only_its_own_parts_are_weighed_and_without_any_nothing_is_recorded(app, answered, capsys):
    store = open_store(answered.url, Actor("Quentin"))
    for line in ("line B", "line Z"):
        if line == "line Z":
            open_store(answered.url).sites.add_name(SITE, "line", line)
        made = store.policies.propose(SITE, 0.2, 0.9, "other parts", line=line)
        assert (
            main(["thresholds", "approve", str(made.number), "--site", SITE, "--reason", "agreed", "--by", "Ada"]) == 0
        )
    said = capsys.readouterr().out
    assert "The figures alone would choose" in said
    assert "No optimum is recorded beside it" in said
    assert [one.optimum is None for one in store.policies.all_in_force(SITE)[1:]] == [False, True]


def test_somebody_elses_change_is_not_overwritten(app, answered):
    page = app("Quentin", "quality/thresholds")
    open_store(answered.url, Actor("Ada")).policies.propose(SITE, 0.1, 0.9, "meanwhile")
    control(page, "text_input", "Why").set_value("Fewer misses")  # which the browser sends with the press
    next(one for one in page.button if one.label.startswith("Propose")).click().run()
    assert page.error
    assert open_store(answered.url, Actor("Quentin")).policies.history(SITE)[0].reason == "meanwhile"


def test_the_weeks_are_decided_again(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "slider", "HOLD between").set_value((0.1, 0.9)).run()
    press(page, "Decide")
    shown = {one.label: one.value for one in page.metric}
    changed, _, parts = shown["Would change"].partition(" of ")
    assert 0 < int(changed) < int(parts)
    assert "does not grow" in words(page)


def test_the_queue_of_nobody_grows(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "number_input", "Inspectors at a time").set_value(0.0).run()
    press(page, "Decide")
    assert "grows from week to week" in words(page)


def test_a_flag_everything_setting_is_called_one(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "slider", "HOLD between").set_value((0.0, 1.0)).run()
    assert "flags everything" in words(page)


def test_a_site_without_parts_says_what_to_do(app, answered):
    page = app("Quentin", "quality/thresholds")
    control(page, "selectbox", "Site").set_value("Turin").run()
    assert not page.exception
    control(page, "number_input", "Weeks").set_value(52).run()
    assert not page.exception


def test_the_study_is_read_again_when_the_policies_change(app, answered):
    view = threshold_desk.ThresholdsState()
    assert view.study is None
    page = app("Quentin", "quality/thresholds")
    press(page, "Decide")
    open_store(answered.url, Actor("Ada")).policies.propose(SITE, 0.1, 0.9, "meanwhile")
    page.run()
    assert not page.metric


def test_the_command_replays_what_the_page_does_and_today_changes_nothing(answered, capsys):
    today = ["thresholds", "replay", "--site", SITE, "--json"]
    assert main(today) == 0
    same = json.loads(capsys.readouterr().out)
    assert same["parts"] == sum(same["was"].values()) > PARTS
    assert [one for one in same["changed"] if one["part"] > 9] == []  # the first ones are from before the policy
    assert main([*today, "--pass-below", "0.1", "--fail-above", "0.95"]) == 0
    stricter = json.loads(capsys.readouterr().out)
    assert stricter["would"]["PASS"] < stricter["was"]["PASS"]
    assert stricter["held_per_hour"]["would"] > stricter["held_per_hour"]["was"]
