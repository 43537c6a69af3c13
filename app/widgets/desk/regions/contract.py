"""What a page and an editor of regions agree on, whichever editor it is.

Regions go in and come out in the picture's own pixels. A region that nobody touched comes out as it went in, to the
last digit; one that a person changed has lost the model's score. Keys stay, however long. What a browser says about
another item than the one that is open is dropped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any

from core.records import Region, Severity

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A class that a region may be given.

    Attributes:
        severities: the only ones that a region of this class may have.
    """

    id: str
    label: str
    colour: str
    severities: tuple[Severity, ...] = tuple(Severity)


@dataclass(frozen=True)
class Source:
    """Regions that can be copied.

    Attributes:
        title: "the model small-1", "Ines".
        by: who drew those that no model scored.
    """

    title: str
    by: str
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class Owner:
    """Whose unsaved work it is: nobody else, no other revision and no other picture ever sees it."""

    user: str
    task: int
    revision: int
    image: int


@dataclass(frozen=True)
class Sheet:
    """One picture that lies open.

    Attributes:
        item: names task, revision, lease and picture; what a browser says of another one is dropped.
        size_wh: of the whole picture in its own pixels.
        picture: address of a copy for the screen.
        crop: address to which `&box=x,y,width,height&width=most` is added for looking closer; empty where the copy is
            the whole.
        new_class: that a new region starts with.
        standing: regions as the store has them.
        elsewhere: other pictures of the part of which this page has no unsaved regions.
        others: regions on the other pictures of the part.
        saved: (task, revision) of what this person saved lately; drafts of these may go.
        room_wh: screen pixels, for an engine that needs to know before it is drawn.
        height: as CSS, for one that does not.
        tool: one of the engine's, where it has several.
    """

    item: str
    size_wh: tuple[int, int]
    picture: str
    crop: str
    alt: str
    kinds: tuple[Kind, ...]
    new_class: str
    owner: Owner
    standing: tuple[Region, ...] = ()
    sources: tuple[Source, ...] = ()
    model: str = "model"
    unmapped: str = "#ffffff"
    elsewhere: tuple[int, ...] = ()
    others: int = 0
    saved: tuple[tuple[int, int], ...] = ()
    room_wh: tuple[int, int] = (900, 548)
    height: str = "calc(100dvh - 190px)"
    tool: str = ""

    def kind(self, class_id: str | None) -> Kind | None:
        """The class of that id; None where it is none of this site's."""
        return next((one for one in self.kinds if one.id == class_id), None)

    def by(self, region: Region) -> str:
        """Who drew a region: the model that scored it, whoever's review has it just so, or else this person."""
        return self._authors.get(region) or (self.model if region.score is not None else "you")

    @cached_property
    def _authors(self) -> Mapping[Region, str]:
        return {region: one.by for one in reversed(self.sources) for region in one.regions}

    @property
    def known(self) -> tuple[Region, ...]:
        """Everything that may come back untouched."""
        return (*self.standing, *(region for one in self.sources for region in one.regions))


@dataclass(frozen=True)
class Edit:
    """What an editor says.

    Attributes:
        regions: on the picture now.
        others: unsaved regions of other pictures of the part that a browser had kept, by image id, as it sent them;
            None where they were thrown away.
        entered: the person asked to save and go on.
        again: the editor has to start anew from `regions`, because it shows something else.
    """

    regions: tuple[Region, ...]
    others: Mapping[int, Sequence[Payload] | None] = field(default_factory=dict)
    entered: bool = False
    again: bool = False


@dataclass(frozen=True)
class Engine:
    """One way of editing.

    Attributes:
        title, caption: as the person who chooses sees it.
        show: what a browser starts with.
        read: what a browser's payload means; the regions it started with where the payload is of another item.
        mount: draws it, with the regions to start from and a widget key.
        tools: by name, where it has more than one.
    """

    name: str
    title: str
    caption: str
    show: Callable[[Sheet, Sequence[Region]], dict[str, Any]]
    read: Callable[[Sheet, Sequence[Region], Payload | None], tuple[Region, ...]]
    mount: Callable[[Sheet, Sequence[Region], str], Edit]
    tools: Mapping[str, str] = field(default_factory=dict)


def keyed(regions: Iterable[Region]) -> tuple[Region, ...]:
    """The regions with keys that are unique and stay: only those that have none, or a doubled one, get a number."""
    regions = tuple(regions)
    given = {region.key for region in regions}
    numbers = (str(number) for number in count(1) if str(number) not in given)
    taken = {""}
    result = []
    for region in regions:
        key = next(numbers) if region.key in taken else region.key
        taken.add(key)
        result.append(region if key == region.key else replace(region, key=key))
    return tuple(result)
