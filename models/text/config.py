"""Everything about a text model that can be set, in one file: YAML or JSON."""

import json
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import BadInput
from core.words.text import Cut
from core.words.text_noise import Noise

MAX_BYTES = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderConfig(_Part):
    """The shared encoder.

    Attributes:
        words: width of a word's own vector.
        characters: width of a character's vector.
        spelling: width of what is read off a word's spelling, over all window sizes.
        width: of the encoder.
        recurrent: a two-way recurrent layer below the Transformer blocks, which gives them the order of words.
        blocks: Transformer blocks, each attention, convolution and feed-forward.
        heads: of attention, in each block.
        kernel: words that a block's convolution sees.
        reach: words further apart than this count as this far.
        dropout: everywhere.
    """

    words: int = Field(default=160, ge=4, le=1024)
    characters: int = Field(default=32, ge=4, le=256)
    spelling: int = Field(default=96, ge=4, le=1024)
    width: int = Field(default=192, ge=8, le=1024)
    recurrent: bool = True
    blocks: int = Field(default=2, ge=0, le=12)
    heads: int = Field(default=4, ge=1, le=16)
    kernel: int = Field(default=5, ge=1, le=31)
    reach: int = Field(default=16, ge=1, le=256)
    dropout: float = Field(default=0.3, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % (2 * self.heads) or self.spelling % 4 or not self.kernel % 2:
            raise ValueError("width must divide by twice the heads, spelling by 4, and kernel be odd")
        return self


class TrainingConfig(_Part):
    """How long and how fast.

    Attributes:
        epochs: passes over the training parts; None goes by how much text there is.
        batch: sentences of a step.
        rate: highest learning rate.
        weight_decay: on matrices.
        warm_up: share of the steps in which the rate climbs.
        average: of the running average of the weights, which is what is kept.
        unknown: words with a count of c are taken for unknown with a chance of unknown / (unknown + c).
        swapped: chance that a slot's words are replaced by those of another slot of its label.
        invented: chance that they are replaced by words of any slot, where the label has no fixed list of words.
        misspelt: chance that a word is misspelt.
        hidden: chance that a word is hidden, name and spelling: its tag must come from what stands around it.
        recalled: weight of the loss that asks for the hidden words themselves; 0 does not ask.
        smoothing: of the intents.
        patience: checks on the dev part without a better one before it stops; 0 never stops early.
        checks: how often it is checked on the dev part, in epochs.
        short: 16-bit arithmetic in the encoder while training, where the processor has it.
    """

    epochs: int | None = Field(default=None, ge=1, le=1000)
    batch: int = Field(default=64, ge=1, le=4096)
    rate: float = Field(default=2e-3, gt=0, le=1)
    weight_decay: float = Field(default=0.02, ge=0)
    warm_up: float = Field(default=0.06, ge=0, lt=1)
    average: float = Field(default=0.998, ge=0, lt=1)
    unknown: float = Field(default=0.4, ge=0)
    swapped: float = Field(default=0.4, ge=0, le=1)
    invented: float = Field(default=0.1, ge=0, le=1)
    misspelt: float = Field(default=0.0, ge=0, le=1)
    hidden: float = Field(default=0.0, ge=0, le=1)
    recalled: float = Field(default=0.0, ge=0)
    smoothing: float = Field(default=0.1, ge=0, lt=1)
    patience: int = Field(default=0, ge=0)
    checks: int = Field(default=2, ge=1)
    short: bool = True


class DomainConfig(_Part):
    """One domain: its text and what its losses weigh.

    Attributes:
        name: of the domain.
        folder: of its text, relative to the config's own folder; empty where it is given otherwise.
        cut: how text becomes words; None lets the folder's format decide.
        intents: "one" of them fits a sentence, or "several"; None lets the training part decide.
        weight: of both losses together.
        intent_weight, slot_weight: of each, both counted per sentence.
        share: sampling: sentences of an epoch per sentence of the training part.
        noise: what speech recognition does to it while training.
        false_out: share of sentences in scope that may be called out of scope, which sets that limit on the dev part.
        ask_below: a main intent or slot less sure than this is to be confirmed by a person.
    """

    name: str = Field(default="text", pattern=r"^[a-z][a-z0-9_]{0,39}$")
    folder: str = ""
    cut: Cut | None = None
    intents: Literal["one", "several"] | None = None
    weight: float = Field(default=1.0, gt=0)
    intent_weight: float = Field(default=1.0, ge=0)
    slot_weight: float = Field(default=0.5, ge=0)
    share: float = Field(default=1.0, gt=0, le=100)
    noise: Noise = Noise()
    false_out: float = Field(default=0.05, ge=0, lt=1)
    ask_below: float = Field(default=0.6, ge=0, le=1)


class TextConfig(_Part):
    """A whole text model."""

    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    domains: tuple[DomainConfig, ...] = (DomainConfig(),)

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [domain.name for domain in self.domains]
        if not names or len(set(names)) < len(names):
            raise ValueError("give one domain or more, each its own name")
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return self.model_dump(mode="json")


def config_of(values: Any) -> TextConfig:
    """A config from plain values.

    Raises:
        BadInput: naming what cannot be used.
    """
    try:
        return TextConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the config"
        raise BadInput(f"In the text config, {where} cannot be used: {first['msg'].lower()}.") from error


def read_config(path: Path) -> TextConfig:
    """A config from a .yaml or .json file.

    Raises:
        BadInput: it is no such file, or something in it cannot be used.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} is larger than {MAX_BYTES >> 20} MB, which no config is.")
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read as a config ({error}).") from error
    return config_of(values)
