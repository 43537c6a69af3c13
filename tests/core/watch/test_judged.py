"""Misses and false rejects from audits: what counts, in whose favour, and that the promise survives late answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.errors import BadInput
from core.records import Outcome
from core.watch.detector import QUARTER_S, growth, level, share_of_quarter, start, step
from core.watch.facts import Decided, DecidedFacts, SiteAudit
from core.watch.history import History, begin, look
from core.watch.judged import (
    Judged,
    false_reject_items,
    false_reject_shares,
    miss_items,
    miss_shares,
)
from core.watch.rules import DEFAULTS, RuleKind

START = datetime(2026, 3, 2, tzinfo=UTC)
PASS, HOLD, FAIL = Outcome.PASS, Outcome.HOLD, Outcome.FAIL


def test_an_audited_miss_counts_one_over_its_share_and_a_clean_audit_nothing():
    found = miss_items([Judged(PASS, 0.1, True, True), Judged(PASS, 0.1, True, False)], 0.01, 0.0)
    assert found.z.tolist() == pytest.approx([9.9, 0.0])


def test_what_nobody_has_answered_counts_in_favour_of_the_rule():
    waiting = [Judged(HOLD, 1.0, True, None), Judged(PASS, 0.1, True, None), Judged(FAIL, 0.0, False, None)]
    assert miss_items(waiting, 0.01, 0.0).z.tolist() == pytest.approx([-0.01, 0.0, -0.01])
    assert false_reject_items(waiting, 0.05).z.tolist() == pytest.approx([-0.05, -0.05, 0.0])


def test_a_hold_that_is_good_is_no_defective_part():
    assert miss_items([Judged(HOLD, 1.0, True, False)], 0.01, 0.0).z.tolist() == [0.0]
    assert false_reject_items([Judged(HOLD, 1.0, True, True)], 0.05).z.tolist() == [0.0]


def test_audited_fails_stand_for_those_nobody_looked_at():
    found = miss_items([Judged(FAIL, 0.5, True, True), Judged(FAIL, 0.5, False, None)], 0.01, 0.5)
    assert found.z.tolist() == pytest.approx([-0.02, 0.0])


def test_an_overturned_fail_is_a_false_reject_with_its_weight():
    assert false_reject_items([Judged(FAIL, 0.2, True, False)], 0.05).z.tolist() == pytest.approx([4.75])


def test_the_rates_shown_are_weighted_by_what_was_audited():
    parts = [Judged(PASS, 0.1, True, True, 1), Judged(HOLD, 1.0, True, True, 30)]
    assert miss_shares(parts).value == pytest.approx(10 / 40)
    parts = [Judged(FAIL, 0.5, True, False, 2), Judged(PASS, 0.0, False, None, 96)]
    assert false_reject_shares(parts).value == pytest.approx(4 / 100)
    assert miss_shares([]).value is None


def test_what_a_pause_held_would_have_passed():
    assert SiteAudit(HOLD, PASS, ["paused"]).automatic is PASS
    assert SiteAudit(HOLD, PASS, ["paused", "quality"]).automatic is HOLD
    assert SiteAudit(HOLD, HOLD, ["band"]).automatic is HOLD


def test_a_part_nobody_could_be_asked_about_was_not_asked_about():
    with pytest.raises(BadInput):
        Judged(PASS, 0.0, True, True)


class Line:
    """A simulated line: decided parts, audits with answers that come hours later, a look every hour."""

    def __init__(self, rng: np.random.Generator, miss: float, audit: float = 0.2, fail_audit: float = 0.0) -> None:
        self.rng, self.miss, self.audit, self.fail_audit = rng, miss, audit, fail_audit
        self.history: History = begin(0, 0, START)
        self.parts: list[tuple[Decided, Decided, int]] = []  # without and with its answer, hour of the answer
        self.alarms: list[int] = []
        self.last = self.hour = 0

    def run(self, hours: int, defective: int = 40, good_held: int = 20, rate: float = 0.05) -> "Line":
        rules = {**DEFAULTS, RuleKind.MISSES: replace(DEFAULTS[RuleKind.MISSES], rate=rate)}
        for _ in range(hours):
            self.hour += 1
            self._decide(defective, good_held)
            seen = [told if due <= self.hour else waits for waits, told, due in self.parts]
            now = START + timedelta(hours=self.hour)
            facts = DecidedFacts(now, seen, 900, self.fail_audit, self.last, 0)
            self.history, figures = look(self.history, facts, rules, {})
            if any(one.broken for one in figures if one.kind is RuleKind.MISSES):
                self.alarms.append(self.hour)
            self.parts = [one for one in self.parts if one[0].id > self.history.decision]
        return self

    def _decide(self, defective: int, good_held: int) -> None:
        for bad in [True] * defective + [False] * good_held:
            self.last += 1
            if bad and self.rng.random() < self.miss:
                asked = self.rng.random() < self.audit
                if not asked:
                    continue
                part = Judged(PASS, self.audit, True, None)
            else:
                part = Judged(HOLD, 1.0, True, None)
            told = Decided(self.last, replace(part, defective=bad))
            self.parts.append((Decided(self.last, part), told, self.hour + int(self.rng.integers(0, 30))))


def test_answers_that_come_late_and_in_any_order_raise_no_false_alarm():
    """At the limit itself, with answers up to thirty hours late: the expected number stays below what is stated."""
    rng = np.random.default_rng(6)
    runs = [Line(rng, 0.01).run(40, defective=8, good_held=4, rate=10.0) for _ in range(12)]
    found = np.array([len(one.alarms) for one in runs])
    stated = 10.0 * 40 * 3600 / QUARTER_S
    assert found.mean() <= stated + 3 * max(found.std(ddof=1), 0.2) / np.sqrt(len(found))


def test_misses_that_rise_are_found_through_audits():
    line = Line(np.random.default_rng(7), 0.004).run(30, defective=20, good_held=5)
    assert line.alarms == []
    line.miss = 0.1
    line.run(60, defective=20, good_held=5)
    assert line.alarms


def test_a_history_survives_being_written_down():
    line = Line(np.random.default_rng(8), 0.01).run(5)
    assert History.from_json(line.history.to_json()) == line.history


def test_old_hours_are_folded_into_the_evidence_and_the_level_stays_the_same():
    rng = np.random.default_rng(9)
    line = Line(rng, 0.01).run(175, defective=3, good_held=1)
    assert len(line.history.buckets) == 168
    expected = start()
    assert level(np.asarray(line.history.tracks[RuleKind.MISSES].levels)) > level(expected)
    assert line.history.decision > 0


def test_a_rule_with_another_limit_begins_anew():
    line = Line(np.random.default_rng(10), 0.01).run(3)
    first = line.history.tracks[RuleKind.MISSES].first
    rules = {**DEFAULTS, RuleKind.MISSES: replace(DEFAULTS[RuleKind.MISSES], limit=0.02)}
    facts = DecidedFacts(START + timedelta(hours=4), [], 0, 0.0, line.last, 0)
    after, _ = look(line.history, facts, rules, {})
    assert after.tracks[RuleKind.MISSES].limit == 0.02
    assert after.tracks[RuleKind.MISSES].first > first


def test_a_closed_alarm_begins_its_rule_anew_although_it_was_raised_after_the_look_that_asked_for_it():
    line = Line(np.random.default_rng(8), 0.01).run(3)
    facts = DecidedFacts(START + timedelta(hours=4), [], 0, 0.0, line.last, 0)
    kept, _ = look(line.history, facts, DEFAULTS, {RuleKind.MISSES: 7})
    first = kept.tracks[RuleKind.MISSES].first
    still, _ = look(kept, facts, DEFAULTS, {RuleKind.MISSES: 7})
    assert still.tracks[RuleKind.MISSES].first == first
    after, _ = look(still, facts, DEFAULTS, {})
    assert after.tracks[RuleKind.MISSES].first > first
    assert after.tracks[RuleKind.MISSES].alarm is None


def test_levels_by_bucket_are_those_of_one_step_after_the_other():
    parts = [Judged(PASS, 0.5, True, True), Judged(HOLD, 1.0, True, True, 20)]
    levels = step(start(), growth(miss_items(parts, 0.01, 0.0)), share_of_quarter(3600))
    single = [parts[0], *[replace(parts[1], n=1)] * 20]
    facts = DecidedFacts(START + timedelta(minutes=5), [Decided(1, one) for one in single], 0, 0.0, 1, 0)
    _, figures = look(begin(0, 0, START), facts, DEFAULTS, {})
    [figure] = [one for one in figures if one.kind is RuleKind.MISSES]
    assert figure.level == pytest.approx(float(level(levels)) * DEFAULTS[RuleKind.MISSES].rate)
