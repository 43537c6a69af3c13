"""Pseudo-labels: a model's own guesses as labels, in training only, and a random share of them checked by people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from core.learn.datasets.balance import drawn, numbers_from
from core.plant import LabelledImage
from core.records import Image, Label, LabelStatus, Prediction, TaskKind, Verdict

if TYPE_CHECKING:
    from data.store import Store

BY = "model:"  # before the name of the model whose guess it is
_WORDS = "write weight=.5,sure=.95,audit=.1"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a guess was made by nobody at no time


@dataclass(frozen=True)
class Pseudo:
    """Whose guesses are taken, and what they count for.

    Attributes:
        model: by name.
        weight: beside 1 for what a person said.
        sure: a guess is taken where its probability is at least this for defective, or for good.
        audit: share of the guesses that people are asked about.
    """

    model: str
    weight: float = 0.5
    sure: float = 0.95
    audit: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what would let guesses outweigh people or go unchecked."""
        if not 0 < self.weight <= 1:
            raise BadInput(f"A pseudo-label with the weight {self.weight}: it counts at most 1, and more than 0.")
        if not 0.5 < self.sure < 1:
            raise BadInput(f"A guess is taken from a probability of {self.sure}: give more than 0.5 and less than 1.")
        if not 0 < self.audit <= 1:
            raise BadInput(f"A share of {self.audit} of the guesses is audited: give more than 0, at most 1.")


def pseudo_from(model: str, text: str | None) -> Pseudo:
    """Read "weight=.5,sure=.95,audit=.1"."""
    found = numbers_from(text, "Pseudo-labels", _WORDS) if text else {}
    unknown = sorted(found.keys() - {"weight", "sure", "audit"})
    if unknown:
        raise BadInput(f"Pseudo-labels know no {unknown[0]!r}: {_WORDS}.")
    return Pseudo(model, **found)


def guessed(store: "Store", sites: Sequence[str], how: Pseudo) -> Iterator[LabelledImage]:
    """Unlabelled pictures of which the model is sure, each with its guess as a label."""
    store.models.get(how.model)
    for image, said in store.datasets.unlabelled(how.model, sites):
        if said.score >= how.sure or said.score <= 1 - how.sure:
            yield LabelledImage(image, _label(image, said), said)


def _label(image: Image, said: Prediction) -> Label:
    defective = said.score >= 0.5
    likeliest = max(sorted(said.class_scores), key=lambda name: said.class_scores[name], default=None)
    classes = (likeliest,) if defective and likeliest is not None and said.class_scores[likeliest] >= 0.5 else ()
    return Label(
        image_id=image.id,
        defective=defective,
        verdict=Verdict.FAIL if defective else Verdict.PASS,
        classes=classes,
        unmapped=(),
        regions=(),
        status=LabelStatus.SINGLE,
        by=f"{BY}{said.model}",
        labelled_at=_NEVER,
        review_id=0,
        model=said.model,
        policy=None,
        changed=False,
        probability=round(said.score, 6) if defective else None,  # a good picture is good all over
    )


def audited(items: Sequence[dict[str, Any]], how: Pseudo, seed: int) -> list[int]:
    """Image ids of the guesses that people are asked about: drawn by chance, one at least."""
    guesses = [number for number, item in enumerate(items) if item["pseudo"]]
    names = [f"{item['path']} {item['sha256']}" for item in items]
    chosen = drawn(guesses, names, seed, "audit")[: max(1, round(how.audit * len(guesses)))]
    return sorted(int(items[number]["image"]) for number in chosen)


def ask_people(store: "Store", manifest: Mapping[str, Any]) -> int:
    """Send the audited guesses as label tasks into the queue; one that is open already stays as it is."""
    asked = [int(one) for one in manifest.get("pseudo", {}).get("audited", ())]
    for image_id in asked:
        part_id = store.images.get(image_id).part_id
        store.queue.send(part_id, TaskKind.LABEL, f"checks a model's guess in dataset {manifest['name']}")
    return len(asked)
