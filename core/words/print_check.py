"""The check of a part's printed label: is it there, is the date good, is it this item's. Doubt holds the part."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from core.errors import BadInput
from core.records import Reason
from core.words.date_forms import Order
from core.words.expiry import CERTAIN, Expiry, Printing, Shelf, ShelfVerdict, read_expiry, shelf
from core.words.identity import Entry, Identity, identify
from core.words.months import names_of_months
from core.words.presence import Presence, Side, presence

WRONG = "wrong label"
EXPIRED = "expired"
MISSING = "label missing"
UNREAD = "label unread"


@dataclass(frozen=True)
class PrintRules:
    """What is asked of the labels of one part type at a site.

    Attributes:
        views: that carry the label; empty: any may.
        expiry: whether a date has to be there and good.
        short_days: goods with fewer days left are held.
        identity: whether the text has to be the expected item's.
        least_margin: by which the expected item has to be likelier than any other.
        certain: least probability of a date's verdict.
    """

    printing: Printing = field(default_factory=Printing)
    views: frozenset[str] = frozenset()
    expiry: bool = True
    short_days: int = 0
    identity: bool = True
    least_margin: float = 0.5
    certain: float = CERTAIN

    def said(self) -> str:
        """What is asked, in a few words."""
        asked = []
        if self.expiry:
            asked.append("a date that is good" + (f" for {self.short_days} days more" if self.short_days else ""))
        if self.identity:
            asked.append("the item's own text")
        where = f" on {', '.join(sorted(self.views))}" if self.views else ""
        return (" and ".join(asked) or "a label") + where


@dataclass(frozen=True)
class PrintFinding:
    """What a label check says.

    Attributes:
        reasons: why the part is held; none where the label is in order.
        sides: what was read, by view.
    """

    presence: Presence
    why: str
    expiry: Expiry | None
    shelf: ShelfVerdict | None
    identity: Identity | None
    reasons: tuple[Reason, ...]
    sides: Mapping[str, Side] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that was read, lines in reading order, views by name."""
        return "\n".join(one.text for view in sorted(self.sides) for one in self.sides[view].prints)


def rules_document(rules: PrintRules) -> dict[str, Any]:
    """Rules as JSON."""
    found = asdict(rules)
    return {
        **found,
        "views": sorted(rules.views),
        "printing": {**found["printing"], "languages": list(rules.printing.languages)},
    }


def rules_of(document: Mapping[str, Any]) -> PrintRules:
    """Rules from JSON.

    Raises:
        BadInput: naming what is wrong.
    """
    try:
        printing = dict(document.get("printing", {}))
        order = printing.get("order")
        languages = tuple(str(one) for one in printing.get("languages", ("en",)))
        rules = PrintRules(
            Printing(None if order is None else Order(order), languages, bool(printing.get("julian", False)),
                     None if printing.get("shelf_days") is None else int(printing["shelf_days"])),
            frozenset(str(view) for view in document.get("views", ())), bool(document.get("expiry", True)),
            int(document.get("short_days", 0)), bool(document.get("identity", True)),
            float(document.get("least_margin", 0.5)), float(document.get("certain", CERTAIN)),
        )  # fmt: skip
    except (TypeError, ValueError, KeyError) as error:
        raise BadInput(f"These rules for printed labels cannot be read: {error}.") from error
    names_of_months(languages)
    if not 0 <= rules.short_days <= 3650:
        raise BadInput(f"{rules.short_days} days for short-dated goods is outside 0 to 3650.")
    if not 0.5 <= rules.certain <= 0.999999 or not 0 <= rules.least_margin < 1:
        raise BadInput("How sure a date has to be is 0.5 to 0.999999, the least margin 0 to below 1.")
    if not rules.expiry and not rules.identity and not rules.views:
        raise BadInput("These rules ask for nothing: ask for a date, for the item, or name the views with a label.")
    return rules


def check_print(
    sides: Mapping[str, Side],
    rules: PrintRules,
    today: date,
    catalogue: Sequence[Entry] = (),
    expected: str | None = None,
) -> PrintFinding:
    """Check the label of a part.

    Args:
        sides: what was read on each view.
        rules: of the part type.
        today: at the site.
        catalogue: of the site.
        expected: SKU of the item; None where nobody said.
    """
    where, why = presence(sides, rules.views)
    if where in (Presence.MISSING, Presence.WRONG_SIDE, Presence.UNKNOWN):
        kind = UNREAD if where is Presence.UNKNOWN else MISSING
        return PrintFinding(where, why, None, None, None, (Reason(kind, f"Label {where}: {why}."),), sides)
    prints = [one for view in sorted(sides) if not rules.views or view in rules.views for one in sides[view].prints]
    reasons: list[Reason] = []
    found = verdict = named = None
    if rules.expiry:
        found = read_expiry(prints, rules.printing, today)
        verdict = shelf(found, today, rules.short_days, rules.certain)
        reasons += _of_shelf(verdict)
    if rules.identity and catalogue:
        named = identify(" ".join(one.text for one in prints), catalogue, expected)
        because = named.reason(rules.least_margin)
        if because is not None:
            reasons.append(Reason(WRONG, f"{because[0].upper()}{because[1:]}."))
    if where is Presence.PARTLY and reasons:
        reasons.insert(0, Reason(UNREAD, f"Label {where}: {why}."))
    return PrintFinding(where, why, found, verdict, named, tuple(reasons), sides)


def enough(
    side: Side, rules: PrintRules, today: date, catalogue: Sequence[Entry] = (), expected: str | None = None
) -> bool:
    """Whether reading on can change nothing: all that is asked for was read on this side, and is in order."""
    anywhere = replace(rules, views=frozenset())
    return bool(side.prints) and not check_print({"": side}, anywhere, today, catalogue, expected).reasons


def _of_shelf(verdict: ShelfVerdict) -> list[Reason]:
    if verdict.shelf is Shelf.FINE:
        return []
    if verdict.shelf is Shelf.UNREADABLE:
        return [Reason(UNREAD, f"The date is {verdict.why}.")]
    return [Reason(EXPIRED, f"The goods are {verdict.shelf}: the date {verdict.why}.")]
