"""Which recipe a dataset asks for: one for drawn regions, one for labels of whole pictures, one from scratch."""

from collections.abc import Sequence
from dataclasses import replace

from core.pictures.tiling import Look, plan
from models.nets import DefectNet
from models.training.examples import Example
from models.training.loop import Recipe
from models.training.sampling import Augmentation
from models.training.schedule import Schedule

EPOCHS = 12
LEAST_WINDOWS = 256  # in an epoch: below that an epoch is too short a step to be chosen by
WHOLE = 0.25  # of windows, where some must show all of the picture
TRANSPLANTS = 0.5  # of good windows; see transplant.py


def look_for(examples: Sequence[Example], tile: int = 256) -> Look:
    """How to look at pictures where no part type says so.

    Where regions were drawn, at the pictures' own scale, tile by tile; a defect that nobody drew is only known of
    the whole picture, which then is looked at beside its tiles. Where nothing was drawn at all, every picture is
    shrunk into one tile: that is what its label is about.
    """
    native = Look(tile=tile, stride=tile // 2)
    if any(e.regions for e in examples):
        whole = any(e.defective and not e.regions and plan(e.width, e.height, native).count > 1 for e in examples)
        return replace(native, whole_picture=whole)
    longest = max((max(e.width, e.height) for e in examples), default=tile)
    return replace(native, scale=max(0.05, min(1.0, tile / longest)))


def recipe_for(
    net: DefectNet,
    examples: Sequence[Example],
    look: Look,
    *,
    epochs: int | None = None,
    seed: int = 0,
    flips: bool = True,
    pretrained: bool = True,
) -> Recipe:
    """The recipe that did best on real pictures of its kind, see the README.

    Args:
        net: as built.
        examples: to train on.
        look: how pictures are cut.
        epochs: at most; 12 where None, three times as many from scratch.
        seed: of everything random.
        flips: the part may be seen mirrored and turned.
        pretrained: the trunk starts from weights worth keeping.
    """
    drawn = any(e.regions for e in examples)
    if not pretrained:
        schedule = Schedule.from_scratch()
    elif drawn:
        schedule = Schedule(trunk=3e-4, heads=2e-3)
    else:
        schedule = Schedule(trunk=1e-4, heads=1e-3)  # one label a picture is soon learned by heart
    exclusive = not any(len(set(e.classes)) > 1 for e in examples)
    return Recipe(
        epochs=epochs or (EPOCHS if pretrained else 3 * EPOCHS),
        least_windows=LEAST_WINDOWS,
        seed=seed,
        look=look,
        augmentation=Augmentation() if flips else Augmentation.upright(),
        schedule=schedule,
        loss=replace(Recipe().loss, exclusive=exclusive),
        whole=whole_for(examples, look, pretrained),
        transplant=TRANSPLANTS if pretrained and drawn else 0.0,
    )


def whole_for(examples: Sequence[Example], look: Look, pretrained: bool) -> float:
    """How many of the windows show all of a picture, placed or not.

    Every one where nothing was drawn. Some where that is how the pictures are looked at, or how those are learned
    from whose defects nobody drew: else being shrunk would be a sign of a defect.
    """
    if not any(e.regions for e in examples):
        return 1.0
    return WHOLE if any(not e.placed for e in examples) or (look.whole_picture and pretrained) else 0.0
