"""What is asked of a model, unless somebody asks for more."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any

from core.errors import BadInput

SAFETY: Mapping[str, float] = MappingProxyType({"CRACK": 0.99})


@dataclass(frozen=True)
class Limits:
    """The limits of one gate.

    Attributes:
        precision: of what is flagged, of each class that is claimed and of what is passed: at least.
        recall: of defects, of each class, of each size, and of good pictures left alone: at least.
        class_recall: of classes that need more than `recall`.
        false_rejects: share of good pictures that are flagged: at most.
        calibration_error: mean gap between what scores say and what is so: at most.
        slow_ms: milliseconds of the engine for one picture...
        slow_share: ...that at most this share of the pictures may take longer than.
        joint: the chance that a model passes though it breaks any one of its limits: at most.
        precision_at_site: of what is flagged where defects are as rare as at the site: at least. None only reports it:
            at one defect in a hundred even a model that flags 2% of the good pictures is right a third of the time.
    """

    precision: float = 0.95
    recall: float = 0.93
    class_recall: Mapping[str, float] = field(default_factory=lambda: dict(SAFETY))
    false_rejects: float = 0.05
    calibration_error: float = 0.05
    slow_ms: float = 200.0
    slow_share: float = 0.01
    joint: float = 0.05
    precision_at_site: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is always or never kept."""
        shares = [(name, getattr(self, name)) for name in _SHARES]
        if self.precision_at_site is not None:
            shares.append(("precision_at_site", self.precision_at_site))
        for name, value in [*shares, *self.class_recall.items()]:
            if not 0 < value < 1:
                raise BadInput(f"A limit of {value:g} for {name} is always or never kept: give a share from 0 to 1.")
        if not 0 < self.slow_ms < 3_600_000:
            raise BadInput(f"{self.slow_ms:g} ms for a picture: give between 0 and an hour.")

    def recall_of(self, class_id: str) -> float:
        """Of one class."""
        return self.class_recall.get(class_id, self.recall)

    def looser_than(self, other: "Limits") -> list[str]:
        """What this asks less of than the other does, in words; empty where it asks as much of everything."""
        found = [f"{name} of {getattr(self, name):g}, not {getattr(other, name):g}"
                 for name in ("precision", "recall") if getattr(self, name) < getattr(other, name)]  # fmt: skip
        found += [
            f"{name.replace('_', ' ')} of {getattr(self, name):g}, not {getattr(other, name):g}"
            for name in ("false_rejects", "calibration_error", "slow_ms", "slow_share", "joint")
            if getattr(self, name) > getattr(other, name)
        ]
        if other.precision_at_site is not None and (self.precision_at_site or 0.0) < other.precision_at_site:
            found.append(f"precision at the site of {self.precision_at_site or 0:g}, not {other.precision_at_site:g}")
        found += [
            f"{name} recall of {self.recall_of(name):g}, not {value:g}"
            for name, value in other.class_recall.items()
            if self.recall_of(name) < value
        ]
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "class_recall": dict(self.class_recall)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Limits":
        """The reverse; what is not named is as usual.

        Raises:
            BadInput: a name that is no limit, or a value that is no number.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise BadInput(f"'{unknown[0]}' is no limit of a gate: there are {', '.join(f.name for f in fields(cls))}.")
        try:
            numbers: dict[str, Any] = {
                name: None if value is None and name == "precision_at_site" else float(value)
                for name, value in values.items()
                if name != "class_recall"
            }
            by_class = {str(name): float(value) for name, value in dict(values.get("class_recall", SAFETY)).items()}
        except (TypeError, ValueError) as error:
            raise BadInput(f"A limit is no number ({error}): write it as .95.") from error
        return cls(class_recall=by_class, **numbers)


_SHARES = ("precision", "recall", "false_rejects", "calibration_error", "slow_share", "joint")
