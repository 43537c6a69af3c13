"""What a site would make of one picture that is not filed there: for trying, on the Inspect page and by `score`."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.jobs.words.prints import NOT_READ
from core.decide.decision import NOT_COMPARED, Decided, PartEvidence, PartPicture, SiteRules, decide
from core.decide.policy import Policy
from core.decide.score_map import ScoreMap
from core.learn.novelty.records import scope_of
from core.records import Reason
from core.words.print_check import UNREAD

if TYPE_CHECKING:
    from data.store import Store


@dataclass(frozen=True)
class AtSite:
    """What is in force at a site for parts of a line and part type, as far as these are known.

    Attributes:
        model: in use there; what another one says is not calibrated.
        reading: how its scores are read there; None takes them as they are.
        reads: labels are checked there, and nobody has read this one.
        compares: a memory of good parts judges there, which a picture that is not filed never meets.
    """

    policy: Policy | None
    calibrated: bool
    stopped: str | None
    model: str | None
    reading: ScoreMap | None
    compares: bool = False
    reads: bool = False

    def decide(self, picture: PartPicture) -> Decided:
        """What the site would make of a part of this picture alone."""
        said = picture.prediction
        if said is not None and self.reading is not None:
            picture = replace(picture, prediction=self.reading.applied(said))
        if said is not None and said.novelty is None and self.compares and picture.error is None:
            picture = replace(picture, error=NOT_COMPARED)
        own = said is None or self.model is None or said.model == self.model
        faults = (Reason(UNREAD, NOT_READ),) if self.reads else ()
        return decide(
            PartEvidence([picture], print_faults=faults), SiteRules(self.policy, self.calibrated and own, self.stopped)
        )


NOWHERE = AtSite(None, False, None, None, None)


def at_site(store: "Store", site: str, line: str | None, part_type: str | None, now: datetime) -> AtSite:
    """Ask the store what is in force, as its own decisions do."""
    from data.store.line.deciding import reading_of

    here = store.sites.get(site)
    reading, sound = reading_of(here)
    policy = store.policies.in_force(site, line, part_type)
    compares = scope_of(store.memories.in_force(site), part_type) is not None
    reads = any(one.part_type == part_type and one.rules is not None for one in store.prints.rules(site))
    return AtSite(policy, here.calibrated and sound, here.stopped(now), here.model, reading, compares, reads)
