"""Who is at the desk when, how fast parts come and go, and where the figures given for it contradict each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import BadInput

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHIFT_H = 8.0
ENOUGH = 20  # answers from which a measured pace counts for more than a typed one
APART = 1.25  # two figures for one thing that differ by more contradict each other
IDLE = 0.8  # a shift that is filled to less than this does not take the parts or the seconds that were typed
_SPELL = re.compile(
    r"^(?P<first>[a-z]{3})[a-z]*(?:\s*[-–]\s*(?P<last>[a-z]{3})[a-z]*)?\s+(?P<hours>.+)$", re.IGNORECASE
)
_HOURS = re.compile(r"^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Shift:
    """Hours in which somebody is at the desk, on some days of the week.

    Attributes:
        days: in a row; 0 is Monday; the day on which the hours begin.
        start: minutes after midnight by the site's clock.
        end: likewise; at or before the start it is on the next day.
    """

    days: tuple[int, ...]
    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what no week has."""
        if not self.days or not all(0 <= day <= 6 for day in self.days):
            raise BadInput("Staffed hours need days of the week, such as Mon-Fri 06:00-22:00.")
        if not (0 <= self.start < _DAY_MINUTES and 0 < self.end <= _DAY_MINUTES):
            raise BadInput("Staffed hours lie between 00:00 and 24:00, such as Mon-Fri 06:00-22:00.")

    def covers(self, moment: datetime) -> bool:
        """Whether a moment by the site's clock lies in it; its end does not."""
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)

    @property
    def minutes(self) -> int:
        """In a week."""
        length = self.end - self.start if self.start < self.end else _DAY_MINUTES - self.start + self.end
        return length * len(self.days)


@dataclass(frozen=True)
class Attendance:
    """Who clears the queue of a site, as somebody typed it: assumptions until the store has measured them.

    Attributes:
        hours: when somebody is at the desk; none given means always.
        inspectors: how many there are at a time.
        seconds_per_part: that one of them takes; None leaves it to what is measured.
        parts_per_shift: that come to one of them in a shift; None leaves it to what is measured.
        shift_h: length of a shift in hours.
    """

    hours: tuple[Shift, ...] = ()
    inspectors: float = 1.0
    seconds_per_part: float | None = None
    parts_per_shift: float | None = None
    shift_h: float = SHIFT_H

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value, most in (
            ("inspectors", self.inspectors, 1000),
            ("seconds a part", self.seconds_per_part, 86_400),
            ("parts a shift", self.parts_per_shift, 1_000_000),
            ("hours of a shift", self.shift_h, 24),
        ):
            if value is not None and not 0 < value <= most:
                raise BadInput(f"{value} {name} cannot be meant: give a number above 0 and up to {most:,}.")

    def at_desk(self, moment: datetime) -> bool:
        """Whether somebody is there at a moment by the site's clock."""
        return not self.hours or any(shift.covers(moment) for shift in self.hours)

    @property
    def hours_per_week(self) -> float:
        """In which somebody is there; hours that overlap count twice."""
        return sum(shift.minutes for shift in self.hours) / 60 if self.hours else 7 * 24.0


@dataclass(frozen=True)
class Rates:
    """What the store has measured of a site.

    Attributes:
        days: that were looked at.
        parts: that came.
        hours: in which at least one did: the line ran.
        held: parts that went to the queue because they were held.
        answers: of inspectors whose time was taken; at most the latest few thousand.
        seconds_per_part: mean time of these answers; None without any.
    """

    days: float
    parts: int
    hours: int
    held: int
    answers: int
    seconds_per_part: float | None

    @property
    def parts_per_hour(self) -> float | None:
        """In the hours in which the line ran; None where it did not."""
        return self.parts / self.hours if self.hours else None

    @property
    def held_per_hour(self) -> float | None:
        """In the same hours."""
        return self.held / self.hours if self.hours else None


def pace(typed: Attendance | None, measured: Rates) -> tuple[float | None, bool]:
    """Seconds that an inspector takes for a part, and whether that is only an assumption.

    Measured counts from ENOUGH answers on; before, what was typed does, and then the few that were measured.
    """
    if measured.seconds_per_part is not None and measured.answers >= ENOUGH:
        return measured.seconds_per_part, False
    if typed is not None and typed.seconds_per_part is not None:
        return typed.seconds_per_part, True
    return measured.seconds_per_part, True


