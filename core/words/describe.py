"""The paragraph on what happened to a part, from the record alone: figures, who says so, and what is not known.

It names no cause that the record does not show. Where parts of one machine, order or camera have the same damage more
often than the others by more than chance, it says so and calls it a hint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from core.records import Decision, Region
from core.words.claims.records import Evidence, Seen

HINT = 0.05  # chance of so strong a difference where there is none, over all that were compared
MOST_REASONS = 3


@dataclass(frozen=True)
class Kin:
    """Parts that share something with this one, and those that do not.

    Attributes:
        what: what they share, such as "machine mill 4".
        with_it, of_them: those of them with the same damage, and all of them that somebody labelled.
        others_with_it, others: likewise for the rest.
    """

    what: str
    with_it: int
    of_them: int
    others_with_it: int
    others: int

    @property
    def chance(self) -> float:
        """How often so large an excess comes by chance: Fisher's exact test, one-sided."""
        if not self.of_them or not self.others:
            return 1.0
        rows = [[self.with_it, self.of_them - self.with_it], [self.others_with_it, self.others - self.others_with_it]]
        return float(stats.fisher_exact(rows, alternative="greater").pvalue)


@dataclass(frozen=True)
class Facts:
    """All that a description is made of.

    Attributes:
        when: of the first picture, as the site's clock has it; empty where nobody knows.
        where: line, machine, camera and stage, as they are called.
        damage: name of the damage that `kin` are about; empty where none is known.
    """

    evidence: Evidence
    decision: Decision | None = None
    order: str = ""
    when: str = ""
    where: Sequence[str] = ()
    damage: str = ""
    kin: Sequence[Kin] = ()


def describe(facts: Facts) -> tuple[str, ...]:
    """Sentences, in order; each rests on the record."""
    found = [_pictured(facts), *_seen(facts.evidence), *_label(facts.evidence), *_decided(facts.decision)]
    return tuple(one for one in (*found, *_hints(facts)) if one)


def _pictured(facts: Facts) -> str:
    order = f" of order {facts.order}" if facts.order else ""
    if not facts.evidence.seen:
        return f"There is no picture of part {facts.evidence.part}{order}."
    count = len(facts.evidence.seen)
    times = "once" if count == 1 else f"{count} times"
    when = f", first at {facts.when}" if facts.when else ""
    where = f" ({', '.join(facts.where)})" if facts.where else ""
    return f"Part {facts.evidence.part}{order} was pictured {times}{when}{where}."


def _seen(evidence: Evidence) -> list[str]:
    if evidence.problem:
        return [f"The evidence is not complete: {evidence.problem}."]
    labelled = [one for one in evidence.seen if one.label is not None]
    if labelled:
        return [_labelled(one, evidence) for one in labelled]
    scored = [one for one in evidence.seen if one.prediction is not None]
    if not scored:
        return ["Nobody has labelled it, and no model has scored it."] if evidence.seen else []
    return ["Nobody has labelled it.", *[_scored(one, evidence) for one in scored]]


def _labelled(seen: Seen, evidence: Evidence) -> str:
    label = seen.label
    if label is None:
        return ""
    view = f" on view {seen.view}" if seen.view else ""
    if not label.defective:
        return f"{label.by} found no defect{view}."
    drawn = [_drawn(region, seen, evidence) for region in label.regions]
    classes = [_named(one, evidence) for one in label.classes] or ["a defect without a class"]
    what = "; ".join(drawn) or ", ".join(classes)
    return f"{label.by} found{view}: {what}."


def _scored(seen: Seen, evidence: Evidence) -> str:
    prediction = seen.prediction
    if prediction is None:
        return ""
    view = f" of view {seen.view}" if seen.view else ""
    said = f"Model {prediction.model} scored the picture{view} {prediction.score:.2f}"
    if prediction.class_scores:
        best = max(sorted(prediction.class_scores), key=lambda one: prediction.class_scores[one])
        said += f", likeliest {_named(best, evidence)} ({prediction.class_scores[best]:.2f} if defective)"
    if seen.regions:
        first = max(seen.regions, key=lambda one: one.score or 0.0)
        said += f"; it points to the {place_name(first, seen.size_wh)}"
    bad = f" The picture proves little: {seen.unusable}." if seen.unusable else ""
    return f"{said}.{bad}"


def _drawn(region: Region, seen: Seen, evidence: Evidence) -> str:
    scale = evidence.mm_per_px
    size = (f"{region.width * scale:.1f} by {region.height * scale:.1f} mm" if scale
            else f"{region.width:.0f} by {region.height:.0f} px")  # fmt: skip
    name = _named(region.class_id, evidence) if region.class_id else region.name
    return f"{name} at the {place_name(region, seen.size_wh)}, {size}"


def place_name(region: Region, size_wh: tuple[int, int]) -> str:
    """Where a region lies in its picture, by thirds."""
    x = (region.x + region.width / 2) / max(size_wh[0], 1)
    y = (region.y + region.height / 2) / max(size_wh[1], 1)
    up = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    return " ".join(one for one in (up, across) if one) or "centre"


def _named(class_id: str, evidence: Evidence) -> str:
    known = class_id in evidence.taxonomy.ids
    return evidence.taxonomy.get(class_id).label.lower() if known else class_id


def _label(evidence: Evidence) -> list[str]:
    printed = evidence.printed
    if printed is None:
        return []
    if not printed.reasons:
        return ["Its printed label is in order."]
    return ["Its printed label: " + " ".join(one.text for one in printed.reasons[:MOST_REASONS])]


def _decided(decision: Decision | None) -> list[str]:
    if decision is None:
        return ["Nothing has been decided about it."]
    rule = f" under policy {decision.policy}" if decision.policy else " without a policy"
    score = f", score {decision.score:.2f}" if decision.score is not None else ""
    why = " ".join(one.text for one in decision.reasons[:MOST_REASONS])
    return [f"The decision in force is {decision.outcome}{rule}{score}." + (f" {why}" if why else "")]


def _hints(facts: Facts) -> list[str]:
    if not facts.damage:
        return ["The record names no damage, so it shows no cause."]
    found = [one for one in facts.kin if one.chance * len(facts.kin) <= HINT]
    said = [
        f"Of {one.of_them} labelled parts with {one.what}, {one.with_it} are labelled {facts.damage} "
        f"({one.with_it / one.of_them:.0%}); of {one.others} others {one.others_with_it} "
        f"({one.others_with_it / one.others:.0%}): more than chance explains, which is a hint and no proof."
        for one in found
    ]
    compared = ", ".join(one.what for one in facts.kin)
    if said:
        return said
    if not facts.kin:
        return [f"Too little is labelled to compare {facts.damage} between machines, orders or cameras."]
    return [f"Compared with other labelled parts, {facts.damage} is no more frequent with {compared} than chance "
            "explains. The record does not show a cause."]  # fmt: skip
