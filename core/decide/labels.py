"""The present truth of one image, from everything that people and imports have said of it.

A person outranks an import. Of one person only the last word counts, and "unsure" takes back what they said before.
A second look settles a question (adjudicated); two or more people who say the same outweigh one (agreed); otherwise the
last word stands (single).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.records import (
    NO_DEFECT,
    Label,
    LabelStatus,
    Outcome,
    Prediction,
    Region,
    Review,
    TaskKind,
    Verdict,
)
from core.taxonomy import Taxonomy, says_only_defective

IMPORT = "import:"
SAME_PX = 0.5  # a corner that moved by no more has not moved


@dataclass(frozen=True)
class Answer:
    """A review that has not been undone, with what its author had before them.

    Attributes:
        kind: of the task that was answered; None for an import.
        image_id: the one image it is about; None when it is about the whole part.
        outcome: of the decision that was reviewed.
        predictions: what the model had said, by image id.
    """

    review: Review
    kind: TaskKind | None = None
    image_id: int | None = None
    outcome: Outcome | None = None
    model: str | None = None
    policy: int | None = None
    predictions: Mapping[int, Prediction] = field(default_factory=dict)

    @property
    def imported(self) -> bool:
        """Whether a file said so and not a person."""
        return self.review.by.startswith(IMPORT)

    def speaks_of(self, image_id: int) -> bool:
        """Whether it says anything about this image.

        When boxes were drawn on some pictures of a defective part, nothing is said about its other pictures: the
        defect need not show there.
        """
        if self.image_id is not None:
            return self.image_id == image_id
        drawn = {image for image, regions in self.review.regions.items() if regions}
        return not self.review.verdict.defective or not drawn or image_id in drawn


def class_of(taxonomy: Taxonomy, name: str) -> str | None:
    """The class a name means now; None while it is unmapped, or when it names no class at all."""
    found = taxonomy.match(name)
    return None if found == NO_DEFECT else found


def derive(image_id: int, answers: Sequence[Answer], taxonomy: Taxonomy) -> Label | None:
    """The label of an image; None while nobody has said anything that stands.

    Args:
        image_id: of the image.
        answers: about the image's part, oldest first, without those that were undone.
        taxonomy: gives names their present meaning; a class that a person chose is kept while it exists.
    """
    spoken = [answer for answer in answers if answer.speaks_of(image_id)]
    last = {answer.review.by: answer for answer in spoken}
    standing = [answer for answer in spoken if last[answer.review.by] is answer]
    sure = [answer for answer in standing if answer.review.verdict is not Verdict.UNSURE]
    people = [answer for answer in sure if not answer.imported]
    sure = people or sure
    if not sure:
        return None
    chosen, status = _settled(sure, standing)
    verdict = chosen.review.verdict
    defective = bool(verdict.defective)
    drawn, raw = _regions(image_id, chosen, spoken) if defective else (False, ())
    regions = tuple(_with_class(region, taxonomy) for region in raw)
    names = [region.class_id or region.name for region in regions]
    names += [*chosen.review.classes] if defective else []
    classes, unmapped = _sorted_names(names, taxonomy)
    label = Label(
        image_id=image_id,
        defective=defective,
        verdict=verdict,
        classes=classes,
        unmapped=unmapped,
        regions=regions,
        status=status,
        by=chosen.review.by,
        labelled_at=chosen.review.reviewed_at,  # type: ignore[arg-type]  # a stored review has its time
        review_id=chosen.review.id,
        model=chosen.model,
        policy=chosen.policy,
        changed=False,
        probability=_probability(chosen.review),
        source=chosen.review.source,
    )
    prediction = chosen.predictions.get(image_id)
    return replace(label, changed=True) if differs(label, prediction, chosen.outcome, drawn) else label


def differs(label: Label, prediction: Prediction | None, outcome: Outcome | None, drawn: bool = True) -> bool:
    """Whether a review says something else than the model had said.

    Args:
        label: what the review made of the image.
        prediction: what the model had said of the image; None where it had said nothing.
        outcome: the decision that was reviewed; while it was HOLD, the score itself says what the model thought.
        drawn: the review gave regions for this image, which are compared too.
    """
    if prediction is None:
        return False
    said = outcome is Outcome.FAIL if outcome in (Outcome.PASS, Outcome.FAIL) else prediction.score >= 0.5
    if label.defective != said:
        return True
    if not label.defective:
        return False
    if drawn and not _same_regions(label.regions, prediction.regions):
        return True
    named = {*label.classes, *label.unmapped}
    return bool(named) and named != _classes_said(prediction)


def settled(answers: Sequence[Answer]) -> Verdict:
    """What sure answers of people say of a part together, by the same rule as its label.

    Args:
        answers: about the part, oldest first, none of them UNSURE or undone, one at least.
    """
    last = {answer.review.by: answer for answer in answers}
    standing = [answer for answer in answers if last[answer.review.by] is answer]
    return _settled(standing, standing)[0].review.verdict


def _settled(sure: Sequence[Answer], standing: Sequence[Answer]) -> tuple[Answer, LabelStatus]:
    if len(standing) == 1:  # most parts are answered by one person
        return sure[-1], LabelStatus.SINGLE
    second = [answer for answer in sure if answer.kind is TaskKind.SECOND_LOOK]
    if second and any(answer.review.by != second[-1].review.by for answer in standing):
        return second[-1], LabelStatus.ADJUDICATED
    votes = Counter(answer.review.verdict.defective for answer in sure)
    most = max(votes.values())
    if most > 1 and list(votes.values()).count(most) == 1:
        agreed = max(votes, key=lambda verdict: votes[verdict])
        return [answer for answer in sure if answer.review.verdict.defective == agreed][-1], LabelStatus.AGREED
    return sure[-1], LabelStatus.SINGLE


def _regions(image_id: int, chosen: Answer, spoken: Sequence[Answer]) -> tuple[bool, tuple[Region, ...]]:
    """Whether the chosen answer gave regions for the image, and the newest that stand on it."""
    if image_id in chosen.review.regions:
        return True, tuple(chosen.review.regions[image_id])
    for answer in reversed(spoken):
        if answer.review.verdict.defective and image_id in answer.review.regions:
            return False, tuple(answer.review.regions[image_id])
    return False, ()


def _with_class(region: Region, taxonomy: Taxonomy) -> Region:
    known = region.class_id if region.class_id in taxonomy.ids else None
    class_id = known or class_of(taxonomy, region.name)
    return region if class_id == region.class_id else replace(region, class_id=class_id)


def _sorted_names(names: Sequence[str], taxonomy: Taxonomy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    classes, unmapped = set(), set()
    for name in names:
        found = taxonomy.match(name)
        if found is None and not says_only_defective(name):
            unmapped.add(name)
        elif found not in (None, NO_DEFECT):
            classes.add(str(found))
    return tuple(sorted(classes)), tuple(sorted(unmapped))


def _same_regions(ours: Sequence[Region], theirs: Sequence[Region]) -> bool:
    left = list(theirs)
    for region in ours:
        match = next((other for other in left if _same(region, other)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _same(one: Region, other: Region) -> bool:
    corners = zip(_corners(one), _corners(other), strict=True)
    return (one.class_id or one.name) == (other.class_id or other.name) and all(
        abs(a - b) <= SAME_PX for a, b in corners
    )


def _corners(region: Region) -> tuple[float, float, float, float]:
    return region.x, region.y, region.x + region.width, region.y + region.height


def _classes_said(prediction: Prediction) -> set[str]:
    named = {region.class_id or region.name for region in prediction.regions}
    if named or not prediction.class_scores:
        return named
    return {max(sorted(prediction.class_scores), key=lambda name: prediction.class_scores[name])}


def _probability(review: Review) -> float | None:
    value = review.source.get("probability")
    return float(value) if isinstance(value, (int, float)) else None
