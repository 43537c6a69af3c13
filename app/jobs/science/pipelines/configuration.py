"""The file that says what a pipeline does: read from YAML, every mistake told in a sentence that names its field."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.jobs.science.datasets.plan import plan_of
from core.errors import BadInput
from core.gates.limits import Limits
from core.learn.pipeline_schedule import check as check_schedule
from core.pictures.augment import HIDDEN, Asked, By
from core.serving import MOST_HOURS, SHADOW_HOURS

LARGEST = 1 << 20  # bytes of a file
_DURATION = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?")
_SECONDS = (86400, 3600, 60, 1)

Share = Annotated[float, Field(ge=0, le=1)]


def seconds_of(given: object) -> object:
    """A duration such as 3h or 1h30m in seconds; a number is seconds already."""
    if not isinstance(given, str):
        return given
    found = _DURATION.fullmatch(given.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"{given!r} is no duration, write it as 3h, 90m or 1h30m")
    return float(sum(int(number) * unit for number, unit in zip(found.groups(), _SECONDS, strict=True) if number))


Seconds = Annotated[float, BeforeValidator(seconds_of), Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Build(_Part):
    """How each run freezes a dataset of its own; see `holdpoint dataset build`."""

    filters: dict[str, str] = Field(default_factory=dict)
    split: str | None = None
    seed: int = 0
    by: Literal["groups", "time"] = "groups"
    keep: str | None = None
    balance: str | None = None
    quota: str | None = None
    least: str | None = None
    agreement: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Build":
        try:
            plan_of(**self.model_dump())
        except BadInput as error:
            raise ValueError(str(error)) from error
        return self


class Dataset(_Part):
    """A frozen dataset by name, or how to build one from the labels of the day."""

    name: str | None = None
    build: Build | None = None

    @model_validator(mode="after")
    def _one(self) -> "Dataset":
        if (self.name is None) == (self.build is None):
            raise ValueError("give either a name, or build")
        return self


class Optimiser(_Part):
    """What changes the weights, and how fast; what is left out is the recipe's own."""

    name: Literal["adamw", "sgd"] = "adamw"
    trunk: Annotated[float, Field(gt=0, le=1)] | None = None
    heads: Annotated[float, Field(gt=0, le=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0, lt=1)] | None = None


class EarlyStopping(_Part):
    """After how many epochs without a better one training stops."""

    patience: Annotated[int, Field(ge=1)]


