"""Strided depthwise convolutions: the quick way says what the plain one says."""

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from models.training.strides import quick_strides


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (15, 33)])
@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, 2, 1, groups=4, bias=False),
        nn.Conv2d(4, 8, 5, 2, 2, groups=4),
        nn.Conv2d(4, 4, 3, 2, 0, groups=4),
        nn.Conv2d(4, 4, 5, (1, 3), (2, 1), groups=4),
        Conv2dSame(4, 4, 3, 2, 0, groups=4, bias=False),
        Conv2dSame(4, 4, 5, 2, 0, groups=4, bias=False),
    ],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_the_plain_layer(layer, size):
    layer = layer.double()
    x = torch.randn(2, 4, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    plain = layer(x)
    plain_gradients = torch.autograd.grad((plain**2).sum(), [x, layer.weight])
    with quick_strides(layer):
        assert "forward" in vars(layer)
        quick = layer(x)
        quick_gradients = torch.autograd.grad((quick**2).sum(), [x, layer.weight])
    torch.testing.assert_close(quick, plain)
    torch.testing.assert_close(quick_gradients, plain_gradients)


def test_the_layers_are_their_own_again_afterwards():
    layer = nn.Conv2d(4, 4, 3, 2, 1, groups=4)
    with pytest.raises(ZeroDivisionError), quick_strides(layer):
        _ = 1 / 0
    assert "forward" not in vars(layer)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, 2, 1),
        nn.Conv2d(4, 4, 3, 1, 1, groups=4),
        nn.Conv2d(4, 4, 3, 2, 1, groups=4, padding_mode="reflect"),
        nn.Conv2d(4, 4, 4, 2, 1, groups=4),
        nn.Conv2d(4, 4, 3, 2, 1, groups=4, dilation=2),
        nn.Conv2d(1, 1, 3, 2, 1),
    ],
    ids=str,
)
def test_other_layers_are_left_alone(layer):
    with quick_strides(layer):
        assert "forward" not in vars(layer)
    with quick_strides(nn.Sequential(nn.Conv2d(4, 4, 3, 2, 1, groups=4)), wanted=False):
        assert "forward" not in vars(layer)
