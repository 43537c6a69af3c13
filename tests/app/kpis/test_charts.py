"""Every chart says the same on SQLite and PostgreSQL, by every group and grain; rates rest on audits alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.kpis.asked import Asked, local_time
from app.kpis.charts import answer, chart, charts
from app.kpis.drill import behind
from app.kpis.files import as_csv, as_parquet
from core.errors import BadInput, NotAllowed, NotFound
from core.roles import Actor
from data import tables as t
from data.analytics.publish import publish
from data.analytics.read import Reader
from data.store import Store, open_store
from tests.kpi_plant import NOW, fill


def day(text: str) -> datetime:
    """On the sites' own clocks."""
    return datetime.fromisoformat(text)


LONG = Asked(day("2026-01-05"), day("2026-04-20"))
SHORT = Asked(day("2026-03-20"), day("2026-04-15"), grain="hour")


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, postgresql_server: str
) -> Iterator[dict[str, tuple[Store, Path]]]:
    """The same plant on both databases: published on SQLite, straight from the store on PostgreSQL."""
    from tests.conftest import _run, _with_database

    folder = tmp_path_factory.mktemp("both")
    (folder / "holdpoint.sqlite3").write_bytes(sqlite_template.read_bytes())
    _run(postgresql_server, "CREATE DATABASE holdpoint_charts TEMPLATE holdpoint_template STRATEGY FILE_COPY")
    found = {
        "sqlite": (open_store(f"sqlite:///{folder / 'holdpoint.sqlite3'}", clock=lambda: NOW), folder / "a"),
        "postgresql": (
            open_store(_with_database(postgresql_server, "holdpoint_charts"), clock=lambda: NOW), folder / "b",
        ),
    }  # fmt: skip
    for store, _ in found.values():
        fill(store)
    publish(found["sqlite"][0].facts, folder / "a", at_once=True)
    yield found
    for store, _ in found.values():
        store.close()
    _run(postgresql_server, "DROP DATABASE holdpoint_charts WITH (FORCE)")


@pytest.fixture
def plant(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url, clock=lambda: NOW)
    fill(opened)
    yield opened
    opened.close()


def questions(name: str) -> list[Asked]:
    found = chart(name)
    asked = [replace(LONG if grain != "hour" else SHORT, grain=grain) for grain in found.grains]
    return asked + [replace(asked[0], by=by) for by in found.groups]


@pytest.mark.parametrize("name", charts())
def test_both_databases_give_the_same_answer(both: dict[str, tuple[Store, Path]], name: str) -> None:
    readers = {kind: Reader(folder) for kind, (_, folder) in both.items()}
    for asked in questions(name):
        documents = [answer(readers[kind], store, name, asked, NOW).to_json() for kind, (store, _) in both.items()]
        assert documents[0]["rows"], asked
        assert documents[0] == documents[1], asked
    filtered = replace(questions(name)[0], site="Lyon", line="A", model="net-1")
    documents = [answer(readers[kind], store, name, filtered, NOW).to_json() for kind, (store, _) in both.items()]
    assert documents[0] == documents[1]


