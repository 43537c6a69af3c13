"""Agreement beyond chance: equal to what was published and to what the libraries give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.audits.agreement import Answers, cohen, fleiss, krippendorff, regions
from core.errors import BadInput
from core.records import Region

FIGURES = (cohen, fleiss, krippendorff)
# 30 items, five people, three names, drawn once; the figures beside it are by the libraries that are named there.
TABLE = (
    ".gg.. .ssss .gg.. c.cc. .s.s. .ggg. ggg.. gggg. .gggg ggggc ..sg. .gg.. ggggs .g.gc .sss. gg.gc .g..g ccccc csccg "
    "cc.cc s.s.c g.cg. .gs.g ..ggg g...g ggggg .gsg. ggggs ccg.. g.ggg"
)


def rng():
    return np.random.default_rng(1)


def answers_of(rows, names="gcs"):
    """Answers from one word per item, one letter per person, a dot for none."""
    found = [(i, p, names.index(said)) for i, row in enumerate(rows) for p, said in enumerate(row) if said != "."]
    items, people, said = np.array(found, np.int64).reshape(-1, 3).T
    return Answers(items, people, said, len(names))


def test_alpha_is_that_of_krippendorffs_own_example():
    people = ("123321412...", "1233224125.3", ".3332342251.", "1233244125 1.".replace(" ", ""))
    rows = ["".join(line[at] for line in people) for at in range(12)]
    assert krippendorff(answers_of(rows, "12345"), rng()).value == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_that_of_the_krippendorff_library():
    """Version 0.9.0, level of measurement "nominal"."""
    assert krippendorff(answers_of(TABLE.split()), rng()).value == pytest.approx(0.5433381088825215, abs=1e-12)


def test_fleiss_kappa_is_that_of_the_published_example():
    """Ten subjects, fourteen raters, five categories: 0.210."""
    counts = ("4" * 14, "11222222333344", "22233333444444", "11122222222233", "00112222222234", "00000001111111",
              "00011222222333", "00111112223344", "00000011111223", "11223334444444")  # fmt: skip
    assert fleiss(answers_of(counts, "01234"), rng()).value == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_is_that_of_statsmodels():
    """Version 0.15.0, `fleiss_kappa`; each item needs as many answers as any other there."""
    filled = [row.replace(".", "g") for row in TABLE.split()[:20]]
    assert fleiss(answers_of(filled), rng()).value == pytest.approx(0.4278929188255616, abs=1e-12)


@settings(deadline=None)  # a busy machine may take its time
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=30))
def test_cohens_kappa_is_that_of_scikit_learn(pairs):
    rows = ["gcs"[a] + "gcs"[b] for a, b in pairs]
    if len({said for pair in pairs for said in pair}) == 1:
        assert cohen(answers_of(rows), rng()) is None  # nothing is left that chance would not explain
        return
    expected = cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs], labels=[0, 1, 2])
    found = cohen(answers_of(rows), rng())
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_to_compare_and_one_name_for_all_give_no_figure(figure):
    assert figure(answers_of(["g....", ".c..."]), rng()) is None
    assert figure(answers_of(["gg...", "gg...", "gg..."]), rng()) is None
    assert figure(Answers(*np.zeros((3, 0), np.int64), 2), rng()) is None


@pytest.mark.parametrize("figure", FIGURES)
def test_perfect_agreement_on_a_few_items_is_not_certainty(figure):
    few, many = (figure(answers_of(["gg", "cc"] * n), rng()) for n in (5, 100))
    assert few.value == many.value == 1
    assert few.low < 0.6 < 0.9 < many.low < 1


@pytest.mark.parametrize("figure", FIGURES)
def test_answers_by_chance_agree_no_more_than_chance(figure):
    chance = np.random.default_rng(4)
    rows = ["".join(line) for line in chance.choice(list("gc"), (800, 2))]
    found = figure(answers_of(rows, "gc"), rng())
    assert found.low < 0 < found.high
    assert found.width < 0.2


def test_intervals_of_kappa_cover_the_true_one():
    """Two people who each see what is there with probability 0.9: kappa is known, and 300 samples of 120 items."""
    chance = np.random.default_rng(9)
    truth_kappa = 1 - (2 * 0.9 * 0.1) / (1 - (0.5**2 + 0.5**2))
    covered = []
    for _ in range(300):
        truth = chance.random((120, 1)) < 0.5
        said = np.where(chance.random((120, 2)) < 0.9, truth, ~truth)
        found = cohen(answers_of(["".join("gc"[int(one)] for one in row) for row in said], "gc"), chance)
        covered.append(found.low <= truth_kappa <= found.high)
    assert np.mean(covered) > 0.91  # 0.95 less three standard errors


def test_the_first_two_answers_in_time_are_the_pair():
    found = Answers(np.array([0, 1, 0, 2, 1, 0]), np.array([0, 0, 1, 1, 2, 2]), np.array([1, 0, 2, 2, 1, 0]), 3)
    assert found.pairs.tolist() == [[1, 2], [0, 1]]


def test_answers_outside_the_categories_are_refused():
    with pytest.raises(BadInput, match="2 categories"):
        Answers(np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, 2), 2)


def test_regions_agree_by_the_overlap_of_their_pairs():
    box = Region(10, 10, 20, 20, "CRACK", "CRACK")
    shifted = Region(10, 15, 20, 20, "BURR", "BURR")  # 300 shared of 500
    far = Region(200, 10, 20, 20, "CRACK", "CRACK")
    found = regions([(1, [box], [shifted]), (2, [box], [box, far]), (3, [box, far], [far, box])], rng())
    assert found.found.value == pytest.approx(8 / 9)
    assert found.overlap.value == pytest.approx((0.6 + 1 + 1 + 1) / 4)
    assert found.named.value == pytest.approx(3 / 4)
    assert found.overlap.n == 4


def test_no_regions_give_no_figures():
    found = regions([], rng())
    assert (found.found, found.overlap, found.named) == (None, None, None)