def contradictions(typed: Attendance | None, measured: Rates) -> list[str]:
    """Where typed figures contradict each other or what was measured: one plain sentence each, empty where none do."""
    if typed is None:
        return []
    return [say for say in (_a_shift(typed), _a_part(typed, measured), _what_comes(typed, measured),
                            _too_few(typed, measured)) if say]  # fmt: skip


def _a_shift(typed: Attendance) -> str:
    if typed.seconds_per_part is None or typed.parts_per_shift is None:
        return ""
    busy = typed.parts_per_shift * typed.seconds_per_part / 3600
    if IDLE * typed.shift_h <= busy <= typed.shift_h:
        return ""
    return (
        f"{typed.parts_per_shift:,.0f} parts × {typed.seconds_per_part:g} s is {busy:.1f} h of a shift of "
        f"{typed.shift_h:g} h: one of the figures is not what a shift really does."
    )


def _a_part(typed: Attendance, measured: Rates) -> str:
    if typed.seconds_per_part is None or measured.seconds_per_part is None or measured.answers < ENOUGH:
        return ""
    if not _apart(typed.seconds_per_part, measured.seconds_per_part):
        return ""
    return (
        f"{typed.seconds_per_part:g} s a part were typed, but {measured.answers:,} answers took "
        f"{measured.seconds_per_part:.0f} s on average: the measured figure is used."
    )


def _what_comes(typed: Attendance, measured: Rates) -> str:
    if typed.parts_per_shift is None or not measured.held_per_hour:
        return ""
    came = measured.held_per_hour * typed.shift_h / typed.inspectors
    if not _apart(typed.parts_per_shift, came):
        return ""
    return (
        f"{typed.parts_per_shift:,.0f} parts a shift were typed, but {came:,.0f} come to each inspector in "
        f"{typed.shift_h:g} h, measured over {measured.days:.0f} days."
    )


def _too_few(typed: Attendance, measured: Rates) -> str:
    seconds, assumed = pace(typed, measured)
    if seconds is None or not measured.held_per_hour:
        return ""
    needed = measured.held_per_hour * seconds / 3600
    if needed <= typed.inspectors:
        return ""
    return (
        f"{measured.held_per_hour:.1f} held parts an hour × {seconds:.0f} s{' (assumed)' if assumed else ''} keep "
        f"{needed:.1f} inspectors busy, and {typed.inspectors:g} are there: the queue grows."
    )


def parse_hours(text: str) -> tuple[Shift, ...]:
    """Staffed hours from text such as "Mon-Fri 06:00-22:00, Sat 08:00-12:00"; empty text means always.

    Raises:
        BadInput: naming the part that is not understood.
    """
    return tuple(_spell(part.strip()) for part in re.split(r"[,;\n]", text) if part.strip())


def hours_in_words(hours: Sequence[Shift]) -> str:
    """As `parse_hours` reads it; "" for always."""
    return ", ".join(f"{_days(shift.days)} {_clock(shift.start)}-{_clock(shift.end)}" for shift in hours)


def _spell(part: str) -> Shift:
    found = _SPELL.match(part)
    hours = _HOURS.match(found["hours"].strip()) if found else None
    names = [] if found is None else [name for name in (found["first"], found["last"]) if name]
    known = {name.lower(): number for number, name in enumerate(DAYS)}
    if hours is None or any(name.lower() not in known for name in names):
        raise BadInput(f"'{part}' is not understood as staffed hours: write such as Mon-Fri 06:00-22:00.")
    first, last = known[names[0].lower()], known[names[-1].lower()]
    days = tuple((first + step) % 7 for step in range((last - first) % 7 + 1))
    start_h, start_m, end_h, end_m = (int(value) for value in hours.groups())
    if start_m > 59 or end_m > 59:
        raise BadInput(f"'{part}' has minutes above 59: write such as Mon-Fri 06:00-22:00.")
    return Shift(days, start_h * 60 + start_m, end_h * 60 + end_m or _DAY_MINUTES)


def _days(days: Sequence[int]) -> str:
    return DAYS[days[0]] if len(days) == 1 else f"{DAYS[days[0]]}-{DAYS[days[-1]]}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _apart(one: float, other: float) -> bool:
    low, high = sorted((one, other))
    return high > APART * low
