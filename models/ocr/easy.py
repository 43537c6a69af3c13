"""EasyOCR, where its models are at hand: other scripts, Arabic and Korean among them.

Its files are pickles, the one kind of weights that Holdpoint takes as such: each is compared with a known hash first,
and they are opened in the reader's own process only.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import ModelError
from core.records import Pixels
from core.words.prints import Print


class Easy:
    """Lines by EasyOCR.

    Args:
        languages: its codes, such as "en" or "ar".
        fetch: whether what is missing may be fetched from its makers.

    Raises:
        ModelError: where a model is missing or is not the one that EasyOCR names by its hash.
    """

    name = "easyocr"

    def __init__(self, languages: Sequence[str] = ("en",), *, fetch: bool = False) -> None:
        import easyocr

        place = models_folder()
        check_files(place)
        try:
            self._reader = easyocr.Reader(
                list(languages), gpu=False, model_storage_directory=str(place), download_enabled=fetch, verbose=False
            )
        except (FileNotFoundError, ValueError, OSError) as error:
            raise ModelError(f"EasyOCR cannot read {', '.join(languages)}: {error}") from error
        check_files(place)

    def read(self, pixels: Pixels) -> list[Print]:
        """Lines of print; none where there is none."""
        found = self._reader.readtext(np.ascontiguousarray(pixels))
        return [Print(str(text), float(sure), _upright(np.asarray(box, np.float64))) for box, text, sure in found]


def models_folder() -> Path:
    """Where EasyOCR keeps its models."""
    home = os.environ.get("EASYOCR_MODULE_PATH") or os.environ.get("MODULE_PATH") or "~/.EasyOCR"
    return Path(home).expanduser() / "model"


def present() -> bool:
    """Whether a finder and a reader of lines are there."""
    place = models_folder()
    return (place / "craft_mlt_25k.pth").is_file() and any(place.glob("*_g2.pth"))


def check_files(place: Path) -> None:
    """Refuse any weights in the folder that are not EasyOCR's own.

    Raises:
        ModelError: naming the file.
    """
    from easyocr import config

    known = {config.detection_models[one]["filename"]: config.detection_models[one]["md5sum"]
             for one in config.detection_models}  # fmt: skip
    for group in config.recognition_models.values():
        known.update({one["filename"]: one["md5sum"] for one in group.values()})
    for file in sorted(place.glob("*.pth")):
        digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        if known.get(file.name) != digest:
            raise ModelError(
                f"{file.name} is not a file that EasyOCR names: remove it from {place.name}, then fetch anew."
            )


def _upright(corners: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> tuple[float, float, float, float]:
    """x, y, width, height around four corners, (4, 2)."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)
