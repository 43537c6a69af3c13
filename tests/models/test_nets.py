import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from core.errors import BadInput, ModelError, NotFound
from models import nets
from models.nets import gradient_cam

LINEAR = ["test_resnet", "test_efficientnet", "mobilenetv2_050", "regnetx_002"]
OTHERS = ["test_vit", "test_convnext", "mobilenetv3_small_050"]


def small(arch, classes=("A", "B"), dense=True, size=64, **options):
    torch.manual_seed(0)
    return nets.build(arch, classes, dense, "scratch", size=size, **options).eval()


@pytest.mark.parametrize("arch", LINEAR + OTHERS)
def test_every_kind_of_trunk_gives_scores_classes_features_and_where(arch):
    net = small(arch)
    out = net(torch.randn(3, 3, 64, 64))
    assert out.defect.shape == (3,)
    assert out.classes.shape == (3, 2)
    assert out.features.shape[0] == 3
    assert out.dense is not None
    assert out.dense.shape == (3, 8, 8)
    assert net.linear is (arch in LINEAR)
    assert (out.cam is not None) is net.linear
    assert all(torch.isfinite(o).all() for o in out if o is not None)


@pytest.mark.parametrize("arch", ["test_resnet", "test_vit"])
def test_a_net_may_have_neither_classes_nor_where(arch):
    out = small(arch, classes=(), dense=False)(torch.randn(2, 3, 64, 64))
    assert out.classes.shape == (2, 0)
    assert out.dense is None


def test_the_logits_are_those_of_the_forward_pass():
    net, x = small("test_resnet"), torch.randn(2, 3, 64, 64)
    out = net(x)
    torch.testing.assert_close(net.logits(x), torch.cat([out.defect[:, None], out.classes], 1))


def test_where_has_a_cell_for_every_8_pixels_of_any_size():
    assert small("test_resnet")(torch.randn(1, 3, 72, 100)).dense.shape == (1, 9, 13)


def test_the_cam_of_a_hand_made_map_is_its_weighted_sum_cut_at_nothing():
    maps = torch.tensor([[[[1.0, 2.0]], [[3.0, -9.0]]]])  # (1, 2, 1, 2)
    assert gradient_cam(maps, torch.tensor([1.0, 2.0])).tolist() == [[[3.5, 0.0]]]


def test_head_and_trunk_are_two_sets_that_make_the_net():
    net = small("test_resnet")
    heads, trunk = {id(p) for p in net.head_parameters()}, {id(p) for p in net.trunk_parameters()}
    assert not heads & trunk
    assert heads | trunk == {id(p) for p in net.parameters()}


def test_an_unknown_architecture_is_named_with_one_that_exists():
    with pytest.raises(NotFound, match="resnet18"):
        nets.build("resnet18x", [], weights="scratch")


def test_an_option_that_timm_does_not_know_is_refused():
    with pytest.raises(BadInput, match="cannot make"):
        small("test_resnet", trunk_options={"wings": 2})


def test_scratch_is_said():
    assert "scratch" in small("test_resnet").weights


def test_pretrained_weights_come_from_where_they_are_fetched_and_are_said(tmp_path):
    source = timm.create_model("test_resnet", pretrained=False)
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    asked = []

    def fetch(arch, offline):
        asked.append((arch, offline))
        return tmp_path / "model.safetensors"

    net = nets.build("test_resnet", ["A"], weights="pretrained", offline=True, fetch=fetch)
    assert asked == [("test_resnet", True)]
    assert "pretrained test_resnet" in net.weights
    assert torch.equal(net.trunk.state_dict()["layer1.0.conv1.weight"], source.state_dict()["layer1.0.conv1.weight"])


def test_offline_without_a_cache_says_so_and_asks_nobody(monkeypatch, tmp_path):
    monkeypatch.setattr(nets, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(nets, "hf_hub_download", lambda *_, **__: pytest.fail("the hub was asked"))
    with pytest.raises(NotFound, match="HOLDPOINT_OFFLINE"):
        nets.build("test_resnet", ["A"], weights="pretrained", offline=True)


def trunk_file(path, arch="test_resnet", change=lambda state: state):
    torch.manual_seed(1)
    state = {k: v.half() if v.is_floating_point() else v for k, v in timm.create_model(arch).state_dict().items()}
    save_file(change(state), path)
    return path


def test_a_file_in_half_precision_fills_the_trunk(tmp_path):
    net = nets.build("test_resnet", ["A"], weights=trunk_file(tmp_path / "t.safetensors"))
    assert net.trunk.conv1[0].weight.dtype == torch.float32
    assert "t.safetensors" in net.weights
    assert not net.norms_folded


def test_folded_batch_norms_bring_tensorflows_padding_and_range_and_stay_still_in_training(tmp_path):
    def fold(state):
        still = {"running_mean": 0.0, "running_var": 1.0}
        for name, values in state.items():
            last = name.split(".")[-1]
            state[name] = torch.full_like(values, still.get(last, 0.1)) if last in (*still, "bias") else values
        return state

    path = trunk_file(tmp_path / "t.safetensors", "mobilenetv2_050", fold)
    net = nets.build("mobilenetv2_050", ["A"], weights=path)
    assert net.trunk_options == {"pad_type": "same"}
    assert net.preprocessing.mean == (0.5, 0.5, 0.5)
    before = net.trunk.bn1.running_mean.clone()
    net.train()(torch.randn(2, 3, 64, 64))
    assert torch.equal(net.trunk.bn1.running_mean, before)
    assert net.dense.lateral[0][0].training


def test_a_note_beside_the_file_says_how_it_wants_its_input(tmp_path):
    path = trunk_file(tmp_path / "t.safetensors")
    (tmp_path / "t.safetensors.json").write_text('{"mean": [0.1, 0.2, 0.3]}')
    assert nets.build("test_resnet", [], weights=path).preprocessing.mean == (0.1, 0.2, 0.3)
    (tmp_path / "t.safetensors.json").write_text("{")
    with pytest.raises(BadInput, match="no JSON"):
        nets.build("test_resnet", [], weights=path)


def test_weights_of_another_architecture_are_refused_in_words(tmp_path):
    with pytest.raises(BadInput, match="does not fit test_efficientnet"):
        nets.build("test_efficientnet", [], weights=trunk_file(tmp_path / "t.safetensors"))


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.ckpt", "w.pkl"])
def test_pickles_are_refused_before_they_are_opened(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04not even a pickle")
    with pytest.raises(ModelError, match="pickle"):
        nets.build("test_resnet", [], weights=tmp_path / name)


def test_half_a_file_and_no_file_are_told_apart(tmp_path):
    whole = trunk_file(tmp_path / "t.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="not a whole"):
        nets.build("test_resnet", [], weights=tmp_path / "half.safetensors")
    with pytest.raises(NotFound, match="No weights at"):
        nets.build("test_resnet", [], weights=tmp_path / "none.safetensors")


@pytest.mark.real
def test_the_real_weights_at_hand_are_recognised(weights_file):
    net = nets.build("mobilenetv2_100", ["A"], weights=weights_file).eval()
    assert net.trunk_options == {"pad_type": "same"}
    assert net.norms_folded
    out = net(torch.from_numpy(np.zeros((1, 3, 224, 224), np.float32)))
    assert out.cam.shape == (1, 7, 7)


@pytest.fixture
def weights_file():
    from pathlib import Path

    path = Path(__file__).parents[3] / "shared/data/open/weights/mobilenetv2_100_imagenet_fp16.safetensors"
    if not path.exists():
        pytest.skip("the real weights are not at hand")
    return path
