"""People who answer without a pause while the server under them is killed, and the four books that must agree.

A reviewer here does what a desk in the browser does: every answer has an id of its own and is sent again, through lost
replies and dead servers, until it is acknowledged. Afterwards each answer has to be in the store, in the audit trail,
in what the line was told and in the export, once, and nothing else may be there.
"""

import csv
import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.jobs.science.exports import export_labels
from app.jobs.upkeep import sealing
from app.settings import Settings
from core.records import Verdict
from data.store import Store, open_store
from data.tables import audit_events, images, outbox, parts, reviews, tasks
from tests.e2e.house import House
from tests.small_plant import PASSWORD, SITE

SURE = (Verdict.PASS, Verdict.FAIL, Verdict.REWORK)  # a label follows from each, so that each is in the export
PATIENCE_S = 180.0  # for anything that has to happen on a busy machine
PACE_S = (0.005, 0.05)  # between two posts of one person
MOST_AT_ONCE = 2


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def come_in(house: House, name: str) -> str:
    """Sign in as a browser does; the cookie."""
    form = urllib.parse.urlencode({"name": name, "password": PASSWORD}).encode()
    try:
        urllib.request.build_opener(_Stay).open(f"{house.url}/sign-in", form, timeout=60)
    except urllib.error.HTTPError as answer:
        if answer.code == 303:
            return answer.headers["Set-Cookie"].partition(";")[0]
    raise RuntimeError(f"{name} could not sign in.")


@dataclass
class Ledger:
    """What was answered, as the people themselves remember it.

    Attributes:
        sent: verdict and task of each act, by its id.
        by: who sent it.
        acknowledged: acts that the server said were stored.
        refused: acts that it said were not, and why.
        again: times that something was sent once more, because no reply came.
    """

    sent: dict[str, tuple[Verdict, int]] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    again: int = 0


