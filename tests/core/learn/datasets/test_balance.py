from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.datasets.balance import MOST_REPEATS, Balance, balance_from, over_quota, repeats, spare_good
from core.learn.datasets.cutting import cut_by_time
from core.learn.datasets.opinions import Opinion, two_looks

START = datetime(2026, 3, 1, tzinfo=UTC)
FLAGS = st.lists(st.sets(st.sampled_from(["blurry", "partial"])), min_size=1, max_size=60)


def test_a_balance_is_read_as_it_is_written():
    assert balance_from("good=2,rare=50") == Balance(2.0, 50)
    for wrong in ("good", "good=x", "rare=1.5", "bad=1", "good=0", "rare=0"):
        with pytest.raises(BadInput):
            balance_from(wrong)


@given(FLAGS, st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.integers(0, 3))
def test_a_quota_is_kept_and_nothing_else_is_left_out(flags, share, seed):
    out = over_quota(flags, [str(n) for n in range(len(flags))], {"blurry": share}, seed)
    assert all("blurry" in flags[n] for n in out)
    left = [own for n, own in enumerate(flags) if n not in out]
    assert sum("blurry" in own for own in left) <= share * len(left) + 1e-9
    if share == 1:
        assert not out


def test_good_pictures_beyond_the_balance_are_left_out_by_chance_and_never_defective_ones():
    defective = [n % 10 == 0 for n in range(100)]
    names = [f"p{n}" for n in range(100)]
    out = spare_good(defective, names, 2, seed=1)
    assert len(out) == 70
    assert not any(defective[n] for n in out)
    assert out != spare_good(defective, names, 2, seed=2)
    assert spare_good([False] * 5, names[:5], 1, 0) == set()


def test_every_class_comes_often_enough_or_as_often_as_is_sensible():
    kinds = [("A",)] * 40 + [("B",)] * 4 + [("C",)] + [()] * 10
    often = repeats(kinds, 20)
    assert sum(n for n, own in zip(often, kinds, strict=True) if "B" in own) == 20
    assert often[44] == MOST_REPEATS
    assert set(often[:40]) | set(often[45:]) == {1}


def test_a_cut_in_time_leaves_nothing_across_and_says_what_it_left_out():
    groups = [f"g{n // 2}" for n in range(40)]
    times = [START + timedelta(hours=n) for n in range(40)]
    times[0] = START + timedelta(hours=39)  # the first part was seen again at the end
    sides, across = cut_by_time(groups, times, {"train": 0.5, "val": 0.25, "test": 0.25})
    assert across[0] == "g0"
    assert "g0" not in sides
    last = {
        side: max(t for g, t in zip(groups, times, strict=True) if sides.get(g) == side) for side in ("train", "val")
    }
    first = {
        side: min(t for g, t in zip(groups, times, strict=True) if sides.get(g) == side) for side in ("val", "test")
    }
    assert last["train"] < first["val"]
    assert last["val"] < first["test"]


def test_a_cut_that_leaves_a_side_empty_is_refused():
    with pytest.raises(BadInput, match="would be empty"):
        cut_by_time(["g"] * 4, [START + timedelta(hours=n) for n in range(4)], {"train": 0.5, "test": 0.5})
    with pytest.raises(BadInput, match="knows train, val and test"):
        cut_by_time(["g"], [START], {"left": 1.0})


def test_the_first_answers_of_two_people_are_compared_and_files_without_a_name_are_nobody():
    said = [
        Opinion(1, "import:old", True, frozenset({"X"})),
        Opinion(2, "Ines", None, frozenset()),
        Opinion(3, "Ines", True, frozenset({"fracture"})),
        Opinion(4, "import:csv/bob", False, frozenset()),
        Opinion(5, "Ines", False, frozenset()),
    ]
    found = two_looks(said, ["/p.png"], {"fracture": "CRACK"}.get)
    assert (found.one, found.other, found.by) == ({"CRACK"}, {"NO_DEFECT"}, ("Ines", "import:csv/bob"))
    assert two_looks(said[:3], ["/p.png"]) is None
