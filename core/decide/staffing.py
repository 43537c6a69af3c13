"""Whether the inspectors can keep up: what a band sends them, and how the queue would grow or not."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import BadInput

Array = npt.NDArray[np.float64]  # not from the metrics: those rest on decisions, which rest on policies


@dataclass(frozen=True)
class Staffing:
    """Who looks, and how fast.

    Attributes:
        parts_per_hour: that the site makes.
        seconds_per_look: of one inspector for one part.
        inspectors: at work at the same time; half a one works at half the speed.
        hours: staffed hours of a day, over which the parts of the day have to be seen.
        running_hours: hours of a day in which parts are made.
    """

    parts_per_hour: float
    seconds_per_look: float
    inspectors: float = 1.0
    hours: float = 8.0
    running_hours: float = 8.0

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, value, most in (
            ("parts per hour", self.parts_per_hour, np.inf),
            ("seconds per look", self.seconds_per_look, np.inf),
            ("inspectors", self.inspectors, np.inf),
            ("staffed hours", self.hours, 24.0),
            ("running hours", self.running_hours, 24.0),
        ):
            if not (np.isfinite(value) and 0 <= value <= most):
                raise BadInput(f"{value} {name} cannot be: give a number from 0{f' to {most:g}' if most < 99 else ''}.")
        if self.seconds_per_look == 0:
            raise BadInput("A look takes some time: give its seconds.")

    @property
    def parts_per_day(self) -> float:
        return self.parts_per_hour * self.running_hours

    @property
    def looks_per_day(self) -> float:
        """As many as can be made at most."""
        return self.inspectors * self.hours * 3600 / self.seconds_per_look

    @property
    def capacity(self) -> float:
        """Share of the parts that can be looked at, in [0, 1]; 1 where no parts are made."""
        if self.parts_per_day <= 0:
            return 1.0
        return min(1.0, self.looks_per_day / self.parts_per_day)

    def hours_needed(self, held: float) -> float:
        """Inspector-hours of a day that a held share asks for."""
        return held * self.parts_per_day * self.seconds_per_look / 3600

    @property
    def said(self) -> str:
        """The arithmetic in one sentence, so that a contradiction shows."""
        full = self.hours_needed(1.0)
        return (
            f"{self.parts_per_day:,.0f} parts a day at {self.seconds_per_look:.0f} s are {full:.1f} hours of looking; "
            f"{self.inspectors:g} × {self.hours:.3g} h are staffed."
        )


@dataclass(frozen=True)
class Backlog:
    """A simulated queue.

    Attributes:
        waiting: (days,) parts that wait at the end of each day.
        longest_h: the longest anybody's part waited, in hours of the clock.
        busy: share of the staffed time spent looking.
        grows: the queue is not empty once a day and gets longer from week to week.
    """

    waiting: Array
    longest_h: float
    busy: float
    grows: bool


def simulate_queue(staffing: Staffing, held: float, days: int, rng: np.random.Generator) -> Backlog:
    """Held parts arrive by chance while the line runs, and are looked at one after the other in staffed hours.

    Arrivals are a Poisson process thinned to the held share; looks take gamma times of the given mean, half of it as
    their spread; one queue, first come, first served, as many servers as inspectors (Kendall's M/G/c with shifts).

    Args:
        staffing: of the site; line and inspectors start their day together.
        held: share of the parts that is held.
        days: to simulate.
        rng: chance.

    Raises:
        BadInput: a share outside 0 to 1, or no day.
    """
    if not 0 <= held <= 1:
        raise BadInput(f"A held share of {held} cannot be: give one from 0 to 1.")
    if days < 1:
        raise BadInput("A queue is simulated over a day or more.")
    day_s, shift_s = 86_400.0, staffing.hours * 3600
    arrived: list[Array] = []
    for day in range(days):
        count = rng.poisson(held * staffing.parts_per_day)
        arrived.append(np.sort(rng.uniform(0, staffing.running_hours * 3600, count)) + day * day_s)
    times = np.concatenate(arrived) if arrived else np.zeros(0)
    works = rng.gamma(4.0, staffing.seconds_per_look / 4.0, len(times))
    servers = math.ceil(staffing.inspectors)
    if servers:
        works *= servers / staffing.inspectors
    ends = np.full(len(times), np.inf)
    if servers and shift_s:
        ends = _served(times, works, servers, shift_s, day_s)
    days_end = (np.arange(days) + 1) * day_s
    waiting = np.searchsorted(times, days_end) - np.searchsorted(np.sort(ends), days_end)
    done = np.isfinite(ends) & (ends <= days * day_s)
    longest = float((np.minimum(ends, days * day_s) - times).max(initial=0.0)) / 3600
    capacity_s = servers * shift_s * days
    busy = float(works[done].sum()) / capacity_s if capacity_s else (1.0 if len(times) else 0.0)
    half = days // 2
    grows = days > 1 and float(waiting[half:].min()) > 0 and waiting[-1] > 1.2 * waiting[:half].mean() + 1
    return Backlog(waiting.astype(np.float64), longest, min(1.0, busy), bool(grows))


def _served(times: Array, works: Array, servers: int, shift_s: float, day_s: float) -> Array:
    """When each look ends, on the clock; work is laid end to end over staffed time and never runs past a shift's end.

    Time is folded: only staffed seconds count, so that a shift's end is the next one's start.
    """
    folded = np.floor(times / day_s) * shift_s + np.minimum(times % day_s, shift_s)
    free = np.zeros(servers)
    ends = np.empty(len(times))
    for number, (at, work) in enumerate(zip(folded, works, strict=True)):
        who = int(free.argmin())
        free[who] = max(free[who], at) + work
        ends[number] = free[who]
    return np.asarray(np.floor(ends / shift_s) * day_s + ends % shift_s, np.float64)
