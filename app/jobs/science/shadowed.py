"""What a shadow would have said beside production: agreement, disagreements, and who was right where people know."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from core.learn.paired import Paired, compare
from core.serving import Seen, Shadow
from core.taxonomy import DEFECTIVE_FROM

if TYPE_CHECKING:
    from data.store import Store

MOST_SHOWN = 24
CAUTION = (
    "People look at what was held or drawn for an audit, so the labelled parts are not a fair sample of the stream: "
    "this says who is right where the desk looked."
)


def comparison(store: "Store", site: str, now: datetime | None = None) -> dict[str, Any]:
    """The last shadow of a site beside production, as JSON.

    Returns:
        {site, shadow, model, against, state, from, until, pictures, waiting, errors, trouble, differ,
        only_new, only_old, disagreements: [{image, old, new, defective}], paired, milliseconds, sentence, caution};
        {site, shadow: null, sentence} where there was none.
    """
    shadow = store.shadows.latest(site)
    if shadow is None:
        return {"site": site, "shadow": None, "sentence": f"No model has looked on at {site} yet."}
    at = now or store.database.clock()
    seen = store.shadows.seen(shadow.id)
    found = compared(seen)
    document = {
        "site": site,
        "shadow": shadow.id,
        "model": shadow.model,
        "in_use": store.promotions.in_use(site),
        "state": state_of(shadow, at),
        "from": shadow.started_at.isoformat(),
        "until": (shadow.ended_at or shadow.until).isoformat(),
        "errors": store.shadows.errors(shadow.id),
        "trouble": shadow.trouble,
        **found,
        "caution": CAUTION,
    }
    return {**document, "sentence": sentence(document)}


def state_of(shadow: Shadow, now: datetime) -> str:
    """In a word."""
    if shadow.running(now):
        return "running"
    return "ended" if shadow.ended_at is not None else "time over"


def compared(seen: Sequence[Seen]) -> dict[str, Any]:
    """Agreement, disagreements with the widest first, and the paired test over the parts that people have labelled."""
    apart = sorted((one for one in seen if differ(one)), key=lambda one: -abs(one.new - one.old))
    only_new = sum(one.new >= DEFECTIVE_FROM for one in apart)
    pair = paired(seen)
    return {
        "pictures": len(seen),
        "differ": len(apart),
        "only_new": only_new,
        "only_old": len(apart) - only_new,
        "disagreements": [
            {"image": one.image_id, "part": one.part_id, "old": one.old, "new": one.new, "defective": one.defective}
            for one in apart[:MOST_SHOWN]
        ],
        "paired": pair.to_json(),
        "milliseconds": {
            "old": median(one.old_ms for one in seen) if seen else None,
            "new": median(one.new_ms for one in seen) if seen else None,
        },
    }


def differ(one: Seen) -> bool:
    """Whether one of the two flags the picture and the other does not."""
    return (one.old >= DEFECTIVE_FROM) != (one.new >= DEFECTIVE_FROM)


def paired(seen: Sequence[Seen]) -> Paired:
    """Who was right about each labelled part; its most suspicious picture speaks for it."""
    parts: dict[int, list[Seen]] = {}
    for one in seen:
        if one.defective is not None:
            parts.setdefault(one.part_id, []).append(one)
    truth = [any(one.defective for one in pictures) for pictures in parts.values()]
    new = [max(one.new for one in pictures) >= DEFECTIVE_FROM for pictures in parts.values()]
    old = [max(one.old for one in pictures) >= DEFECTIVE_FROM for pictures in parts.values()]
    return compare([said == so for said, so in zip(new, truth, strict=True)],
                   [said == so for said, so in zip(old, truth, strict=True)])  # fmt: skip


def sentence(document: dict[str, Any]) -> str:
    """How it stands, for a person."""
    pair, pictures = document["paired"], document["pictures"]
    if not pictures:
        return f"{document['model']} at {document['site']}: {document['state']}, no picture compared yet."
    said = (
        f"{document['model']} at {document['site']}: {document['state']}. {pictures:,} pictures compared, "
        f"{document['differ']:,} flagged by one of the two only ({document['only_new']:,} by {document['model']}, "
        f"{document['only_old']:,} by production)."
    )
    if not pair["n"]:
        return f"{said} Nobody has labelled any of these parts yet."
    low, high = pair["interval"]
    return (
        f"{said} Of {pair['n']:,} labelled parts it alone is right about {pair['gained']:,}, production alone about "
        f"{pair['lost']:,}: a difference of {100 * pair['difference']:+.1f} points "
        f"({100 * low:+.1f} to {100 * high:+.1f}), p = {pair['p_value']:.3g} (McNemar)."
    )
