"""From a complaint's numbers to the parts that they may mean, for many complaints at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.words.complaints.linking import LEAST_TRACKING, WINDOW_DAYS, Candidate, Link, folded, link
from core.words.complaints.records import Told
from data.store.rows import chunks
from data.tables import catalogue_items, images, orders, part_types, parts, readings

_MOST_OF_ORDER = 2000  # parts of one order that are looked at
_MOST_READ = 20_000  # newest readings in which a tracking number is looked for
_PART = (
    sa.select(parts.c.id, parts.c.name, parts.c.first_at, orders.c.name.label("order_name"),
              part_types.c.name.label("part_type"))
    .outerjoin(orders, orders.c.id == parts.c.order_id)
    .outerjoin(part_types, part_types.c.id == parts.c.part_type_id)
)  # fmt: skip


def links_of(connection: Connection, site_id: int, told: Sequence[Told], zone: Any) -> list[Link]:
    """What the rule says of each, in their order."""
    items = {
        folded(row.sku): folded(row.part_type)
        for row in connection.execute(sa.select(catalogue_items).where(catalogue_items.c.site_id == site_id))
        if row.part_type
    }
    printed = _printed(connection, site_id, told, zone)
    named = _named(connection, site_id, {one.part for one in told} | {one.tracking for one in told})
    of_order = _of_orders(connection, site_id, {one.order for one in told})
    read = {one.part_id: one for one in _parts(connection, [_PART.where(parts.c.id.in_(some))
                                                            for some in chunks(sorted(printed))])}  # fmt: skip
    found = []
    for one in told:
        mine: dict[int, Candidate] = {}
        for candidate in (
            *named.get(folded(one.part), ()),
            *named.get(folded(one.tracking), ()),
            *of_order.get(folded(one.order), ()),
            *(read[part_id] for part_id in printed if folded(one.tracking) in printed[part_id].split()),
        ):  # fmt: skip
            mine[candidate.part_id] = Candidate(
                candidate.part_id, candidate.name, candidate.order, candidate.part_type, candidate.first_at,
                printed.get(candidate.part_id, ""),
            )  # fmt: skip
        found.append(link(one, list(mine.values()), items))
    return found


def _spellings(words: Iterable[str]) -> list[str]:
    """As a system may have written them; the index knows exact ones only."""
    return sorted({form for word in words if word for form in (word, word.upper(), word.lower())})


def _parts(connection: Connection, queries: Iterable[sa.Select[Any]]) -> list[Candidate]:
    return [
        Candidate(row.id, row.name, row.order_name or "", row.part_type or "", row.first_at)
        for query in queries
        for row in connection.execute(query)
    ]


def _named(connection: Connection, site_id: int, names: set[str]) -> dict[str, list[Candidate]]:
    queries = [_PART.where(parts.c.site_id == site_id, parts.c.name.in_(some)) for some in chunks(_spellings(names))]
    found: dict[str, list[Candidate]] = defaultdict(list)
    for one in _parts(connection, queries):
        found[folded(one.name)].append(one)
    return found


def _of_orders(connection: Connection, site_id: int, names: set[str]) -> dict[str, list[Candidate]]:
    ids = [
        row.id
        for some in chunks(_spellings(names))
        for row in connection.execute(
            sa.select(orders.c.id).where(orders.c.site_id == site_id, orders.c.name.in_(some))
        )
    ]
    found: dict[str, list[Candidate]] = defaultdict(list)
    queries = [_PART.where(parts.c.site_id == site_id, parts.c.order_id.in_(some)) for some in chunks(ids)]
    for one in _parts(connection, queries):
        if len(found[folded(one.order)]) < _MOST_OF_ORDER:
            found[folded(one.order)].append(one)
    return found


def _printed(connection: Connection, site_id: int, told: Sequence[Told], zone: Any) -> dict[int, str]:
    """What is read on labels, by part, where a tracking number that was told is among it."""
    wanted = {folded(one.tracking) for one in told if len(folded(one.tracking)) >= LEAST_TRACKING}
    if not wanted:
        return {}
    first = min(one.shipped_on or one.told_on for one in told) - timedelta(days=WINDOW_DAYS)
    query = (
        sa.select(readings.c.document, images.c.part_id)
        .join(images, images.c.id == readings.c.image_id)
        .where(images.c.site_id == site_id, readings.c.read_at >= datetime.combine(first, time(), tzinfo=zone))
        .order_by(readings.c.id.desc())
        .limit(_MOST_READ)
    )
    found: dict[int, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        words = {folded(text) for text, *_ in row.document.get("prints", ())}
        words |= {folded(word) for text, *_ in row.document.get("prints", ()) for word in text.split()}
        if words & wanted:
            found[row.part_id] |= words & wanted
    return {part_id: " ".join(sorted(words)) for part_id, words in found.items()}
