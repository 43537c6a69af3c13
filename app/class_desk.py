"""What the Taxonomy page does: change a site's classes by a further version, compare versions, look a name up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app import context, desk
from app.state import TaxonomyState, told
from core.errors import BadInput, HoldpointError
from core.plant import Site
from core.taxonomy import DefectClass, Taxonomy
from core.taxonomy_edits import NamedPictures, changed_class, relabelled, retired

if TYPE_CHECKING:
    from data.store.science.taxonomies import RawName, TaxonomyVersion


def drafted(site: Site, changed: DefectClass | None) -> tuple[Taxonomy | None, str]:
    """The site's taxonomy with a class as it stands in the form; or why it cannot be so."""
    try:
        if changed is None:
            raise BadInput("A new class needs an id: it stays for ever, and what is shown is its label.")
        return changed_class(site.taxonomy, changed), ""
    except HoldpointError as error:
        return None, str(error)


def typed(class_id: str, like: DefectClass | None, **fields: object) -> DefectClass | None:
    """A class as somebody typed it; None without an id. Where an alias came from is kept."""
    if not class_id.strip():
        return None
    found = replace(like or DefectClass(class_id.strip()), **fields)  # type: ignore[arg-type]
    sources = {name: source for name, source in found.alias_sources.items() if name in found.aliases}
    return replace(found, alias_sources=sources)


def without(site: Site, class_id: str, into: str | None) -> Taxonomy:
    """The site's taxonomy without a class."""
    return retired(site.taxonomy, class_id, into)


def moved(site: str, old: Taxonomy, new: Taxonomy) -> list[NamedPictures]:
    """What becomes of the labels of a site."""
    return relabelled(old, new, {one.name: one.pictures for one in context.store().taxonomies.names(site)})


def put(view: TaxonomyState, site: Site, taxonomy: Taxonomy, note: str) -> None:
    """Put a changed taxonomy in force; refused where somebody else was first."""
    with told(view):
        why = note.strip()
        if not why:
            raise BadInput("Say why: a version without a reason helps nobody who reads it later.")
        number = context.store().taxonomies.append(site.name, taxonomy, why, context.now(),
                                                   based_on=site.taxonomy_number)  # fmt: skip
        view.message = f"Version {number} is in force; labels follow it."


def again(view: TaxonomyState, site: Site, version: "TaxonomyVersion", note: str) -> None:
    """Put an earlier version in force as a further one."""
    why = note.strip()
    put(view, site, version.taxonomy, f"as version {version.number} again: {why}" if why else "")


def by_name(names: "Sequence[RawName]") -> tuple[list[str], list[dict[str, str | int]]]:
    """The matrix: sites, and a row for each name with what it means at each site and how many pictures carry it."""
    sites = sorted({one.site for one in names})
    rows: dict[str, dict[str, str | int]] = {}
    for one in names:
        row = rows.setdefault(one.name, {"name": one.name, "pictures": 0, **dict.fromkeys(sites, "")})
        row["pictures"] = int(row["pictures"]) + one.pictures
        row[one.site] = f"{one.pictures:,} → {one.class_id or 'unmapped'}"
    return sites, sorted(rows.values(), key=lambda row: (-int(row["pictures"]), str(row["name"])))


def pictures_named(sites: Sequence[str], name: str) -> Mapping[str, list[int]]:
    """Pictures that carry a name, by site; those that this person is still to answer by eye are left out."""
    store = context.store()
    found = {site: store.taxonomies.named(site, name) for site in sites}
    every = store.images.many([image_id for own in found.values() for image_id in own])
    hidden = desk.still_blind(store, list(every.values()))
    return {site: [one for one in own if one not in hidden] for site, own in found.items() if own}