class Augment(_Part):
    """What may be done to pictures; what is left out is the recipe's own."""

    rotation: Annotated[float, Field(ge=0, le=180)] | None = None
    flip_x: bool | None = None
    flip_y: bool | None = None
    noise: Annotated[float, Field(ge=0, le=0.5)] | None = None
    brightness: Share | None = None
    contrast: Annotated[float, Field(ge=0, lt=1)] | None = None
    crop: tuple[Annotated[float, Field(ge=0.1, le=1)], Annotated[float, Field(ge=0.1, le=1)]] | None = None
    least: Share = 0.5

    @field_validator("crop")
    @classmethod
    def _in_order(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given is not None and given[0] > given[1]:
            raise ValueError("give the smaller share first, such as [0.8, 1.0]")
        return given

    def asked(self) -> Asked:
        """As the rules take it."""
        return Asked(**self.model_dump())


class Augmentation(_Part):
    """For all parts and for part types by themselves, and when a change is too heavy."""

    all: Augment = Field(default_factory=Augment)
    part_types: dict[str, Augment] = Field(default_factory=dict)
    judged_by: dict[Literal["brightness", "size", "direction"], list[str]] = Field(default_factory=dict)
    most_hidden: Share = HIDDEN

    def asked(self) -> dict[str, Asked]:
        """By part type; "" is for all others."""
        return {"": self.all.asked(), **{name: one.asked() for name, one in self.part_types.items()}}

    def classes_judged(self) -> dict[By, Sequence[str]]:
        return {By(name): classes for name, classes in self.judged_by.items()}


class Labels(_Part):
    """When labels are too doubtful to train on.

    Attributes:
        most_doubted: share of the site's labels with a doubt above which the step fails; None only reports.
    """

    most_doubted: Share | None = None


class Gate(_Part):
    """Which pictures the gate takes, and its limits where they are not the usual ones."""

    split: Literal["test", "val"] = "test"
    limits: dict[str, Any] | None = None

    def asked(self) -> Limits | None:
        return None if self.limits is None else Limits.from_json(self.limits)

    @model_validator(mode="after")
    def _known(self) -> "Gate":
        try:
            self.asked()
        except (BadInput, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"its limits are not understood ({error})") from error
        return self


class Shadow(_Part):
    """How long the new model looks on.

    Attributes:
        replace: end another shadow that still looks on at the site.
    """

    hours: Annotated[float, Field(gt=0, le=MOST_HOURS)] = SHADOW_HOURS
    replace: bool = False


class Configuration(_Part):
    """Everything that a run of a pipeline depends on beside the plant's labels."""

    experiment: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")]
    site: Annotated[str, Field(min_length=1)]
    dataset: Dataset
    schedule: str = ""
    architecture: Annotated[str, Field(min_length=1)] = "efficientnet_b0"
    weights: str | None = None
    adapt: str | None = None
    epochs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    batch: Annotated[int, Field(ge=1, le=4096)] | None = None
    optimiser: Optimiser | None = None
    early_stopping: EarlyStopping | None = None
    time_limit: Seconds | None = None
    refit: bool = False
    seed: int = 0
    despite: str | None = None
    augmentation: Augmentation | None = None
    labels: Labels = Field(default_factory=Labels)
    evaluate: Literal["test", "val"] = "test"
    gate: Gate = Field(default_factory=Gate)
    shadow: Shadow | None = Field(default_factory=Shadow)

    @field_validator("schedule")
    @classmethod
    def _cron(cls, given: str) -> str:
        if not given.strip():
            return ""
        try:
            return check_schedule(given)
        except BadInput as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _measured_on_others(self) -> "Configuration":
        if self.refit and "val" in (self.evaluate, self.gate.split):
            raise ValueError("refit teaches the model the validation pictures, so evaluate and gate need the test ones")
        return self

    def to_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return self.model_dump(mode="json", exclude_none=True)


def configuration(document: object, where: str = "The configuration") -> Configuration:
    """Check a document.

    Args:
        document: as it was read.
        where: it comes from, for the sentence.

    Raises:
        BadInput: naming every field that is wrong.
    """
    if not isinstance(document, Mapping):
        raise BadInput(f"{where} is no list of fields: begin with experiment: NAME, site: SITE and dataset:.")
    plain = dict(document)
    if plain.get("shadow") is False:  # YAML's off
        plain["shadow"] = None
    off = "shadow" in plain and plain["shadow"] is None
    try:
        made = Configuration.model_validate(plain)
    except ValidationError as error:
        raise BadInput(f"{where} cannot be used: {'; '.join(_sentences(error))}.") from error
    return made.model_copy(update={"shadow": None}) if off else made


def read_file(path: Path) -> Configuration:
    """A configuration from a YAML file.

    Raises:
        BadInput: it cannot be read, is no YAML, or a field is wrong.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST >> 20} MB, which no such file is.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as text ({error}).") from error
    return read_text(text, path.name)


def read_text(text: str, where: str = "The configuration") -> Configuration:
    """A configuration from YAML text.

    Raises:
        BadInput: it is no YAML, or a field is wrong.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" in line {mark.line + 1}" if mark is not None else ""
        raise BadInput(f"{where} is no YAML{at}: {getattr(error, 'problem', None) or error}.") from error
    return configuration(document, where)


def written(made: Configuration) -> str:
    """The configuration as YAML text, in the order of its fields."""
    document = made.to_json()
    if made.shadow is None:
        document["shadow"] = False
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def from_store(document: Mapping[str, Any]) -> Configuration:
    """A configuration as the store kept it; a shadow that is absent was switched off."""
    return configuration({"shadow": None, **document}, "The pipeline's configuration")


def _sentences(error: ValidationError) -> list[str]:
    """One for each wrong field."""
    found = []
    for one in error.errors():
        place = ".".join(str(part) for part in one["loc"]) or "it"
        kind, context = one["type"], one.get("ctx", {})
        if kind == "missing":
            said = "is missing"
        elif kind == "extra_forbidden":
            said = "is not a field of it"
        elif kind == "value_error":
            said = f"is wrong: {str(context.get('error', one['msg'])).rstrip('.')}"
        elif kind == "string_pattern_mismatch":
            said = f"is {one['input']!r}: use letters, digits, dots, dashes and underscores, 61 at most"
        else:
            message = one["msg"][:1].lower() + one["msg"][1:]
            said = f"is {one['input']!r}: {message.replace('input should', 'it should')}"
        found.append(f"{place} {said}")
    return found
