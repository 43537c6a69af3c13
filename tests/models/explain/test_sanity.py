import torch

from models import nets
from models.explain.sanity import Sanity, randomised


def test_maps_of_a_net_change_when_its_weights_are_replaced_by_chance_and_the_net_stays_as_it_was():
    torch.manual_seed(4)
    net = nets.build("test_resnet", ("CRACK",), False, "scratch", size=64).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = randomised(net, torch.randn(6, 3, 64, 64))
    assert set(found.alike) == {"head", "everything"}
    assert all(0 <= value <= 1 for value in found.alike.values())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_maps_that_hardly_change_do_not_follow_the_weights():
    assert not Sanity({"head": 0.99, "everything": 0.98}).follows
    assert Sanity({"head": 0.9, "everything": 0.1}).follows
