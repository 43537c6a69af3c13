"""PyTorch: CUDA graphs in channels-last bf16 on a graphics card; plain and exact on a processor, for comparison.

On the card each batch size has two slots. A slot owns a stream, pinned memory at both ends and one CUDA graph that
copies in, computes and copies out, so while one slot computes the other copies.
"""

from collections.abc import Sequence
from copy import deepcopy
from threading import Lock

import numpy as np
import torch

from core.errors import ModelError
from core.records import Floats, Pixels
from models.backends import BackEnd, Precision
from models.backends.serving import ServingNet
from models.nets import DefectNet

CUDA_BUCKETS = (4, 16, 64)
CPU_BUCKETS = (1, 4)
SLOTS = 2
_WARM_UPS = 3
_capturing = Lock()  # one capture at a time in this process


def open_torch(
    net: DefectNet, device: str, precision: Precision | None = None, levels: Sequence[int] = ()
) -> BackEnd:  # fmt: skip
    """The back end for one net.

    Args:
        net: with its weights; it is copied.
        device: "cuda", "cuda:1" or "cpu".
        precision: None for bfloat16 on a card that has it, else float32.
        levels: of the trunk whose patches are wanted, too.

    Raises:
        ModelError: no such device, or the net does not fit on it.
    """
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("No CUDA device answers: set HOLDPOINT_DEVICE to cpu, or mend the driver.")
    fast: Precision = "bfloat16" if place.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    chosen = precision or fast
    try:
        serving = serving_on(net, place, chosen, levels)
    except RuntimeError as error:
        raise ModelError(f"{net.arch} does not fit on {device}: {error}") from error
    title = torch.cuda.get_device_name(place) if place.type == "cuda" else "the processor"

    def lanes(batch: int, size: int) -> "list[CudaLane] | list[PlainLane]":
        if place.type != "cuda":
            return [PlainLane(serving)]
        return [CudaLane(serving, place, batch, size, chosen) for _ in range(SLOTS)]

    return BackEnd(
        f"PyTorch {torch.__version__.split('+')[0]}, {chosen}, on {title}",
        chosen,
        CUDA_BUCKETS if place.type == "cuda" else CPU_BUCKETS,
        lanes,
        net.linear,
        net.dense is not None,
        levels,
    )


def serving_on(net: DefectNet, place: torch.device, precision: Precision, levels: Sequence[int] = ()) -> ServingNet:
    """A copy of the net, ready on its device; the normalisation stays in float32."""
    serving = ServingNet(deepcopy(net), levels)
    if precision == "bfloat16":
        serving.net.to(torch.bfloat16)
    serving.to(place).requires_grad_(False).eval()
    if place.type == "cuda":
        serving.to(memory_format=torch.channels_last)
    return serving


class PlainLane:
    """Computes at once, where it is asked."""

    def __init__(self, serving: ServingNet) -> None:
        self._serving = serving
        self._outputs: tuple[Floats, ...] = ()

    @torch.inference_mode()
    def start(self, tiles: Pixels) -> None:
        """See models.backends.Lane."""
        try:
            self._outputs = tuple(o.numpy() for o in self._serving(torch.from_numpy(np.ascontiguousarray(tiles))))
        except RuntimeError as error:
            raise ModelError(f"PyTorch failed: {error}") from error

    def finish(self) -> tuple[Floats, ...]:
        """See models.backends.Lane."""
        return self._outputs


class CudaLane:
    """One slot: pinned input → card → net → pinned outputs, captured as one graph."""

    def __init__(self, serving: ServingNet, place: torch.device, batch: int, size: int, precision: Precision) -> None:
        try:
            self._capture(serving, place, batch, size, precision)
        except RuntimeError as error:
            raise ModelError(
                f"{torch.cuda.get_device_name(place)} cannot take {batch} tiles of {size} px: {error}"
            ) from error

    @torch.inference_mode()
    def _capture(self, serving: ServingNet, place: torch.device, batch: int, size: int, precision: Precision) -> None:
        self._host_in = torch.zeros(batch, size, size, 3, dtype=torch.uint8).pin_memory()
        self._stream = torch.cuda.Stream(place)  # type: ignore[no-untyped-call]
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        device_in = torch.zeros_like(self._host_in, device=place)
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=precision != "float32")
        with _capturing, torch.cuda.device(place), exact:
            self._stream.wait_stream(torch.cuda.current_stream(place))
            with torch.cuda.stream(self._stream):
                for _ in range(_WARM_UPS):  # algorithms are chosen and memory taken outside the capture
                    outputs = serving(device_in)
            self._stream.synchronize()
            self._host_out = tuple(torch.empty(o.shape, dtype=o.dtype).pin_memory() for o in outputs)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                device_in.copy_(self._host_in, non_blocking=True)
                for host, output in zip(self._host_out, serving(device_in), strict=True):
                    host.copy_(output, non_blocking=True)
        self._device_in = device_in  # the graph reads it at this address for as long as the lane lives

    def start(self, tiles: Pixels) -> None:
        """See models.backends.Lane."""
        np.copyto(self._host_in.numpy(), tiles)
        try:
            with torch.cuda.stream(self._stream):
                self._graph.replay()
                self._done.record(self._stream)
        except RuntimeError as error:
            raise ModelError(f"The CUDA device failed: {error}") from error

    def finish(self) -> tuple[Floats, ...]:
        """See models.backends.Lane."""
        try:
            self._done.synchronize()
        except RuntimeError as error:
            raise ModelError(f"The CUDA device failed: {error}") from error
        return tuple(o.numpy() for o in self._host_out)
