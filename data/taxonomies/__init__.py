"""The taxonomies that are shipped: a JSON file each, in the exchange form."""

from functools import cache
from importlib.resources import files

from core.errors import NotFound
from core.taxonomy import Taxonomy


@cache
def shipped(name: str) -> Taxonomy:
    """The shipped taxonomy of this name.

    Raises:
        NotFound: naming those that are shipped.
    """
    if name not in names():
        raise NotFound(f"No taxonomy {name!r} is shipped: use one of {', '.join(names())}.")
    return Taxonomy.from_json((files(__name__) / f"{name}.json").read_text(encoding="utf-8"))


@cache
def names() -> tuple[str, ...]:
    """Of all shipped taxonomies."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))
