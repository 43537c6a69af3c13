import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Region
from core.words.claims.colour import colours
from core.words.claims.constructing import PLACES
from core.words.claims.places import inside, place_of, share_there
from core.words.describe import place_name

points = st.floats(0, 1, allow_nan=False)


def at(x: float, y: float) -> Region:
    return Region(1000 * x - 5, 1000 * y - 5, 10, 10, "crack")


@pytest.mark.parametrize("words", ["top bottom", "left right", "side", "", "corner edge", "centre corner"])
def test_words_that_name_no_place_or_two_name_none(words: str) -> None:
    assert place_of(words.split()) is None


@given(points, points)
def test_a_point_is_never_surely_on_both_sides(x: float, y: float) -> None:
    for one, other in (("left", "right"), ("top", "bottom"), ("top left", "bottom right")):
        first, second = place_of(one.split()), place_of(other.split())
        assert first is not None
        assert second is not None
        told = [inside(place, at(x, y), (1000, 1000)) for place in (first, second)]
        assert told != [True, True] or abs(x - 0.5) < 1e-9 or abs(y - 0.5) < 1e-9


@given(points, points)
def test_the_place_that_a_description_names_is_not_denied_by_the_judge(x: float, y: float) -> None:
    name = place_name(at(x, y), (1000, 1000))
    place = place_of(name.split())
    assert place is not None
    assert inside(place, at(x, y), (1000, 1000)) is not False


def test_heat_counts_by_its_share_of_the_hottest() -> None:
    heat = np.zeros((10, 10), np.float32)
    heat[0, 0], heat[9, 9] = 0.8, 0.4
    left, right = place_of(["top", "left"]), place_of(["bottom", "right"])
    assert left is not None
    assert right is not None
    assert share_there(left, heat) == 1
    assert share_there(right, heat) == pytest.approx(0.5)
    assert share_there(left, np.zeros((10, 10), np.float32)) == 0


def test_every_place_that_claims_are_made_of_has_some_of_the_picture() -> None:
    assert len(PLACES) == 9
    assert all(x0 < x1 and y0 < y1 for place in PLACES for x0, y0, x1, y1 in place.boxes)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((220, 20, 20), "red"), ((20, 30, 220), "blue"), ((20, 200, 40), "green"), ((230, 220, 20), "yellow"),
     ((120, 70, 20), "brown"), ((250, 140, 10), "orange")],
)  # fmt: skip
def test_a_plain_picture_has_its_colour(rgb: tuple[int, int, int], name: str) -> None:
    found = colours(np.full((40, 60, 3), rgb, np.uint8))
    assert max(found, key=lambda one: found[one]) == name
    assert found[name] == pytest.approx(1)


def test_a_grey_picture_has_no_colour() -> None:
    assert sum(colours(np.full((40, 60, 3), 128, np.uint8)).values()) == 0
