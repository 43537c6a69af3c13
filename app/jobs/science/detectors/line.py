"""A detector beside the line: it draws on each picture that is filed, and whatever goes wrong with it holds nobody up.

Its outlines are kept where its trial showed them to be worth more than the boxes around them, else its boxes alone.

The decision is made from the classifier's prediction alone. Boxes are written after the part is filed; a picture on
which the detector failed says so, and is shown with the boxes of the heatmap.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.intake.opening import MODEL_FAILURES, sentence
from app.jobs.science.detectors.pixels import outlines_shown
from app.settings import Settings
from core.detection import DrawnBoxes
from core.errors import HoldpointError, NotFound, Unreadable
from core.plant import Filed
from core.records import Pixels

if TYPE_CHECKING:
    from data.store import Store
    from models.detector.serve import Detector


class Drawing:
    """The detector of a site, asked for once a delivery; does nothing where none is in force."""

    def __init__(self, store: "Store", settings: Settings, site: str) -> None:
        self._store, self._settings, self._site = store, settings, site
        self._name: str | None = None
        self._detector: Detector | None = None
        self._opened: str | None = None
        self._broken = ""
        self._outlines = False
        self._drawn: dict[str, DrawnBoxes] = {}

    def ask(self) -> None:
        """See which detector draws here now, and have it ready."""
        found = self._store.detectors.in_force(self._site)
        self._name = None if found is None else found.name
        self._outlines = found is not None and bool(found.card.get("masks")) and outlines_shown(self._store, self._site)
        if found is None or self._opened == found.sha256:
            return
        from app.jobs.science.detectors.training import opened

        try:
            self._detector, self._opened, self._broken = (
                opened(self._store, self._settings, found.name),
                found.sha256,
                "",
            )
        except MODEL_FAILURES as error:
            self._detector, self._opened, self._broken = None, None, sentence(error)

    def draw(self, source: str, pixels: Pixels) -> None:
        """Note what the detector draws on one picture, for when it is filed."""
        if self._name is not None:
            self._drawn[source] = self.drawn(pixels)

    def drawn(self, pixels: Pixels) -> DrawnBoxes:
        """Boxes of one picture, or why there are none."""
        name = self._name or ""
        if self._detector is None:
            return DrawnBoxes(name, error=self._broken or "it is not open")
        try:
            found = self._detector.detect(pixels)
        except MODEL_FAILURES as error:
            return DrawnBoxes(name, error=sentence(error))
        regions = found.regions if self._outlines else tuple(replace(one, mask=None) for one in found.regions)
        return DrawnBoxes(name, regions, found.milliseconds)

    def keep(self, filed: Mapping[str, Filed]) -> None:
        """Write down what was drawn on pictures that were filed; where that fails the parts are filed all the same."""
        rows = []
        for source, one in filed.items():
            drawn = self._drawn.pop(source, None)
            if drawn is not None and one.image_id is not None:
                rows.append((one.image_id, drawn))
        if not rows:
            return
        try:
            self._store.detectors.keep(rows)
        except (HoldpointError, SQLAlchemyError) as error:
            sys.stderr.write(f"Boxes of {self._name} were not kept; the heatmap's are shown: {sentence(error)}\n")


def draw_again(store: "Store", settings: Settings, site: str, limit: int = 500) -> dict[str, int]:
    """Let the detector in force draw on a site's newest pictures that it has not drawn on, or failed on.

    Returns:
        {drawn, failed, gone}.

    Raises:
        NotFound: none is in force there.
    """
    from app.jobs.intake.line import decoders

    if store.detectors.in_force(site) is None:
        raise NotFound(f"No detector draws at {site}: put one in force first, with holdpoint detector use.")
    drawing = Drawing(store, settings, site)
    drawing.ask()
    images = [one for one in store.images.find(site=site, limit=limit) if one.width > 0]
    have = store.detectors.boxes([one.id for one in images])
    missing = [one for one in images if one.id not in have or have[one.id].error]
    found: list[tuple[int, DrawnBoxes]] = []
    gone = 0
    with decoders(settings) as pool:
        for image, read in zip(missing, pool.decode(Path(one.path) for one in missing), strict=True):
            if isinstance(read, Unreadable) or read.sha256 != image.sha256:
                gone += 1
                continue
            found.append((image.id, drawing.drawn(read.decoded.pixels)))
    store.detectors.keep(found)
    failed = sum(bool(one.error) for _, one in found)
    return {"drawn": len(found) - failed, "failed": failed, "gone": gone}
