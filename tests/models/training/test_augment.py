"""Augmentation by part type: boxes and masks move along, slivers are drawn again, the preview is true."""

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from core.pictures.augment import Asked, By, Op
from core.pictures.tiling import Look
from core.records import Region
from models.training.augment import augmentation_of, preview, settle
from models.training.examples import Example, TileRule
from models.training.loop import Recipe
from models.training.sampling import Augmentation, _moved, cut, draw, picture_of, relit
from models.training.schedule import Schedule, optimiser
from models.training.wishes import Wishes, wished

ALL = Asked(180.0, True, True, 0.02, 0.2, 0.2, (0.8, 1.0))


def example(number: int = 0, part_type: str = "", classes=("SURFACE_PIT",), drawn: bool = True) -> Example:
    regions = (Region(40.0 + number % 20, 30.0, 24.0, 16.0, "pit", "SURFACE_PIT"),) if drawn else ()
    return Example(f"{number}.png", f"{number:064}", "train", f"g{number}", True, 128, 96, None, classes, regions,
                   part_type=part_type)  # fmt: skip


def pixels_of(one: Example, flaw: float = -80) -> np.ndarray:
    rng = np.random.default_rng(int(one.path.split(".")[0]))
    found = rng.normal(150, 2, (96, 128, 1)).repeat(3, 2)
    for region in one.regions:
        x, y = int(region.x), int(region.y)
        found[y : y + int(region.height), x : x + int(region.width)] += flaw
    return found.clip(0, 255).astype(np.uint8)


def test_boxes_and_masks_move_as_torchvisions_own_transforms_move_them():
    """One warp does what a chain of torchvision.transforms.v2 would do: their boxes are ours to half a pixel."""
    one = example()
    picture = picture_of(one, pixels_of(one), (), Look(96, 48))
    box = tv_tensors.BoundingBoxes(
        torch.tensor([[40.0, 30.0, 64.0, 46.0]]), format="XYXY", canvas_size=(96, 128)
    )  # fmt: skip
    for angle, scale, flip in ((0.0, 1.0, False), (0.0, 1.25, True), (90.0, 1.0, False), (180.0, 0.8, True)):
        _, labels = _moved(picture, (64.0, 48.0), scale, np.radians(angle), np.array([flip, False]), 96)
        rows, columns = np.nonzero(labels == 1)
        theirs = F.horizontal_flip(box) if flip else box
        theirs = F.affine(theirs, angle=angle, translate=[0, 0], scale=scale, shear=[0.0])
        x0, y0, x1, y1 = theirs.as_subclass(torch.Tensor)[0].tolist()
        wanted = np.clip([x0 - 16, y0, x1 - 16, y1], 0, 96)
        ours = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(wanted - ours).max() <= 1.0, (angle, scale, flip)


def test_brightness_and_contrast_stay_within_what_was_asked():
    grey = np.full((64, 64, 3), 120, np.uint8)
    how = Augmentation(noise=0.0, brightness=0.2, contrast=0.0)
    means = [float(relit(grey, how, np.random.default_rng(seed)).mean()) for seed in range(200)]
    assert 120 - 51 - 1 <= min(means) < 90
    assert 150 < max(means) <= 120 + 51 + 1
    still = Augmentation(noise=0.0, brightness=0.0, contrast=0.0)
    assert (relit(grey, still, np.random.default_rng(0)) == grey).all()


def test_grain_is_gaussian_of_the_strength_that_was_asked_for():
    grey = np.full((256, 256, 3), 128, np.uint8)
    how = Augmentation(noise=0.02, brightness=0.0, contrast=0.0)
    found = [relit(grey, how, np.random.default_rng(seed)).std() for seed in range(40)]
    grainy = [one for one in found if one > 0]
    assert 5 <= len(grainy) <= 25  # some windows, not all
    assert np.mean(grainy) == pytest.approx(0.02 * 255, rel=0.1)


def test_a_crop_enlarges_and_never_shrinks():
    rng = np.random.default_rng(3)
    how = Augmentation(crop=(0.8, 1.0))
    factors = [how.zoom(rng) for _ in range(500)]
    assert min(factors) >= 1.0
    assert max(factors) <= 1.25
    assert Augmentation(crop=(1.0, 1.0)).zoom(rng) == 1.0


def test_a_picture_whose_defects_nobody_drew_is_never_cut():
    one = example(drawn=False)
    picture = picture_of(one, pixels_of(one), (), Look(96, 48))
    for seed in range(40):
        _, labels, scale = cut(picture, 96, Augmentation(crop=(0.3, 0.5)), np.random.default_rng(seed))
        assert scale <= 1.0
        assert labels.shape == (96, 96)


