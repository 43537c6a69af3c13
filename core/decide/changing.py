"""A policy with single rules set anew, by name: what the command line's --set does."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from core.decide.attendance import Attendance, parse_hours
from core.decide.audit_steps import parse_steps
from core.decide.policy import ClassRule, Costs, Nobody, Policy
from core.errors import BadInput
from core.pictures.quality import QualityLimits
from core.records import Route, Severity

Choice = TypeVar("Choice", bound=StrEnum)
_NONE = ("", "none")
_NUMBERS = ("pass_below", "fail_above", "audit_pass", "audit_fail")
_MAYBE = ("minimum_confidence", "novelty_limit")
_LIMITS = ("pass_below", "fail_above", "report_above")
_DESK = ("inspectors", "seconds_per_part", "parts_per_shift", "shift_h")
KEYS = (
    *_NUMBERS,
    *_MAYBE,
    "audit_steps",
    "fail_route",
    "when_nobody",
    "quality.contrast|sharpness|dark|bright|partial",
    "class.NAME.pass_below|fail_above|report_above",
    "cost.miss.minor|major|critical",
    "cost.false_reject.minor|major|critical",
    "cost.inspector_hour",
    "hours",
    *_DESK,
)


def changed(policy: Policy, values: Mapping[str, str]) -> Policy:
    """The same policy with other rules.

    Args:
        policy: to start from.
        values: text by name, as in KEYS; "none" takes a rule away.

    Raises:
        BadInput: for a name that is none, or a value that does not fit it.
    """
    for key, text in values.items():
        policy = _set(policy, key.strip(), text.strip())
    return policy


def _set(policy: Policy, key: str, text: str) -> Policy:
    first, *rest = key.split(".")
    if key in _NUMBERS:
        return replace(policy, **{key: _number(key, text)})  # type: ignore[arg-type]
    if key in _MAYBE:
        return replace(policy, **{key: _maybe(key, text)})  # type: ignore[arg-type]
    if key == "audit_steps":
        return replace(policy, audit_steps=parse_steps("" if text.lower() in _NONE else text))
    if key == "fail_route":
        return replace(policy, fail_route=_one_of(key, text, Route))
    if key == "when_nobody":
        return replace(policy, when_nobody=_one_of(key, text.replace("_", " "), Nobody))
    if key in _DESK or key == "hours":
        desk = policy.attendance or Attendance()
        value = parse_hours("" if text.lower() in _NONE else text) if key == "hours" else _maybe(key, text)
        if value is None and key in ("inspectors", "shift_h"):
            raise BadInput(f"{key} cannot be none: give a number.")
        return replace(policy, attendance=replace(desk, **{key: value}))  # type: ignore[arg-type]
    if first == "quality":
        return replace(policy, quality_limits=_quality(policy.quality_limits, key, rest, text))
    if first == "class" and len(rest) >= 2 and rest[-1] in _LIMITS:
        return _of_class(policy, ".".join(rest[:-1]), rest[-1], _maybe(key, text))
    if first == "cost" and rest:
        return replace(policy, costs=_costs(policy.costs or Costs(), key, rest, text))
    raise BadInput(f"'{key}' is no rule of a policy: there are {', '.join(KEYS)}.")


def _of_class(policy: Policy, name: str, limit: str, value: float | None) -> Policy:
    rule = replace(policy.classes.get(name, ClassRule()), **{limit: value})
    rules = {**policy.classes, name: rule}
    if rule == ClassRule():
        del rules[name]
    return replace(policy, classes=rules)


def _costs(costs: Costs, key: str, rest: list[str], text: str) -> Costs:
    if rest == ["inspector_hour"]:
        return replace(costs, inspector_hour=_maybe(key, text))
    if len(rest) != 2 or rest[0] not in ("miss", "false_reject"):
        raise BadInput(f"'{key}' is no cost: write such as cost.miss.critical=2000.")
    amounts = dict(costs.miss if rest[0] == "miss" else costs.false_reject)
    severity, value = _one_of(key, rest[1], Severity), _maybe(key, text)
    amounts.pop(severity, None)
    if value is not None:
        amounts[severity] = value
    return replace(costs, miss=amounts) if rest[0] == "miss" else replace(costs, false_reject=amounts)


def _quality(limits: QualityLimits | None, key: str, rest: list[str], text: str) -> QualityLimits | None:
    if not rest and text.lower() in _NONE:
        return None
    fields = ("contrast", "sharpness", "dark", "bright", "partial")
    if len(rest) != 1 or rest[0] not in fields:
        raise BadInput(f"'{key}' is no quality limit: there are {', '.join(fields)}.")
    value: Any = text.lower() in ("yes", "true", "1") if rest[0] == "partial" else _number(key, text)
    return replace(limits or QualityLimits(), **{rest[0]: value})


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{key}={text} is no number.") from error


def _maybe(key: str, text: str) -> float | None:
    return None if text.lower() in _NONE else _number(key, text)


def _one_of(key: str, text: str, kind: type[Choice]) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise BadInput(f"{key}={text} is not one of {', '.join(map(str, kind))}.") from error
