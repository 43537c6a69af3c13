"""How a dataset is asked for: everything that its bytes depend on beside the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.jobs.science.datasets.pseudo import Pseudo, pseudo_from
from core.errors import BadInput
from core.learn import splits
from core.learn.datasets.agreement import Limits
from core.learn.datasets.balance import Balance, balance_from, numbers_from

TIES = ("part", "order", "near")
SIDES = ("train", "val", "test")
FLAGS = ("no variance", "blurry", "dark", "over-exposed", "partial")  # as core.pictures.quality raises them


@dataclass(frozen=True)
class Plan:
    """What to build.

    Attributes:
        shares: of train, val and test; None keeps the sides that an import listed and divides the rest 70 : 15 : 15.
        by: "groups" mixes the sides in time; "time" learns from the past and measures on what came after.
        keep: what stays on one side together, of TIES; the same bytes and a source's groups always do. None keeps all
            of it, orders and look-alikes only where none of them holds more than half of the pictures.
        quotas: highest share of pictures with a quality flag.
        least: groups demanded on each side; None demands none.
    """

    filters: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, float] | None = None
    by: Literal["groups", "time"] = "groups"
    keep: tuple[str, ...] | None = None
    seed: int = 0
    balance: Balance = field(default_factory=Balance)
    quotas: Mapping[str, float] = field(default_factory=dict)
    pseudo: Pseudo | None = None
    least: Mapping[str, int] | None = None
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> dict[str, Any]:
        """As the manifest keeps it; what is off is left out."""
        document: dict[str, Any] = {"by": self.by}
        if self.balance != Balance():
            document["balance"] = {"good": self.balance.good, "rare": self.balance.rare}
        if self.quotas:
            document["quotas"] = dict(sorted(self.quotas.items()))
        if self.least is not None:
            document["least"] = dict(sorted(self.least.items()))
        if self.pseudo is not None:
            document["pseudo"] = {
                "model": self.pseudo.model, "weight": self.pseudo.weight, "sure": self.pseudo.sure,
                "audit": self.pseudo.audit,
            }  # fmt: skip
        return document


def plan_of(
    filters: Mapping[str, str] | None = None,
    split: Mapping[str, float] | str | None = None,
    seed: int = 0,
    by: str = "groups",
    keep: str | Sequence[str] | None = None,
    balance: str | None = None,
    quota: str | None = None,
    pseudo: str | None = None,
    pseudo_rule: str | None = None,
    least: str | None = None,
    agreement: str | None = None,
) -> Plan:
    """Read what a page, a job or a command line gives.

    Raises:
        BadInput: naming what is not understood.
    """
    shares = splits.parse(split) if isinstance(split, str) else None if split is None else splits.checked(split)
    if by not in ("groups", "time"):
        raise BadInput(f"No split by {by!r}: choose groups or time. Rows are never divided by themselves.")
    if by == "time" and shares is None:
        shares = dict(splits.DEFAULT)
    quotas = numbers_from(quota, "Quota", "write blurry=.1,partial=.05") if quota else {}
    strange = sorted(quotas.keys() - set(FLAGS))
    if strange:
        raise BadInput(f"No picture is ever {strange[0]!r}: quotas are for {', '.join(FLAGS)}.")
    demanded = numbers_from(least, "Least", "write train=100,test=50") if least else None
    if demanded is not None and (demanded.keys() - set(SIDES) or any(n < 1 or n != int(n) for n in demanded.values())):
        raise BadInput(f"Least {least!r}: give whole numbers of groups for train, val and test.")
    return Plan(
        filters=dict(filters or {}),
        shares=shares,
        by="time" if by == "time" else "groups",
        keep=_ties(keep),
        seed=seed,
        balance=balance_from(balance) if balance else Balance(),
        quotas=quotas,
        pseudo=pseudo_from(pseudo, pseudo_rule) if pseudo else None,
        least=None if demanded is None else {side: int(number) for side, number in demanded.items()},
        limits=_limits(agreement),
    )


def _ties(keep: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if keep is None:
        return None
    words = [word.strip() for word in (keep.split(",") if isinstance(keep, str) else keep)]
    strange = [word for word in words if word not in TIES]
    if strange:
        raise BadInput(f"Nothing is kept together by {strange[0]!r}: choose of {', '.join(TIES)}.")
    return tuple(tie for tie in TIES if tie in {*words, "part"})


def _limits(text: str | None) -> Limits:
    """Read "all=.9,CRACK=.95,SURFACE_SCRATCH+SURFACE_PIT=.8"; what is named replaces all the usual ones."""
    if not text:
        return Limits()
    found = numbers_from(text, "Agreement", "write all=.9,CRACK=.95,BURR+CHIP=.8")
    if any(not 0 < value <= 1 for value in found.values()):
        raise BadInput(f"Agreement {text!r}: limits lie above 0 and at 1 at most.")
    overall = found.pop("all", Limits().overall)
    pairs: dict[tuple[str, str], float] = {}
    for name, value in found.items():
        if "+" in name:
            one, other = sorted(part.strip() for part in name.split("+", 1))
            pairs[one, other] = value
    return Limits(overall, {name: value for name, value in found.items() if "+" not in name}, pairs)