def test_a_sliver_of_a_defect_is_drawn_again():
    one = example()
    picture = picture_of(one, pixels_of(one), (), Look(32, 16))
    loose, strict = Augmentation(crop=(1.0, 1.0)), Augmentation(crop=(1.0, 1.0), least=0.5)

    def slivers(how: Augmentation) -> int:
        found = 0
        for seed in range(150):
            window = draw(picture, 32, TileRule(), how, np.random.default_rng(seed))
            marked = int((window.marked == 1).sum())
            found += 0 < marked < 0.5 * 24 * 16
        return found

    assert slivers(strict) < slivers(loose) / 3


def test_each_part_type_is_augmented_in_its_own_way_and_what_hides_is_off():
    train = [example(n, "plate") for n in range(8)] + [example(n, "label") for n in range(8, 16)]
    asked = {"": ALL, "plate": Asked(noise=0.3)}
    found = settle(train, lambda one: pixels_of(one, -5), asked, {By.SIZE: ["SURFACE_PIT"]}, {"label": False}, 0.05)
    assert set(found) == {"", "plate", "label"}
    assert found["label"].how.flip_x is False
    assert found["label"].how.turn == 5.0
    assert Op.CROP in [one.op for one in found["label"].off]
    assert found["plate"].how.noise == 0.0
    assert [one.op for one in found["plate"].off if "hides" in one.why] == [Op.NOISE]
    assert found["plate"].regions == 8
    assert found[""].pictures == 0


def test_the_recipe_takes_each_examples_own_augmentation():
    recipe = wished(Recipe(), Wishes(augmentations={"": Augmentation(), "label": Augmentation.upright()}))
    assert recipe.augmented(example(1, "label")) == Augmentation.upright()
    assert recipe.augmented(example(1, "plate")) == Augmentation()


def test_wishes_change_what_they_name_and_nothing_else():
    before = Recipe(schedule=Schedule(trunk=1e-4, heads=1e-3))
    assert wished(before, Wishes()) == before
    after = wished(before, Wishes(batch=4, patience=2, optimiser="sgd", trunk=5e-4, weight_decay=0.0))
    assert (after.batch, after.waits, after.schedule.optimiser) == (4, 2, "sgd")
    assert (after.schedule.trunk, after.schedule.heads, after.schedule.weight_decay) == (5e-4, 1e-3, 0.0)
    last = wished(before, Wishes(), last_layers=True).schedule
    assert (last.only_heads, last.frozen, last.heads) == (True, 0.0, 1e-3)


def test_asked_changes_replace_the_recipes_own_and_leave_the_rest():
    found = augmentation_of(Asked(noise=0.02), Augmentation())
    assert (found.noise, found.turn, found.brightness, found.least) == (0.02, 180.0, None, 0.5)


def test_the_preview_is_what_training_sees_with_the_boxes_that_moved_along():
    one = example()
    original, samples = preview(one, pixels_of(one), Augmentation(noise=0.0), Look(96, 48), n=8, seed=4)
    assert original.boxes == ((40, 30, 24, 16),)
    again = preview(one, pixels_of(one), Augmentation(noise=0.0), Look(96, 48), n=8, seed=4)[1]
    assert all((a.pixels == b.pixels).all() for a, b in zip(samples, again, strict=True))
    seen = [(sample, box) for sample in samples for box in sample.boxes]
    assert len(seen) >= 5
    for sample, (x, y, width, height) in seen:
        middle = sample.pixels[y + height // 2, x + width // 2].mean()
        assert middle < float(np.median(sample.pixels)) - 30  # the box lies on the pit
    assert all(0 < share <= 1 for sample in samples for share in sample.share)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_only_the_heads_learn_where_a_model_is_adapted(name):
    from models.nets import build

    torch.manual_seed(0)
    net = build("test_resnet", ("SURFACE_PIT",), True, "scratch", size=64)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    schedule = Schedule(frozen=0.0, only_heads=True, optimiser=name)
    found = optimiser(net, schedule)
    assert {group["part"] for group in found.param_groups} == {"heads"}
    for group in found.param_groups:
        group["lr"] = 0.1
    output = net.eval()(torch.zeros(2, 3, 64, 64))
    (output.defect.sum() + output.classes.sum() + output.dense.sum()).backward()
    found.step()
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed
    assert not any(key.startswith("trunk.") for key in changed)
