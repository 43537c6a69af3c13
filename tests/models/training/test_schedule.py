import pytest
import torch

from core.errors import BadInput
from models import nets
from models.training.schedule import Schedule, kept_parameters, optimiser, set_rates


@pytest.fixture
def net():
    return nets.build("mobilenetv2_035", ("PIT",), True, "scratch", size=64)


def test_the_trunk_rests_first_and_then_warms_up():
    schedule = Schedule(trunk=1.0, heads=2.0, frozen=0.1, warm_up=0.1)
    trunk = [schedule.rate("trunk", step, 1000) for step in range(1000)]
    assert max(trunk[:100]) == 0
    assert trunk[100] < trunk[150] < trunk[189]
    assert max(trunk) == pytest.approx(1.0, abs=0.05)
    assert trunk[200:] == sorted(trunk[200:], reverse=True)
    assert trunk[-1] == pytest.approx(0, abs=1e-5)
    assert [schedule.trunk_learns(s, 1000) for s in (0, 99, 100, 999)] == [False, False, True, True]


def test_heads_learn_from_the_first_step():
    schedule = Schedule(heads=2.0)
    assert schedule.rate("heads", 0, 1000) > 0
    assert max(schedule.rate("heads", s, 1000) for s in range(1000)) == pytest.approx(2.0, rel=0.05)


def test_one_step_is_a_schedule_too():
    assert Schedule().rate("heads", 0, 1) >= 0


def test_from_scratch_everything_learns_from_the_first_step(net):
    schedule = Schedule.from_scratch()
    adam = optimiser(net, schedule)
    set_rates(adam, schedule, 0, 100)
    assert all(p.requires_grad for p in net.parameters())
    assert sum(len(g["params"]) for g in adam.param_groups) == len(list(net.parameters()))


@pytest.mark.parametrize(
    "arch", ["mobilenetv2_035", "resnet10t", "efficientnet_b0", "convnext_atto", "vit_tiny_patch16_224"]
)
def test_the_first_stages_of_any_architecture_are_known(arch):
    net = nets.build(arch, (), False, "scratch", size=224)
    kept = kept_parameters(net, 2)
    names = dict(net.named_parameters())
    assert kept
    assert kept < names.keys()
    assert all(name.startswith("trunk.") for name in kept)
    assert sum(names[n].numel() for n in kept) < 0.5 * sum(p.numel() for p in net.parameters())


def test_kept_stages_are_not_learned_and_norms_do_not_decay(net):
    schedule = Schedule(kept_stages=2, weight_decay=0.1)
    adam = optimiser(net, schedule)
    kept = kept_parameters(net, 2)
    learned = {id(p) for g in adam.param_groups for p in g["params"]}
    for name, parameter in net.named_parameters():
        assert (id(parameter) in learned) is (name not in kept)
    assert {g["weight_decay"] for g in adam.param_groups if g["params"][0].ndim == 1} == {0.0}


def test_a_resting_trunk_costs_no_backward_pass(net):
    schedule = Schedule(frozen=0.5)
    adam = optimiser(net, schedule)
    set_rates(adam, schedule, 0, 10)
    net(torch.zeros(2, 3, 64, 64)).defect.sum().backward()
    assert all(p.grad is None for p in net.trunk_parameters())
    set_rates(adam, schedule, 5, 10)
    net(torch.zeros(2, 3, 64, 64)).defect.sum().backward()
    assert any(p.grad is not None for p in net.trunk_parameters())


@pytest.mark.parametrize("frozen", [-0.1, 1.0])
def test_a_trunk_that_never_learns_is_refused(frozen):
    with pytest.raises(BadInput, match="shares of the steps"):
        Schedule(frozen=frozen)
