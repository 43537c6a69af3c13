import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.testing import assert_allclose

from core.errors import BadInput
from models.nets import NetOutput
from models.training.examples import BEYOND
from models.training.step import (
    ClassWeights,
    LossRule,
    Targets,
    cells,
    class_loss,
    class_weights,
    defect_loss,
    dense_loss,
    loss_of,
)


def test_class_weights_at_a_prevalence_of_41_percent():
    weights = class_weights(0.4126)
    assert round(weights.defective, 2) == 1.21
    assert round(weights.good, 2) == 0.85


def test_both_kinds_together_count_the_same():
    for prevalence in (0.01, 0.3, 0.9):
        weights = class_weights(prevalence)
        assert weights.defective * prevalence == pytest.approx(weights.good * (1 - prevalence)) == pytest.approx(0.5)


@pytest.mark.parametrize("prevalence", [0.0, 1.0])
def test_one_kind_alone_is_not_weighted(prevalence):
    assert class_weights(prevalence) == ClassWeights(1.0, 1.0)


def test_a_prevalence_in_percent_is_refused():
    with pytest.raises(BadInput, match="between 0 and 1"):
        class_weights(41.26)


def test_the_steps_loss_equals_the_closed_form_class_weights_included():
    z = np.array([2.0, -1.0, 0.5, -3.0])
    t = np.array([1.0, 1.0, 0.0, 1 / 3])
    k = np.array([[1.0, 0.0, -1.0], [0.2, 0.1, 0.0], [5.0, 5.0, 5.0], [0.0, 0.0, 2.0]])
    c = np.array([0, 2, -1, -1])
    p = 1 / (1 + np.exp(-z))
    weights = class_weights(0.4126)
    defect = np.mean(-(1.2118 * t * np.log(p) + 0.8512 * (1 - t) * np.log(1 - p)))
    shares = np.exp(k) / np.exp(k).sum(1, keepdims=True)
    classes = -(np.log(shares[0, 0]) + np.log(shares[1, 2])) / 2
    output = NetOutput(torch.tensor(z), torch.tensor(k), None, None, torch.zeros(4, 1))
    targets = Targets(torch.tensor(t), torch.tensor(c), torch.full((4, 16, 16), BEYOND, dtype=torch.uint8))
    loss = loss_of(output, targets, LossRule(weights, classes=0.3))
    assert_allclose(float(loss.defect), defect, rtol=1e-4)
    assert_allclose(float(loss.classes), classes, rtol=1e-5)
    assert_allclose(float(loss.total), defect + 0.3 * classes, rtol=1e-4)


def test_the_defect_loss_equals_torchs_own_with_weights():
    z, t = torch.randn(50), torch.rand(50).round()
    weights = ClassWeights(1.21, 0.85)
    each = torch.where(t > 0, weights.defective, weights.good)
    assert_allclose(defect_loss(z, t, weights), F.binary_cross_entropy_with_logits(z, t, weight=each), rtol=1e-5)


def test_huge_logits_do_not_make_the_loss_infinite():
    z = torch.tensor([1e4, -1e4], requires_grad=True)
    loss = defect_loss(z, torch.tensor([0.0, 1.0]), ClassWeights(1.0, 1.0))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


def test_classes_that_may_appear_together_are_asked_one_by_one():
    k, c = torch.randn(6, 3), torch.tensor([0, 1, 2, -1, 1, 0])
    known = c >= 0
    expected = F.binary_cross_entropy_with_logits(k[known], F.one_hot(c[known], 3).float())
    assert_allclose(class_loss(k, c, exclusive=False), expected)


def test_a_batch_without_known_classes_costs_nothing_and_still_has_a_gradient():
    k = torch.randn(3, 2, requires_grad=True)
    class_loss(k, torch.full((3,), -1), exclusive=True).backward()
    assert (k.grad == 0).all()


def test_cells_are_marked_where_a_tenth_is_and_unknown_where_less_is():
    marked = torch.zeros(1, 16, 16, dtype=torch.uint8)
    marked[0, :3, :3] = 1  # 9 of 64
    marked[0, 0, 8:10] = 1  # 2 of 64
    marked[0, 8:, 8:] = BEYOND
    defect, known = cells(marked)
    assert defect[0].tolist() == [[1, 0], [0, 0]]
    assert known[0].tolist() == [[True, False], [True, False]]


def test_the_map_learns_nothing_where_nothing_is_known():
    logits = torch.randn(2, 4, 4, requires_grad=True)
    dense_loss(logits, torch.full((2, 32, 32), BEYOND, dtype=torch.uint8)).backward()
    assert (logits.grad == 0).all()


def test_the_map_loss_is_least_where_the_map_is_right():
    marked = torch.zeros(1, 32, 32, dtype=torch.uint8)
    marked[0, 8:16, 8:16] = 1
    right = torch.full((1, 4, 4), -6.0)
    right[0, 1, 1] = 6.0
    wrong = torch.full((1, 4, 4), -6.0)
    wrong[0, 2, 2] = 6.0
    assert dense_loss(right, marked) < 0.1 < 1 < dense_loss(wrong, marked)
