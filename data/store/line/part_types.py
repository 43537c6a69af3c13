"""Part types: how each kind of part is looked at."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.plant import PartType
from core.roles import Action
from data.store.base import SubStore, site_row
from data.store.trail.audit import entry, record
from data.tables import part_types


class PartTypesStore(SubStore):
    """Reading and setting them; whatever was filed keeps the decision it has."""

    def get(self, site: str, name: str) -> PartType:
        """One part type of a site.

        Raises:
            NotFound: naming those there are.
        """
        found = {one.name: one for one in self.all(site)}
        if name not in found:
            raise NotFound(f"There is no part type '{name}' at {site}: there are {', '.join(found) or 'none yet'}.")
        return found[name]

    def all(self, site: str) -> list[PartType]:
        """Every part type of a site, by name."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            chosen = sa.select(part_types).where(part_types.c.site_id == row.id).order_by(part_types.c.name)
            return [part_type_of(one) for one in connection.execute(chosen)]

    def put(self, site: str, part_type: PartType, reason: str = "", now: datetime | None = None) -> None:
        """Add one, or change the one of that name."""
        with self.writing(Action.PART_TYPE) as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.PART_TYPE, row.id)
            mine = (part_types.c.site_id == row.id) & (part_types.c.name == part_type.name)
            before = connection.execute(sa.select(part_types).where(mine)).one_or_none()
            values = part_type_values(part_type)
            if before is None:
                connection.execute(sa.insert(part_types).values(site_id=row.id, **values))
            else:
                connection.execute(sa.update(part_types).where(mine).values(values))
            old = None if before is None else {name: before._mapping[name] for name in values}
            record(connection, entry(self.now(now), self.actor.name, "part type set", f"part type {part_type.name}",
                                     site_id=row.id, old=old, new=values, reason=reason))  # fmt: skip


def part_type_values(part_type: PartType) -> dict[str, Any]:
    """A row without its site."""
    return {
        "name": part_type.name,
        "scale": part_type.scale,
        "tile": part_type.tile,
        "stride": part_type.stride,
        "whole_picture": part_type.whole_picture,
        "views": list(part_type.views),
        "pictures": part_type.pictures,
        "time_out_s": part_type.time_out_s,
        "flips": part_type.flips,
        "exposures": part_type.exposures,
    }


def part_type_of(row: Any) -> PartType:
    """The opposite."""
    return PartType(
        row.name, row.scale, row.tile, row.stride, row.whole_picture, tuple(row.views), row.pictures, row.time_out_s,
        row.flips, row.exposures,
    )  # fmt: skip


def part_types_by_id(connection: Connection, site_id: int) -> dict[int, PartType]:
    """Every part type of a site."""
    chosen = sa.select(part_types).where(part_types.c.site_id == site_id)
    return {row.id: part_type_of(row) for row in connection.execute(chosen)}
