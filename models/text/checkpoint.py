"""Text models on disk: safetensors beside a JSON card, nothing that runs code when loaded.

<name>/card.json            what it knows (words, intents, tags), its limits, what it was measured at, the hash
<name>/weights.safetensors
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from core.errors import BadInput, ModelError, NotFound
from core.words.text import Cut
from models.folder import card_values, new_folder, put_weights, weight_bytes
from models.text.answering import Limits
from models.text.config import EncoderConfig
from models.text.net import DomainShape, TextNet, build
from models.text.training import Trained
from models.text.vocabulary import Vocabulary

CARD = "card.json"
CARD_FORMAT, KIND = 1, "text"
MAX_CARD_BYTES = 64 << 20
MAX_WEIGHT_BYTES = 1 << 30


@dataclass(frozen=True)
class TextCard:
    """Everything about a text model but its weights.

    Attributes:
        limits: by domain.
        cuts: how each domain's texts become words.
        training: the config, seed and history; dataset: name and counts by domain and part; metrics: as measured.
        created_at: ISO 8601, UTC.
    """

    name: str
    encoder: EncoderConfig
    domains: tuple[DomainShape, ...]
    cuts: Mapping[str, Cut]
    limits: Mapping[str, Limits]
    vocabulary: Vocabulary
    dataset: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = ""
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": CARD_FORMAT,
            "kind": KIND,
            "name": self.name,
            "encoder": self.encoder.model_dump(mode="json"),
            "domains": [{**asdict(d), "intents": list(d.intents), "tags": list(d.tags)} for d in self.domains],
            "cuts": dict(self.cuts),
            "limits": {name: asdict(limits) for name, limits in self.limits.items()},
            "vocabulary": self.vocabulary.to_json(),
            "dataset": dict(self.dataset),
            "training": dict(self.training),
            "metrics": dict(self.metrics),
            "created_at": self.created_at,
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TextCard":
        """The reverse of to_json.

        Raises:
            ModelError: it is no text card, from a newer version, or damaged.
        """
        if values.get("kind") != KIND or values.get("format") != CARD_FORMAT:
            raise ModelError(
                f"This is no card of a text model of format {CARD_FORMAT} (found kind {values.get('kind')!r}, "
                f"format {values.get('format')!r}): name a model that `holdpoint text train` made."
            )
        try:
            return cls(
                name=str(values["name"]),
                encoder=EncoderConfig.model_validate(values["encoder"]),
                domains=tuple(
                    DomainShape(
                        str(d["name"]),
                        tuple(d["intents"]),
                        tuple(d["tags"]),
                        bool(d["several"]),
                        int(d.get("adapter", 0)),
                    )
                    for d in values["domains"]
                ),
                cuts=dict(values["cuts"]),
                limits={str(name): Limits(**limits) for name, limits in values["limits"].items()},
                vocabulary=Vocabulary.from_json(values["vocabulary"]),
                dataset=dict(values["dataset"]),
                training=dict(values["training"]),
                metrics=dict(values["metrics"]),
                created_at=str(values["created_at"]),
                sha256=str(values["sha256"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"The card is damaged ({error}): take the model from its backup.") from error


@dataclass(frozen=True)
class TextModel:
    """A text model as loaded, in evaluation mode."""

    card: TextCard
    net: TextNet

    def shape(self, domain: str | None = None) -> DomainShape:
        """A domain's intents and tags; the only one's where none is named.

        Raises:
            NotFound: it has no such domain.
        """
        names = [d.name for d in self.card.domains]
        if domain is None and len(names) == 1:
            return self.card.domains[0]
        if domain not in names:
            raise NotFound(f"{self.card.name} knows the domains {', '.join(names)}; name one of them, not {domain!r}.")
        return self.card.domains[names.index(domain)]


def card_of(trained: Trained, name: str, now: datetime, **facts: Any) -> TextCard:
    """A card for what was just trained; `encoder`, `dataset`, `training` and `metrics` by name."""
    return TextCard(
        name=name,
        domains=trained.shapes,
        cuts=trained.cuts,
        limits=trained.limits,
        vocabulary=trained.vocabulary,
        created_at=now.isoformat(),
        **facts,
    )


def save(folder: Path, net: TextNet, card: TextCard, half: bool = False) -> TextCard:
    """Write a model, whole or not at all.

    Args:
        folder: that does not exist yet.
        net: with the weights.
        card: whose hash is set here.
        half: weights in 16 bits, half the size; read back as 32.

    Raises:
        Conflict: the folder exists; a model is never overwritten.
        BadInput: the folder's name cannot be a model's.
    """
    if folder.name.startswith(".") or not folder.name:
        raise BadInput(f"A model cannot be called {folder.name!r}.")
    with new_folder(folder) as draft:
        found = put_weights(draft, net.state_dict(), torch.float16 if half else torch.float32)
        written = replace(card, sha256=found)
        (draft / CARD).write_text(json.dumps(written.to_json(), ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    return written


def read_card(folder: Path) -> TextCard:
    """Only the card.

    Raises:
        NotFound: no model there.
        ModelError: the card is damaged or another kind's.
    """
    return TextCard.from_json(card_values(folder, CARD, MAX_CARD_BYTES, "text model"))


def load(folder: Path) -> TextModel:
    """Read a model and check the hash of its weights.

    Raises:
        NotFound: no model there.
        ModelError: a damaged card, or weights other than those the card names.
    """
    card = read_card(folder)
    data = weight_bytes(folder, card.sha256, MAX_WEIGHT_BYTES, "text model")
    try:
        net = build(card.encoder, card.vocabulary, card.domains)
        net.load_state_dict({k: v.float() for k, v in load_tensors(data).items()})
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ModelError(f"The weights of {card.name} do not fit its card ({error}).") from error
    return TextModel(card, net.eval().requires_grad_(False))
