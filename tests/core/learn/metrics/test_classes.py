import pytest
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from core.errors import BadInput
from core.learn import metrics


def test_a_class_counts_wherever_it_appears():
    true = [frozenset("ab"), frozenset("a"), frozenset()]
    said = [frozenset("a"), frozenset("b"), frozenset("b")]
    result = metrics.per_class(true, said, ["a", "b", "c"], [{"a": 0.9, "b": 0.2}, {"a": 0.4, "b": 0.6}, {"b": 0.5}])
    assert (result["a"].precision, result["a"].recall, result["a"].n) == (1.0, 0.5, 2)
    assert (result["b"].precision, result["b"].recall) == (0.0, 0.0)
    assert (result["c"].precision, result["c"].recall, result["c"].n) == (None, None, 0)
    assert_allclose(result["a"].pr_auc, oracle.average_precision_score([1, 1, 0], [0.9, 0.4, 0]))


def test_the_confusion_matrix_equals_scikit_learn():
    true, said = list("aabbccab"), list("abbbcaab")
    assert metrics.confusion(true, said, list("abc")) == oracle.confusion_matrix(true, said).tolist()


def test_a_name_that_is_not_in_the_matrix_is_refused():
    with pytest.raises(BadInput, match="z: not among"):
        metrics.confusion(["a"], ["z"], ["a"])
