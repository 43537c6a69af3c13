import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.tiling import Look, look_from, look_of, neighbours, plan, spoken, starts, tile_count, tiles
from core.plant import PartType


def seen(width, height, size, stride):
    count = np.zeros((height, width), int)
    for x, y, w, h in tiles(width, height, size, stride).tolist():
        count[y : y + h, x : x + w] += 1
    return count


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([32, 64, 96]), st.integers(1, 64))
def test_every_pixel_is_seen_and_the_last_row_and_column_end_at_the_edge(width, height, size, stride):
    stride = min(stride, size)
    boxes = tiles(width, height, size, stride)
    for side, column in ((width, 0), (height, 1)):
        covered = np.zeros(max(side, size), bool)
        for first in set(boxes[:, column].tolist()):
            covered[first : first + size] = True
        assert covered.all()
        assert boxes[:, column].min() == 0
        assert (boxes[:, column] + size).max() == max(side, size)


@given(st.integers(65, 300), st.integers(65, 300))
def test_with_half_a_tile_of_stride_every_inside_pixel_is_seen_twice(width, height):
    count = seen(width, height, 64, 32)
    assert count.min() >= 1
    assert (count[32:-32, :] >= 2).all()
    assert (count[:, 32:-32] >= 2).all()


@limits(deadline=None)  # a stride of one pixel cuts three million tiles
@given(
    st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 256), st.booleans(), st.sampled_from([0.25, 0.5, 1.0])
)
def test_the_count_is_known_without_cutting(width, height, stride, whole, scale):
    look = Look(256, stride, scale, whole)
    assert tile_count(width, height, look) == plan(width, height, look).count


def test_no_two_tiles_are_the_same():
    boxes = tiles(512, 384, 256, 128)
    assert len({tuple(b) for b in boxes.tolist()}) == len(boxes) == 6


def test_a_strip_of_1600_takes_twelve_tiles_and_twelve_megapixels_take_713():
    assert len(tiles(1600, 256)) == 12
    assert starts(1600, 256, 128)[-1] == 1600 - 256
    assert len(tiles(4096, 3072)) == 713


def test_a_picture_smaller_than_a_tile_is_one_tile_at_its_corner():
    assert tiles(64, 64).tolist() == [[0, 0, 256, 256]]


def test_tiles_are_given_back_in_picture_pixels_cut_at_the_edge():
    boxes = plan(1000, 100, Look(256, 128, 0.5, whole_picture=True)).picture_boxes
    assert boxes[0].tolist() == [0, 0, 512, 100]
    assert boxes[-2, 0] + boxes[-2, 2] == 1000
    assert boxes[-1].tolist() == [0, 0, 1000, 100]


def test_a_picture_that_fits_in_one_tile_is_not_looked_at_twice():
    assert plan(200, 200, Look(whole_picture=True)).count == 1
    assert plan(300, 200, Look(whole_picture=True)).count == 3


@pytest.mark.parametrize(
    "wrong", [{"stride": 0}, {"stride": 257}, {"tile": 100}, {"tile": 4096}, {"scale": 0.0}, {"scale": 9.0}]
)
def test_a_look_that_would_leave_pixels_unseen_is_refused(wrong):
    with pytest.raises(BadInput):
        Look(**wrong)


@pytest.mark.parametrize(("width", "height", "stride"), [(0, 5, 128), (5, 0, 128), (5, 5, 300), (5, 5, 0)])
def test_an_empty_picture_or_a_stride_beyond_the_tile_is_refused(width, height, stride):
    with pytest.raises(BadInput):
        tiles(width, height, 256, stride)


def test_a_part_type_says_how_it_is_looked_at():
    part_type = PartType("box", scale=0.5, tile=128, stride=64, whole_picture=True)
    assert look_of(part_type) == Look(128, 64, 0.5, whole_picture=True)


@pytest.mark.parametrize("look", [Look(), Look(64, 64, 0.5, True), Look(256, 100, 2.0)])
def test_a_look_is_compared_with_single_changes_of_itself(look: Look):
    found = neighbours(look)
    assert found["as chosen"] == look
    assert len(set(found.values())) == len(found)
    for other in list(found.values())[1:]:
        assert sum(vars(other)[name] != value for name, value in vars(look).items()) == 1
        assert look_from(vars(other)) == other


def test_what_is_no_look_is_refused():
    with pytest.raises(BadInput, match="give tile, stride, scale"):
        look_from({"tile": 64})


def test_a_look_is_said_in_words():
    assert spoken(Look(64, 64, 0.5, True)) == "scale 0.5, tiles of 64 px every 64, whole picture too"
