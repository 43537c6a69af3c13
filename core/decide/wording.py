"""Figures of a policy as people write them."""

from collections.abc import Mapping, Sequence

from core.decide.attendance import Shift, hours_in_words
from core.records import Severity


def amount(value: float) -> str:
    """A threshold: .30, with as many digits as it has, up to four."""
    text = f"{value:.4f}".rstrip("0")
    text += "0" * max(0, 2 - len(text.partition(".")[2]))
    return text.removeprefix("0") if text.startswith("0.") else text


def limits(value: float | None) -> str:
    """A limit that need not be there."""
    return "none" if value is None else amount(value)


def percent(value: float) -> str:
    """A share: 2%, 0.5%."""
    return f"{100 * value:.4g}%"


def hours(found: Sequence[Shift]) -> str:
    """Staffed hours."""
    return hours_in_words(found) or "always"


def money(found: Mapping[Severity, float]) -> str:
    """Amounts by severity: minor 5, major 40, critical 2,000."""
    return ", ".join(f"{severity} {found[severity]:,g}" for severity in Severity if severity in found) or "none"
