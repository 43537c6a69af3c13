"""The rows of a dataset as rules see them: one labelled picture each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TRAIN, VAL, TEST = "train", "val", "test"
SIDES = (TRAIN, VAL, TEST)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled picture of a dataset.

    Attributes:
        path: names the picture to people.
        side: "train", "val" or "test", or a name of the split's own.
        group: what the builder kept together.
        part, source_group: with their site before them; the source's group is None where it named none.
        order: with its site; None where nobody noted it.
        camera: with its site; None where nobody noted it.
        classes: class ids on the picture, boxed or not.
        unmapped: names that no class has been given for.
        weight: what the picture counts for in training.
        repeat: how often it is shown in one turn of training.
        pseudo: the label is a model's own guess.
        image: the store's id; None in a manifest of the first format.
    """

    path: str
    sha256: str
    side: str
    group: str
    part: str
    defective: bool
    classes: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    site: str = ""
    order: str | None = None
    source_group: str | None = None
    camera: str | None = None
    part_type: str | None = None
    taken_at: datetime | None = None
    weight: float = 1.0
    repeat: int = 1
    pseudo: bool = False
    image: int | None = None

    @property
    def kind(self) -> tuple[str, ...]:
        """Its classes and unmapped names; a good picture has none."""
        return (*self.classes, *self.unmapped)


def row_of(item: Mapping[str, Any]) -> Row:
    """An item of a manifest, of any format; what an older one does not say is not known."""
    site = str(item.get("site") or "")

    part, order, group, camera = (item.get(key) for key in ("part", "order", "source_group", "camera"))
    taken = item.get("taken_at")
    return Row(
        path=str(item["path"]),
        sha256=str(item["sha256"]),
        side=str(item["split"]),
        group=str(item["group"]),
        part=str(item["group"]) if part is None else f"{site}/{part}",
        defective=bool(item["defective"]),
        classes=tuple(item.get("classes") or ()),
        unmapped=tuple(item.get("unmapped") or ()),
        site=site,
        order=None if order is None else f"{site}/{order}",
        source_group=None if group is None else f"{site}/{group}",
        camera=None if camera is None else f"{site}/{camera}",
        part_type=item.get("part_type"),
        taken_at=None if taken is None else datetime.fromisoformat(str(taken)),
        weight=float(item.get("weight", 1.0)),
        repeat=int(item.get("repeat", 1)),
        pseudo=bool(item.get("pseudo")),
        image=item.get("image"),
    )


def rows_of(items: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Every item of a manifest."""
    return [row_of(item) for item in items]


def sides_of(rows: Iterable[Row]) -> list[str]:
    """The sides that have a picture: train, val and test first, others after them by name."""
    found = {row.side for row in rows}
    return [*(side for side in SIDES if side in found), *sorted(found - set(SIDES))]


def by_side(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each side, in the order of `sides_of`."""
    found: dict[str, list[Row]] = {side: [] for side in sides_of(rows)}
    for row in rows:
        found[row.side].append(row)
    return found
