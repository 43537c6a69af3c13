import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from core.errors import BadInput
from core.pictures.heatmaps import from_grid, map_shape, resized, scale_for, spots_of, stitch, to_grid, upsample
from core.pictures.tiling import tiles

sides = st.integers(20, 300)


def tile_maps_of(field, boxes, cells):
    """What a perfect net would answer: the field at the middle of each of a tile's cells."""
    maps = []
    for x, y, w, h in boxes.tolist():
        across, down = x + (np.arange(cells) + 0.5) * w / cells, y + (np.arange(cells) + 0.5) * h / cells
        maps.append(field(across[None, :], down[:, None]) * np.ones((cells, cells)))
    return np.array(maps, np.float32)


@given(sides, sides, st.sampled_from([8, 16, 32]))
def test_a_constant_stays_a_constant_everywhere(width, height, cell):
    boxes = tiles(width, height, 64, 32)
    shape = map_shape(width, height, cell)
    stitched = stitch(np.full((len(boxes), 8, 8), 0.7, np.float32), boxes, (width, height), shape)
    assert stitched.shape == shape
    assert_allclose(stitched, 0.7, rtol=1e-5)


@given(st.integers(80, 300), st.integers(80, 300))
def test_a_slope_comes_out_as_the_same_slope_without_seams(width, height):
    boxes = tiles(width, height, 64, 32)
    shape = map_shape(width, height, 8)
    stitched = stitch(tile_maps_of(lambda x, y: 2 * x + y, boxes, 8), boxes, (width, height), shape)
    across, down = (np.arange(shape[1]) + 0.5) * width / shape[1], (np.arange(shape[0]) + 0.5) * height / shape[0]
    expected = 2 * across[None, :] + down[:, None]
    assert_allclose(stitched[2:-2, 2:-2], expected[2:-2, 2:-2], rtol=0.02, atol=2)


@given(sides, sides, st.data())
def test_a_spot_is_found_where_it_was(width, height, data):
    boxes = tiles(width, height, 64, 32)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    near = tile_maps_of(lambda u, v: np.exp(-((u - x) ** 2 + (v - y) ** 2) / 200), boxes, 8)
    stitched = stitch(near, boxes, (width, height), map_shape(width, height, 4))
    row, column = np.unravel_index(stitched.argmax(), stitched.shape)
    assert abs((column + 0.5) * width / stitched.shape[1] - x) <= 8
    assert abs((row + 0.5) * height / stitched.shape[0] - y) <= 8


def test_tiles_that_do_not_cover_the_picture_are_refused():
    with pytest.raises(BadInput, match="uncovered"):
        stitch(np.ones((1, 4, 4), np.float32), tiles(64, 64, 64, 64), (128, 64), (8, 16))
    with pytest.raises(BadInput, match="one for each"):
        stitch(np.ones((2, 4, 4), np.float32), tiles(64, 64, 64, 64), (64, 64), (8, 8))


def test_a_grid_comes_back_within_half_a_step():
    values = np.linspace(0, 2, 12, dtype=np.float32).reshape(3, 4)
    grid = to_grid(values, scale=2.0)
    assert grid.values.dtype == np.uint8
    assert_allclose(from_grid(grid), values / 2, atol=0.5 / 255 + 1e-6)


def test_what_lies_beyond_the_scale_is_cut():
    assert to_grid(np.array([[-1.0, 9.0]], np.float32), 3.0).values.tolist() == [[0, 255]]


def test_reading_part_of_a_map_leaves_the_padding_out():
    values = np.zeros((8, 8), np.float32)
    values[:4] = 1.0
    assert_allclose(resized(values, (4, 16), (3 / 8, 1.0)), 1.0)


def test_an_overlay_has_the_pictures_size():
    assert upsample(to_grid(np.ones((3, 4), np.float32)), 40, 31).shape == (31, 40)


def test_a_clean_picture_does_not_glow():
    clean, defective = np.linspace(0.0, 1.0, 100, dtype=np.float32), np.linspace(1.0, 9.0, 50, dtype=np.float32)
    scale = scale_for(clean, defective)
    assert np.quantile(clean / scale, 0.95) <= 1 / 3 + 1e-6
    assert np.median(defective / scale) >= 1
    with pytest.raises(BadInput):
        scale_for(clean[:0], defective[:0])


def test_regions_lie_on_the_places_that_stand_out_in_picture_pixels():
    values = np.zeros((10, 20), np.float32)
    values[2:4, 3:6] = 0.9
    values[8, 19] = 0.8
    first, second = spots_of(values, (200, 100), 0.5)
    assert (first.score, second.score) == (pytest.approx(0.9), pytest.approx(0.8))
    edges = [first.x, first.y, first.x + first.width, first.y + first.height]
    assert_allclose(edges, [30, 20, 60, 40], atol=1)
    assert second.x + second.width == 200


def test_two_places_that_do_not_touch_are_two_and_the_limit_keeps_the_strongest():
    values = np.zeros((9, 9), np.float32)
    values[1, 1], values[1, 7], values[7, 4] = 0.6, 0.9, 0.7
    assert [round(s.score, 1) for s in spots_of(values, (90, 90), 0.5)] == [0.9, 0.7, 0.6]
    assert [round(s.score, 1) for s in spots_of(values, (90, 90), 0.5, limit=1)] == [0.9]
    assert spots_of(values, (90, 90), 0.5, least_cells=2) == ()
    assert spots_of(values, (90, 90), 0.95) == ()


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 500))
def test_regions_hold_their_peak_and_stay_inside_the_picture(rows, columns, seed, width, height):
    values = np.random.default_rng(seed).random((rows, columns), np.float32)
    values[0, 0] = 0.5  # exactly the threshold
    for spot in spots_of(values, (width, height), 0.5):
        assert spot.width > 0
        assert spot.height > 0
        assert -1e-9 <= spot.x <= spot.peak_x <= spot.x + spot.width <= width + 1e-9
        assert -1e-9 <= spot.y <= spot.peak_y <= spot.y + spot.height <= height + 1e-9


def test_a_threshold_that_everything_passes_is_refused():
    with pytest.raises(BadInput):
        spots_of(np.zeros((2, 2), np.float32), (2, 2), 0.0)
