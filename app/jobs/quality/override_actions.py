"""What follows from answers against the model: a case for a defect that it passed, labelling for another class."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.kpis.charts import facts_folder
from app.settings import Settings
from core.kpis.overrides import PatternAction
from core.roles import WORKER

if TYPE_CHECKING:
    from data.analytics.read import Reader
    from data.store import Store

BACK = timedelta(days=2)  # an answer is looked at for so long: a worker that was away catches up
SETTLED = timedelta(minutes=10)  # people take answers back; what stands after this is followed up
MOST = 500


def follow_up(reader: "Reader", store: "Store", now: datetime) -> dict[str, int]:
    """Open what new answers ask for; what has been opened is not opened again.

    Returns:
        How many cases and labelling tasks are new.
    """
    held = store.acting_as(WORKER)
    start = (now - BACK).replace(tzinfo=None)  # sites' clocks differ by less than a day from UTC, and twice is once
    end = (now - SETTLED).astimezone(UTC).replace(tzinfo=None)
    with reader.asking(held.facts) as question:
        rows = question.ask("new_overrides", {"from": start, "to": end, "most": MOST})
    cases = [row for row in rows if row["action"] == PatternAction.CASE]
    labels = [row for row in rows if row["action"] == PatternAction.LABELLING]
    return {
        "cases": held.casebook.open_cases(_parts(cases), "The model passed it and an inspector failed it.", now),
        "labels": held.casebook.to_labelling(_parts(labels), "Model and inspector named different classes.", now),
    }


def _parts(rows: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({row["part_id"] for row in rows})


def reader_of(current: Settings) -> "Reader":
    """The worker's own look at the facts."""
    from data.analytics.read import Reader

    return Reader(facts_folder(current))
