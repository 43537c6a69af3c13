"""Keys that queries count by, as people read them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.store.science.facts import Places

ALL = "all"
UNKNOWN = "not known"


def label(by: str | None, key: str | None, places: "Places") -> str:
    """A group by its name; lines, cameras and part types with their site where several are seen."""
    if by is None:
        return ALL
    if key is None:
        return UNKNOWN
    if by == "site":
        return places.sites[int(key)][0]
    if by == "policy":
        site, number = key.split(":")
        return f"{places.sites[int(site)][0]} policy {number}"
    named: Mapping[str, tuple[Mapping[int, str], Mapping[int, int]]] = {
        "line": (places.lines, places.line_sites),
        "camera": (places.cameras, places.camera_sites),
        "part type": (places.part_types, places.part_type_sites),
    }
    if by not in named:
        return key
    names, sites = named[by]
    name, site_id = names.get(int(key), UNKNOWN), sites.get(int(key))
    return name if site_id is None or len(places.sites) == 1 else f"{places.sites[site_id][0]} {name}"
