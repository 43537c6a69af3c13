"""Depthwise convolutions that skip places, made quick on a processor in mixed precision.

PyTorch has no fast bf16 gradient of a depthwise convolution with a stride: one such layer of MobileNetV2 took 148 ms
where it takes 6 without its stride, and three of them took more than half of a training step. So every place is
computed, and those that the stride skips are dropped: the same sums, four times the products, a tenth of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame
from timm.layers.padding import get_same_padding
from torch import nn


@contextmanager
def quick_strides(net: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Within, strided depthwise convolutions compute every place and keep those they are asked for; if `wanted`."""
    changed = [m for m in net.modules() if isinstance(m, nn.Conv2d) and _slow(m)] if wanted else []
    for module in changed:
        module.forward = partial(_thinned, module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _slow(module: nn.Conv2d) -> bool:
    """Whether it is depthwise, with a stride, and padded with zeros evenly or as TensorFlow does."""
    if isinstance(module.padding, str) or module.padding_mode != "zeros" or set(module.dilation) != {1}:
        return False
    odd = all(k % 2 == 1 and int(p) <= k // 2 for k, p in zip(module.kernel_size, module.padding, strict=True))
    depthwise = module.groups == module.in_channels > 1
    return type(module) in (nn.Conv2d, Conv2dSame) and depthwise and odd and max(module.stride) > 1


def _thinned(module: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """What the module says of x, (n, c, h, w)."""
    half = [k // 2 for k in module.kernel_size]
    every = F.conv2d(x, module.weight, module.bias, 1, half, 1, module.groups)  # (n, c, h, w)
    rows, columns = (_kept(module, axis, x.shape[2 + axis]) for axis in (0, 1))
    return every[:, :, rows, columns]


def _kept(module: nn.Conv2d, axis: int, size: int) -> slice:
    """Which places along an axis of `size` the stride would have computed."""
    kernel, stride = module.kernel_size[axis], module.stride[axis]
    if isinstance(module, Conv2dSame):
        all_round = get_same_padding(size, kernel, stride, 1)
        before = all_round // 2
    else:
        before = int(module.padding[axis])
        all_round = 2 * before
    first, count = kernel // 2 - before, (size + all_round - kernel) // stride + 1
    return slice(first, first + (count - 1) * stride + 1, stride)
