"""A recalibration that refits: from a site's own labelled parts to what two confirm and the next decision obeys."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from app.jobs.quality import follow_ups
from app.jobs.quality.recalibration import DAYS, document, fit, matrix_of
from app.settings import Settings
from core.audits.refit import Better
from core.errors import BadInput
from core.records import Outcome, Verdict
from core.roles import WORKER, Role
from core.watch.alarms import Raised
from core.watch.rules import RuleKind, Step
from data.store import Store, open_store
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def plant(sqlite_url: str) -> Any:
    opened = open_store(sqlite_url)
    site(opened)
    yield opened
    opened.close()


def labelled(store: Store, parts: int, intercept: float = 2.0, seed: int = 2) -> Store:
    """Held parts that people answered: they are more often defective than the model says."""
    rng = np.random.default_rng(seed)
    ines = person(store, "ines")
    odds = rng.normal(0.0, 1.0, parts)
    bad = rng.random(parts) < expit(odds + intercept)
    scores = np.clip(expit(odds), 0.31, 0.79)  # within the band, so that all are held
    file(store, *(arrival(number, float(score)) for number, score in enumerate(scores, start=1)))
    truth = {f"part-{number}": bool(one) for number, one in enumerate(bad, start=1)}
    while (task := ines.queue.lease()) is not None:
        part = store.parts.get(task.part_id)
        answer(ines, task, Verdict.FAIL if truth[part.name] else Verdict.PASS)
    return ines


def test_too_few_labelled_parts_say_what_is_missing(plant: Store) -> None:
    with pytest.raises(BadInput, match="0 defective and 0 good"):
        fit(plant, "Lyon", plant.database.clock())


def test_scores_are_fitted_anew_and_two_people_put_them_in_force(plant: Store) -> None:
    labelled(plant, 160)
    now = plant.database.clock() + timedelta(minutes=1)
    lea, max_ = (person(plant, name, Role.QA_LEAD) for name in ("lea", "max"))
    found = fit(lea, "Lyon", now)
    assert found.better is Better.YES
    assert found.fitted.read(0.35) > 0.6
    told = document(found)
    assert told["answer"] == "better"
    assert "that the fit has not seen" in told["sentence"]
    before = plant.parts.decision(file(plant, arrival(1001, 0.2))[0].part_id)
    asked = lea.requests.ask_calibration("Lyon", matrix_of(found), now + timedelta(days=DAYS), "labels say so")
    assert asked.content["compared"]["gain"] == found.gain
    max_.requests.agree(asked.number, "the matrix is better")
    after = plant.parts.decision(file(plant, arrival(1002, 0.2))[0].part_id)
    assert before is not None
    assert after is not None
    assert (before.outcome, after.outcome) == (Outcome.PASS, Outcome.HOLD)


def test_the_recalibration_that_an_alarm_starts_holds_the_fit(plant: Store, tmp_path: Path) -> None:
    labelled(plant, 160)
    now = plant.database.clock() + timedelta(minutes=1)
    asked = Raised(RuleKind.FALSE_REJECTS, "", 0, "too many", {}, False, [], [(Step.RECALIBRATE, "look again", {})])
    worker = plant.acting_as(WORKER)
    made = worker.watching.keep("Lyon", worker.watching.begin("Lyon").revision, {"figures": []}, [asked], [], now)
    assert made is not None
    follow_ups.fill(worker, Settings(home=tmp_path), made[0], now)
    [one] = plant.alarms.follow_ups(alarm_id=made[0])
    assert one.document["refit"]["answer"] == "better"
    assert one.document["refit"]["new"]["confusion"].keys() == one.document["confusion"].keys()


def test_a_fit_on_scores_that_are_read_anew_finds_nothing_more_to_gain(plant: Store) -> None:
    labelled(plant, 160)
    now = plant.database.clock() + timedelta(minutes=1)
    lea, max_ = (person(plant, name, Role.QA_LEAD) for name in ("lea", "max"))
    first = fit(lea, "Lyon", now)
    asked = lea.requests.ask_calibration("Lyon", matrix_of(first), now + timedelta(days=DAYS), "labels say so")
    max_.requests.agree(asked.number, "seen")
    again = fit(lea, "Lyon", now)
    assert again.present == first.fitted
    assert again.fitted.slope == pytest.approx(first.fitted.slope, rel=1e-3)
    assert again.better is not Better.YES
