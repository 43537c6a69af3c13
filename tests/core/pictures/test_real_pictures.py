"""The hostile, odd and turned pictures in ../shared/data; decoded in limited children, as in real life."""

import csv
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import QuarantineReason, Unreadable
from core.pictures.sandbox import DecodePool, Read

OPEN = Path(__file__).parents[4] / "shared" / "data" / "open"
BROKEN, TURNED = OPEN / "broken_images", OPEN / "exif_orientation"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (BROKEN / "expected.csv").is_file(), reason="../shared/data is absent"),
]

# What Pillow says of a file, and under what it ends here.
FITTING = {
    "DecompressionBomb": {QuarantineReason.TOO_LARGE},
    "is truncated": {QuarantineReason.TRUNCATED},
    "Truncated File Read": {QuarantineReason.TRUNCATED},
    "not enough image data": {QuarantineReason.TRUNCATED},
    "Unsupported BMP": {QuarantineReason.UNDECODABLE},
    "invalid palette": {QuarantineReason.UNDECODABLE},
    "decoder error": {QuarantineReason.UNDECODABLE, QuarantineReason.TRUNCATED},
    "could not create decoder": {QuarantineReason.UNDECODABLE, QuarantineReason.TRUNCATED},
    "broken data stream": {QuarantineReason.WRONG_TYPE},  # JPEG 2000
    "cannot identify": {QuarantineReason.WRONG_TYPE, QuarantineReason.UNDECODABLE},
}
# Whole, but of a type that is not read, or of several pictures.
REFUSED_IN_WORDS = {".gif": "GIF", ".ico": "icon", "134_rgba16.png": "3 pictures"}
# Mean grey level, by Pillow's reading under this project's rules (white below transparency, upper eight bits).
LOOKS = {
    "076_p_16.png": 96,
    "079_pil_sample_cmyk.jpg": 14,
    "085_test_combine_caron_la.png": 253,
    "095_tiff_strip_cmyk_jpeg.tif": 14,
    "096_tiff_strip_planar_16bit_RGB.tiff": 31,
    "099_tiff_tiled_planar_16bit_RGB.tiff": 31,
    "097_tiff_strip_planar_16bit_RGBa.tiff": 203,
    "091_tiff_16bit_RGBa.tiff": 203,
    "061_exif_typeerror.jpg": 154,
}


def rows(path):
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found():
    paths = [BROKEN / row["file"] for row in rows(BROKEN / "expected.csv")]
    with DecodePool(workers=2, seconds=20) as pool:
        return {path.name: one for path, one in zip(paths, pool.decode(paths), strict=True)}


@pytest.mark.parametrize("row", rows(BROKEN / "expected.csv"), ids=lambda row: Path(row["file"]).name[:40])
def test_every_broken_picture_ends_in_a_fitting_drawer_and_every_odd_one_is_read_or_refused_in_words(row, found):
    name, pillow = Path(row["file"]).name, row["pillow_open_and_load"]
    one = found[name]
    if pillow != "ok":
        assert isinstance(one, Unreadable)
        assert one.reason in next(reasons for words, reasons in FITTING.items() if words in pillow)
        assert str(one).endswith(".")
        return
    words = next((words for end, words in REFUSED_IN_WORDS.items() if name.endswith(end)), None)
    if words:
        assert isinstance(one, Unreadable)
        assert one.reason is QuarantineReason.WRONG_TYPE
        assert words in str(one)
        return
    assert isinstance(one, Read), str(one)
    width, height = map(int, row["pillow_size"].split("x"))
    assert one.decoded.pixels.shape == (height, width, 3)
    if name in LOOKS:
        assert one.decoded.pixels.mean() == pytest.approx(LOOKS[name], abs=1)


def test_an_animation_of_no_valid_length_shows_its_plain_picture(found):
    assert isinstance(found["012_syntax_num_frames_invalid.png"], Read)


def test_twelve_bits_in_sixteen_are_not_stretched_and_so_called_dark(found):
    assert "dark" in found["002_12in16bit.tif"].quality.flags


def test_all_turned_pictures_of_a_group_look_alike():
    listed = rows(TURNED / "index.csv")
    with DecodePool(workers=2) as pool:
        reads = list(pool.decode(TURNED / row["file"] for row in listed))
    groups = {}
    for row, read in zip(listed, reads, strict=True):
        small = cv2.resize(read.decoded.pixels, (96, 64), interpolation=cv2.INTER_AREA).astype(int)
        groups.setdefault(row["group"], []).append(small)
    assert len(groups) == 2
    for pictures in groups.values():
        for one, other in itertools.pairwise(pictures):
            assert np.abs(one - other).mean() < 6
        turned = pictures[0][::-1, ::-1]
        assert np.abs(pictures[0] - turned).mean() > 30  # so that the comparison above says something


def test_a_receipt_of_35_megapixels_is_read():
    folder = OPEN.parent / "measure_only" / "sroie"
    large = next((Path(row["file"]) for row in rows(folder / "index.csv") if int(row["width"]) > 4_000), None)
    if large is None:
        pytest.skip("the large receipt is absent")
    with DecodePool(workers=1) as pool:
        (read,) = pool.decode([folder / large])
    assert read.decoded.pixels.shape == (7016, 4961, 3)
