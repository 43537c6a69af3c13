"""What a configuration says of a training; whatever it leaves open is the recipe's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from models.training.loop import Recipe
from models.training.sampling import Augmentation
from models.training.schedule import Schedule


@dataclass(frozen=True)
class Wishes:
    """Each is the recipe's own where None.

    Attributes:
        batch: windows in a step.
        patience: epochs without a better one before stopping.
        limit_s: seconds of training, after which the best epoch so far is kept.
        optimiser, trunk, heads, weight_decay: see Schedule.
        augmentations: by part type; "" is for all others.
    """

    batch: int | None = None
    patience: int | None = None
    limit_s: float | None = None
    optimiser: Literal["adamw", "sgd"] | None = None
    trunk: float | None = None
    heads: float | None = None
    weight_decay: float | None = None
    augmentations: Mapping[str, Augmentation] = field(default_factory=dict)


def wished(recipe: Recipe, wishes: Wishes, *, last_layers: bool = False) -> Recipe:
    """The recipe with what was asked for.

    Args:
        recipe: that suits the pictures.
        wishes: of the configuration.
        last_layers: only the heads learn.
    """
    schedule = recipe.schedule
    if last_layers:
        schedule = replace(Schedule.last_layers(), heads=schedule.heads)
    named = {name: getattr(wishes, name) for name in ("optimiser", "trunk", "heads", "weight_decay")}
    schedule = replace(schedule, **{name: value for name, value in named.items() if value is not None})
    plain = {name: getattr(wishes, name) for name in ("batch", "patience") if getattr(wishes, name) is not None}
    own = tuple((name, wishes.augmentations[name]) for name in sorted(wishes.augmentations) if name)
    return replace(
        recipe, schedule=schedule, augmentation=wishes.augmentations.get("", recipe.augmentation), augmentations=own,
        **plain,
    )  # fmt: skip
