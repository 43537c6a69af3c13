import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.pictures.quality import QualityLimits, flags, measure
from core.records import Quality

SIZES = [(64, 64), (300, 200), (1600, 256), (2048, 1536)]


def surface(width=320, height=240, seed=0):
    """A machined surface: grain, a gradient of light, some noise."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 30, (height, width)), (0, 0), 1.2)
    light = np.linspace(90, 150, width)[None]
    grey = np.clip(light + grain + rng.normal(0, 2, (height, width)), 0, 255)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_good_picture_has_no_flags(size):
    assert measure(surface(*size)).flags == ()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_variance_says_so(level):
    assert "no variance" in measure(np.full((100, 100, 3), level, np.uint8)).flags


def test_a_flat_picture_is_not_called_blurry_as_well():
    assert "blurry" not in measure(np.full((100, 100, 3), 90, np.uint8)).flags


def test_a_smeared_picture_is_blurry():
    assert measure(cv2.GaussianBlur(surface(), (0, 0), 12)).flags == ("blurry",)


def test_blur_only_ever_lowers_sharpness():
    picture = surface()
    figures = [measure(cv2.GaussianBlur(picture, (0, 0), sigma)).sharpness for sigma in (0.5, 1, 2, 4, 8)]
    assert figures == sorted(figures, reverse=True)


def test_a_picture_without_light_is_dark():
    assert "dark" in measure((surface() * 0.1).astype(np.uint8)).flags


def test_a_part_on_black_cloth_is_not_dark():
    picture = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(picture, (160, 120), 60, (180, 170, 160), -1)
    picture += np.random.default_rng(0).integers(0, 6, picture.shape, dtype=np.uint8)
    assert measure(picture).flags == ()


def test_a_burnt_out_picture_is_over_exposed():
    assert "over-exposed" in measure(np.clip(surface().astype(int) * 4, 0, 255).astype(np.uint8)).flags


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_a_third_that_never_arrived_is_partial(size, level, edge):
    picture = surface(*size)
    height, width = picture.shape[:2]
    gone = {
        "top": np.s_[: height // 3],
        "bottom": np.s_[-(height // 3) :],
        "left": np.s_[:, : width // 3],
        "right": np.s_[:, -(width // 3) :],
    }[edge]
    picture[gone] = level
    assert "partial" in measure(picture).flags


def test_a_jpeg_cut_within_a_row_of_blocks_is_partial():
    picture = surface(400, 304)
    whole = cv2.imencode(".jpg", picture)[1].tobytes()
    cut = whole[: int(len(whole) * 0.6)] + b"\xff\xd9"
    shown = cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_COLOR)
    assert "partial" in measure(shown).flags


def test_a_plain_background_around_a_part_is_not_partial():
    picture = np.full((240, 320, 3), 255, np.uint8)
    cv2.ellipse(picture, (160, 120), (130, 70), 20, 0, 360, (90, 100, 110), -1)
    assert "partial" not in measure(picture).flags


def test_print_on_white_paper_is_not_partial():
    picture = np.full((400, 300, 3), 255, np.uint8)
    for line in range(6):
        cv2.putText(picture, "LOT 7781 EXP 03/04/27", (30, 150 + 30 * line), 0, 0.6, (40, 40, 40), 1)
    assert "partial" not in measure(picture).flags


def test_figures_have_their_units():
    picture = np.zeros((10, 10, 3), np.uint8)
    picture[:5] = 255
    quality = measure(picture)
    assert quality.brightness == pytest.approx(0.5)
    assert quality.contrast == pytest.approx(0.5)
    assert (quality.dark, quality.bright) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_figure_means_the_same_at_every_resolution():
    small, large = surface(800, 600), cv2.resize(surface(800, 600), (3200, 2400), interpolation=cv2.INTER_CUBIC)
    assert measure(large).brightness == pytest.approx(measure(small).brightness, abs=0.01)
    assert measure(large).contrast == pytest.approx(measure(small).contrast, rel=0.1)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_every_size_can_be_measured_and_figures_keep_their_bounds(width, height, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = picture.copy()
    quality = measure(picture)
    assert (picture == before).all()
    assert 0 <= quality.contrast <= 0.5
    assert all(0 <= share <= 1 for share in (quality.brightness, quality.dark, quality.bright))
    assert quality.sharpness >= 0


@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3), (2, 900_000, 3)], ids=str)
def test_thin_pictures_can_be_measured(shape):
    assert measure(np.full(shape, 9, np.uint8)).contrast == 0


def test_limits_can_be_changed_without_the_picture():
    quality = Quality(sharpness=5, brightness=0.5, contrast=0.1, dark=0.2, bright=0.3, flags=("partial",))
    assert flags(quality, QualityLimits()) == ("partial",)
    strict = QualityLimits(sharpness=6, dark=0.1, bright=0.1, partial=False)
    assert flags(quality, strict) == ("blurry", "dark", "over-exposed")


@pytest.mark.parametrize("wrong", [{"dark": 1.5}, {"bright": float("nan")}, {"sharpness": -1}, {"contrast": -0.1}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(BadInput, match="shares"):
        QualityLimits(**wrong)
