"""The one picture of a part that a describer is shown: cut to the damage, small, without what a file says of itself."""

from typing import TYPE_CHECKING

from app.jobs.intake.line import decoders
from app.settings import Settings
from app.web.pictures import checked_bytes
from core.errors import NotFound
from core.pictures.covering import cover_jpeg
from core.pictures.sandbox import Upload
from core.words.claims.records import Evidence, Seen

if TYPE_CHECKING:
    from data.store import Store

SIDE = 1024  # of the JPEG
AROUND = 1.0  # of the damage's longer side, shown around it


def picture_of(store: "Store", settings: Settings, part_id: int, evidence: Evidence) -> bytes:
    """A JPEG of the picture with the most damage, cut to it; the whole picture where nobody and nothing points.

    What is personal in it is covered, whoever asks: it leaves the plant.

    Raises:
        NotFound: the part has no picture that can be used, or it is withheld.
        Unreadable: its file is gone, changed or broken.
    """
    usable = [one for one in evidence.seen if not one.unusable]
    if not usable:
        raise NotFound("This part has no picture that a describer could be shown.")
    best = max(usable, key=_worth)
    image = next(one for one in store.images.of_part(part_id) if one.id == best.image_id)
    shown = store.privacy.outside(image.id)
    if shown.withheld is not None:
        raise NotFound(f"The picture of this part is withheld, it may show personal details: {shown.withheld}.")
    box = _box(best)
    with decoders(settings) as pool:
        made = pool.preview(Upload("picture", checked_bytes(image)), SIDE, box)
    x, y, width, height = box or (0, 0, image.width, image.height)
    return cover_jpeg(made, shown.covers, (float(x), float(y), float(width), float(height)))


def shrunk_picture(settings: Settings, data: bytes) -> bytes:
    """A small JPEG of a picture's bytes.

    Raises:
        Unreadable: as the decoder would refuse it.
    """
    with decoders(settings) as pool:
        return pool.preview(Upload("picture", data), SIDE)


def _worth(seen: Seen) -> tuple[int, float]:
    drawn = len(seen.label.regions) if seen.label else 0
    return drawn, seen.prediction.score if seen.prediction else 0.0


def _box(seen: Seen) -> tuple[int, int, int, int] | None:
    regions = seen.label.regions if seen.label is not None else seen.regions
    if not regions:
        return None
    left, top = min(one.x for one in regions), min(one.y for one in regions)
    right, bottom = max(one.x + one.width for one in regions), max(one.y + one.height for one in regions)
    around = AROUND * max(right - left, bottom - top)
    x, y = max(0, int(left - around)), max(0, int(top - around))
    width = min(seen.size_wh[0], int(right + around) + 1) - x
    height = min(seen.size_wh[1], int(bottom + around) + 1) - y
    return x, y, max(1, width), max(1, height)
