"""A plant with as many pictures and answers as one likes, written by the database itself within seconds.

Part, image, prediction, decision and task of one thing carry the same number, from FIRST upwards, so that a recorded
statement can be sent again about another one.
"""

from typing import Any

import sqlalchemy as sa

from core.roles import Role
from data.columns import METADATA
from data.store import Store
from data.tables import user_sites, users
from tests.data.store.plant import site

SITE = "Lyon"
FIRST = 700_001  # unlike any other number in a statement
ROOM = 5_000_000  # where the answered things begin
REVIEW = 40_000_001
NOBODY = "nobody can sign in with this"


def people(store: Store, count: int) -> list[str]:
    """Inspectors of the one site; made by hand, since hashing a password takes longer than an answer."""
    names = [f"inspector-{number:03}" for number in range(count)]
    now = store.database.clock()
    with store.database.transaction() as connection:
        at = connection.scalar(sa.text("SELECT id FROM sites"))
        for number, name in enumerate(names):
            values = {"id": 500_001 + number, "name": name, "password_hash": NOBODY, "role": str(Role.INSPECTOR)}
            connection.execute(sa.insert(users).values(values | {"all_sites": False, "created_at": now}))
            connection.execute(sa.insert(user_sites).values(user_id=500_001 + number, site_id=at))
    return names


def fill(store: Store, waiting: int, answered: int = 0, reviews: int = 0, reviewers: int = 50) -> list[str]:
    """A site with parts that wait for an answer and parts that have theirs.

    Args:
        store: an empty one.
        waiting: parts with one image and one open task each.
        answered: parts with one image and a label each.
        reviews: answers, spread over the answered parts, each to a task of its own, and over a year.
        reviewers: who may answer, and who has.

    Returns:
        The reviewers' names.
    """
    site(store, SITE)
    names = people(store, reviewers)
    with store.database.transaction() as connection:
        for first, count, state in ((FIRST, waiting, "open"), (ROOM, answered, "done")):
            if count:
                _things(connection, first, count, state)
        if reviews:
            _answers(connection, answered, reviews, names)
        if connection.dialect.name == "postgresql":
            for table in ("parts", "images", "predictions", "decisions", "tasks", "reviews"):
                number = f"(SELECT coalesce(max(id), 1) FROM {table})"
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {number})")
    if not store.database.is_sqlite:
        with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    return names


def _things(connection: sa.Connection, first: int, count: int, state: str) -> None:
    """Parts with what hangs on each; a rank of its own for every task."""
    at = "'2026-03-02 08:00:00.000000'" if connection.dialect.name == "sqlite" else "'2026-03-02 08:00:00+00'"
    site_id = "(SELECT id FROM sites)"
    _copy(connection, "parts", first, count, site_id=site_id, name="'part-' || i", state="'decided'", first_at=at,
          last_at=at)  # fmt: skip
    _copy(connection, "images", first, count, site_id=site_id, part_id="i", source="'inbox/' || i || '.png'",
          path="'/plant/inbox/' || i || '.png'", sha256="'sha-' || i", width="640", height="480", state="'ok'",
          state_note="''", arrived_at=at)  # fmt: skip
    _copy(connection, "predictions", first, count, image_id="i", model="'net-1'", score="0.5",
          class_scores="""'{"CRACK":0.75,"BURR":0.25}'""", milliseconds="10", predicted_at=at)  # fmt: skip
    _copy(connection, "decisions", first, count, part_id="i", number="1", outcome="'HOLD'",
          reasons="""'[["band","score .50 in the HOLD band"]]'""", route="'hold'", score="0.5",
          class_scores="""'{"CRACK":0.75,"BURR":0.25}'""", policy="1", model="'net-1'", audit_share="0",
          audited="(1 = 0)", decided_at=at)  # fmt: skip
    if state == "open":
        _copy(connection, "tasks", first, count, site_id=site_id, part_id="i", kind="'triage'", state="'open'",
              decision_id="i", risk="0.5", rank="6000 + i * 0.0001", revision="0", fence="0",
              created_at=at)  # fmt: skip


def _answers(connection: sa.Connection, answered: int, count: int, names: list[str]) -> None:
    """Done tasks with one answer each, over the last 365 days before the second of March, and the labels they make."""
    sqlite = connection.dialect.name == "sqlite"
    minutes = f"((i - {ROOM}) % {365 * 24 * 60})"
    at = f"strftime('%Y-%m-%d %H:%M:%f000', '2026-03-01 23:59:00', '-' || {minutes} || ' minutes')"
    if not sqlite:
        at = f"timestamptz '2026-03-01 23:59:00+00' - {minutes} * interval '1 minute'"
    part = f"({ROOM} + (i - {ROOM}) % {answered})"
    by = f"('inspector-' || substr('00' || (i % {len(names)}), -3))"
    if not sqlite:
        by = f"('inspector-' || lpad((i % {len(names)})::text, 3, '0'))"
    site_id = "(SELECT id FROM sites)"
    _copy(connection, "tasks", ROOM, count, site_id=site_id, part_id=part, kind="'triage'", state="'done'",
          decision_id=part, risk="0.5", rank="1000 + i * 0.0001", revision="1", fence="1", created_at=at, closed_by=by,
          closed_at=at)  # fmt: skip
    _copy(connection, "reviews", ROOM, count, id=f"{REVIEW} - {ROOM} + i", site_id=site_id, part_id=part, task_id="i",
          task_kind="'triage'", revision="1", verdict="'FAIL'", by=by, images="'[]'", classes="""'["CRACK"]'""",
          note="''", reasons="'[]'", source="'{}'", decision_id=part, outcome="'HOLD'", model="'net-1'", policy="1",
          taxonomy="1", reviewed_at=at)  # fmt: skip
    _copy(connection, "labels", ROOM, answered, key="image_id", site_id=site_id, defective="(1 = 1)",
          verdict="'FAIL'", status="'single'", by="'inspector-001'", labelled_at=at,
          review_id=f"{REVIEW} - {ROOM} + i", model="'net-1'", policy="1", changed="(1 = 0)")  # fmt: skip


def _copy(connection: sa.Connection, table: str, first: int, count: int, key: str = "id", **columns: str) -> None:
    """One row for each number i; what a required column needs beyond those given is its default."""
    columns = {key: "i"} | columns
    missing = {c.name for c in METADATA.tables[table].c if not c.nullable and c.server_default is None} - set(columns)
    if missing:
        raise RuntimeError(f"the plant of this benchmark does not fill {sorted(missing)} of {table}")
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {first + count - 1}) "
        f"SELECT {', '.join(columns.values())} FROM n"
    )
    connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement)


def counted(store: Store, table: str, where: str = "1 = 1") -> Any:
    """How many rows there are."""
    with store.database.reading() as connection:
        return connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {where}"))
