"""RapidOCR, whose models lie inside its package: needs no network, reads Latin letters, digits and Chinese.

Every model file is named here, because the package fetches whatever it does not find; what is not there is an error.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError
from core.records import Pixels
from core.words.prints import Print

FILES = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}
LONG_SIDE = 960  # pixels of the picture that lines are looked for in; larger finds little more at three times the time


class Rapid:
    """Lines by RapidOCR on OpenVINO.

    Args:
        threads: of the processor.

    Raises:
        ModelError: where the package lacks a file of its models.
    """

    name = "rapidocr"

    def __init__(self, threads: int = 1) -> None:
        import rapidocr
        from rapidocr import EngineType

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        place = Path(rapidocr.__file__).parent / "models"
        params: dict[str, Any] = {
            "Global.use_cls": False,
            "Global.log_level": "error",
            "Global.text_score": 0.3,
            "Global.max_side_len": LONG_SIDE,
            "Det.limit_side_len": LONG_SIDE,
            "Det.limit_type": "max",
            "EngineConfig.openvino.inference_num_threads": threads,
        }
        for part, file in FILES.items():
            if not (place / file).is_file():
                raise ModelError(f"The reader of print lacks its file {file}: install Holdpoint's packages anew.")
            params[f"{part}.model_path"] = str(place / file)
            params[f"{part}.engine_type"] = EngineType.OPENVINO
        self._engine = rapidocr.RapidOCR(params=params)

    def read(self, pixels: Pixels) -> list[Print]:
        """Lines of print; none where there is none."""
        found = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))  # it takes BGR
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        return [
            Print(str(text), float(sure), _upright(np.asarray(corners, np.float64)))
            for corners, text, sure in zip(found.boxes, found.txts, found.scores, strict=True)
        ]


def _upright(corners: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> tuple[float, float, float, float]:
    """x, y, width, height around four corners, (4, 2)."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)
