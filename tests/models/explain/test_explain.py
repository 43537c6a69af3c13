import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from core.errors import BadInput
from models import nets
from models.explain import EXPLAINERS, explainer_for

LINEAR = ["test_resnet", "test_efficientnet", "mobilenetv2_050", "regnetx_002", "densenet121"]
OTHERS = ["test_vit", "test_convnext", "mobilenetv3_small_050"]


def net_of(arch):
    torch.manual_seed(3)
    net = nets.build(arch, ["A", "B"], dense=False, weights="scratch", size=64).eval()
    with torch.no_grad():  # rows that answer to places of the first tile, so that there is a heatmap to compare
        maps = net.maps(tiles(1))[0].flatten(2) if net.linear else None
        for row, place in enumerate((0, 1, -1)):
            if maps is None:
                net.head.weight[row] = torch.randn(net.head.in_features)
            else:  # of a length that gives maps of about 1, as a trained net's are at most
                at = maps[0, :, place]
                net.head.weight[row] = at * maps.shape[2] / at.square().sum()
    return net


def tiles(n=3):
    return torch.randn(n, 3, 64, 64, generator=torch.Generator().manual_seed(7))


class OneTensor(torch.nn.Module):
    """A plain user of the library: trunk, pooling by hand, linear layer."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.last = torch.nn.Identity()

    def forward(self, x):
        maps = self.last(self.net.trunk.forward_features(x))
        return torch.nn.functional.linear(maps.mean((2, 3)), self.net.head.weight, self.net.head.bias)


class AsComputed(GradCAM):
    """The library before it stretches each map to [0, 1]."""

    def get_cam_image(self, *args, **kwargs):
        self.unscaled = np.maximum(super().get_cam_image(*args, **kwargs), 0)
        return self.unscaled


@pytest.mark.parametrize("row", [0, 2], ids=["defect", "class"])
@pytest.mark.parametrize("arch", LINEAR)
def test_the_heatmap_of_the_forward_pass_is_the_librarys_grad_cam(arch, row):
    net, x = net_of(arch), tiles()
    wrapped = OneTensor(net)
    with AsComputed(wrapped, [wrapped.last]) as cam:
        cam(x, [ClassifierOutputTarget(row)] * len(x))
    ours = EXPLAINERS["forward"](net, x, row).numpy()
    assert cam.unscaled.max() > 0
    assert_allclose(ours, cam.unscaled, atol=1e-4)
    if row == 0:
        with torch.no_grad():
            assert_allclose(net(x).cam.numpy(), cam.unscaled, atol=1e-4)


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("arch", LINEAR[:3])
def test_both_methods_agree_where_both_apply(arch, row):
    net, x = net_of(arch), tiles(2)
    assert_allclose(EXPLAINERS["library"](net, x, row), EXPLAINERS["forward"](net, x, row), atol=1e-5)


@pytest.mark.parametrize("arch", LINEAR + OTHERS)
def test_every_net_has_an_explainer_that_gives_one_map_a_tile(arch):
    net, x = net_of(arch), tiles(2)
    maps = explainer_for(net)(net, x, 0)
    assert maps.shape[0] == 2
    assert maps.ndim == 3
    assert maps.dtype == torch.float32
    assert (maps >= 0).all()
    assert torch.isfinite(maps).all()
    assert (explainer_for(net) is EXPLAINERS["forward"]) is net.linear


@pytest.mark.parametrize("arch", OTHERS)
def test_the_map_of_other_nets_is_the_gradient_weighted_map(arch):
    if arch == "test_vit":
        pytest.skip("its map lies before the last block, see the next test")
    net, x = net_of(arch), tiles(2)
    maps = net.trunk.forward_features(x).detach().requires_grad_()
    net.head(net.pool(maps))[:, 0].sum().backward()
    expected = torch.relu((maps.grad.mean((2, 3), keepdim=True) * maps).sum(1)).detach()
    assert_allclose(EXPLAINERS["library"](net, x, 0), expected, atol=1e-5)


def test_tokens_become_a_map_of_the_patches():
    assert EXPLAINERS["library"](net_of("test_vit"), tiles(2), 0).shape == (2, 4, 4)


def test_the_forward_pass_does_not_pretend_for_nets_that_pool_otherwise():
    with pytest.raises(BadInput, match="library"):
        EXPLAINERS["forward"](net_of("test_vit"), tiles(1), 0)


def test_explaining_leaves_training_mode_and_gradients_as_they_were():
    net = net_of("test_resnet").requires_grad_(False).train()
    EXPLAINERS["library"](net, tiles(1), 0)
    assert net.training
    assert all(p.grad is None for p in net.parameters())
