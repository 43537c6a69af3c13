"""Editing regions on a picture: one contract, two engines."""

from collections.abc import Mapping, Sequence

from app.widgets.desk.regions import drawable, own
from app.widgets.desk.regions.contract import Edit, Engine, Kind, Owner, Sheet, Source, keyed
from core.records import Region

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (own.ENGINE, drawable.ENGINE)}
DEFAULT = own.ENGINE.name


def edit_regions(engine: str, sheet: Sheet, regions: Sequence[Region], *, key: str) -> Edit:
    """Show a picture with its regions in an engine, and return what is on it now.

    Args:
        engine: its name.
        sheet: the picture.
        regions: to start from; where the engine has to start anew, `key` has to change.
        key: must name the item and its revision: an editor never outlives its item.
    """
    return ENGINES[engine].mount(sheet, regions, f"{key}.{engine}")


__all__ = ["DEFAULT", "ENGINES", "Edit", "Engine", "Kind", "Owner", "Sheet", "Source", "edit_regions", "keyed"]
