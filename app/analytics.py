"""What the analytics page keeps and what its buttons do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import context
from app.navigation import go
from app.state import FormState, told
from core.errors import NotAllowed

if TYPE_CHECKING:
    from app.kpis.asked import Asked
    from app.kpis.charts import Answer, Row
    from app.kpis.drill import Behind


@dataclass
class AnalyticsState(FormState):
    """Analytics page.

    Attributes:
        row: of the chart that is opened, as its number; None while none is.
        asked: the chart and the question that the row belongs to.
        goes: where the part that was taken is to be corrected, and its task.
    """

    row: int | None = None
    asked: object = None
    goes: tuple[str, int] | None = None


def counted(name: str, asked: "Asked") -> "Answer":
    """A chart's numbers, as far as this person may see."""
    from app.kpis.charts import answer

    return answer(context.facts_reader(), context.store(), name, asked, context.now())


def behind(answer: "Answer", row: "Row") -> "Behind":
    """The pictures behind one row of it."""
    from app.kpis.drill import behind as look

    return look(context.facts_reader(), context.store(), answer, row)


def start(view: AnalyticsState, asked: object) -> None:
    """Another question has no row opened yet."""
    if view.asked != asked:
        view.asked, view.row = asked, None


def open_row(view: AnalyticsState, row: int | None) -> None:
    """Open the pictures behind a row, or close them."""
    view.row = row


def take(view: AnalyticsState, part_id: int) -> None:
    """Have a part in hand, to correct it; where the first look is a person's own, the queue asks for it first."""
    from app.desk import case_of

    with told(view):
        store = context.store()
        task = store.casebook.take(part_id, context.now())
        try:
            blind = case_of(part_id, task, store).blind
        except NotAllowed:
            blind = True
        view.goes = ("inspector/queue" if blind else "inspector/correct", task.id)


def follow(view: AnalyticsState) -> None:
    """Go where a button has led; a callback cannot."""
    goes, view.goes = view.goes, None
    if goes is not None:
        go(goes[0], **({"task": str(goes[1])} if goes[0] == "inspector/correct" else {}))
