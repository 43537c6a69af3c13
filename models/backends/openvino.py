"""OpenVINO on the processor: bf16 where it has the instructions, one pass for score and maps."""

import contextlib
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import openvino as ov
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

from core.errors import ModelError
from core.records import Floats, Pixels
from models.backends import BackEnd, Precision
from models.backends.serving import ServingNet
from models.checkpoint import Card
from models.nets import DefectNet

_VERSION = ov.__version__.split("-")[0]
_OUTPUTS = "f"  # of a converted net: one from before it gave its features is converted anew

# Two tiles a request and a request a stream were as fast as anything on two cores (12 tiles: 104 ms a request of 2
# on two streams against 147 ms in one request of 12, beside other work). One shape is one compilation, wastes at most
# one tile, and computes a tile alike whatever comes with it.
BUCKETS = (2,)


def open_openvino(
    net: Callable[[], DefectNet], card: Card, precision: Precision | None = None, cache: Path | None = None,
    levels: Sequence[int] = (),
) -> BackEnd:  # fmt: skip
    """The back end for one net.

    Args:
        net: makes the net with its weights; not called where the cache has the converted one.
        card: of the same net.
        precision: None for the fastest that the processor has.
        cache: folder for converted models, so that the next start is quick.
        levels: of the trunk whose patches are wanted, too.

    Raises:
        ModelError: OpenVINO cannot take the net.
    """
    core = ov.Core()
    chosen = precision or ("bfloat16" if has_bfloat16() else "float32")
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if chosen == "bfloat16" else "f32",
        "PERFORMANCE_HINT": "THROUGHPUT",
    }

    def lanes(batch: int, size: int) -> list[OpenVinoLane]:
        try:
            compiled = core.compile_model(_converted(core, net, card, batch, size, cache, levels), "CPU", settings)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot take {card.arch} with tiles of {size} px: {error}") from error
        streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        return [OpenVinoLane(compiled) for _ in range(2 * streams)]  # as many waiting as computing

    name = f"OpenVINO {_VERSION}, {chosen}, on {processor()}"
    return BackEnd(name, chosen, BUCKETS, lanes, card.linear, card.dense, levels)


class OpenVinoLane:
    """One inference request."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._outputs = range(len(compiled.outputs))

    def start(self, tiles: Pixels) -> None:
        """See models.backends.Lane."""
        self._request.start_async([tiles], share_inputs=True)

    def finish(self) -> tuple[Floats, ...]:
        """See models.backends.Lane."""
        try:
            self._request.wait()
        except RuntimeError as error:
            raise ModelError(f"OpenVINO failed: {error}") from error
        return tuple(np.asarray(self._request.get_output_tensor(i).data) for i in self._outputs)


def converted(net: DefectNet, batch: int, size: int, levels: Sequence[int] = ()) -> Any:
    """The net as an OpenVINO model of one fixed input shape."""
    return converted_module(ServingNet(net, levels), batch, size)


def converted_module(module: torch.nn.Module, batch: int, size: int) -> Any:
    """Whatever takes (batch, size, size, 3) uint8 tiles, as an OpenVINO model of that shape.

    Through the front end itself: `openvino.convert_model` reports every conversion to a host outside the house.
    """
    example = torch.zeros(batch, size, size, 3, dtype=torch.uint8)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says of every shape that the trace holds for this shape only; it does
        # The trace's own check costs more than the trace; the probe checks what comes out of all this.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        front_end = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced, example_input=example)  # must outlive the conversion
        model = front_end.convert(front_end.load(decoder))
    model.reshape({model.inputs[0]: list(example.shape)})
    return model


def _converted(
    core: Any, net: Callable[[], DefectNet], card: Card, batch: int, size: int, cache: Path | None,
    levels: Sequence[int],
) -> Any:  # fmt: skip
    """From the cache where it is there; the caller's probe finds a cache that was damaged."""
    if cache is None or not card.sha256:
        return converted(net(), batch, size, levels)
    outputs = _OUTPUTS + "".join(f"p{one}" for one in levels)
    folder = cache / f"{card.sha256[:32]}-{_VERSION}-{outputs}-{batch}x{size}"
    path = folder / "net.xml"
    if path.is_file():
        with contextlib.suppress(RuntimeError):  # half of a file: convert again
            return core.read_model(path)
        shutil.rmtree(folder, ignore_errors=True)
    model = converted(net(), batch, size, levels)
    draft = cache / f".{uuid4().hex}"
    draft.mkdir(parents=True)
    try:
        ov.save_model(model, draft / "net.xml", compress_to_fp16=False)
        with contextlib.suppress(OSError):  # another process was first
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return core.read_model(path)  # as every later start will, so that answers agree to the last bit


def has_bfloat16() -> bool:
    """Whether this processor multiplies bf16 in hardware."""
    return "BF16" in _capabilities()


def processor() -> str:
    """As the processor calls itself."""
    return str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME")).strip()


def _capabilities() -> Sequence[str]:
    found: Sequence[str] = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return found