class Reviewer(threading.Thread):
    """One person at a desk; ends when told to, once everything is acknowledged, or when nothing is left."""

    def __init__(self, house: House, name: str, ledger: Ledger, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.house, self.ledger, self.chance = house, ledger, random.Random(seed)
        self.cookie = come_in(house, name)
        self.over = threading.Event()
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            self._review()
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's, which raises it
            self.failed = error

    def _review(self) -> None:
        waiting: list[dict[str, Any]] = []
        acted: set[int] = set()
        while waiting or not self.over.is_set():
            reply = self._post(waiting)
            if reply is None:
                self.ledger.again += bool(waiting)
                time.sleep(0.05)
                continue
            for result in reply["results"]:
                if result["outcome"] == "stored":
                    self.ledger.acknowledged.add(result["act"])
                else:
                    self.ledger.refused[result["act"]] = result["why"]
            waiting = []
            screen = reply["screen"]
            if screen is None:
                continue
            free = [one for one in screen["tasks"] if one["task"] not in acted]
            if not free:
                return
            if not self.over.is_set():
                waiting = [self._answer(one) for one in free[: self.chance.randint(1, MOST_AT_ONCE)]]
                acted |= {one["task"] for one in waiting}
            time.sleep(self.chance.uniform(*PACE_S))

    def _answer(self, task: dict[str, Any]) -> dict[str, Any]:
        act, verdict = str(uuid4()), self.chance.choice(SURE)
        self.ledger.sent[act], self.ledger.by[act] = (verdict, task["task"]), self.name
        kept = {name: task[name] for name in ("task", "revision", "fence")}
        return {"act": act, "kind": "answer", "verdict": str(verdict), "seconds": 1.0, **kept}

    def _post(self, acts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The reply; None when none came, be it that the server died before, during or after its work."""
        request = urllib.request.Request(
            f"{self.house.url}/desk/answers",
            json.dumps({"by": self.name, "site": SITE, "acts": list(acts)}).encode(),
            {"Content-Type": "application/json", "Origin": self.house.url, "Cookie": self.cookie},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise
        except (OSError, ValueError):  # refused, reset, cut off in the middle
            return None


def review_under_kills(
    house: House, kills: int, seed: int, names: Sequence[str] = ("Ines", "Quentin", "Dora")
) -> Ledger:
    """Let people answer, kill the server so many times among their answers, and let them finish what they had begun."""
    chance, ledger = random.Random(seed), Ledger()
    people = [Reviewer(house, name, ledger, seed + number) for number, name in enumerate(names)]
    for person in people:
        person.start()
    for _ in range(kills):
        aim = len(ledger.acknowledged) + chance.randint(1, 9)
        _until(lambda aim=aim: len(ledger.acknowledged) >= aim, people)
        time.sleep(chance.uniform(0.0, 0.05))  # anywhere between two answers, or within one
        house.kill()
        house.start()
    aim = len(ledger.acknowledged) + 1
    _until(lambda: len(ledger.acknowledged) >= aim, people)
    for person in people:
        person.over.set()
    for person in people:
        person.join(PATIENCE_S)
        if person.is_alive():
            raise RuntimeError(f"{person.name} was not done {PATIENCE_S:.0f} s after the last kill.")
        if person.failed:
            raise person.failed
    return ledger


def _until(there, people: Sequence[Reviewer]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not there():
        for person in people:
            if person.failed:
                raise person.failed
        if not any(person.is_alive() for person in people):
            raise RuntimeError("Nothing is left to answer: give the plant more parts.")
        if time.monotonic() > end:
            raise RuntimeError(f"Nobody was answered in {PATIENCE_S:.0f} s.")
        time.sleep(0.002)


def disagreements(house: House, ledger: Ledger | None = None) -> list[str]:
    """What the books do not agree on; nothing, where each acknowledged answer is everywhere once and alone.

    Args:
        house: whose server runs, and goes on sealing.
        ledger: what the people remember; without one only the books are compared.
    """
    settings = Settings(home=house.plant.home, database_url=house.plant.url)
    store = open_store(house.plant.url)
    try:
        answers = _answers(store)
        once = {row.id: 1 for row in answers}
        return [
            *(_misremembered(answers, ledger) if ledger else ()),
            *_differ("the audit trail", _events(store), once),
            *_differ("what the line was told", _told(store), once),
            *_differ("closed tasks", _closed(store), {row.task_id: 1 for row in answers}),
            *_differ("the export", _exported(store, settings), _pictures(store, answers)),
            *_trail(store, settings),
            *_integrity(store),
        ]
    finally:
        store.close()


def _misremembered(answers: Sequence[Any], ledger: Ledger) -> list[str]:
    """The store against the people's own memory."""
    wrong = [f"{act} was neither stored nor refused"
             for act in ledger.sent.keys() - ledger.acknowledged - ledger.refused.keys()]  # fmt: skip
    wrong += _differ("the store", Counter(row.act for row in answers), dict.fromkeys(ledger.acknowledged, 1))
    wrong += [
        f"{row.act} is stored as {row.verdict} by {row.by} for task {row.task_id}"
        for row in answers
        if row.act in ledger.sent
        and (Verdict(row.verdict), row.task_id, row.by) != (*ledger.sent[row.act], ledger.by[row.act])
    ]
    return wrong


def _differ(book: str, found: Counter[Any] | dict[Any, int], expected: dict[Any, int]) -> list[str]:
    return [
        f"{book} has {one} {found.get(one, 0)} times instead of {expected.get(one, 0)}"
        for one in sorted({*found, *expected}, key=str)
        if found.get(one, 0) != expected.get(one, 0)
    ]


def _answers(store: Store) -> list[Any]:
    query = sa.select(reviews).where(reviews.c.task_id.is_not(None), reviews.c.undoes.is_(None))
    with store.database.reading() as connection:
        return list(connection.execute(query).all())


def _events(store: Store) -> Counter[int]:
    with store.database.reading() as connection:
        query = sa.select(audit_events.c.new).where(audit_events.c.action == "reviewed")
        return Counter(new["review"] for new in connection.scalars(query))


def _told(store: Store) -> Counter[int]:
    with store.database.reading() as connection:
        query = sa.select(outbox.c.payload).where(outbox.c.topic == "review")
        return Counter(payload["review"] for payload in connection.scalars(query))


def _closed(store: Store) -> Counter[int]:
    with store.database.reading() as connection:
        return Counter(connection.scalars(sa.select(tasks.c.id).where(tasks.c.state == "done")))


def _pictures(store: Store, answers: Sequence[Any]) -> dict[Any, int]:
    """What the export has to have: part, verdict and person of each answer, once for each picture of the part."""
    with store.database.reading() as connection:
        query = sa.select(parts.c.id, parts.c.name, sa.func.count()).join(images, images.c.part_id == parts.c.id)
        known = {row[0]: row[1:] for row in connection.execute(query.group_by(parts.c.id, parts.c.name))}
    return {(known[row.part_id][0], row.verdict, row.by): known[row.part_id][1] for row in answers}


def _exported(store: Store, settings: Settings) -> Counter[Any]:
    target = settings.exports / "after-the-kills.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    export_labels(store, settings, target, "csv", site=SITE)
    with target.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["by"].startswith("import:")]
    return Counter((row["part"], row["verdict"], row["by"]) for row in rows)


def _trail(store: Store, settings: Settings) -> list[str]:
    """The chain of seals, which the server that was started last has gone on with."""
    end = time.monotonic() + PATIENCE_S
    while store.seals.waiting()[0] and time.monotonic() < end:
        time.sleep(0.1)
    found = sealing.verify(store, settings)
    return [f"the trail: {one}" for one in found.problems]


def _integrity(store: Store) -> list[str]:
    with store.database.reading() as connection:
        said = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    return [] if said == "ok" else [f"integrity: {said}"]
