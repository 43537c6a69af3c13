"""The check of printed labels inside the transaction that decides: rules, catalogue and readings of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.decide.decision import PartEvidence
from core.records import ImageState
from core.words.identity import Entry, expected_of
from core.words.presence import Side
from core.words.print_check import PrintFinding, check_print
from data.store.line.print_rows import ImageRead, items_of, kept_rules, read_on, side_of
from data.store.rows import chunks
from data.tables import images

NOT_READ = "it was filed before labels were read here"


@dataclass(frozen=True)
class PrintedPart:
    """The label of one part, for somebody who looks at it.

    Attributes:
        expected: the item it should be; None where nobody said.
        read: on each image of the part.
    """

    finding: PrintFinding
    expected: Entry | None
    read: tuple[ImageRead, ...]


def printed_part(connection: Connection, site: Any, part_id: int, part_type: str, now: datetime) -> PrintedPart | None:
    """The check of one part's label by the rules of now; None where its part type has none."""
    kept = kept_rules(connection, site.id).get(part_type)
    if kept is None or kept.rules is None:
        return None
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    catalogue, sku = expected_of(items_of(connection, site.id), part_type)
    finding = check_print(_sides(connection, [part_id]).get(part_id, {}), kept.rules, today, catalogue, sku)
    expected = next((one for one in catalogue if one.sku == sku), None)
    return PrintedPart(finding, expected, tuple(read_on(connection, [part_id]).get(part_id, ())))


def prints_checked(
    connection: Connection,
    site: Any,
    found: Mapping[int, PartEvidence],
    kinds: Mapping[int, str | None],
    now: datetime,
) -> dict[int, PartEvidence]:
    """The same evidence, with what the check of each part's printed label holds it for.

    A picture that nobody has read counts as one that could not be read: its part is held.

    Args:
        connection: of the transaction.
        site: a row of `sites`.
        found: by part.
        kinds: part type of each part; None where nobody said.
        now: aware UTC.
    """
    asked = {one.part_type: one.rules for one in kept_rules(connection, site.id).values() if one.rules is not None}
    wanted = [part_id for part_id in found if kinds.get(part_id) in asked]
    if not wanted:
        return dict(found)
    # A large catalogue is no work for the transaction that decides, unless somebody asks what item a label names.
    items = items_of(connection, site.id) if any(asked[kinds[one] or ""].identity for one in wanted) else []
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    sides = _sides(connection, wanted)
    checked = dict(found)
    for part_id in wanted:
        kind = kinds[part_id] or ""
        finding = check_print(sides.get(part_id, {}), asked[kind], today, *expected_of(items, kind))
        checked[part_id] = replace(found[part_id], print_faults=finding.reasons)
    return checked


def _sides(connection: Connection, part_ids: list[int]) -> dict[int, dict[str, Side]]:
    """What was read on each view of each part."""
    read = {
        (part_id, one.image_id): side_of(one) for part_id, some in read_on(connection, part_ids).items() for one in some
    }
    found: dict[int, dict[str, Side]] = {}
    for some in chunks(part_ids):
        query = sa.select(images.c.id, images.c.part_id, images.c.view, images.c.width, images.c.height).where(
            images.c.part_id.in_(some), images.c.state == str(ImageState.OK)
        )
        for row in connection.execute(query.order_by(images.c.id)):
            side = read.get((row.part_id, row.id), Side((), (row.width, row.height), failed=NOT_READ))
            sides = found.setdefault(row.part_id, {})
            name = row.view or f"picture {len(sides) + 1}"
            before = sides.get(name)
            sides[name] = side if before is None else _joined(before, side)
    return found


def _joined(first: Side, second: Side) -> Side:
    """Two pictures of one view: the one that could be read, or the one that says more."""
    if first.failed is not None or second.failed is not None:
        return second if first.failed is not None else first
    letters = [sum(len(one.text) for one in side.prints) for side in (first, second)]
    return second if letters[1] > letters[0] else first
