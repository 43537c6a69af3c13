"""Products of many embeddings with a few, on a graphics card: the heavy half of k-center where there is one."""

import numpy as np
import numpy.typing as npt
import torch

from core.errors import ModelError
from core.records import Floats


class Products:
    """Embeddings that stay on a device; what is multiplied comes back as float32.

    Bounds that rest on these products assume float32 proper, so a device that was told to round its factors first is
    refused.
    """

    def __init__(self, points: Floats, device: str) -> None:
        """Copy the embeddings there.

        Args:
            points: (n, d).
            device: "cuda", "cuda:1" or "cpu".

        Raises:
            ModelError: they do not fit there, or products are not float32 proper.
        """
        if torch.get_float32_matmul_precision() != "highest":
            raise ModelError("This process lets products round their factors: distances would not be exact.")
        try:
            self._points = torch.from_numpy(np.ascontiguousarray(points, np.float32)).to(device)
        except RuntimeError as error:
            raise ModelError(f"{points.nbytes / 2**30:.1f} GiB of embeddings do not fit on {device}.") from error
        self._device = device

    def __call__(self, rows: npt.NDArray[np.intp], vectors: Floats) -> Floats:
        """(k, c) products of rows of the embeddings with (c, d) vectors."""
        with torch.inference_mode():
            chosen = self._points[torch.from_numpy(np.ascontiguousarray(rows, np.int64)).to(self._device)]
            other = torch.from_numpy(np.ascontiguousarray(vectors, np.float32)).to(self._device)
            found: Floats = (chosen @ other.T).cpu().numpy()
        return found
