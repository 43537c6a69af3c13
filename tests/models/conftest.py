"""Tiny untrained models, made once for all tests of this folder."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import torch

from core.pictures.tiling import Look
from models import checkpoint, nets

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def tiny_net(arch="test_resnet", classes=("BURR", "CRACK"), dense=True, size=64):
    """With heads strong enough that tiles differ."""
    torch.manual_seed(5)
    net = nets.build(arch, classes, dense, "scratch", size=size).eval()
    with torch.no_grad():
        for module in net.trunk.modules():  # statistics that a trained net would have
            if isinstance(module, torch.nn.BatchNorm2d):
                module.bias.normal_(0, 0.1)
        features = net(torch.randn(4, 3, size, size)).features
        net.head.weight.normal_(0, 1).div_(features.std(0).mean() * features.shape[1] ** 0.5 * 4)
        if net.dense is not None:
            net.dense.out.weight.normal_(0, 0.5)
    return net


def tiny_card(net, name="tiny", size=64, **settings):
    card = checkpoint.card_of(net, name, NOW, look=Look(size, size // 2))
    return replace(card, **settings)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A saved model of a net with a linear head, two classes and a dense map."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    net = tiny_net()
    checkpoint.save(folder, net, tiny_card(net, heatmap_scale=0.05, region_threshold=0.2))
    return folder
