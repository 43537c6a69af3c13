import threading
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from core.errors import ModelError
from models.backends import BackEnd, batches
from models.backends.openvino import has_bfloat16, open_openvino
from models.backends.pytorch import CudaLane, open_torch
from models.checkpoint import load
from tests.models.conftest import tiny_card, tiny_net


def tiles_of(count, size=64, seed=0):
    """Noise on slopes: something that tells tiles apart."""
    r = np.random.default_rng(seed)
    slope = np.linspace(0, 1, size)[None, :, None, None] * np.linspace(0, 1, size)[None, None, :, None]
    level = r.uniform(30, 200, (count, 1, 1, 3))
    return np.clip(level * (1 + slope) + r.normal(0, 20, (count, size, size, 3)), 0, 255).astype(np.uint8)


@cache
def opened(kind, folder, precision=None):
    """One for all tests: a back end has no state that a caller sees."""
    checkpoint = load(folder)
    if kind == "openvino":
        return open_openvino(checkpoint.net, checkpoint.card, precision, folder.parent / "converted")
    return open_torch(checkpoint.net(), kind.removeprefix("torch-"), precision)


gpu = pytest.param(
    "torch-cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
)
BACK_ENDS = ["openvino", "torch-cpu", gpu]


@given(st.integers(0, 200), st.sets(st.integers(1, 40), min_size=1, max_size=4))
def test_batches_take_every_tile_once_and_only_sizes_that_exist(count, sizes):
    buckets = sorted(sizes)
    taken = [(first, n) for first, n, bucket in batches(count, buckets) if bucket in buckets and 1 <= n <= bucket]
    assert [i for first, n in taken for i in range(first, first + n)] == list(range(count))


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_in_float32_every_back_end_answers_as_the_net_does(kind, tiny_folder):
    net, tiles = load(tiny_folder).net(), tiles_of(7)
    with torch.no_grad():
        from models.preprocess import to_input

        out = net(to_input(tiles, net.preprocessing))
    found = opened(kind, tiny_folder, precision="float32").run(tiles)
    expected = torch.cat([out.defect[:, None], out.classes], 1).numpy()
    assert np.ptp(expected[:, 0]) > 0.1
    assert_allclose(found.logits, expected, atol=2e-4, rtol=2e-4)
    assert_allclose(found.cam, out.cam.numpy(), atol=1e-4)
    assert_allclose(found.dense, out.dense.numpy(), atol=1e-3, rtol=1e-3)
    assert_allclose(found.features, out.features.numpy(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_in_bfloat16_answers_stay_near_those_of_float32(kind, tiny_folder):
    if kind == "openvino" and not has_bfloat16():
        pytest.skip("this processor does not compute in bfloat16")
    tiles = tiles_of(6)
    exact, fast = (opened(kind, tiny_folder, precision=p).run(tiles) for p in ("float32", "bfloat16"))
    assert exact.patches is None
    for found, wanted in zip(fast[:-1], exact[:-1], strict=True):
        assert_allclose(found, wanted, atol=0.05 * (1 + np.abs(wanted).max()))


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_what_comes_along_in_a_batch_does_not_change_a_tiles_answer(kind, tiny_folder):
    back_end, tiles = opened(kind, tiny_folder, precision="float32"), tiles_of(9)
    together = back_end.run(tiles)
    for i in range(len(tiles)):
        alone = back_end.run(tiles[i : i + 1])
        assert_allclose(alone.logits[0], together.logits[i], atol=1e-5)
        assert_allclose(alone.cam[0], together.cam[i], atol=1e-6)


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_several_threads_get_their_own_answers(kind, tiny_folder):
    back_end = opened(kind, tiny_folder, precision="float32")
    work = [tiles_of(n, seed=n) for n in (1, 2, 3, 5, 8)]
    alone = [back_end.run(tiles).logits for tiles in work]
    results = [[] for _ in work]

    def ask(i):
        results[i].extend(back_end.run(work[i]).logits for _ in range(5))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for found, expected in zip(results, alone, strict=True):
        assert len(found) == 5
        assert all(np.allclose(f, expected, atol=1e-5) for f in found)


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_tickets_may_be_collected_out_of_order(kind, tiny_folder):
    back_end = opened(kind, tiny_folder, precision="float32")
    first, second = tiles_of(3, seed=1), tiles_of(4, seed=2)
    tickets = back_end.submit(first), back_end.submit(second)
    later = back_end.collect(tickets[1]).logits
    assert_allclose(back_end.collect(tickets[0]).logits, back_end.run(first).logits, atol=1e-5)
    assert_allclose(later, back_end.run(second).logits, atol=1e-5)


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_another_tile_size_is_another_shape_of_the_same_net(kind, tiny_folder):
    out = opened(kind, tiny_folder).run(tiles_of(2, size=96))
    assert out.dense.shape == (2, 12, 12)


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_the_sentence_names_library_precision_and_device(kind, tiny_folder):
    name = opened(kind, tiny_folder, precision="float32").name
    assert ("OpenVINO" if kind == "openvino" else "PyTorch") in name
    assert "float32" in name


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_nets_without_classes_dense_map_or_linear_head_give_what_they_have(kind):
    net = tiny_net("test_convnext", classes=(), dense=False)
    if kind == "openvino":
        back_end = open_openvino(lambda: net, tiny_card(net))
    else:
        back_end = open_torch(net, kind.removeprefix("torch-"))
    out = back_end.run(tiles_of(3))
    assert out.logits.shape == (3, 1)
    assert out.cam is None
    assert out.dense is None


@pytest.mark.parametrize("kind", BACK_ENDS)
def test_nan_is_an_error_and_not_an_answer(kind):
    net = tiny_net()
    with torch.no_grad():
        net.head.bias[0] = float("nan")
    back_end = (
        open_openvino(lambda: net, tiny_card(net))
        if kind == "openvino"
        else open_torch(net, kind.removeprefix("torch-"))
    )
    with pytest.raises(ModelError, match="NaN"):
        back_end.run(tiles_of(2))


def test_the_cache_saves_the_conversion_and_a_broken_one_is_made_again(tiny_folder, tmp_path):
    checkpoint, tiles = load(tiny_folder), tiles_of(2)
    built = []

    def net():
        built.append(1)
        return checkpoint.net()

    answers = [open_openvino(net, checkpoint.card, "float32", tmp_path).run(tiles).logits for _ in range(2)]
    assert len(built) == 1
    assert_array_equal(answers[0], answers[1])
    next(tmp_path.glob("*/net.xml")).write_text("<net")
    assert_array_equal(open_openvino(net, checkpoint.card, "float32", tmp_path).run(tiles).logits, answers[0])
    assert len(built) == 2


class Broken:
    """A lane whose device fails at every second batch."""

    def __init__(self):
        self.calls = 0

    def start(self, tiles):
        self.calls += 1

    def finish(self):
        if self.calls % 2 == 0:
            raise ModelError("the device fell over")
        return (np.zeros((2, 1), np.float32),)


def test_a_failure_reaches_whoever_handed_the_tiles_over_and_nobody_else():
    back_end = BackEnd("broken", "float32", (2,), lambda *_: [Broken()], has_cam=False, has_dense=False)
    good, bad = back_end.submit(tiles_of(2)), back_end.submit(tiles_of(2))
    third = back_end.submit(tiles_of(2))
    assert back_end.collect(good).logits.shape == (2, 1)
    with pytest.raises(ModelError, match="fell over"):
        back_end.collect(bad)
    assert back_end.collect(third).logits.shape == (2, 1)


def test_no_cuda_device_is_said_in_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="No CUDA device"):
        open_torch(tiny_net(), "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_card_lanes_are_cuda_graphs_in_bfloat16(tiny_folder):
    back_end = opened("torch-cuda", tiny_folder)
    back_end.run(tiles_of(100))
    assert back_end.precision == "bfloat16"
    assert all(isinstance(lane, CudaLane) for lanes in back_end._free.values() for lane in lanes)
