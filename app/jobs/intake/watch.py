"""Watch: the same as ingest, for ever, as files arrive in an inbox.

A file is opened once its size and time have stood still for a while, so that one still being written makes one image.
What was filed is remembered by the store, so a watcher may be killed and started at any time.

A decision is over all pictures of a part, and here they come one by one. So a part waits for the views that its part
type names or counts. Where nobody counted them and --part-from joins files into parts, it waits until no picture of it
has come for the time-out of its part type (30 s without one): a PASS on the first view must not ship what the second
one shows. A view that comes even later adds a decision that is never looser.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.ingest import count_outcomes
from app.jobs.intake.line import Line, Origin, Progress, Wanted, quiet
from app.jobs.intake.sources import below, naming, part_pattern, stamp
from app.settings import Settings
from core.errors import NotFound

if TYPE_CHECKING:
    from data.store import Store

TICK_S = 0.5
Stamp = tuple[int, int]


@dataclass
class Inbox:
    """Which files of a folder lie still; knows no clock but the one it is given.

    Attributes:
        settle_seconds: a file counts once it has not changed for so long.
        taken: files handed out, as they were then; a file that changes later is handed out again.
    """

    settle_seconds: float
    taken: dict[str, Stamp] = field(default_factory=dict)
    _since: dict[str, tuple[Stamp, float]] = field(default_factory=dict)

    def ready(self, seen: Mapping[str, Stamp], now: float) -> list[str]:
        """Names of the files that may be opened, in order.

        Args:
            seen: every file with its size and time of change.
            now: seconds, from a clock that never goes back.
        """
        for gone in self._since.keys() - seen.keys():
            del self._since[gone]
        for gone in self.taken.keys() - seen.keys():
            del self.taken[gone]
        still = []
        for name, mark in sorted(seen.items()):
            if self.taken.get(name) == mark:
                continue
            known = self._since.get(name)
            if known is None or known[0] != mark:
                self._since[name] = known = (mark, now)
            if now - known[1] >= self.settle_seconds:
                still.append(name)
        return still

    def take(self, name: str, mark: Stamp) -> None:
        """Remember that a file was handed out."""
        self.taken[name] = mark
        self._since.pop(name, None)

    @property
    def waiting(self) -> int:
        """Files that are there but have not lain still long enough."""
        return len(self._since)


def watch(
    store: "Store",
    settings: Settings,
    inbox: Path,
    site: str,
    camera: str | None = None,
    part_from: str | None = None,
    model: str | None = None,
    *,
    part_type: str | None = None,
    once: bool = False,
    stop: Callable[[], bool] = lambda: False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """File what arrives until interrupted or told to stop.

    Args:
        store: bound to whoever files.
        settings: of the plant.
        inbox: a folder; folders in it are watched too.
        site: has to exist.
        camera: that took them, where the file's name does not say.
        part_from: a regular expression that reads the part from a file's name.
        model: another than the one in use at the site.
        part_type: how the net looks at the pictures, and which views make a part.
        once: stop when the inbox holds nothing new and none of its parts waits.
        stop: asked on every tick.
        now: the clock; tests give another.
        sleep: between ticks.
        progress: called after every transaction.

    Returns:
        Counts: {images, known, quarantined: {reason: n}, decisions: {outcome: n}}.
    """
    pattern = part_pattern(part_from)
    if not inbox.is_dir():
        raise NotFound(f"There is no folder {inbox} to watch: make it, or name another.")
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    touched: set[int] = set()
    still = Inbox(settings.settle_seconds)
    with Line(store, settings, site, model, now) as line:
        origin = Origin(camera=camera, part_type=part_type)
        while not stop():
            seen = {source.name: source for source in below(inbox)}
            marks = {name: mark for name, source in seen.items() if (mark := stamp(source.path)) is not None}
            names = still.ready(marks, time.monotonic())[: settings.batch_images * 4]
            if names:
                wanted = [
                    Wanted(seen[name], naming(pattern, Path(name).name), origin, pattern is not None) for name in names
                ]
                filed = line.take(wanted, more_to_come=True)
                for name, one in zip(names, filed, strict=True):
                    still.take(name, marks[name])
                    counts[one.outcome] += 1
                    if one.outcome == "quarantined":
                        refused[one.reason.partition(":")[0]] += 1
                touched |= {one.part_id for one in filed if one.outcome != "known" and one.part_id is not None}
            touched |= {decision.part_id for decision in store.parts.close_due(now())}
            progress(
                counts["image"], 0, f"pictures filed, {counts['known']} known, {sum(refused.values())} quarantined"
            )
            if once and not names and not still.waiting and touched <= store.parts.decisions(touched).keys():
                break
            if not names:
                sleep(TICK_S)
    return {
        "images": counts["image"],
        "known": counts["known"],
        "quarantined": dict(refused),
        "decisions": count_outcomes(one.outcome.value for one in store.parts.decisions(touched).values()),
    }
