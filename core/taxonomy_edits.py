"""Changing a taxonomy: every change makes another version, and any two versions can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from core.errors import BadInput
from core.records import NO_DEFECT
from core.taxonomy import DefectClass, Taxonomy, folded, is_good

MAX_TEXT = 2000  # letters of a description
_TOLD = ("label", "description", "severities", "parent")  # fields that are compared as they are; aliases by their names


@dataclass(frozen=True)
class FieldChange:
    """One field of a class, as it was and as it is; empty for nothing."""

    field: str
    was: str
    now: str


@dataclass(frozen=True)
class ClassChange:
    """A class that both versions have, and what is different about it."""

    id: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class NameChange:
    """A name that means something else; None while it is unmapped."""

    name: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class NamedPictures:
    """Pictures on which an answer that stands uses a name whose meaning differs."""

    name: str
    was: str | None
    now: str | None
    pictures: int


@dataclass(frozen=True)
class TaxonomyDiff:
    """From one version to another.

    Attributes:
        names: of either version that mean something else in the other one.
        reordered: the classes of both stand in another order, which is the order of keys and class heads.
    """

    added: tuple[DefectClass, ...]
    retired: tuple[DefectClass, ...]
    changed: tuple[ClassChange, ...]
    names: tuple[NameChange, ...]
    reordered: bool

    @property
    def empty(self) -> bool:
        """Nothing differs."""
        return not (self.added or self.retired or self.changed or self.names or self.reordered)


def difference(old: Taxonomy, new: Taxonomy) -> TaxonomyDiff:
    """What the second version adds, retires and changes."""
    before, after = {one.id: one for one in old.classes}, {one.id: one for one in new.classes}
    changed = [ClassChange(name, found) for name in after if name in before
               if (found := _fields(before[name], after[name]))]  # fmt: skip
    common = [name for name in old.ids if name in after]
    return TaxonomyDiff(
        added=tuple(one for name, one in after.items() if name not in before),
        retired=tuple(one for name, one in before.items() if name not in after),
        changed=tuple(changed),
        names=_names(old, new),
        reordered=common != [name for name in new.ids if name in before],
    )


def relabelled(old: Taxonomy, new: Taxonomy, pictures: Mapping[str, int]) -> list[NamedPictures]:
    """What becomes of labels: the names on pictures that mean something else, those of most pictures first.

    Args:
        old: version.
        new: version.
        pictures: how many carry each name, in the writing in which it came.
    """
    found = [
        NamedPictures(name, was, now, number)
        for name, number in pictures.items()
        if (was := _meaning(old, name)) != (now := _meaning(new, name))
    ]
    return sorted(found, key=lambda one: (-one.pictures, one.name))


def changed_class(taxonomy: Taxonomy, changed: DefectClass) -> Taxonomy:
    """The taxonomy with one class as given, in its old place; at the end where it is new.

    Raises:
        BadInput: a name is taken or means that there is no defect, or its parents lead back to it.
    """
    if len(changed.description) > MAX_TEXT:
        raise BadInput(f"A description of {len(changed.description):,} letters, at most {MAX_TEXT:,}: shorten it.")
    good = next((name for name in changed.names if is_good(name)), None)
    if good is not None:
        raise BadInput(f"{good!r} says that there is no defect: it cannot mean {changed.id}.")
    there = changed.id in taxonomy.ids
    classes = tuple(changed if one.id == changed.id else one for one in taxonomy.classes)
    found = replace(taxonomy, classes=classes if there else (*classes, changed))
    _refuse_circle(found, changed.id)
    return found


def retired(taxonomy: Taxonomy, class_id: str, into: str | None = None) -> Taxonomy:
    """The taxonomy without a class.

    Args:
        taxonomy: that has it.
        class_id: of the class that goes.
        into: the class that takes over all its names; without one they become unmapped, and pictures that carry them
            stay defective, in no class.

    Raises:
        NotFound: either class is not there.
        BadInput: it cannot be taken over by itself.
    """
    gone = taxonomy.get(class_id)
    if into == class_id:
        raise BadInput(f"{class_id} cannot take over its own names: choose another class, or none.")
    if into is not None:
        taxonomy.get(into)
    left = replace(taxonomy, classes=tuple(one for one in taxonomy.classes if one.id != class_id))
    for name in gone.names if into is not None else ():
        if left.match(name) is None:
            left = left.with_alias(into or "", name, f"{class_id}, which was retired")
    return left


def aliases_of(text: str) -> tuple[str, ...]:
    """Other names as somebody types them: one on each line, or divided by commas."""
    names = (name.strip() for line in text.splitlines() for name in line.split(","))
    return tuple(dict.fromkeys(name for name in names if folded(name)))


def _fields(old: DefectClass, new: DefectClass) -> tuple[FieldChange, ...]:
    found = [
        FieldChange(name, _told(getattr(old, name)), _told(getattr(new, name)))
        for name in (one.name for one in fields(DefectClass))
        if name in _TOLD and getattr(old, name) != getattr(new, name)
    ]
    gone = [name for name in old.aliases if name not in new.aliases]
    more = [name for name in new.aliases if name not in old.aliases]
    if gone or more:
        found.append(FieldChange("aliases", _told(gone), _told(more)))
    return tuple(found)


def _names(old: Taxonomy, new: Taxonomy) -> tuple[NameChange, ...]:
    known: dict[str, str] = {}
    for one in (*old.classes, *new.classes):
        for name in one.names:
            known.setdefault(folded(name), name)
    found = [NameChange(name, _meaning(old, name), _meaning(new, name)) for name in known.values()]
    return tuple(one for one in found if one.was != one.now)


def _meaning(taxonomy: Taxonomy, name: str) -> str | None:
    found = taxonomy.match(name)
    return None if found == NO_DEFECT else found


def _told(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)


def _refuse_circle(taxonomy: Taxonomy, class_id: str) -> None:
    """Parents are followed upwards: a circle has no top."""
    by_id = {one.id: one for one in taxonomy.classes}
    seen, at = [class_id], by_id[class_id].parent
    while at is not None and at in by_id:
        if at in seen:
            raise BadInput(f"The parents of {class_id} lead back to {at} ({' → '.join([*seen, at])}): choose another.")
        seen.append(at)
        at = by_id[at].parent
