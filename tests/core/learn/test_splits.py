from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.splits import DEFAULT, joined_groups, kept_sides, leaks, parse, split_groups

PICTURES = st.lists(
    st.tuples(
        st.integers(0, 40).map(lambda n: f"part {n}"), st.sets(st.sampled_from(["NO_DEFECT", "A", "B"]), max_size=2)
    ),
    max_size=120,
)


@given(PICTURES, st.integers(0, 5))
def test_every_group_is_on_exactly_one_side(pictures, seed):
    groups, classes = [p[0] for p in pictures], [p[1] for p in pictures]
    sides = split_groups(groups, classes, DEFAULT, seed)
    assert sides.keys() == set(groups)
    assert not leaks((sides[group], [group]) for group in groups)


@given(PICTURES, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_pictures_does_not_matter(pictures, seed, random):
    shuffled = list(pictures)
    random.shuffle(shuffled)
    first = split_groups([p[0] for p in pictures], [p[1] for p in pictures], DEFAULT, seed)
    second = split_groups([p[0] for p in shuffled], [p[1] for p in shuffled], DEFAULT, seed)
    assert first == second


@settings(deadline=None)
@given(st.integers(60, 400), st.floats(0.5, 0.9), st.integers(0, 1000))
def test_shares_of_every_class_come_out_within_a_group(n, train, seed):
    shares = {"train": train, "val": 1 - train}
    groups = [f"part {i // 2}" for i in range(n)]
    classes = [["A"] if (i // 2) % 5 == 0 else ["NO_DEFECT"] for i in range(n)]
    sides = split_groups(groups, classes, shares, seed)
    for name in ("A", "NO_DEFECT"):
        own = [group for group, found in zip(groups, classes, strict=True) if name in found]
        counts = Counter(sides[group] for group in own)
        assert abs(counts["train"] - train * len(own)) <= 2


def test_another_seed_divides_another_way_and_the_same_seed_the_same():
    groups, classes = [f"part {i}" for i in range(100)], [["A"]] * 100
    first = split_groups(groups, classes, DEFAULT, 1)
    assert first == split_groups(groups, classes, DEFAULT, 1)
    assert first != split_groups(groups, classes, DEFAULT, 2)


def test_a_rare_class_reaches_every_side():
    groups = [f"part {i}" for i in range(100)]
    classes = [["rare"] if i < 6 else ["NO_DEFECT"] for i in range(100)]
    sides = split_groups(groups, classes, {"train": 0.5, "val": 0.25, "test": 0.25}, 0)
    assert {sides[f"part {i}"] for i in range(6)} == {"train", "val", "test"}


def test_a_side_with_no_share_stays_empty():
    sides = split_groups([f"{i}" for i in range(20)], [[]] * 20, {"train": 0.8, "val": 0.2, "test": 0.0}, 0)
    assert set(sides.values()) == {"train", "val"}


def test_no_pictures_make_no_groups():
    assert split_groups([], [], DEFAULT, 0) == {}


def test_the_split_is_the_same_on_every_machine():
    sides = split_groups([f"part {i}" for i in range(8)], [["A"]] * 8, {"train": 0.5, "val": 0.5}, 7)
    assert "".join(sides[f"part {i}"][0] for i in range(8)) == "tttvtvvv"


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("train=.7,val=.15,test=.15", {"train": 0.7, "val": 0.15, "test": 0.15}),
        ("train=1", {"train": 1.0}),
        ("train=.8, val=.2, test=0", {"train": 0.8, "val": 0.2, "test": 0.0}),
    ],
)
def test_a_split_is_read_as_people_write_it(text: str, shares: dict[str, float]):
    assert parse(text) == pytest.approx(shares)


@pytest.mark.parametrize(
    "text", ["", "train", "train=.7", "train=.7,val=.7", "train=x", "train=1,train=0", "=1", "a=nan"]
)
def test_a_split_that_makes_no_sense_is_refused(text: str):
    with pytest.raises(BadInput):
        parse(text)


def test_pictures_tied_by_a_third_are_one_group():
    groups = joined_groups([["part a", "sha 1"], ["part b", "sha 2"], ["part b", "sha 1"], ["part c"]])
    assert groups == ["part a", "part a", "part a", "part c"]


@given(
    st.lists(st.lists(st.integers(0, 15).map(str), min_size=1, max_size=3), max_size=40),
    st.randoms(use_true_random=False),
)
def test_groups_do_not_depend_on_the_order_of_pictures(keys, random):
    order = list(range(len(keys)))
    random.shuffle(order)
    straight, shuffled = joined_groups(keys), joined_groups([keys[i] for i in order])
    assert [straight[i] for i in order] == shuffled
    for own, group in zip(keys, straight, strict=True):
        for other, other_group in zip(keys, straight, strict=True):
            assert not set(own) & set(other) or group == other_group


def test_a_group_that_a_source_tore_apart_goes_where_most_of_it_is():
    sides, torn = kept_sides(["a", "a", "a", "b", "c"], ["train", "val", "train", "val", None])
    assert sides == {"a": "train", "b": "val"}
    assert torn == ["a"]


def test_leaks_are_named():
    assert leaks([("train", ["x", "y"]), ("val", ["y"]), ("val", ["z"])]) == ["y"]
