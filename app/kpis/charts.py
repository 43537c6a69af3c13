"""Every chart by its name, and its answer: rows, their definition, and the very query that made them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInput, NotFound
from data.sql import query

if TYPE_CHECKING:
    from app.kpis.asked import Asked
    from app.settings import Settings
    from core.kpis.baseline import Kept
    from data.analytics.read import Question, Reader
    from data.store import Store
    from data.store.science.facts import Facts, Places

Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a chart counts from.

    Attributes:
        values: of the parameters.
        now: aware UTC.
        kept: the baseline of the site that was asked for; None where nobody has set one, and for several sites.
    """

    question: "Question"
    asked: "Asked"
    places: "Places"
    values: Mapping[str, Any]
    facts: "Facts"
    now: datetime
    kept: "Kept | None" = None

    def ask(self, name: str, **more: Any) -> list[Row]:
        """Rows of a named query with the values that were asked for."""
        return self.question.ask(name, {**self.values, **more})


@dataclass(frozen=True)
class Counted:
    """What a chart makes of its rows.

    Attributes:
        more: beside the rows, such as a trend of each pattern.
        notes: what a reader has to know, as sentences.
    """

    rows: Sequence[Row]
    more: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        queries: that it asks, in `data/sql`; the first one says what the chart is.
        groups: by which it can be counted.
        grains: of time that it can be counted in; the first is its own.
        compares: with the baseline of the site.
    """

    name: str
    title: str
    queries: tuple[str, ...]
    count: Callable[[Seen], Counted]
    columns: tuple[str, ...]
    grains: tuple[str, ...] = ("week",)
    groups: tuple[str, ...] = ()
    compares: bool = False

    @property
    def definition(self) -> str:
        """In words."""
        return query(self.queries[0]).definition

    @property
    def sql(self) -> str:
        """Every query of the chart as it is asked."""
        return "\n".join(query(name).text for name in self.queries)


@dataclass(frozen=True)
class Answer:
    """A chart's numbers."""

    chart: Chart
    asked: "Asked"
    values: Mapping[str, Any]
    counted: Counted
    at: datetime

    @property
    def rows(self) -> Sequence[Row]:
        """As they are shown."""
        return self.counted.rows

    def to_json(self) -> dict[str, Any]:
        """One document."""
        return {
            "kpi": self.chart.name,
            "title": self.chart.title,
            "definition": self.chart.definition,
            "since": self.asked.since.isoformat(),
            "until": self.asked.until.isoformat(),
            "grain": self.asked.grain,
            "by": self.asked.by,
            "at": self.at.isoformat(),
            "rows": [plain({name: row.get(name) for name in self.chart.columns}) for row in self.rows],
            **{name: plain(one) for name, one in self.counted.more.items()},
            "notes": list(self.counted.notes),
            "sql": self.chart.sql,
        }


def listed(names: Sequence[str]) -> str:
    """What there is to choose from, in words."""
    return f"choose {', '.join(names)}" if names else "leave it out"


def plain(value: Any) -> Any:
    """JSON, with times in ISO 8601."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return round(value, 9) if isinstance(value, float) else value


def charts() -> Mapping[str, Chart]:
    """All of them by name, in the order in which pages show them."""
    from app.kpis import acceptance, before_after, defects, flow, overrides, rates

    every = (*overrides.CHARTS, *rates.CHARTS, *flow.CHARTS, *defects.CHARTS, *acceptance.CHARTS, *before_after.CHARTS)
    return {one.name: one for one in every}


def chart(name: str) -> Chart:
    """The chart of this name.

    Raises:
        NotFound: naming those there are.
    """
    found = charts().get(name)
    if found is None:
        raise NotFound(f"There is no chart '{name[:60]}': there are {', '.join(charts())}.")
    return found


def facts_folder(settings: "Settings") -> Path:
    """Where the published facts lie; may be deleted at any time, the worker makes them anew."""
    return settings.home / "analytics"


def answer(reader: "Reader", store: "Store", name: str, asked: "Asked", now: datetime) -> Answer:
    """Count one chart, as far as the actor of the store may see.

    Raises:
        NotFound, BadInput: for a chart, a name or a time that is not there.
        NotAllowed: by the store.
    """
    found = chart(name)
    if asked.by is not None and asked.by not in found.groups:
        raise BadInput(f"{found.title} is not counted by {asked.by}: {listed(found.groups)}.")
    if asked.grain not in found.grains:
        raise BadInput(f"{found.title} is not counted by {asked.grain}: {listed(found.grains)}.")
    places = store.facts.places()
    values = asked.values(places)
    with reader.asking(store.facts, asked.site_ids(places)) as question:
        kept = store.reported.baseline(asked.site) if found.compares and asked.site is not None else None
        counted = found.count(Seen(question, asked, places, values, store.facts, now, kept))
    return Answer(found, asked, values, counted, now)
