"""What the browser gets of one part, as plain numbers, addresses and text.

Where a site asks for the first look to be a person's own, all that could tell what the model said, what others said or
why the part is asked about is left out until that person's answer is stored: it does not reach the browser at all, and
what does is the same for every kind of task. Text is shown as text; nothing here is Markdown or HTML.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import theme
from app.private import hidden_words, texts_of
from app.widgets.desk.viewer import Layer, crop_url, drawn, layer_data, map_layers, picture_url
from app.widgets.text import local, one_line, share
from core.decide.leaning import leaning
from core.decide.policy import Policy
from core.decide.urgency import RULE, explain
from core.detection import DrawnBoxes
from core.learn.showing import hidden_because
from core.plant import Part, Site
from core.records import Decision, Image, ImageState, Label, Outcome, Prediction, Region, Review, Task, TaskKind
from core.words.redaction import redact

if TYPE_CHECKING:
    from data.store.line.print_checking import PrintedPart

# The other kinds must not be told apart before an answer is stored, and need not be afterwards.
KIND_WORDS: Mapping[TaskKind, str] = {TaskKind.SECOND_LOOK: "second look", TaskKind.LABEL: "asked for by hand"}
MOST_CLASSES = 4
LARGE = 1600  # longest side of a screen copy; what is larger is looked at in crops
MOST_LINES = 8  # of print that are shown beside the picture
OTHERS = 4  # pictures of the same camera


@dataclass(frozen=True)
class Case:
    """Everything one screen needs about one part.

    Attributes:
        task: None while looking back at a part that is not in hand.
        predictions: by image id; an image without one is absent.
        reviews: oldest first.
        policy: in force at the site now.
        blind: the person has to answer first.
        heatmaps: what was measured of the heatmaps of each model that has scored the part.
        drawn: by image id, what the detector in force drew on it.
        printed: what the check of the part's label says; None where its part type has none.
        private: this person may not see names, addresses and the like.
    """

    part: Part
    site: Site
    images: tuple[Image, ...]
    predictions: Mapping[int, Prediction]
    decision: Decision | None
    reviews: tuple[Review, ...]
    task: Task | None = None
    policy: Policy | None = None
    blind: bool = False
    heatmaps: Mapping[str, Any] = field(default_factory=dict)
    drawn: Mapping[int, DrawnBoxes] = field(default_factory=dict)
    printed: "PrintedPart | None" = None
    private: bool = False

    @property
    def item(self) -> str:
        """Names what is on the screen; widgets that belong to it carry it in their key."""
        return (
            f"{self.part.id}.{self.task.id}.{self.task.revision}.{self.task.fence}" if self.task else f"{self.part.id}"
        )

    def regions(self, image_id: int) -> tuple[tuple[Region, ...], bool]:
        """The present regions of an image, and whether a person drew them.

        Where nobody has, those of the detector in force, and where there is none or it failed, the model's.

        None at all before the first answer of a blind look.
        """
        if self.blind:
            return (), False
        for review in reversed(self.reviews):
            if image_id in review.regions:
                return review.regions[image_id], True
        boxes = self.drawn.get(image_id)
        if boxes is not None and not boxes.error:
            return boxes.regions, False
        found = self.predictions.get(image_id)
        return (found.regions, False) if found else ((), False)

    def whose_boxes(self, image_id: int) -> str:
        """Who drew the regions that are shown before anybody has; empty where it is the model, as usual."""
        boxes = self.drawn.get(image_id)
        if boxes is None or self.blind or self.regions(image_id)[1]:
            return ""
        if boxes.error:
            return f"of the heatmap: detector {boxes.detector} failed here ({boxes.error})"
        return f"of detector {boxes.detector}"

    def score(self, image: Image) -> float:
        """Of one image; below all others where there is none."""
        found = self.predictions.get(image.id)
        return -1.0 if found is None else found.score


@dataclass(frozen=True)
class Beside:
    """Pictures to compare with.

    Attributes:
        others: the last ones of the same camera, newest first, with what was said of them.
        good: a good part as that camera sees it; None where none is known.
    """

    others: Sequence[tuple[Image, Label | None]] = ()
    good: Image | None = None


def first_image(case: Case) -> int:
    """Which picture comes first: the one with the highest score, or simply the first while that is not to be known."""
    if case.blind or not case.images:
        return 0
    return max(range(len(case.images)), key=lambda number: (case.score(case.images[number]), -number))


def shown(case: Case, beside: Beside, now: datetime) -> dict[str, Any]:
    """One part for the browser.

    Args:
        case: of the part; `case.task` is in this person's hands, or None where they look back.
        beside: to compare with; left out of a blind look.
        now: aware UTC.
    """
    colours = theme.class_colours(one.id for one in case.site.taxonomy.classes)
    task = case.task
    return {
        "part": one_line(case.part.name, 60),
        "part_id": case.part.id,
        "task": None if task is None else task.id,
        "revision": None if task is None else task.revision,
        "fence": None if task is None else task.fence,
        "site": one_line(case.site.name, 60),
        "blind": case.blind,
        "images": [_image(case, image, colours) for image in case.images],
        "first": first_image(case),
        "facts": _facts(case),
        "seen": None if case.blind else _seen(case, beside, now),
    }


def _image(case: Case, image: Image, colours: Mapping[str, str]) -> dict[str, Any]:
    prediction = None if case.blind else case.predictions.get(image.id)
    regions, by_person = case.regions(image.id)
    layers: tuple[Layer, ...] = ()
    if prediction is not None:
        layers = map_layers(
            image,
            prediction.model,
            heatmap=False if prediction.heatmap is not None else None,
            where=False if prediction.where is not None else None,
            off=hidden_because(case.heatmaps.get(prediction.model), prediction.class_scores),
        )
    there = image.width > 0
    view = one_line(image.capture.view or "picture", 20)
    return {
        "id": image.id,
        "url": picture_url(image) if there else "",
        "crop": crop_url(image) if max(image.width, image.height) > LARGE else "",
        "thumb": picture_url(image, "thumb") if there else "",
        "width": image.width or 640,
        "height": image.height or 400,
        "view": view,
        "alt": f"Part {one_line(case.part.name, 60)}, view {view}",
        "note": "" if prediction is None else share(prediction.score),
        "facts": _image_facts(case, image),
        "warnings": [] if case.blind else _warnings(image),
        "missing": "" if there else "There is no picture to show: scan the part again, or decide by eye.",
        "layers": [layer_data(one) for one in layers],
        "regions": [drawn(region, colours, person=by_person) for region in regions],
    }


def _warnings(image: Image) -> list[str]:
    found = []
    if image.state is not ImageState.OK:
        found.append(one_line(f"{image.state}: {image.state_note}", 300))
    if image.same_as is not None:
        found.append(f"Same picture as image {image.same_as}: a camera may be frozen.")
    return found


def _facts(case: Case) -> list[list[str]]:
    lines = {"part": case.part.name, "site": case.site.name, "type": case.part.part_type or ""}
    return [[name, one_line(value, 80)] for name, value in lines.items() if value]


def _image_facts(case: Case, image: Image) -> list[list[str]]:
    """What the camera knows; what a model measured or said comes only with the open look."""
    capture = image.capture
    taken = local(capture.taken_at or image.arrived_at, case.site.timezone)
    lines = {
        "order": " · ".join(one for one in (capture.order, capture.machine) if one),
        "camera": " · ".join(dict.fromkeys(one for one in (capture.line, capture.camera, capture.stage) if one)),
        "taken": "" if case.blind else taken,  # a part with a known answer may be old
        "picture": " · ".join(one for one in (f"{image.width} × {image.height} px", exposure(image)) if one),
    }
    if not case.blind:
        prediction, quality = case.predictions.get(image.id), image.quality
        lines["quality"] = ", ".join(quality.flags) if quality and quality.flags else "ok"
        lines["scored"] = _scored(prediction)
        lines["boxes"] = case.whose_boxes(image.id)
    return [[name, one_line(value, 80)] for name, value in lines.items() if value]


def _scored(prediction: Prediction | None) -> str:
    if prediction is None:
        return "not scored"
    by = f" by {prediction.back_end}" if prediction.back_end else ""
    return f"{share(prediction.score)} in {prediction.milliseconds:.0f} ms{by}"


def exposure(image: Image) -> str:
    """How the picture was exposed, as far as the file says."""
    said = image.capture.exposure
    return " · ".join(
        part
        for part in (
            f"ISO {said.iso:.0f}" if said.iso else "",
            f"f/{said.aperture:g}" if said.aperture else "",
            f"{said.shutter_s * 1000:.3g} ms" if said.shutter_s else "",
        )
        if part
    )


def _seen(case: Case, beside: Beside, now: datetime) -> dict[str, Any]:
    """What the model, the policy and other people say."""
    decision, task = case.decision, case.task
    band = case.policy.band if case.policy else None
    lean = leaning(decision.outcome, decision.score, band) if decision else None
    labels = {one.id: one.label for one in case.site.taxonomy.classes}
    scores = sorted(decision.class_scores.items(), key=lambda pair: -pair[1]) if decision else []
    rules = [f"policy {decision.policy}" if decision and decision.policy else "no policy",
             f"model {decision.model}" if decision and decision.model else ""]  # fmt: skip
    return {
        "outcome": None if decision is None else str(decision.outcome),
        "heading": _heading(decision),
        "reasons": [one_line(reason.text, 300) for reason in decision.reasons] if decision else [],
        "printed": None if case.printed is None else _printed(case.printed, case.images, case.private),
        "score": None if decision is None else decision.score,
        "band": None if band is None else list(band),
        "leaning": None if lean is None else str(lean),
        "classes": [
            {"name": one_line(labels.get(name, name), 40), "score": min(1.0, max(0.0, value)), "words": share(value)}
            for name, value in scores[:MOST_CLASSES]
        ],
        "rules": " · ".join(one_line(rule, 60) for rule in rules if rule),
        "kind": KIND_WORDS.get(task.kind, "") if task else "",
        "urgency": _urgency(case, now),
        "rule": RULE,
        "earlier": [_said(review, case) for review in case.reviews[-3:]],
        "others": [_other(image, label) for image, label in beside.others],
        "good": None if beside.good is None else picture_url(beside.good, "thumb"),
    }


def _printed(part: "PrintedPart", images: Sequence[Image], private: bool) -> dict[str, Any]:
    """The label of a part: crop, reading, what was expected, and the two word by word."""
    finding = part.finding
    known = {one.id: one for one in images}
    lines = [
        {"text": one_line(text, 80), "sure": share(line.sure), "crop": _line_crop(known[read.image_id], line.box)}
        for read in part.read
        if read.image_id in known
        for line, text in zip(read.reading.prints[:MOST_LINES], texts_of(read.reading, private), strict=False)
    ]
    hidden = hidden_words([one.reading for one in part.read]) if private else frozenset()
    diff = () if finding.identity is None else finding.identity.diff
    return {
        "lines": lines[:MOST_LINES],
        "failed": [one_line(one.reading.failed, 120) for one in part.read if one.reading.failed is not None],
        "dates": "" if finding.expiry is None else finding.expiry.said(),
        "expected": "" if part.expected is None else one_line(part.expected.title, 80),
        "diff": [{"how": str(one.how), "expected": one_line(one.expected, 40),
                  "read": "" if one.read.casefold() in hidden else one_line(one.read, 40)} for one in diff],
    }  # fmt: skip


def _line_crop(image: Image, box: tuple[float, float, float, float]) -> str:
    """Address of a line of print with a little around it."""
    x, y, width, height = (round(value) for value in box)
    around = max(4, height // 2)
    left, top = max(0, x - around), max(0, y - around)
    right, bottom = min(image.width, x + width + around), min(image.height, y + height + around)
    return f"{crop_url(image)}&box={left},{top},{max(1, right - left)},{max(1, bottom - top)}&width=320"


def _heading(decision: Decision | None) -> str:
    if decision is None:
        return "No decision yet"
    return "Held because" if decision.outcome is Outcome.HOLD else "Because"


def _urgency(case: Case, now: datetime) -> str:
    if case.task is None:
        return ""
    novelty = max((one.novelty for one in case.predictions.values() if one.novelty is not None), default=None)
    waited = (now - case.task.created_at).total_seconds()
    return explain(case.decision.score if case.decision else None, waited, novelty)


def _said(review: Review, case: Case) -> dict[str, str]:
    note = redact(review.note).text if case.private else review.note
    why = "; ".join([*review.reasons, note] if note else review.reasons)
    when = local(review.reviewed_at, case.site.timezone)
    return {"by": one_line(review.by, 40), "verdict": str(review.verdict), "when": when, "why": one_line(why, 120)}


def _other(image: Image, label: Label | None) -> dict[str, str]:
    word = "" if label is None else theme.VERDICTS[label.verdict].word
    by = "" if label is None else one_line(label.by, 40)
    said = f"{word} by {by}" if word else "not answered"
    return {
        "thumb": picture_url(image, "thumb"),
        "verdict": "" if label is None else str(label.verdict),
        "alt": f"Part {one_line(image.capture.part or str(image.part_id), 40)}: {said}",
    }
