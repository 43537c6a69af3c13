"""The face finder on a face that everybody may use (NASA's, inside scikit-image), and on what is none."""

import cv2
import numpy as np
import pytest

from core.errors import ModelError
from models import faces as module
from models.faces import faces

EYES = (225, 115)  # between them, in scikit-image's astronaut


def astronaut():
    from skimage.data import astronaut

    return astronaut()


def holds(cover, at):
    x, y, width, height = cover.box
    return x <= at[0] <= x + width and y <= at[1] <= y + height


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_face_is_found_whatever_the_size_of_the_picture(scale):
    pixels = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = faces(pixels)
    assert any(holds(one, (EYES[0] * scale, EYES[1] * scale)) for one in found)
    assert all(one.kind == "face" for one in found)


def test_a_bare_surface_and_a_tiny_picture_have_none():
    rng = np.random.default_rng(1)
    assert faces(np.full((300, 400, 3), 128, np.uint8)) == ()
    assert faces(np.clip(rng.normal(128, 6, (300, 400, 3)), 0, 255).astype(np.uint8)) == ()
    assert faces(np.zeros((10, 10, 3), np.uint8)) == ()


def test_a_finder_that_fails_says_so(monkeypatch):
    class Broken:
        def detect_multi_scale(self, **_):
            raise RuntimeError("no memory")

    monkeypatch.setattr(module, "_cascade", Broken)
    with pytest.raises(ModelError, match="no memory"):
        faces(astronaut())
