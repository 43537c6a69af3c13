"""One domain of a text net as an OpenVINO graph: numbers of words in, intent logits and slot scores out.

Words become numbers, and slot scores become spans (Viterbi), outside the graph, as with the torch net.
"""

from pathlib import Path

import numpy as np
import openvino
import torch
from torch import Tensor, nn

from core.errors import ModelError
from models.text.batches import read_words
from models.text.checkpoint import TextModel
from models.text.net import Heard, TextNet, Words

GRAPH = "openvino.xml"
_INPUTS = ("words", "spelt", "letters", "lengths")
_EXAMPLE = (("one", "two", "three", "four"), ("another", "word"))


class _Domain(nn.Module):
    """A net's answer for one domain, with plain tensors in and out."""

    def __init__(self, net: TextNet, domain: str) -> None:
        super().__init__()
        self.net, self.domain = net, domain

    def forward(self, words: Tensor, spelt: Tensor, letters: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        heard: Heard = self.net(Words(words, spelt, letters, lengths), self.domain)
        return heard.intents, heard.slots


def export(model: TextModel, domain: str, folder: Path) -> Path:
    """Write one domain's graph; sentences may have any length and come in any number.

    Returns:
        The .xml file; its weights lie beside it.

    Raises:
        NotFound: the model has no such domain.
    """
    net = _Domain(model.net, model.shape(domain).name).eval()
    example = read_words(_EXAMPLE, model.card.vocabulary)
    graph = openvino.convert_model(
        net,
        example_input=dict(zip(_INPUTS, example, strict=True)),
        input=[
            (name, openvino.PartialShape([-1] * tensor.ndim), openvino.Type.i64)
            for name, tensor in zip(_INPUTS, example, strict=True)
        ],
    )
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(graph, folder / GRAPH, compress_to_fp16=False)
    return folder / GRAPH


class Exported:
    """An exported graph, ready to be asked.

    Raises:
        ModelError: the graph cannot be read.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            self._compiled = openvino.Core().compile_model(
                path, "CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
            )
        except RuntimeError as error:
            raise ModelError(f"{path} cannot be opened ({error}): export it again.") from error

    def __call__(self, read: Words) -> Heard:
        """What the domain's heads say."""
        out = self._compiled(dict(zip(_INPUTS, (np.asarray(tensor) for tensor in read), strict=True)))
        return Heard(torch.from_numpy(out[0].copy()), torch.from_numpy(out[1].copy()))
