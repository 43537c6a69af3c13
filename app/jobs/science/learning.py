"""What train and evaluate share: a dataset's manifest, its examples, and their pixels."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, decoders, quiet
from app.jobs.science.datasets import manifest_hash
from app.settings import Settings
from core.errors import BadInput, NotFound, Unreadable
from core.records import Pixels
from models.training.examples import Example, example_of

if TYPE_CHECKING:
    from data.store import Store

KEPT_BYTES = 10**9  # of decoded validation pictures


def manifest_of(store: "Store | None", settings: Settings, name: str) -> Mapping[str, Any]:
    """A dataset's frozen list.

    Raises:
        NotFound: no dataset of that name.
        BadInput: its manifest is damaged.
    """
    plain = bool(name) and "/" not in name and "\\" not in name and not name.startswith(".")
    path = settings.datasets / f"{name}.json"
    if plain and path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadInput(f"{path} is no JSON ({error}): build the dataset again.") from error
    elif store is not None:
        found = store.datasets.get(name).manifest
    else:
        have = sorted(p.stem for p in settings.datasets.glob("*.json"))
        raise NotFound(f"There is no dataset '{name}': there are {', '.join(have) or 'none yet; build one'}.")
    if not isinstance(found, Mapping) or not isinstance(found.get("items"), list):
        raise BadInput(f"The manifest of {name} lists no items: build the dataset again.")
    if found.get("hash") and manifest_hash(found) != found["hash"]:
        raise BadInput(f"The manifest of {name} is no longer the one that was frozen: build it under another name.")
    return found


def examples_of(manifest: Mapping[str, Any], split: str) -> list[Example]:
    """The labelled pictures of one part of a dataset."""
    return [e for e in map(example_of, manifest["items"]) if e.split == split]


def counted(examples: Sequence[Example]) -> dict[str, Any]:
    """How many pictures, parts and defects; every prevalence says of what."""
    parts: dict[str, bool] = {}
    for e in examples:
        part = e.part or e.group
        parts[part] = parts.get(part, False) or e.defective
    defective = sum(e.defective for e in examples)
    return {
        "images": len(examples),
        "parts": len(parts),
        "defective_images": defective,
        "defective_parts": sum(parts.values()),
        "prevalence_per_image": defective / len(examples) if examples else None,
        "prevalence_per_part": sum(parts.values()) / len(parts) if parts else None,
        "with_regions": sum(bool(e.regions) for e in examples),
        "classes": dict(sorted(Counter(c for e in examples for c in e.classes).items())),
    }


def check_files(examples: Sequence[Example], progress: Progress = quiet) -> None:
    """Refuse a dataset whose pictures are gone or are no longer those that were labelled.

    Raises:
        BadInput: naming the first of them.
    """
    wrong = []
    for done, example in enumerate(examples):
        if done % 50 == 0:
            progress(done, len(examples), "checking the pictures")
        path = Path(example.path)
        try:
            with path.open("rb") as file:
                same = file_digest(file, "sha256").hexdigest() == example.sha256
            why = "" if same else "changed"
        except OSError:
            why = "gone"
        if why:
            wrong.append(f"{path.name} is {why}")
    if wrong:
        raise BadInput(
            f"{len(wrong)} of {len(examples)} pictures of the dataset cannot be used ({wrong[0]}): put them back, or "
            "build the dataset again."
        )


class Reader:
    """Decodes examples in limited child processes; keeps those of validation, which are looked at every epoch."""

    def __init__(self, settings: Settings) -> None:
        self._pool = decoders(settings)
        self._left = KEPT_BYTES
        self._kept: dict[str, Pixels] = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def __call__(self, example: Example) -> Pixels:
        """(h, w, 3) of one example.

        Raises:
            Unreadable: it cannot be decoded.
            BadInput: its bytes or its size are not those of the dataset.
        """
        if example.path in self._kept:
            return self._kept[example.path]
        pixels = next(self.stream([example])).copy()  # the shared memory goes back to the decoder
        if example.split != "train" and pixels.nbytes <= self._left:
            self._kept[example.path] = pixels
            self._left -= pixels.nbytes
        return pixels

    def stream(self, examples: Sequence[Example]) -> Iterator[Pixels]:
        """Pixels in order, decoded ahead of whoever takes them; raises as a call does."""
        reads = self._pool.decode(Path(e.path) for e in examples)
        for example, read in zip(examples, reads, strict=True):
            name = Path(example.path).name
            if isinstance(read, Unreadable):
                raise Unreadable(read.reason, f"{name} cannot be read: {read}")
            height, width = read.decoded.pixels.shape[:2]
            if read.sha256 != example.sha256:
                raise BadInput(f"{name} has changed since it was labelled: put it back, or build the dataset again.")
            if (width, height) != (example.width, example.height):
                raise BadInput(
                    f"{name} is {width}x{height} but the dataset says {example.width}x{example.height}: "
                    "build the dataset again."
                )
            yield read.decoded.pixels
