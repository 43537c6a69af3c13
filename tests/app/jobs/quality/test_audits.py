"""What audits say of a site, as the page and `holdpoint audits` take it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.cli import main
from app.jobs.quality.audits import document, measure
from core.audits.facts import Shares
from core.errors import NotFound
from core.records import TaskKind, Verdict
from core.roles import Actor, Role
from data.store import Store
from data.store.engine.database import utc_now
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def lyon(store: Store) -> Store:
    """160 parts, an eighth of them defective; a third of the passes is audited, and everything is answered."""
    rng = np.random.default_rng(7)
    chance = np.random.default_rng(8)
    store = Store(replace(store.database, draw=lambda: float(chance.random())), store.actor)
    site(store)
    quality = store.acting_as(Actor("quality", system=True))
    proposed = quality.policies.propose("Lyon", 0.3, 0.8, "as agreed", audit_pass=0.35, audit_fail=0.5)
    store.policies.approve("Lyon", proposed.number, "as agreed")
    lead, ana, ben = person(store, "quentin", Role.QA_LEAD), person(store, "ana"), person(store, "ben")
    bad = rng.random(160) < 0.12
    scores = np.clip(rng.normal(np.where(bad, 0.75, 0.2), 0.2), 0.01, 0.99)
    filed = file(store, *[arrival(1000 + n, 0.9 if n % 2 else 0.05) for n in range(24)])
    waiting = {task.part_id for task in store.acting_as(Actor("ana")).queue.next(99)}
    for number, one in enumerate(filed):
        if one.part_id not in waiting:
            lead.gold.add(one.part_id, number % 2 == 1, "measured")
    lead.gold.set_shares("Lyon", Shares(gold=0.3), "to know how well we see")
    arrivals = [arrival(n, float(score)) for n, score in enumerate(scores)]
    truth = {one.part_id: bool(bad[n]) for n, one in enumerate(file(store, *arrivals))}
    for who in (ana, ben):
        while (task := who.queue.lease()) is not None:
            known = {item.part_id: item.defective for item in lead.gold.items("Lyon")}
            defective = truth.get(task.part_id, known.get(task.part_id, False))
            assert task.kind in (TaskKind.TRIAGE, TaskKind.AUDIT, TaskKind.GOLD)
            answer(who, task, Verdict.FAIL if defective else Verdict.PASS)
    return store


def test_the_rates_the_planner_and_the_overrides_come_from_one_look(lyon: Store):
    found = measure(lyon.acting_as(Actor("quentin")), "Lyon", 28, utc_now())
    assert sum(found.parts.values()) == 160 + 24
    assert found.looked["HOLD"] == found.parts["HOLD"]
    assert 0 < found.looked["PASS"] < found.parts["PASS"]
    for rate in (found.answered.miss, found.answered.escape, found.answered.false_reject):
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert found.eyes.seen == found.eyes.defective  # nobody erred here
    assert found.eyes.cleared == found.eyes.good
    assert found.pass_share == 0.35
    planned = found.planned(0.01, 0.95)
    assert planned.needed == 299
    assert planned.days == pytest.approx(299 / (0.35 * found.defective_per_day))
    assert found.planned(0.01, 0.95, share=0.7).days == pytest.approx(planned.days / 2)
    json.dumps(document(found, planned), allow_nan=False)


def test_the_same_question_gets_the_same_answer(lyon: Store):
    now = utc_now()
    assert document(measure(lyon, "Lyon", 28, now)) == document(measure(lyon, "Lyon", 28, now))


def test_a_site_that_is_not_there_is_named(store: Store):
    with pytest.raises(NotFound, match="Nowhere"):
        measure(store, "Nowhere", 28, utc_now())


def test_commands_print_the_rates_and_the_plan(lyon: Store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    assert main(["audits", "show", "--site", "Lyon", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown["rates"]) == {"miss", "escape", "false_reject"}
    assert shown["rates"]["escape"]["as_answered"]["n"] == shown["looked_at"]["PASS"]
    assert main(["audits", "plan", "--site", "Lyon", "--miss", "0.01"]) == 0
    assert "you need 299 clean audits of defective items; at the present rate that is" in capsys.readouterr().out
    assert main(["audits", "show", "--site", "Lyon"]) == 0
    assert "overrides alone (biased)" in capsys.readouterr().out
    assert main(["audits", "plan", "--site", "Lyon", "--miss", "2"]) == 1
    assert main(["audits", "show", "--site", "Lyon", "--days", "0"]) == 1
