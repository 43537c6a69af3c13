"""Near-duplicates: copies are found, pictures of one fixed camera are not taken for copies."""

import cv2
import numpy as np
import pytest

from core.learn import turned_duplicates
from core.learn.near_duplicates import beyond_chance, clusters, near_duplicates
from core.pictures.signature import LENGTH, SIDE, signature


def scene(rng: np.random.Generator) -> np.ndarray:
    """What a fixed camera always sees: jig, part and lamp."""
    return cv2.resize(rng.normal(120, 25, (6, 9)).astype(np.float32), (240, 160), interpolation=cv2.INTER_CUBIC)


def picture(background: np.ndarray, rng: np.random.Generator, own: float = 6.0) -> np.ndarray:
    """One part before that camera: its own texture, its own light."""
    texture = cv2.resize(rng.normal(0, own, (20, 30)).astype(np.float32), (240, 160), interpolation=cv2.INTER_CUBIC)
    grey = (background + texture) * rng.uniform(0.9, 1.1) + rng.normal(0, 3, background.shape)
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def copies(pixels: np.ndarray) -> dict[str, np.ndarray]:
    quality = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    brighter = np.clip(pixels.astype(np.int16) * 1.1 + 6, 0, 255).astype(np.uint8)
    return {"quality": quality, "smaller": cv2.resize(pixels, (97, 65), interpolation=cv2.INTER_AREA),
            "brighter": brighter}  # fmt: skip


