"""What audits say of a site and what more of them would show: for the page, the command line and whoever else asks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from core.audits.estimates import Estimates, Eyes, Look, Rate, estimate, override_only
from core.audits.facts import AuditFacts
from core.audits.planner import Plan, plan, sentence
from core.learn.metrics.proportions import proportion_interval
from core.records import Outcome

if TYPE_CHECKING:
    from data.store import Store

RATES: Mapping[str, str] = {
    "miss": "Miss rate: of all defective parts, the share that passed by itself",
    "escape": "Escape rate: of all parts that passed by themselves, the share that is defective",
    "false_reject": "False-reject rate: of all good parts, the share that failed by itself",
}
_SEED = 20_260_301  # of the draws behind an interval: the same question gets the same answer


@dataclass(frozen=True)
class Measured:
    """A site's audits over a time.

    Attributes:
        answered: rates as people's answers together say.
        restated: from first looks, corrected for people's own error; None without enough gold items.
        overrides: what a dashboard of overrides would show, which is wrong; None where it has nothing.
        looked: parts that were looked at, by outcome; `parts`: decided; `waiting`: drawn or held, not answered yet.
        defective_per_day: estimated; None where it cannot be.
    """

    site: str
    since: datetime
    until: datetime
    answered: Estimates
    restated: Estimates | None
    overrides: Mapping[str, Rate | None]
    parts: Mapping[str, int]
    looked: Mapping[str, int]
    waiting: Mapping[str, int]
    eyes: Eyes
    pass_share: float | None
    defective_per_day: float | None

    @property
    def clean_per_day(self) -> float:
        """Audits of defective parts a day: those that would have been looked at, had they passed."""
        return (self.defective_per_day or 0.0) * (self.pass_share or 0.0)

    def planned(self, limit: float, confidence: float, misses: int = 0, share: float | None = None) -> Plan:
        """What it takes to show a miss rate under a limit.

        Args:
            limit: of the miss rate, above 0 and below 1.
            confidence: one-sided.
            misses: that may be found on the way.
            share: of passes to audit; the one in force where none is given.
        """
        per_day = self.clean_per_day if share is None else (self.defective_per_day or 0.0) * share
        return plan(limit, per_day, confidence, misses)


def measure(store: "Store", site: str, days: float, now: datetime) -> Measured:
    """Estimate the three rates of the last days.

    Args:
        store: bound to somebody who may set the site's policy.
        site: its name.
        days: up to now.
        now: aware UTC.
    """
    since = now - timedelta(days=days)
    facts = store.auditing.facts(site, since, now)
    answered = estimate(facts.cells, facts.settled, np.random.default_rng(_SEED))
    restated = None
    if facts.eyes.usable:
        restated = estimate(facts.cells, facts.first, np.random.default_rng(_SEED), eyes=facts.eyes)
    return Measured(
        site=site,
        since=since,
        until=now,
        answered=answered,
        restated=restated,
        overrides=_overrides(facts),
        parts=_by_outcome(facts, looked=False),
        looked=_by_outcome(facts, looked=True),
        waiting=facts.waiting,
        eyes=facts.eyes,
        pass_share=facts.pass_share,
        defective_per_day=None if answered.defective is None else answered.defective.value / facts.days,
    )


def document(found: Measured, planned: Plan | None = None) -> dict[str, Any]:
    """As JSON."""
    return {
        "site": found.site,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "confidence": 0.95,
        "rates": {
            name: {
                "definition": definition,
                "restated": _rate(None if found.restated is None else getattr(found.restated, name)),
                "as_answered": _rate(getattr(found.answered, name)),
                "override_only": _rate(found.overrides[name]),
            }
            for name, definition in RATES.items()
        },
        "parts": dict(found.parts),
        "looked_at": dict(found.looked),
        "waiting": dict(found.waiting),
        "gold_answers": asdict(found.eyes),
        "audited_share_of_passes": found.pass_share,
        "defective_per_day": found.defective_per_day,
        "missing": [*found.answered.missing],
        "plan": None if planned is None else {**asdict(planned), "sentence": sentence(planned)},
    }


def _rate(rate: Rate | None) -> dict[str, Any] | None:
    return None if rate is None else asdict(rate)


def _by_outcome(facts: AuditFacts, looked: bool) -> dict[str, int]:
    if looked:
        return {str(outcome): sum(one.outcome is outcome for one in facts.first) for outcome in Outcome}
    return {str(outcome): sum(cell.parts for cell in facts.cells if cell.outcome is outcome) for outcome in Outcome}


def _overrides(facts: AuditFacts) -> dict[str, Rate | None]:
    looks: tuple[Look, ...] = facts.settled
    found: dict[str, Rate | None] = {}
    for name, (hits, trials) in override_only(looks, facts.leanings).items():
        bounds = proportion_interval(hits, trials)
        found[name] = None if bounds is None else Rate(hits / trials, bounds.low, bounds.high, trials)
    return found
