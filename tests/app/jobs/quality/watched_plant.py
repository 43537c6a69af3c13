"""A plant under watch, for tests that look at it minute by minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.jobs.quality import alarms
from app.settings import Settings
from core.records import Review, Verdict
from core.roles import WORKER, Actor, Role
from core.watch.rules import RuleKind
from data.store import Store
from tests.data.store.plant import CLASSES, arrival, file, person

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Plant:
    """A site that audits decided parts, an inspector, two QA leads, and a clock."""

    def __init__(self, store: Store, current: Settings, audit: float = 1.0) -> None:
        self.store, self.current, self.now = store.acting_as(WORKER), current, START
        self.number = 0
        store.sites.add("Lyon", CLASSES, now=START)
        store.models.add({"name": "net-1"}, "/models/net-1", "0" * 64, now=START)
        store.sites.set_model("Lyon", "net-1", now=START)
        store.sites.set_calibrated("Lyon", now=START)
        lead = store.acting_as(Actor("plant set-up", system=True))
        made = lead.policies.propose("Lyon", 0.3, 0.8, "as agreed", audit_pass=audit, audit_fail=audit, now=START)
        store.policies.approve("Lyon", made.number, "as agreed", now=START)
        self.ana = person(store, "ana")
        self.lea, self.max = (person(store, name, Role.QA_LEAD) for name in ("lea", "max"))
        assert self.look() == []

    def pass_(self, **much: float) -> None:
        self.now += timedelta(**much)

    def look(self) -> list[int]:
        """A minute later."""
        self.pass_(minutes=1)
        return alarms.look(self.store, self.current, "Lyon", self.now)

    def send(self, n: int, score: float | None, **capture: object) -> list[int]:
        """File n parts of one score; their ids."""
        self.number += n
        made = [arrival(self.number - i, score, **capture) for i in range(n)]
        return [one.part_id for one in file(self.store, *made, now=self.now)]

    def judge(self, verdict: Verdict) -> None:
        """Ana answers whatever waits."""
        while (task := self.ana.queue.lease(now=self.now)) is not None:
            self.ana.reviews.add(task.id, task.revision, task.fence, Review(verdict, "ana"), now=self.now)

    def set_rule(self, kind: RuleKind, **changes: object) -> None:
        before = self.store.alarms.rules("Lyon")[kind]
        self.lea.alarms.set_rule("Lyon", replace(before, **changes), "for a test", before.number, self.now)

    def figure(self, kind: RuleKind, subject: str = "") -> dict:
        figures = self.store.alarms.figures("Lyon")
        return next(one for one in figures if (one["kind"], one["subject"]) == (kind, subject))

    @property
    def open_kinds(self) -> set[RuleKind]:
        return {one.kind for one in self.store.alarms.find("Lyon")}

    def paused(self) -> bool:
        return self.store.sites.get("Lyon").paused is not None
