"""The pictures of a split, decoded once where memory allows and again where it does not."""

from collections.abc import Callable, Iterator, Sequence

from core.pictures.tiling import Look
from core.records import Pixels
from models.training.examples import Example
from models.training.sampling import Picture, picture_of

Read = Callable[[Example], Pixels]  # decodes an example's file; raises HoldpointError where it cannot


class Pictures(Sequence[Picture]):
    """Examples as pictures, by position.

    Attributes:
        examples: in the dataset's order.
        drawn, good: positions of those with regions, and of those known to be good everywhere.
    """

    def __init__(
        self, examples: Sequence[Example], read: Read, classes: Sequence[str], look: Look, memory_bytes: int = 10**9
    ) -> None:
        self.examples = tuple(examples)
        self.drawn = tuple(i for i, e in enumerate(examples) if e.defective and e.regions)
        self.good = tuple(i for i, e in enumerate(examples) if e.placed and not e.defective)
        self._read, self._classes, self._look = read, tuple(classes), look
        self._left = memory_bytes
        self._kept: dict[int, Picture] = {}

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # a Sequence's two signatures, of which one is used
        if index in self._kept:
            return self._kept[index]
        example = self.examples[index]
        picture = picture_of(example, self._read(example), self._classes, self._look)
        size = picture.pixels.nbytes + picture.labels.nbytes
        if size <= self._left:
            self._kept[index] = picture
            self._left -= size
        return picture

    def __iter__(self) -> Iterator[Picture]:
        return (self[i] for i in range(len(self)))
