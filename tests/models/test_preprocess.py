import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from core.errors import BadInput
from core.pictures.tiling import Look, plan
from models import nets
from models.backends.serving import ServingNet
from models.preprocess import Preprocessing, cut, normalise, tiles_of, to_input, whole, whole_extent, working_picture


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_training_and_serving_normalise_alike():
    torch.manual_seed(0)
    net = nets.build("test_resnet", ["A"], weights="scratch", size=64).eval()
    tiles = picture(64, 64)[None]
    with torch.no_grad():
        trained_on, served = net(to_input(tiles, net.preprocessing)), ServingNet(net)(torch.from_numpy(tiles))
    assert torch.equal(served[0], torch.cat([trained_on.defect[:, None], trained_on.classes], 1))
    assert torch.equal(served[2], trained_on.dense)


def test_normalising_is_the_textbooks():
    card = Preprocessing((0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    tiles = picture(8, 8)[None]
    expected = (tiles[0].transpose(2, 0, 1) / 255 - np.array(card.mean)[:, None, None]) / np.array(card.std)[
        :, None, None
    ]
    assert_allclose(to_input(tiles, card)[0], expected, atol=1e-6)
    assert normalise(torch.from_numpy(tiles), torch.zeros(3), torch.ones(3)).dtype == torch.float32


def test_preprocessing_survives_the_card():
    card = Preprocessing((0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    assert Preprocessing.from_json(card.to_json()) == card
    with pytest.raises(BadInput):
        Preprocessing.from_json({"mean": [0.5], "std": [1, 1, 1]})
    with pytest.raises(BadInput):
        Preprocessing(std=(0.0, 1.0, 1.0))


def test_tiles_are_the_pictures_own_pixels():
    pixels = picture(100, 150)
    at = plan(150, 100, Look(64, 32))
    for tile, (x, y, w, h) in zip(tiles_of(pixels, at), at.boxes.tolist(), strict=True):
        assert_array_equal(tile, pixels[y : y + h, x : x + w])


def test_a_small_picture_is_padded_with_its_mirror_image_and_never_enlarged():
    pixels = picture(40, 30)
    tile = tiles_of(pixels, plan(30, 40, Look(64, 32)))[0]
    assert_array_equal(tile[:40, :30], pixels)
    assert_array_equal(tile[:40, 30:59], pixels[:, ::-1][:, 1:])
    assert_array_equal(tile[40:64, :30], pixels[::-1][1:25])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 64), (3, 500)])
def test_the_thinnest_pictures_fill_a_tile(height, width):
    tiles = tiles_of(picture(height, width), plan(width, height, Look(64, 32, whole_picture=True)))
    assert tiles.shape[1:] == (64, 64, 3)


def test_the_working_scale_shrinks_by_area():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:, ::2] = 200
    assert_array_equal(working_picture(pixels, (2, 2)), np.full((2, 2, 3), 100))
    assert working_picture(pixels, (4, 4)) is pixels


def test_the_whole_picture_comes_last_with_its_long_side_filling_the_tile():
    pixels = picture(100, 200)
    at = plan(200, 100, Look(64, 32, whole_picture=True))
    tiles = tiles_of(pixels, at)
    assert len(tiles) == at.count
    assert whole_extent(200, 100, 64) == (64, 32)
    assert_array_equal(tiles[-1], whole(pixels, 64))
    assert_array_equal(tiles[-1][:32], working_picture(pixels, (64, 32)))


def test_cutting_leaves_the_picture_alone_and_fills_the_room_given():
    pixels = picture(64, 128)
    before = pixels.copy()
    room = np.zeros((2, 64, 64, 3), np.uint8)
    assert cut(pixels, plan(128, 64, Look(64, 64)).boxes, room) is room
    assert_array_equal(room[1], pixels[:, 64:])
    assert_array_equal(pixels, before)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_the_decoder_would_not_make_is_refused(wrong):
    with pytest.raises(BadInput, match="decode"):
        working_picture(wrong, (4, 4))
