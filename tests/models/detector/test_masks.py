"""The mask head: learns outlines where there are some, has no seam, and comes back from its folder."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pytest
import torch

from core.errors import BadInput, ModelError
from core.learn.masks import covered, f1_of
from core.pictures.masks import Patch, filled, pixels_of, together
from core.pictures.tiling import Look
from core.records import Polygons, Region
from models.detector import net as nets
from models.detector.checkpoint import CARD, DetectorCard, detector_card, load_detector, open_detector, save_detector
from models.detector.loop import BoxEpoch, BoxRecipe, fingerprint, fit_boxes
from models.detector.masks import boxes_filled, marks_of, mask_loss, outline_of, outlined, patches
from models.detector.net import BoxNet, TileBoxes, build
from models.detector.serve import find, look_over
from models.detector.windows import Place, cut_window, drawn_of
from models.training.examples import BEYOND, Example
from models.training.sampling import Augmentation
from models.training.schedule import Schedule

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LOOK = Look(64, 32)
CPU = torch.device("cpu")
SIDE = 96
STILL = Augmentation.none()
RECIPE = BoxRecipe(
    epochs=25, batch=4, window=64, look=LOOK, augmentation=Augmentation(light=0.02, noise=0, scale=1.0),
    schedule=replace(Schedule.from_scratch(), trunk=3e-3, heads=3e-3), precision="float32", check_every=25,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets, "WIDTH", 32)
    monkeypatch.setattr(nets, "CONVS", 1)


def diamonds(n: int, seed: int = 0):
    """Pictures with one bright or dark diamond each, outlined, and a reader."""
    rng = np.random.default_rng(seed)
    examples, pictures = [], {}
    down, across = np.mgrid[:SIDE, :SIDE] + 0.5
    for i in range(n):
        x, y = (int(v) for v in rng.integers(4, 60, 2))
        name = "BRIGHT" if i % 2 == 0 else "DARK"
        pixels = rng.integers(100, 120, (SIDE, SIDE, 3)).astype(np.uint8)
        pixels[abs(across - x - 12) + abs(down - y - 12) < 12] = 240 if i % 2 == 0 else 10
        pictures[f"{i}"] = pixels
        ring = tuple(float(v) for v in (x + 12, y, x + 24, y + 12, x + 12, y + 24, x, y + 12))
        region = Region(float(x), float(y), 24.0, 24.0, name, name, mask=Polygons((ring,)))
        examples.append(
            Example(f"{i}", f"{seed}-{i}", "train", f"g{i}", True, SIDE, SIDE, classes=(name,), regions=(region,))
        )
    return examples, lambda e: pictures[e.path]


def tiny(masks: bool = True) -> BoxNet:
    torch.manual_seed(0)
    return build("test_resnet", ("BRIGHT", "DARK"), "scratch", masks=masks)


def test_it_learns_outlines_that_are_better_than_their_boxes():
    examples, read = diamonds(16)
    fitted = fit_boxes(tiny(), examples, examples[:6], read, RECIPE)
    others, read_others = diamonds(10, seed=9)
    mine, boxes = [], []
    for e in others:
        finds, values = look_over(fitted.net, read_others(e), LOOK, CPU)
        assert values is not None
        assert values.shape == (SIDE // 2, SIDE // 2)
        shown, size = finds.boxes[finds.scores >= 0.3], (SIDE, SIDE)
        drawn = filled(e.regions, *size)
        mine.append(covered(e.group, together(patches(values, shown, size, 0.5), *size), drawn))
        boxes.append(covered(e.group, together(boxes_filled(shown, size), *size), drawn))
    assert f1_of(mine) > 0.6
    assert f1_of(mine) > f1_of(boxes)
    assert fitted.history[-1].pixel_f1 > 0.5


def test_a_training_with_masks_that_was_killed_ends_as_one_that_was_not(tmp_path):
    examples, read = diamonds(4)
    state, recipe = tmp_path / "state.safetensors", replace(RECIPE, epochs=2, check_every=1)
    reads = []

    class Killed(Exception):
        pass

    def dies(example):
        reads.append(example.path)
        if len(reads) > 2 * len(examples) + 2:  # decoded once, looked at once; killed in the second look
            raise Killed
        return read(example)

    with pytest.raises(Killed):
        fit_boxes(tiny(), examples, examples, dies, recipe, state=state)
    again = fit_boxes(tiny(), examples, examples, read, recipe, state=state)
    straight = fit_boxes(tiny(), examples, examples, read, recipe)
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, again.net.state_dict()[name]), name


def test_without_an_outline_there_is_nothing_to_learn_masks_from():
    examples, read = diamonds(2)
    bare = [replace(e, regions=tuple(replace(r, mask=None) for r in e.regions)) for e in examples]
    with pytest.raises(BadInput, match="No training region has an outline"):
        fit_boxes(tiny(), bare, [], read, RECIPE)


def test_a_training_without_masks_is_called_what_it_was_always_called():
    examples, _ = diamonds(2)
    assert fingerprint(tiny(False), examples, [], RECIPE) != fingerprint(tiny(), examples, [], RECIPE)
    assert BoxEpoch(**{"number": 1, "loss": 0.5, "cpu_seconds": 1.0, "map50": 0.4, "f1": 0.2}).worth == 0.4 + 0.2


def test_a_mask_head_changes_no_box():
    pixels = np.random.default_rng(0).integers(0, 255, (80, 70, 3), dtype=np.uint8)
    plain, more = tiny(False).eval(), tiny().eval()
    assert set(more.state_dict()) > set(plain.state_dict())
    assert find(plain, pixels, LOOK, CPU).boxes == pytest.approx(find(more, pixels, LOOK, CPU).boxes)
    assert look_over(plain, pixels, LOOK, CPU).values is None


class Brightness(NamedTuple):
    """Stands for a net that sees how bright each place is, and nothing else: what it says cannot depend on a tile."""

    preprocessing: object
    template: bool = False

    def __call__(self, x, beside):
        nothing = TileBoxes(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
        mean = torch.tensor(self.preprocessing.mean)[None, :, None, None]
        std = torch.tensor(self.preprocessing.std)[None, :, None, None]
        return [nothing] * len(x), torch.nn.functional.avg_pool2d((x * std + mean).mean(dim=1), 2)


@pytest.mark.parametrize("size", [(150, 130), (64, 64), (40, 30), (201, 97)])
def test_the_map_of_a_picture_has_no_seam(size):
    pixels = np.full((*size, 3), 60, np.uint8)
    pixels[20:24, :] = 200  # a scratch across every tile
    pixels[:, 17:26] = 200
    values = look_over(Brightness(tiny().preprocessing), pixels, LOOK, CPU).values
    across, down = size[1] // 2 - 1, size[0] // 2 - 1  # the last cell may reach over the edge
    assert np.ptp(values[10:12, :across], axis=1).max() < 0.05  # along the scratch, whatever tile is read
    assert np.ptp(values[:down, 9:12], axis=0).max() < 0.05
    region = Region(0, 0, size[1], size[0], "SCRATCH")
    (found,) = outlined([region], values, (size[1], size[0]), 0.5)
    assert len(found.mask.rings) == 1
    inside = filled([found], size[1], size[0])
    assert inside[20:24, : size[1] - 2].all()
    assert (inside == (pixels[..., 0] == 200))[2:-2, 2:-2].mean() > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_an_outline_covers_the_pixels_that_it_was_made_of(seed):
    blob = np.kron(np.random.default_rng(seed).random((5, 6)) < 0.7, np.ones((6, 6), bool))
    whole = np.zeros((60, 60), bool)
    whole[11 : 11 + blob.shape[0], 7 : 7 + blob.shape[1]] = blob
    ring = outline_of(Patch(7, 11, blob))
    found = filled([Region(7, 11, 36, 30, "", mask=ring)], 60, 60)
    from scipy import ndimage

    closed = ndimage.binary_fill_holes(whole)
    assert (found == closed).mean() > 0.99
    assert outline_of(Patch(0, 0, np.zeros((4, 4), bool))) is None


def test_an_outline_stays_short_however_ragged_it_is():
    noise = np.random.default_rng(0).random((200, 200)) < 0.6
    ring = outline_of(Patch(0, 0, noise))
    assert sum(len(one) for one in ring.rings) <= 800
    one = Region(0, 0, 200, 200, "", mask=ring)
    assert pixels_of(one, 200, 200).inside.any()


def test_a_box_in_which_the_map_marks_nothing_stays_a_box():
    values = np.zeros((20, 20), np.float32)
    values[2:6, 2:6] = 1
    near, far = Region(2, 2, 12, 12, "A"), Region(20, 20, 10, 10, "B")
    made = outlined([near, far], values, (40, 40), 0.5)
    assert made[0].mask is not None
    assert made[1] == far
    assert (made[0].x, made[0].width) == (near.x, near.width)
    first, second = patches(values, np.array([[2, 2, 12, 12], [20, 20, 10, 10]], float), (40, 40), 0.5)
    assert first.inside.sum() == pytest.approx(64, abs=4)
    assert second.inside.all()


def test_boxes_without_an_outline_teach_the_map_nothing():
    outline = Region(4, 4, 8, 8, "A", "A", mask=Polygons(((4, 4, 12, 4, 12, 12, 4, 12),)))
    marks = marks_of([outline, Region(20, 20, 6, 6, "A", "A")], (40, 40), (40, 40))
    assert (marks[6, 6], marks[22, 22], marks[35, 35]) == (1, BEYOND, 0)
    marked = torch.from_numpy(marks)[None]
    logits = torch.zeros(1, 1, 20, 20, requires_grad=True)
    mask_loss(logits, marked).backward()
    assert float(logits.grad[0, 0, 11:12, 11:12].abs().sum()) == 0
    assert float(logits.grad[0, 0, 3, 3]) < 0 < float(logits.grad[0, 0, 17, 17])


def test_marks_move_with_the_window():
    examples, read = diamonds(1)
    (example,) = examples
    drawn = drawn_of(example, read(example), None, ("BRIGHT", "DARK"), LOOK, masks=True)
    middle = (example.regions[0].x + 12, example.regions[0].y + 12)
    window = cut_window(drawn, Place(0, middle, 1.0, 1, (True, False)), 64, (0, 0, 0), STILL, np.random.default_rng(0))
    bright = window.pixels[..., 0] == 240
    assert (bright == (window.marked == 1)).mean() > 0.97
    assert window.marked.dtype == np.uint8
    without = drawn_of(example, read(example), None, ("BRIGHT", "DARK"), LOOK)
    still = cut_window(without, Place(0, middle), 64, (0, 0, 0), STILL, np.random.default_rng(0))
    assert still.marked is None


def saved(tmp_path, masks=True, **more):
    net = tiny(masks)
    return save_detector(tmp_path / "det", net, detector_card(net, "det", NOW, look=LOOK, **more))


def test_a_detector_with_masks_comes_back_as_it_was(tmp_path):
    card = saved(tmp_path, mask_threshold=0.4)
    assert (card.masks, card.mask_threshold) == (True, 0.4)
    again, net = load_detector(tmp_path / "det", card.sha256)
    assert again == card
    assert net.masks
    found = open_detector(tmp_path / "det", "cpu").detect(np.full((80, 80, 3), 100, np.uint8))
    assert found.values.shape == (40, 40)


def test_a_detector_from_before_there_were_masks_still_opens(tmp_path):
    card = saved(tmp_path, masks=False)
    path = tmp_path / "det" / CARD
    values = {k: v for k, v in card.to_json().items() if k not in ("masks", "mask_threshold")}
    path.write_text(json.dumps(values))
    engine = open_detector(tmp_path / "det", "cpu")
    assert not engine.card.masks
    assert engine.detect(np.full((80, 80, 3), 100, np.uint8)).values is None


def test_a_card_that_denies_its_mask_head_is_refused(tmp_path):
    card = saved(tmp_path)
    (tmp_path / "det" / CARD).write_text(json.dumps(card.to_json() | {"masks": False}))
    with pytest.raises(ModelError, match="do not fit its card"):
        load_detector(tmp_path / "det")
    with pytest.raises(ModelError):
        DetectorCard.from_json(card.to_json() | {"mask_threshold": 2.0})


def test_a_mask_head_that_answers_otherwise_is_refused(tmp_path):
    card = saved(tmp_path)
    values = card.to_json()
    values["probe"][-1] += 1
    (tmp_path / "det" / CARD).write_text(json.dumps(values))
    with pytest.raises(ModelError, match="answers its probe"):
        open_detector(tmp_path / "det", "cpu")


def test_only_pictures_whose_defects_all_have_outlines_count_pixel_by_pixel():
    (example,), _ = diamonds(1)
    bare = replace(example.regions[0], mask=None)
    assert example.outlined
    assert replace(example, defective=False, regions=()).outlined
    assert not replace(example, regions=(*example.regions, bare)).outlined
    assert not replace(example, regions=()).outlined
