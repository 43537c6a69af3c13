"""Products on a device leave k-center's picks as they are."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from core.errors import ModelError
from core.learn.select.farthest import greedy_k_center
from models.products import Products

gpu = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
)


@pytest.mark.parametrize("device", ["cpu", gpu])
def test_k_center_picks_the_same_with_products_from_a_device(device):
    points = np.random.default_rng(0).normal(size=(3000, 40)).astype(np.float32)
    there = Products(points, device)
    assert_allclose(there(np.array([5, 7]), points[:3]), points[[5, 7]] @ points[:3].T, rtol=1e-4, atol=1e-4)
    assert_array_equal(greedy_k_center(points, 200, products=there)[0], greedy_k_center(points, 200)[0])


def test_a_process_that_rounds_its_factors_is_refused(monkeypatch):
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    with pytest.raises(ModelError, match="round their factors"):
        Products(np.zeros((2, 2), np.float32), "cpu")