@pytest.mark.parametrize("name", charts())
def test_every_chart_has_words_query_and_files(both: dict[str, tuple[Store, Path]], name: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    store, folder = both["sqlite"]
    found = answer(Reader(folder), store, name, questions(name)[0], NOW)
    assert len(found.chart.definition) > 40
    assert "SELECT" in found.chart.sql
    lines = as_csv(found).decode().splitlines()
    assert lines[0].split(",") == list(found.chart.columns)
    (tmp_path / "rows.parquet").write_bytes(as_parquet(found))
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.num_rows == len(found.rows)
    assert table.schema.metadata[b"sql"].decode() == found.chart.sql


def test_misses_and_escapes_come_from_audits_and_never_from_overrides(plant: Store, tmp_path: Path) -> None:
    """A hundred answers about parts that passed and were not picked for an audit change no rate."""
    reader = Reader(tmp_path)
    asked = replace(LONG, grain="week")
    before = answer(reader, plant, "rates", asked, NOW).to_json()["rows"]
    overrides = answer(reader, plant, "overrides", asked, NOW).to_json()["rows"]
    _answers_about_what_was_not_audited(plant)
    assert answer(reader, plant, "rates", asked, NOW).to_json()["rows"] == before
    assert answer(reader, plant, "overrides", asked, NOW).to_json()["rows"] != overrides


def test_audits_count_for_as_many_as_they_were_picked_out_of(plant: Store, tmp_path: Path) -> None:
    """Counted by hand from the tables, for the whole time at one site."""
    asked = Asked(day("2025-12-29"), day("2026-05-04"), by="site", site="Lyon")
    found = answer(Reader(tmp_path), plant, "rates", asked, NOW).rows
    escapes = [row for row in found if row["measure"] == "escape rate" and row["n"]]
    weight = defective = n = 0.0
    last: dict[int, tuple[str, float]] = {}
    with plant.database.reading() as connection:
        rows = connection.execute(
            sa.select(t.reviews, t.decisions.c.audit_share, t.decisions.c.audited)
            .join(t.decisions, t.decisions.c.id == t.reviews.c.decision_id)
            .join(t.sites, t.sites.c.id == t.reviews.c.site_id)
            .where(t.sites.c.name == "Lyon", t.reviews.c.outcome == "PASS")
            .order_by(t.reviews.c.id)
        ).all()
    undone = {row.undoes for row in rows}
    for row in rows:
        if row.audited and row.undoes is None and row.id not in undone and row.verdict != "UNSURE":
            last[row.decision_id] = (row.verdict, 1 / row.audit_share)
    for verdict, one in last.values():
        weight, n = weight + one, n + 1
        defective += one if verdict != "PASS" else 0
    assert sum(row["n"] for row in escapes) == n
    assert n > 30
    assert defective / weight == pytest.approx(_whole(plant, tmp_path), rel=1e-9)


def _whole(plant: Store, folder: Path) -> float:
    from app.kpis.charts import Seen
    from app.kpis.rates import by_group, strata_of
    from core.kpis.rates import measures

    asked = Asked(day("2025-12-29"), day("2026-05-04"), site="Lyon")
    places = plant.facts.places()
    with Reader(folder).asking(plant.facts, asked.site_ids(places)) as question:
        seen = Seen(question, asked, places, asked.values(places), plant.facts, NOW)
        cells = by_group(seen, whole=True)
    return float(measures(strata_of(cells, list(cells)))["escape rate"].value[0])


def test_a_person_counts_only_their_sites(plant: Store, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    vera = plant.acting_as(Actor("Vera"))
    for name in charts():
        for asked in questions(name):
            text = str(answer(reader, vera, name, asked, NOW).to_json()["rows"])
            assert "Lyon" not in text, (name, asked.by)
    with pytest.raises(NotFound, match="no site 'Lyon' that you see"):
        answer(reader, vera, "rates", replace(LONG, site="Lyon"), NOW)
    with pytest.raises(NotAllowed):
        answer(reader, plant.acting_as(Actor("stranger")), "rates", LONG, NOW)


def test_every_row_leads_to_its_pictures(both: dict[str, tuple[Store, Path]]) -> None:
    store, folder = both["sqlite"]
    reader = Reader(folder)
    for name in charts():
        if name in ("acceptance", "oee", "before-after", "reported-escapes"):
            continue
        found = answer(reader, store, name, questions(name)[0], NOW)
        some = [behind(reader, store, found, row) for row in found.rows[:12]]
        assert any(one.pictures for one in some), name
        assert all(one.sql.startswith("--") for one in some)


def test_the_pictures_behind_an_override_are_those_that_were_counted(both: dict[str, tuple[Store, Path]]) -> None:
    store, folder = both["sqlite"]
    reader = Reader(folder)
    found = answer(reader, store, "overrides", LONG, NOW)
    for row in found.rows:
        pictures = behind(reader, store, found, row).pictures
        assert len(pictures) == row["count"], row
        for one in pictures:
            assert row["week"] <= one.at.date() < row["week"] + timedelta(weeks=1)


CRAFTED = ("x' OR '1'='1", "1; DROP TABLE decisions", "$since", "\\x00", "../../etc/passwd")


@pytest.mark.parametrize("text", CRAFTED)
def test_a_crafted_name_never_reaches_a_query(both: dict[str, tuple[Store, Path]], text: str) -> None:
    """What is in no list is refused before anything is asked; what may be anything equals nothing."""
    store, folder = both["sqlite"]
    reader = Reader(folder)
    for name in ("site", "line", "camera", "part_type"):
        with pytest.raises(NotFound):
            answer(reader, store, "throughput", replace(LONG, grain="day", **{name: text}), NOW)
    for name in ("by", "grain"):
        with pytest.raises(BadInput):
            replace(LONG, **{name: text})
    with pytest.raises(NotFound):
        answer(reader, store, text, LONG, NOW)
    with pytest.raises(BadInput):
        local_time(text, None)
    assert not answer(reader, store, "throughput", replace(LONG, grain="day", model=text), NOW).rows
    assert not answer(reader, store, "rates", replace(LONG, by="class", class_id=text), NOW).rows


def test_times_are_on_the_sites_own_clocks() -> None:
    assert local_time("2026-03-01T08:00+00:00", "Asia/Kolkata") == day("2026-03-01T13:30")
    with pytest.raises(BadInput, match="own clocks"):
        local_time("2026-03-01T08:00+00:00", None)
    with pytest.raises(BadInput, match="empty"):
        Asked(day("2026-03-01"), day("2026-03-01"))


def _answers_about_what_was_not_audited(store: Store) -> None:
    with store.database.transaction() as connection:
        passed = connection.execute(
            sa.select(t.decisions, t.parts.c.site_id)
            .join(t.parts, t.parts.c.id == t.decisions.c.part_id)
            .where(t.decisions.c.outcome == "PASS", ~t.decisions.c.audited)
            .limit(100)
        ).all()
        assert len(passed) > 50
        task = int(connection.scalar(sa.select(sa.func.max(t.tasks.c.id))) or 0)
        example = connection.execute(sa.select(t.tasks).limit(1)).one()._asdict()
        review = connection.execute(sa.select(t.reviews).where(t.reviews.c.undoes.is_(None)).limit(1)).one()._asdict()
        review_id = int(connection.scalar(sa.select(sa.func.max(t.reviews.c.id))) or 0)
        for place, row in enumerate(passed, start=1):
            common = {"site_id": row.site_id, "part_id": row.part_id, "decision_id": row.id}
            connection.execute(
                sa.insert(t.tasks).values(example | common | {"id": task + place, "kind": "label", "state": "done"})
            )
            connection.execute(sa.insert(t.reviews).values(review | common | {
                "id": review_id + place, "task_id": task + place, "task_kind": "label", "verdict": "FAIL",
                "outcome": "PASS", "revision": 1, "reviewed_at": row.decided_at + timedelta(minutes=5), "act": None,
            }))  # fmt: skip


def test_stopping_everything_is_called_what_it_is() -> None:
    """TP 6053, FN 2, FP 8618, TN 1: a recall of 99.97% that is worth nothing."""
    from app.kpis.rates import degenerate

    whole = {"PASS": (3, 2), "HOLD": (0, 0), "FAIL": (14671, 6053)}
    cell = {
        name: {"decided": n, "n": n, "weight": n, "weight2": n, "defective": defective}
        for name, (n, defective) in whole.items()
    }
    (sentence,) = degenerate({("all", "all", None): cell})
    assert "no better than stopping every part: F2 is 77.82%, and would be 77.84%" in sentence
    cell["FAIL"] |= {"decided": 6100, "n": 6100, "weight": 6100, "weight2": 6100}
    cell["PASS"] |= {"decided": 8574, "n": 8574, "weight": 8574, "weight2": 8574}
    assert degenerate({("all", "all", None): cell}) == []