def turns(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Turned and mirrored, and one of them in another light and quality besides."""
    made = {"half": cv2.rotate(pixels, cv2.ROTATE_180), "left": cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
            "right": cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE), "mirror": pixels[:, ::-1], "upside": pixels[::-1],
            "diagonal": pixels.transpose(1, 0, 2), "other": pixels[::-1, ::-1].transpose(1, 0, 2)}  # fmt: skip
    plain = {name: np.ascontiguousarray(one) for name, one in made.items()}
    return plain | {"half, brighter": copies(plain["half"])["brighter"],
                    "mirror, quality": copies(plain["mirror"])["quality"]}  # fmt: skip


def bare(rng: np.random.Generator) -> np.ndarray:
    """A surface without jig or part, before which nothing is usual."""
    return np.full((160, 240), 120.0, np.float32)


TURNED = ["half", "left", "right", "mirror", "upside", "diagonal", "other", "half, brighter", "mirror, quality"]


@pytest.mark.parametrize("behind", [scene, bare])
@pytest.mark.parametrize("how", TURNED)
def test_a_turned_copy_is_found_whether_or_not_the_scene_says_which_way_is_up(behind, how):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        background = behind(rng)
        pictures = [picture(background, rng) for _ in range(60)]
        made = [signature(one) for one in pictures] + [signature(turns(pictures[30])[how])]
        assert near_duplicates(np.stack(made), ["cam 1"] * 61).pairs.tolist() == [[30, 60]], seed


def test_a_turned_picture_of_another_part_is_no_copy_of_all_the_others():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        background = scene(rng)
        made = [signature(picture(background, rng)) for _ in range(60)]
        made += [signature(turns(picture(background, rng))[how]) for how in ("half", "left", "mirror")]
        assert near_duplicates(np.stack(made), ["cam 1"] * 63).pairs.tolist() == [], seed


def test_fair_sets_of_bare_surfaces_hold_no_turned_duplicates():
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(2000 + seed)
        made = [signature(picture(bare(rng), rng)) for _ in range(40)]
        alarms += len(near_duplicates(np.stack(made), ["cam 1"] * 40).pairs) > 0
    assert alarms < 10


def test_many_turned_pictures_are_compared_by_codes_with_the_same_answer(monkeypatch):
    rng = np.random.default_rng(6)
    made = rng.normal(128, 30, (700, LENGTH)).clip(0, 255)
    upside = made[:100].reshape(-1, SIDE, SIDE)[:, ::-1, ::-1].reshape(100, LENGTH)
    made[600:] = (upside + rng.normal(0, 5, (100, LENGTH))).clip(0, 255)
    expected = [[n, n + 600] for n in range(100)]
    assert near_duplicates(made.astype(np.uint8), ["x"] * 700).pairs.tolist() == expected
    monkeypatch.setattr("core.learn.turned_duplicates._EXACTLY", 10)
    assert near_duplicates(made.astype(np.uint8), ["x"] * 700).pairs.tolist() == expected


@pytest.mark.parametrize("turn", turned_duplicates.TURNS)
def test_every_turn_has_its_way_back(turn):
    cells = np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE), dtype=np.uint8)
    assert (turn.back(turn.there(cells)) == cells).all()
    assert (turn.there(turn.back(cells)) == cells).all()
    assert not (turn.there(cells) == cells).all()


@pytest.mark.parametrize("n", [12, 60, 400])
@pytest.mark.parametrize("how", ["quality", "smaller", "brighter"])
def test_a_copy_before_a_fixed_camera_is_found_and_nothing_else(n, how):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        background = scene(rng)
        pictures = [picture(background, rng) for _ in range(n)]
        made = [signature(one) for one in pictures] + [signature(copies(pictures[n // 2])[how])]
        found = near_duplicates(np.stack(made), ["cam 1"] * len(made))
        assert found.pairs.tolist() == [[n // 2, n]]


def test_fair_sets_of_one_camera_hold_no_duplicates():
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        background = scene(rng)
        made = [signature(picture(background, rng)) for _ in range(40)]
        alarms += len(near_duplicates(np.stack(made), ["cam 1"] * len(made)).pairs) > 0
    assert alarms < 10


def test_featureless_pictures_are_counted_and_not_compared():
    made = np.full((30, LENGTH), 128, np.uint8)
    found = near_duplicates(made, ["cam 1"] * 30)
    assert (len(found.pairs), found.plain) == (0, 30)


def test_many_pictures_are_compared_by_codes_with_the_same_answer(monkeypatch):
    rng = np.random.default_rng(3)
    made = rng.normal(128, 30, (900, LENGTH)).clip(0, 255)
    made[800:] = (made[:100] + rng.normal(0, 8, (100, LENGTH))).clip(0, 255)
    exact = near_duplicates(made.astype(np.uint8), ["x"] * 900).pairs.tolist()
    monkeypatch.setattr("core.learn.near_duplicates._EXACT", 10)
    assert near_duplicates(made.astype(np.uint8), ["x"] * 900).pairs.tolist() == exact
    assert exact == [[n, n + 800] for n in range(100)]


def test_the_order_of_pictures_does_not_matter():
    rng = np.random.default_rng(4)
    made = rng.integers(0, 255, (50, LENGTH), dtype=np.uint8)
    made[49] = made[7]
    order = rng.permutation(50)
    found = near_duplicates(made[order], ["x"] * 50).pairs
    assert sorted(map(sorted, order[found].tolist())) == [[7, 49]]


def test_chance_needs_more_likeness_among_more_pictures_and_fewer_directions():
    assert beyond_chance(100_000, 12) > beyond_chance(1000, 12) > beyond_chance(1000, 200)
    assert beyond_chance(10, 500) == 0.90


def test_clusters_join_what_is_tied_by_a_third():
    assert clusters(5, np.array([[1, 3], [3, 4]])).tolist() == [0, 1, 2, 1, 1]
    assert clusters(2, np.empty((0, 2), np.int64)).tolist() == [0, 1]


def test_a_signature_is_grey_levels_of_a_grid():
    pixels = np.zeros((SIDE * 4, SIDE * 4, 3), np.uint8)
    pixels[:, SIDE * 2 :] = 200
    made = signature(pixels).reshape(SIDE, SIDE)
    assert made[:, 0].max() == 0
    assert made[:, -1].min() == 200
