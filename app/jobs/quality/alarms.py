"""Looking at every site about once a minute: detectors move on, alarms are raised, auto-PASS is paused.

The look runs in a thread of the worker, beside its jobs, and messages go out from a thread of their own: neither waits
for the other, and nothing here waits for a mail server. How often somebody looks changes nothing about how often an
alarm is false.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.quality import follow_ups
from app.jobs.quality.notices import Channel, channels, deliver
from app.jobs.words.complaint_messages import deliver_notices
from app.settings import Settings
from core.errors import HoldpointError
from core.roles import WORKER
from core.watch import history, watched
from core.watch.alarms import FOLLOW_UPS, Raised, sentence
from core.watch.facts import Figure
from core.watch.rules import MEANING, Rule, Step

if TYPE_CHECKING:
    from data.store import Store
    from data.store.rules.watching import Watched

EVERY_S = 60.0
SEND_EVERY_S = 2.0


def look_at_all(store: "Store", current: Settings, now: datetime, every_s: float = EVERY_S) -> list[int]:
    """Look at each site whose last look is old enough.

    Returns:
        Ids of the alarms that this raised.
    """
    plant = store.acting_as(WORKER)
    raised: list[int] = []
    for site in plant.sites.all():
        raised += look(plant, current, site.name, now, every_s)
    return raised


def look(store: "Store", current: Settings, site: str, now: datetime, every_s: float = 0.0) -> list[int]:
    """Look at one site.

    The pause comes first: if this process dies right after it, parts are held, and the next look raises the alarm.
    """
    begun = store.watching.begin(site)
    if begun.looked_at is not None and now - begun.looked_at < timedelta(seconds=every_s):
        return []
    if not begun.states:
        image, review, decision = store.watching.marks(site)
        states: dict[str, Any] = {
            "streams": {"image": image, "review": review, "labelled": now.isoformat(), "looked": now.isoformat()},
            "decided": history.begin(decision, review, now).to_json(),
            "figures": [],
        }
        store.watching.keep(site, begun.revision, states, [], [], now)
        return []
    states, figures = _figures(store, begun, now)
    asked = [one for one in figures if one.broken]
    new = [one for one in asked if (one.kind, one.subject) not in begun.open_alarms]
    again = [
        begun.open_alarms[one.kind, one.subject]
        for one in asked
        if (one.kind, one.subject) in begun.open_alarms and MEANING[one.kind].tested
    ]
    pausing = [one for one in asked if begun.rules[one.kind].pauses and (one in new or MEANING[one.kind].tested)]
    paused = begun.paused
    if pausing and paused is None:
        paused = f"alarm: {sentence(pausing[0], begun.rules[pausing[0].kind])}"
        store.sites.pause(site, paused, now=now)
    told = channels(current)
    raised = [_raised(one, begun.rules[one.kind], told) for one in new]
    made = store.watching.keep(site, begun.revision, states, raised, again, now)
    unfilled = {one.alarm for one in store.alarms.follow_ups(site) if one.alarm is not None and not one.document}
    for alarm_id in sorted({*(made or ()), *unfilled}):  # a process may have died before it had found everything out
        follow_ups.fill(store, current, alarm_id, now)
    return made or []


def _figures(store: "Store", begun: "Watched", now: datetime) -> tuple[dict[str, Any], list[Figure]]:
    """Everything that is watched, once."""
    streams = dict(begun.states["streams"])
    labelled = datetime.fromisoformat(streams["labelled"])
    facts = store.watching.stream(begun.site, streams["image"], streams["review"], labelled, now)
    day = now.astimezone(ZoneInfo(begun.timezone)).date().isoformat()
    state, figures = watched.look(facts, streams, begun.rules, begun.open_alarms, day)
    state.update(image=facts.image, review=facts.review, labelled=now.isoformat())
    past = history.History.from_json(begun.states["decided"])
    policy = store.policies.in_force(begun.site)
    decided = store.watching.decided(
        begun.site, past.decision, past.last, past.review, 0.0 if policy is None else policy.least_audit_fail, now
    )
    mine = {kind: alarm for (kind, _), alarm in begun.open_alarms.items()}
    past, more = history.look(past, decided, begun.rules, mine)
    figures = [*more, *figures]
    shown = [_shown(one) for one in figures]
    return {"streams": state, "decided": past.to_json(), "figures": shown}, figures


def _shown(one: Figure) -> dict[str, Any]:
    """A figure as the page gets it."""
    found = {**asdict(one), "kind": str(one.kind), "since": None if one.since is None else one.since.isoformat()}
    found.pop("broken")
    return found


def _raised(one: Figure, rule: Rule, told: Sequence[Channel]) -> Raised:
    text = sentence(one, rule)
    steps = [step for step in rule.steps if step in FOLLOW_UPS]
    return Raised(
        one.kind, one.subject, rule.number, text, _shown(one) | {"limit": rule.limit, "rate": rule.rate}, rule.pauses,
        [channel.name for channel in told if channel.wants(one.kind)] if Step.NOTIFY in rule.steps else [],
        [(step, follow_ups.asks(step, one.kind, one.subject), {}) for step in steps],
    )  # fmt: skip


class Watcher:
    """Two threads of a process that writes: one looks, one sends; what they cannot do they say once."""

    def __init__(
        self, store: "Store", current: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Start them."""
        self._store = store.acting_as(WORKER)
        self._current = current
        self._now = now
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(what, every), name=name, daemon=True)
            for name, what, every in (("watcher", self._look, 2.0), ("messenger", self._send, SEND_EVERY_S))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Watcher":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End; a look that runs is finished, a message that is on its way is left to its time limit."""
        self._ending.set()
        for thread in self._threads:
            thread.join(10)

    def _look(self) -> None:
        look_at_all(self._store, self._current, self._now())

    def _send(self) -> None:
        deliver(self._store, self._current, self._now, stop=self._ending.is_set)
        deliver_notices(self._store, self._current, self._now, stop=self._ending.is_set)

    def _run(self, what: Callable[[], None], every_s: float) -> None:
        trouble = ""
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                what()
                trouble = ""
            except (HoldpointError, SQLAlchemyError, OSError) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    sys.stderr.write(f"Watching failed and is tried again: {error}\n")
            self._ending.wait(max(0.1, every_s - (time.monotonic() - began)))
