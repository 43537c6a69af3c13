"""Perceptual signatures of a dataset's pictures: from the cache, or from the pictures themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.jobs.intake.line import Progress, decoders
from app.settings import Settings
from core.errors import Unreadable
from core.learn.near_duplicates import Pairs, near_duplicates
from core.pictures import signature
from core.plant import LabelledImage
from core.records import Image
from data.signatures import SignatureCache

_KEEP = 2000  # made between two writes of the cache, so that a cancelled build loses little
_STEP = 50


class Seen(NamedTuple):
    """Signatures of pictures.

    Attributes:
        at: numbers of the pictures that have one.
        signatures: (len(at), LENGTH) uint8.
    """

    at: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint8]


def cache_of(settings: Settings) -> SignatureCache:
    """Where this plant keeps its signatures; it may be deleted at any time."""
    return SignatureCache(settings.home / "signatures", signature.LENGTH, signature.VERSION)


def look(settings: Settings, images: Sequence[Image], progress: Progress, make: bool = True) -> Seen:
    """Signatures of the pictures; those that nobody has looked at yet are decoded, in child processes.

    Args:
        settings: of the plant.
        images: any.
        progress: told every few pictures.
        make: decode what is missing; otherwise only what is known counts.
    """
    cache = cache_of(settings)
    hashes = {one.sha256 for one in images}
    known, found = cache.load(hashes)
    if make and len(known) < len(hashes):
        have = set(known)
        missing = {one.sha256: one.path for one in images if one.sha256 not in have}
        _make(settings, cache, missing, progress)
        known, found = cache.load(hashes)
    at = {sha256: number for number, sha256 in enumerate(known)}
    numbers = [number for number, one in enumerate(images) if one.sha256 in at]
    return Seen(np.array(numbers, np.int64), found[[at[images[number].sha256] for number in numbers]])


def _make(settings: Settings, cache: SignatureCache, missing: dict[str, str], progress: Progress) -> None:
    wanted = sorted(missing.items(), key=lambda pair: pair[1])
    made: dict[str, npt.NDArray[np.uint8]] = {}
    with decoders(settings) as pool:
        reads = pool.decode(Path(path) for _, path in wanted)
        for done, ((sha256, _), read) in enumerate(zip(wanted, reads, strict=True)):
            if done % _STEP == 0:
                progress(done, len(wanted), "looking for near-duplicates")
            if isinstance(read, Unreadable) or read.sha256 != sha256:
                continue  # `dataset check` says which; here it only has no signature
            made[sha256] = signature.signature(read.decoded.pixels)
            if len(made) >= _KEEP:
                cache.add(made)
                made = {}
    cache.add(made)


def look_of(one: LabelledImage) -> tuple[str, str | None, str | None, str | None]:
    """What makes pictures alike without being the same."""
    capture = one.image.capture
    return one.image.site, capture.camera, capture.part_type, capture.view


def duplicates(seen: Seen, chosen: Sequence[LabelledImage]) -> Pairs:
    """Numbers of pictures that look the same, two and two."""
    if len(seen.at) < 2:
        return np.empty((0, 2), np.int64)
    found = near_duplicates(seen.signatures, [look_of(chosen[number]) for number in seen.at])
    return seen.at[found.pairs]
