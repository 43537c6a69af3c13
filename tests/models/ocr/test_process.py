import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.errors import ModelError
from core.records import Pixels
from core.words.prints import Print
from models.ocr.process import ReaderProcess
from models.ocr.reader import Way, merged, read_until, turned_back


def drawn(*lines: str, size: int = 28) -> Pixels:
    """A white label with black print."""
    paper = Image.new("RGB", (420, 40 + 50 * len(lines)), (245, 245, 240))
    pen = ImageDraw.Draw(paper)
    for row, line in enumerate(lines):
        pen.text((40, 30 + 50 * row), line, fill=(20, 20, 24), font=ImageFont.load_default(size))
    return np.asarray(paper, np.uint8)


@pytest.fixture(scope="module")
def reader():
    with ReaderProcess(seconds=120) as process:
        yield process


def test_print_is_read_where_it_stands(reader):
    found = reader.read(drawn("NORDIC TEA", "EXP 12/06/2027"))
    assert [one.text for one in found] == ["NORDIC TEA", "EXP 12/06/2027"]
    assert all(one.sure > 0.8 for one in found)
    x, y, width, height = found[1].box
    assert abs(x - 40) < 15
    assert abs(y + height / 2 - 95) < 15
    assert 150 < width < 320


def test_an_empty_picture_has_no_print(reader):
    assert reader.read(np.full((200, 300, 3), 128, np.uint8)) == []


@pytest.mark.parametrize(("way", "turn"), [(Way.HALF, cv2.ROTATE_180), (Way.RIGHT, cv2.ROTATE_90_COUNTERCLOCKWISE),
                                           (Way.LEFT, cv2.ROTATE_90_CLOCKWISE)])  # fmt: skip
def test_a_turned_label_is_read_the_way_that_sets_it_upright(reader, way, turn):
    picture = np.ascontiguousarray(cv2.rotate(drawn("NORDIC TEA", "EXP 12/06/2027"), turn))
    found = reader.read(picture, way)
    assert "EXP 12/06/2027" in [one.text for one in found]
    height, width = picture.shape[:2]
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in (one.box for one in found))


def test_a_process_that_grows_is_made_anew():
    with ReaderProcess(seconds=120, memory=1) as process:
        process.read(drawn("A1"))
        process.read(drawn("A1"))
        assert process.started == 2


def test_a_slow_picture_is_an_error_and_the_next_one_is_read():
    with ReaderProcess(seconds=120) as process:
        process.read(drawn("A1"))
        process.seconds = 0.001
        with pytest.raises(ModelError, match="took more than"):
            process.read(drawn("NORDIC TEA"))
        process.seconds = 120
        assert [one.text for one in process.read(drawn("NORDIC TEA"))] == ["NORDIC TEA"]


def test_a_killed_reader_is_an_error_and_the_next_one_is_read():
    with ReaderProcess(seconds=120) as process:
        process.read(drawn("A1"))
        process._child.kill()
        process._child.wait()
        assert [one.text for one in process.read(drawn("NORDIC TEA"))] == ["NORDIC TEA"]


def test_easyocr_without_its_models_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("EASYOCR_MODULE_PATH", str(tmp_path))
    with ReaderProcess("easyocr", ("en",), seconds=120) as process, pytest.raises(ModelError, match="EasyOCR"):
        process.read(drawn("A1"))


def test_weights_that_easyocr_does_not_name_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "craft_mlt_25k.pth").write_bytes(b"not this")
    monkeypatch.setenv("EASYOCR_MODULE_PATH", str(tmp_path))
    with (
        ReaderProcess("easyocr", ("en",), seconds=120) as process,
        pytest.raises(ModelError, match=r"craft_mlt_25k\.pth"),
    ):
        process.read(drawn("A1"))


def test_a_box_is_turned_back():
    size = (100, 200)
    for way, turn in ((Way.HALF, cv2.ROTATE_180), (Way.RIGHT, cv2.ROTATE_90_CLOCKWISE),
                      (Way.LEFT, cv2.ROTATE_90_COUNTERCLOCKWISE)):  # fmt: skip
        picture = np.zeros(size, np.uint8)
        picture[20:30, 40:70] = 255
        turned = cv2.rotate(picture, turn)
        ys, xs = np.nonzero(turned)
        box = (float(xs.min()), float(ys.min()), float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1)
        assert turned_back(box, way, size) == (40, 20, 30, 10)


def test_of_two_readings_of_a_line_the_surer_one_is_kept():
    first = [Print("EXP 1Z", 0.5, (0, 0, 50, 10)), Print("TEA", 0.9, (0, 20, 50, 10))]
    second = [Print("EXP 12", 0.9, (1, 0, 50, 10)), Print("LOT", 0.9, (0, 40, 50, 10))]
    assert [one.text for one in merged(first, second)] == ["EXP 12", "TEA", "LOT"]


def test_reading_goes_on_until_it_is_enough():
    said: dict[Way, list[Print]] = {way: [] for way in Way}
    said |= {Way.RAW: [Print("x", 0.3, (0, 0, 9, 9))], Way.HALF: [Print("EXP 12/2027", 0.9, (0, 0, 9, 9))]}
    asked = []

    def read(way):
        asked.append(way)
        return said[way]

    assert [one.text for one in read_until(read, lambda prints: any("EXP" in one.text for one in prints))] == [
        "EXP 12/2027"
    ]
    assert asked == [Way.RAW, Way.BLURRED, Way.HALF]
    asked.clear()
    assert [one.text for one in read_until(read, lambda prints: True)] == ["x"]
    assert asked == [Way.RAW]
