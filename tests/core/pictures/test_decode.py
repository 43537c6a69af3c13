import io
import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image

from core.errors import BadInput, QuarantineReason, Unreadable
from core.pictures.decode import Limits, decode, inspect, read, sha256_of
from core.records import Exposure

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # about the files that are broken on purpose

SMALL = Limits(pixels=200_000, side=2_000)


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def scene(width=96, height=64, seed=0):
    """A smooth picture, as JPEG likes it, with its four corners all different."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def refusal(data, limits=SMALL, **options):
    with pytest.raises(Unreadable) as caught:
        decode(data, limits, **options)
    return caught.value


def decoded_or_refused(data):
    try:
        return decode(data, SMALL)
    except Unreadable as refused:
        return refused


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *, bits=8, colour=2, body=b""):
    """A PNG by hand, for what no writer writes."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tiff(samples, **tags):
    """A TIFF by hand, of one strip; tags by number as t262=0."""
    height, width = samples.shape
    body = samples.tobytes()
    entries = {256: width, 257: height, 258: samples.itemsize * 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    entries |= {279: len(body)} | {int(name[1:]): value for name, value in tags.items()}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + struct.pack("<H", len(entries)) + directory + bytes(4)
    )


@st.composite
def pictures(draw, modes=("L", "RGB")):
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    mode = draw(st.sampled_from(modes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    samples = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(samples[..., 0] if channels == 1 else samples, mode)


# --- what is read, and how ---


@given(pictures(), st.sampled_from(["PNG", "BMP", "TIFF", "WebP"]))
@settings(deadline=None)
def test_pixels_saved_without_loss_come_back_exactly(picture, kind):
    data = encoded(picture, kind, **({"lossless": True} if kind == "WebP" else {}))
    assert_array_equal(decode(data).pixels, np.asarray(picture.convert("RGB")))


@given(pictures(modes=("LA", "RGBA")), st.sampled_from(["PNG", "TIFF", "WebP"]))
@settings(deadline=None)
def test_transparency_is_laid_over_white(picture, kind):
    data = encoded(picture, kind, **({"lossless": True, "exact": True} if kind == "WebP" else {}))
    rgba = np.asarray(picture.convert("RGBA")).astype(float)
    share = rgba[..., 3:] / 255
    expected = rgba[..., :3] * share + 255 * (1 - share)
    assert np.abs(decode(data).pixels - expected).max() <= 0.5


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_the_upper_eight(kind):
    samples = np.array([[0, 255, 256, 257, 32_768, 65_279, 65_280, 65_535]], np.uint16)
    decoded = decode(encoded(Image.fromarray(samples), kind))
    assert decoded.pixels[0, :, 0].tolist() == [0, 0, 1, 1, 128, 254, 255, 255]


def test_sixteen_bit_colours_keep_the_upper_eight_in_the_right_order():
    samples = np.array([[[65_535, 0, 256]]], np.uint16)
    _, data = cv2.imencode(".png", samples[..., ::-1])
    assert decode(data.tobytes()).pixels[0, 0].tolist() == [255, 0, 1]


def test_a_sixteen_bit_picture_is_never_stretched_to_its_own_brightest_pixel():
    dim = np.full((4, 4), 2_560, np.uint16)
    assert decode(encoded(Image.fromarray(dim), "PNG")).pixels.max() == 10


def test_twelve_bits_in_sixteen_are_read_as_told():
    samples = np.array([[0, 16, 4_095, 65_535]], np.uint16)
    decoded = decode(encoded(Image.fromarray(samples), "PNG"), Limits(significant_bits=12))
    assert decoded.pixels[0, :, 0].tolist() == [0, 1, 255, 255]


def test_negative_samples_are_black_and_the_largest_is_white():
    samples = np.array([[-5, 0, 16_384, 32_767]], np.int16)
    assert decode(tiff(samples, t339=2)).pixels[0, :, 0].tolist() == [0, 0, 128, 255]


def test_a_deep_tiff_that_counts_from_white_is_turned_round():
    samples = np.array([[0, 65_535]], np.uint16)
    assert decode(tiff(samples, t262=0)).pixels[0, :, 0].tolist() == [255, 0]


def test_a_tiff_whose_strip_reaches_beyond_the_file_is_cut_off():
    assert refusal(tiff(np.zeros((4, 4), np.uint8), t279=999)).reason is QuarantineReason.TRUNCATED


def test_float_samples_are_refused_because_nobody_knows_what_is_white():
    refused = refusal(encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))
    assert refused.reason is QuarantineReason.WRONG_TYPE
    assert "8 or 16 bits" in str(refused)


def test_a_palette_shows_its_colours_and_not_its_numbers():
    picture = Image.fromarray(scene()).quantize(16)
    assert_array_equal(decode(encoded(picture, "PNG")).pixels, np.asarray(picture.convert("RGB")))


def test_a_see_through_palette_colour_is_white():
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    data = encoded(picture, "PNG", transparency=0)
    assert decode(data).pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(kind):
    picture = Image.fromarray(np.array([[0, 255, 0], [255, 255, 0]], np.uint8)).convert("1")
    assert decode(encoded(picture, kind)).pixels[..., 0].tolist() == [[0, 255, 0], [255, 255, 0]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_multiplied_out_and_not_inverted(kind):
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
    assert np.abs(decode(encoded(picture, kind)).pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_a_grey_jpeg_has_three_equal_channels():
    pixels = decode(encoded(Image.fromarray(scene()).convert("L"), "JPEG")).pixels
    assert pixels.shape == (64, 96, 3)
    assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_jpeg_colours_are_those_of_pillow():
    data = encoded(Image.fromarray(scene(251, 163)), "JPEG", quality=90)
    assert_array_equal(decode(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_a_progressive_jpeg_is_read():
    data = encoded(Image.fromarray(scene()), "JPEG", progressive=True)
    assert inspect(data).scans > 1
    assert_array_equal(decode(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("size", [(64, 64), (1600, 256), (4096, 3072)], ids=str)
def test_sizes_from_a_chip_to_a_sheet(size):
    data = encoded(Image.fromarray(scene(*size)), "JPEG")
    assert decode(data).pixels.shape == (size[1], size[0], 3)


def test_the_array_is_its_own_and_can_be_written():
    pixels = decode(encoded(Image.fromarray(scene()), "PNG")).pixels
    pixels[0, 0] = 7
    assert pixels.flags.c_contiguous
    assert pixels.dtype == np.uint8


# --- orientation ---

TURNS = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WebP", "JPEG"])
def test_orientation_is_applied_exactly_once(orientation, kind):
    picture = Image.fromarray(scene(40, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture, kind, exif=exif, **({"lossless": True} if kind == "WebP" else {}))
    plain = encoded(picture, kind, **({"lossless": True} if kind == "WebP" else {}))
    assert_array_equal(decode(data).pixels, TURNS[orientation](decode(plain).pixels))


@given(pictures(), st.sampled_from(sorted(TURNS)))
@settings(deadline=None)
def test_every_size_can_be_turned_into_memory_of_the_callers(picture, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lent = []

    def allocate(shape):
        lent.append(np.full(shape, 77, np.uint8))
        return lent[-1]

    pixels = decode(encoded(picture, "PNG", exif=exif), allocate=allocate).pixels
    assert pixels is lent[0]
    assert_array_equal(pixels, TURNS[orientation](np.asarray(picture.convert("RGB"))))


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(encoded(Image.fromarray(scene()), "JPEG", exif=exif)).pixels.shape == (64, 96, 3)


def test_a_ruined_exif_block_does_not_cost_the_picture():
    data = encoded(Image.fromarray(scene()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")
    decoded = decode(data)
    assert decoded.pixels.shape == (64, 96, 3)
    assert decoded.taken_at is None


# --- exposure and time ---


def taken(main=(), camera=()):
    exif = Image.Exif()
    exif.update(dict(main))
    exif.get_ifd(0x8769).update(dict(camera))
    return encoded(Image.fromarray(scene()), "JPEG", exif=exif)


def test_exposure_is_read_as_the_camera_wrote_it():
    decoded = decode(taken(camera={0x8827: 400, 0x829D: 2.8, 0x829A: 0.004}))
    assert decoded.exposure.iso == 400
    assert decoded.exposure.aperture == pytest.approx(2.8)
    assert decoded.exposure.shutter_s == pytest.approx(1 / 250)


def test_exposure_in_apex_steps_stands_in():
    decoded = decode(taken(camera={0x9202: 4.0, 0x9201: 8.0}))
    assert decoded.exposure == Exposure(iso=None, aperture=4.0, shutter_s=1 / 256)


def test_what_the_file_does_not_say_is_none():
    decoded = decode(encoded(Image.fromarray(scene()), "JPEG"))
    assert decoded.exposure == Exposure()
    assert decoded.taken_at is None


def test_capture_time_is_kept_to_the_millisecond_with_its_offset():
    data = taken(camera={0x9003: "2026:11:20 14:02:11", 0x9291: "0425", 0x9011: "+02:00"})
    assert decode(data).taken_at == datetime(2026, 11, 20, 12, 2, 11, 42_000, UTC)


def test_a_capture_time_without_offset_is_in_the_given_zone():
    data = taken(main={0x0132: "2026:11:20 14:02:11"})
    assert decode(data).taken_at == datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
    lyon = timezone(timedelta(hours=1))
    assert decode(data, zone=lyon).taken_at == datetime(2026, 11, 20, 13, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "yesterday", "    :  :     :  :  ", ""])
def test_a_clock_that_was_never_set_is_no_time(text):
    assert decode(taken(camera={0x9003: text})).taken_at is None


# --- what is refused ---


def test_an_empty_file_says_so():
    refused = refusal(b"")
    assert refused.reason is QuarantineReason.EMPTY
    assert "0 bytes" in str(refused)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"GIF89a" + bytes(40), "GIF"),
        (b"%PDF-1.7" + bytes(40), "PDF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), "JPEG 2000"),
        (b"\0\0\x01\0\x01\0" + bytes(40), "icon"),
        (b"\0\0\0\x1cftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x1cftypavif" + bytes(40), "AVIF"),
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"hello, world", "known type"),
        (b"\x00", "known type"),
    ],
)
def test_another_type_is_named_and_told_what_to_become(data, word):
    refused = refusal(data, name="part.jpg")
    assert refused.reason is QuarantineReason.WRONG_TYPE
    assert word in str(refused)
    assert "JPEG, PNG, TIFF, BMP and WebP" in str(refused)


def test_content_decides_between_the_readable_types():
    data = encoded(Image.fromarray(scene()), "PNG")
    assert decode(data, name="picture.JPG").format == "PNG"


@pytest.mark.parametrize("name", ["picture.gif", "picture.exe", "picture.pdf"])
def test_a_name_that_claims_another_trade_is_refused(name):
    refused = refusal(encoded(Image.fromarray(scene()), "PNG"), name=name)
    assert refused.reason is QuarantineReason.WRONG_TYPE
    assert name[-4:] in str(refused)


WHOLE = {
    "baseline": encoded(Image.fromarray(scene()), "JPEG"),
    "progressive": encoded(Image.fromarray(scene()), "JPEG", progressive=True),
    "grey": encoded(Image.fromarray(scene()).convert("L"), "JPEG"),
    "cmyk": encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG"),
    "png": encoded(Image.fromarray(scene()), "PNG"),
    "rgba": encoded(Image.fromarray(scene()).convert("RGBA"), "PNG"),
    "deep": encoded(Image.fromarray(np.arange(6_144, dtype=np.uint16).reshape(64, 96)), "PNG"),
    "tiff": encoded(Image.fromarray(scene()), "TIFF"),
    "lzw": encoded(Image.fromarray(scene()), "TIFF", compression="tiff_lzw"),
    "bmp": encoded(Image.fromarray(scene()), "BMP"),
    "webp": encoded(Image.fromarray(scene()), "WebP"),
    "webp lossless": encoded(Image.fromarray(scene()).convert("RGBA"), "WebP", lossless=True),
}


@pytest.mark.parametrize("kind", WHOLE)
@given(data=st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_file_is_never_shown_as_if_it_were_whole(kind, data):
    whole = WHOLE[kind]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    shown = decoded_or_refused(cut)
    if isinstance(shown, Unreadable):
        assert shown.reason is not QuarantineReason.TOO_LARGE
    else:
        assert_array_equal(shown.pixels, decode(whole, SMALL).pixels)  # only padding was missing


@pytest.mark.parametrize("kind", WHOLE)
def test_half_a_file_is_called_truncated(kind):
    refused = refusal(WHOLE[kind][: len(WHOLE[kind]) // 2])
    assert refused.reason is QuarantineReason.TRUNCATED
    assert "rescan" in str(refused)


def test_chunks_that_are_no_part_of_the_picture_never_reach_the_decoder():
    """OpenCV 5.0 crashes on an animation whose chunks are out of step."""
    plain, frame = WHOLE["png"], struct.pack(">IIIIIHHBB", 0, 96, 64, 0, 0, 1, 10, 0, 0)
    broken = chunk(b"acTL", struct.pack(">II", 2**31, 0)) + chunk(b"fcTL", frame[:9]) + chunk(b"fdAT", b"\0\0")
    data = plain[:33] + broken + chunk(b"tEXt", b"Comment\0none") + plain[33:]
    assert_array_equal(decode(data).pixels, decode(plain).pixels)


def test_a_jpeg_of_twelve_bits_is_refused_by_name():
    data = bytearray(WHOLE["baseline"])
    data[data.find(b"\xff\xc0") + 4] = 12
    assert "12 bits" in str(refusal(bytes(data)))


def test_a_wrong_checksum_in_a_png_is_damage():
    data = bytearray(WHOLE["png"])
    data[data.find(b"IDAT") + 20] ^= 1
    assert refusal(bytes(data)).reason is QuarantineReason.UNDECODABLE


def test_a_png_whose_rows_run_out_is_refused():
    rows = zlib.compress(b"\0" * 31 * 10)  # ten of twenty rows
    refused = refusal(png(10, 20, body=rows))
    assert refused.reason in {QuarantineReason.TRUNCATED, QuarantineReason.UNDECODABLE}


@pytest.mark.parametrize("size", [(65_000, 10), (30_000, 30_000), (2**31 - 1, 2**31 - 1)], ids=str)
def test_a_bomb_is_refused_by_its_declared_size(size):
    refused = refusal(png(*size, body=zlib.compress(b"")), Limits())
    assert refused.reason is QuarantineReason.TOO_LARGE
    assert f"{size[0]:,}x{size[1]:,}" in str(refused)


def test_a_receipt_of_35_megapixels_is_within_the_limits():
    assert inspect(png(4_961, 7_016, body=b"x")).width == 4_961


@pytest.mark.parametrize(("limits", "word"), [(Limits(side=95), "95"), (Limits(pixels=6_143), "6,143")])
def test_limits_are_exact(limits, word):
    data = encoded(Image.fromarray(scene(96, 64)), "JPEG")
    assert word in str(refusal(data, limits))
    assert decode(data, Limits(side=96, pixels=6_144)).width == 96


def test_too_many_scans_are_refused():
    refused = refusal(WHOLE["progressive"], Limits(scans=3))
    assert refused.reason is QuarantineReason.TOO_LARGE
    assert "scans" in str(refused)


def test_no_pixels_are_no_picture():
    assert refusal(png(0, 5, body=b"x")).reason is QuarantineReason.UNDECODABLE


def several(kind, count=3):
    frames = [Image.fromarray(scene(seed=seed)) for seed in range(count)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WebP"])
def test_a_file_of_several_pictures_is_refused_so_that_none_goes_unseen(kind):
    refused = refusal(several(kind))
    assert refused.reason is QuarantineReason.WRONG_TYPE
    assert "3 pictures" in str(refused)


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_where_several_are_allowed_the_first_is_shown(kind):
    assert_array_equal(decode(several(kind), Limits(frames=3)).pixels, scene(seed=0))


def test_the_extra_pictures_behind_a_phones_jpeg_do_not_count():
    frames = [Image.fromarray(scene(seed=seed)) for seed in range(2)]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert decode(data).format == "JPEG"


def test_a_glued_on_end_marker_is_heard_from_the_decoder():
    cut = WHOLE["baseline"][: len(WHOLE["baseline"]) * 2 // 3] + b"\xff\xd9"
    said = iter(["", "Corrupt JPEG data: premature end of data segment\n"])
    refused = refusal(cut, complaints=lambda: next(said))
    assert refused.reason is QuarantineReason.TRUNCATED


# --- files ---


def test_a_file_is_read_whole_and_named_by_its_content(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(WHOLE["png"])
    assert read(path) == WHOLE["png"]
    assert sha256_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_missing_file_is_missing():
    with pytest.raises(Unreadable, match="put it back") as caught:
        read(Path("/nowhere/at all.jpg"))
    assert caught.value.reason is QuarantineReason.MISSING


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(Unreadable, match="folder"):
        read(tmp_path)


def test_a_file_above_the_byte_limit_is_not_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(WHOLE["png"])
    with pytest.raises(Unreadable) as caught:
        read(path, Limits(bytes=100))
    assert caught.value.reason is QuarantineReason.TOO_LARGE
    assert "100" in str(caught.value)


@pytest.mark.parametrize("wrong", [{"pixels": 0}, {"side": -1}, {"significant_bits": 7}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(BadInput):
        Limits(**wrong)
