"""Simulated inspectors: they see most of what is there, now and then something that is not, and take their time.

Their mistakes follow what is known of visual inspection: small and faint defects are missed more often, a part that
was held is doubted more, and two people do not draw the same box.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from core.records import Region, Review, Rle, Severity, Verdict
from core.taxonomy import Taxonomy
from data.demo.plant import Worker

_TYPICAL_PX = 220  # visible pixels of a defect of middling size
_MIXED_UP = {
    "SURFACE_SCRATCH": "CRACK",
    "CRACK": "SURFACE_SCRATCH",
    "SURFACE_PIT": "BURR",
    "BURR": "DIMENSIONAL_OOS",
    "DIMENSIONAL_OOS": "BURR",
    "TORN_COVER": "BENT_BOX",
    "BENT_BOX": "TORN_COVER",
    "BROKEN_SEAL": "TORN_COVER",
    "LEAKAGE": "TORN_COVER",
    "UNREADABLE_LABEL": "WRONG_LABEL",
    "WRONG_LABEL": "UNREADABLE_LABEL",
}
_REWORKABLE = frozenset({"BURR", "UNREADABLE_LABEL", "MISSING_LABEL", "WRONG_LABEL", "BROKEN_SEAL"})
_NOTES = {
    Verdict.PASS: ("", "", "", "only dust", "fingerprint, wipes off", "tool mark within the drawing"),
    Verdict.FAIL: ("", "", "", "seen under the lamp as well", "third one from this machine today"),
    Verdict.REWORK: ("", "", "back one station", "can be mended"),
    Verdict.UNSURE: ("glare just there", "needs the other light", "cannot tell from this picture"),
}


def chance_to_see(worker: Worker, region: Region) -> float:
    """Of noticing one defect: the worker's eye at a typical size, less for what is small."""
    visible = sum(region.mask.counts[1::2]) if isinstance(region.mask, Rle) else region.area_px
    odds = worker.eye / (1 - worker.eye) * (max(visible, 1.0) / _TYPICAL_PX) ** 0.8
    return float(odds / (1 + odds))


def answer(
    worker: Worker,
    truth: Mapping[int, Sequence[Region]],
    sizes_wh: Mapping[int, tuple[int, int]],
    taxonomy: Taxonomy,
    rng: np.random.Generator,
    alone: bool = True,
) -> Review:
    """What this person says of a part.

    Args:
        worker: who looks.
        truth: what is really on each image, by image id.
        sizes_wh: of the images that can be seen; others are left out of the answer.
        taxonomy: of the site; severities are kept within it.
        rng: of this one answer.
        alone: the first to answer; at a second look nobody is unsure.
    """
    seen: dict[int, tuple[Region, ...]] = {}
    missed = False
    for image_id, size_wh in sizes_wh.items():
        found = []
        for number, region in enumerate(truth.get(image_id, ()), start=1):
            if rng.random() < chance_to_see(worker, region):
                found.append(_drawn(region, size_wh, taxonomy, rng, f"person-{number}"))
            else:
                missed = True
        seen[image_id] = tuple(found)
    regions = [region for found in seen.values() for region in found]
    if not regions and sizes_wh and rng.random() < worker.false_alarm:
        image_id = int(rng.choice(list(sizes_wh)))
        seen[image_id] = (_imagined(sizes_wh[image_id], taxonomy, rng),)
        regions = list(seen[image_id])
    hard = missed or any(region.area_px < 200 for region in regions) or not sizes_wh
    verdict = Verdict.PASS
    if regions:
        mendable = all(region.class_id in _REWORKABLE for region in regions)
        verdict = Verdict.REWORK if mendable and rng.random() < 0.8 else Verdict.FAIL
    if alone and rng.random() < worker.doubt * (4.0 if hard else 0.5):
        verdict = Verdict.UNSURE
    sure = 2 if verdict is Verdict.UNSURE else int(np.clip(round(float(rng.normal(3.6 if hard else 4.6, 0.6))), 1, 5))
    seconds = float(rng.lognormal(np.log(worker.seconds), 0.45)) + 4.5 * len(regions)
    notes = _NOTES[verdict]
    return Review(
        verdict=verdict,
        by=worker.name,
        regions={} if verdict is Verdict.UNSURE else seen,
        sure=sure,
        note=notes[int(rng.integers(len(notes)))],
        seconds=round(seconds, 1),
    )


def _drawn(region: Region, size_wh: tuple[int, int], taxonomy: Taxonomy, rng: np.random.Generator, key: str) -> Region:
    """The box as a hand draws it, with the class and severity as a person gives them."""
    spare = rng.normal(1.5, 2.0 + 0.02 * max(region.width, region.height), 4)
    left = _within(region.x - spare[0], size_wh[0] - 4)
    top = _within(region.y - spare[1], size_wh[1] - 4)
    right = min(float(size_wh[0]), max(left + 4, round(region.x + region.width + spare[2], 1)))
    bottom = min(float(size_wh[1]), max(top + 4, round(region.y + region.height + spare[3], 1)))
    class_id = region.class_id or region.name
    if rng.random() < 0.04:
        class_id = _MIXED_UP.get(class_id, class_id)
    severity = region.severity or Severity.MAJOR
    if rng.random() < 0.12:
        severity = list(Severity)[int(rng.integers(len(Severity)))]
    return Region(
        x=left,
        y=top,
        width=round(right - left, 1),
        height=round(bottom - top, 1),
        name=class_id,
        class_id=class_id,
        severity=_allowed(taxonomy, class_id, severity),
        key=key,
    )


def _imagined(size_wh: tuple[int, int], taxonomy: Taxonomy, rng: np.random.Generator) -> Region:
    """A false alarm: dust taken for a scratch, a scuff for a tear."""
    width, height = float(round(rng.uniform(14, 60))), float(round(rng.uniform(8, 40)))
    ids = {one.id for one in taxonomy.classes}
    class_id = next((name for name in ("SURFACE_SCRATCH", "TORN_COVER") if name in ids), taxonomy.classes[0].id)
    return Region(
        x=float(round(rng.uniform(0, size_wh[0] - width))),
        y=float(round(rng.uniform(0, size_wh[1] - height))),
        width=width,
        height=height,
        name=class_id,
        class_id=class_id,
        severity=_allowed(taxonomy, class_id, Severity.MINOR),
        key="person-0",
    )


def _allowed(taxonomy: Taxonomy, class_id: str, severity: Severity) -> Severity:
    allowed = taxonomy.get(class_id).severities
    if severity in allowed:
        return severity
    order = list(Severity)
    return min(allowed, key=lambda one: abs(order.index(one) - order.index(severity)))


def _within(value: float, most: float) -> float:
    return float(min(max(0.0, round(value, 1)), most))
