"""Evidence about one picture file that the plant has not filed: what a model sees in it, and nothing else."""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.jobs.intake.inspect import inspect
from app.jobs.intake.line import find_model
from app.settings import Settings
from core.errors import BadInput
from core.words.claims.records import Evidence, Seen

if TYPE_CHECKING:
    from data.store import Store


def evidence_of_file(
    store: "Store", settings: Settings, site: str, name: str, data: bytes, model: str | None, *, now: datetime
) -> Evidence:
    """Score one picture, storing nothing.

    Args:
        store: knows the site.
        settings: of the plant.
        site: whose classes count, and whose model looks.
        name: of the file; only text.
        data: the file's bytes.
        model: another than the site's; None for that.
        now: aware UTC.

    Raises:
        BadInput: the site has no model, and none was named.
        Unreadable: no picture.
    """
    at = store.sites.get(site)
    chosen = model or at.model
    if chosen is None:
        raise BadInput(f"{site} has no model: name one with --model.")
    found = inspect(settings, name, data, find_model(store, settings, chosen))
    flags = ", ".join(found.quality.flags)
    seen = Seen(0, None, (found.width, found.height), f"the picture is {flags}" if flags else "", None,
                found.prediction, found.prediction.regions)  # fmt: skip
    return Evidence(name, site, at.taxonomy, (seen,), now.astimezone(ZoneInfo(at.timezone)).date())
