"""Claims held against what the store knows of a part, and the limits that say when a model's word counts.

Nothing here decides about a part, and nothing of it runs while one is decided.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.jobs.intake.line import Progress, decoders, find_model, quiet
from app.jobs.science.measured import heatmaps_place, read
from app.settings import Settings
from app.web.pictures import checked_bytes
from core.detection import DrawnBoxes
from core.errors import BadInput, HoldpointError, NotFound, Unreadable
from core.learn.showing import hidden_because
from core.pictures.sandbox import Upload
from core.plant import Site
from core.records import Image, ImageState, Label, Prediction
from core.words.claims.colour import colours
from core.words.claims.constructing import constructed
from core.words.claims.judging import check_text
from core.words.claims.limits import Constructed, Limits, calibrate
from core.words.claims.promised import CONFIDENCE, RATE
from core.words.claims.reading import read_claims
from core.words.claims.records import CheckedSentence, ClaimKind, Evidence, Finding, Ruling, Seen
from core.words.expiry import Printing
from core.words.prints import Reading
from core.words.redaction import redact

if TYPE_CHECKING:
    from data.store import Store
    from data.store.words.claims import KeptLimits


@dataclass(frozen=True)
class Checked:
    """A text held against the evidence about one part.

    Attributes:
        subject: what was checked, such as "complaint 12".
        limits: number of the limits in force, 0 for none.
        kept: id of the record; None where nothing was written.
    """

    part_id: int
    subject: str
    sentences: tuple[CheckedSentence, ...]
    evidence: Evidence
    limits: int = 0
    kept: int | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all sentences."""
        return tuple(one for sentence in self.sentences for one in sentence.findings)

    def count(self, ruling: Ruling) -> int:
        """How many claims came out so."""
        return sum(one.ruling is ruling for one in self.findings)


def check_claims(
    store: "Store",
    settings: Settings,
    part_id: int,
    text: str,
    subject: str,
    *,
    now: datetime,
    keep: bool = True,
    mm_per_px: float | None = None,
) -> Checked:
    """Hold what a text says of a part against everything that is known of it.

    Args:
        store: bound to whoever asks; the record is theirs.
        settings: of the plant.
        part_id: of the part.
        text: what is personal in it is covered before anything else.
        subject: what it is, for the record.
        now: aware UTC.
        keep: write down what was found; takes more than the right to look.
        mm_per_px: where somebody knows it.

    Raises:
        NotFound: no such part.
        NotAllowed: by the store.
    """
    covered = redact(text).text
    evidence = evidence_of(store, settings, part_id, now=now, mm_per_px=mm_per_px)
    if any(claim.kind is ClaimKind.COLOUR for one in read_claims(covered, evidence.taxonomy) for claim in one.claims):
        evidence = with_colours(store, settings, part_id, evidence)
    kept = store.claims.limits(evidence.site)
    sentences = check_text(covered, evidence, None if kept is None else kept.limits)
    checked = Checked(part_id, subject, sentences, evidence, 0 if kept is None else kept.number)
    if not keep:
        return checked
    return replace(checked, kept=store.claims.keep(part_id, subject, checked_document(checked), now=now))


def evidence_of(
    store: "Store", settings: Settings, part_id: int, *, now: datetime, mm_per_px: float | None = None
) -> Evidence:
    """All that can be held against claims about a part; what could not be had leaves every claim open."""
    part = store.parts.get(part_id)
    site = store.sites.get(part.site)
    images = store.images.of_part(part_id)
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    printed, printing, problem = None, Printing(), ""
    reads: dict[int, Reading] = {}
    try:
        printed = store.prints.check(part_id, now)
        reads = {one.image_id: one.reading for one in store.prints.of_part(part_id)}
        rules = next((one.rules for one in store.prints.rules(part.site) if one.part_type == part.part_type), None)
        printing = printing if rules is None else rules.printing
        seen = seen_of(store, settings, site, images, reads)
    except HoldpointError as error:
        seen, problem = (), " ".join(str(error).split()).rstrip(".")
    finding = None if printed is None else printed.finding
    return Evidence(
        part.name, part.site, site.taxonomy, tuple(seen), today, finding, printing, mm_per_px, problem
    )  # fmt: skip


def seen_of(
    store: "Store", settings: Settings, site: Site, images: Sequence[Image], reads: Mapping[int, Reading] | None = None
) -> tuple[Seen, ...]:
    """Images with what people and models say of them.

    Args:
        store: knows them.
        settings: of the plant.
        site: theirs.
        images: of one part.
        reads: what is printed on them, where it was read.
    """
    ids = [one.id for one in images]
    labels, predictions = store.labels.many(ids), store.images.predictions(ids)
    drawn = store.detectors.boxes(ids)
    measured = {name: _heatmaps(store, settings, name, site.name) for name in {p.model for p in predictions.values()}}
    return tuple(
        _seen(one, labels.get(one.id), predictions.get(one.id), drawn.get(one.id), measured, (reads or {}).get(one.id))
        for one in images
    )


def _seen(
    image: Image,
    label: Label | None,
    prediction: Prediction | None,
    drawn: DrawnBoxes | None,
    measured: Mapping[str, Any],
    reading: Reading | None,
) -> Seen:
    regions = () if prediction is None else prediction.regions
    if drawn is not None and not drawn.error:
        regions = drawn.regions
    off = "" if prediction is None else hidden_because(measured[prediction.model], prediction.class_scores)
    return Seen(
        image.id, image.capture.view, (image.width, image.height), unusable(image), label, prediction, regions,
        off, reading, {}, image.capture.taken_at or image.arrived_at,
    )  # fmt: skip


def unusable(image: Image) -> str:
    """Why an image proves nothing; empty where it can be used."""
    if image.state is not ImageState.OK:
        return f"image {image.id} is {image.state}"
    if image.width < 1 or image.height < 1:
        return f"image {image.id} has no picture"
    if image.same_as is not None:
        return f"image {image.id} is the same picture as image {image.same_as}"
    if image.quality is None or image.quality.flags:
        flags = "of unknown quality" if image.quality is None else ", ".join(image.quality.flags)
        return f"image {image.id} is {flags}"
    return ""


def _heatmaps(store: "Store", settings: Settings, model: str, site: str) -> Any:
    try:
        folder = find_model(store, settings, model)
    except NotFound:
        return None
    return read(heatmaps_place(folder, settings, site))


def with_colours(store: "Store", settings: Settings, part_id: int, evidence: Evidence) -> Evidence:
    """The same evidence with the colours that each picture shows; a file that is gone or changed shows none."""
    images = {one.id: one for one in store.images.of_part(part_id) if one.state is ImageState.OK and one.width}
    wanted = [one.image_id for one in evidence.seen if one.image_id in images]
    found: dict[int, Mapping[str, float]] = {}
    with decoders(settings) as pool:
        for image_id in wanted:
            try:
                (opened,) = pool.decode([Upload("picture", checked_bytes(images[image_id]))])
            except Unreadable:
                continue
            if not isinstance(opened, Unreadable):
                found[image_id] = colours(opened.decoded.pixels)
    return replace(evidence, seen=tuple(replace(one, colours=found.get(one.image_id, {})) for one in evidence.seen))


# --- limits ---------------------------------------------------------------------------------------------------------


def constructed_claims(
    store: "Store", settings: Settings, site: str, model: str, progress: Progress = quiet
) -> Iterator[Constructed]:
    """True and false claims about the labelled parts of a site that a model has scored and has not learnt from."""
    at = store.sites.get(site)
    learned = learned_hashes(store, settings, model)
    parts = dict.fromkeys(one.image.part_id for one in store.labels.find(site=site))
    for number, part_id in enumerate(parts):
        images = store.images.of_part(part_id)
        progress(number + 1, len(parts), f"claims about parts of {site}")
        if any(one.sha256 in learned for one in images):
            continue
        seen = seen_of(store, settings, at, images)
        if any(one.prediction is None or one.prediction.model != model for one in seen):
            continue
        yield from constructed(f"part {part_id}", seen, at.taxonomy.ids)


def learned_hashes(store: "Store", settings: Settings, model: str) -> set[str]:
    """Content hashes of all pictures that had a part in making a model: to learn from, to stop by, to calibrate.

    Raises:
        BadInput: its card names no dataset, or one that is not here, so nobody can say.
    """
    from app.jobs.science.learning import manifest_of
    from models.checkpoint import read_card

    card = read_card(find_model(store, settings, model))
    name = card.dataset.get("name")
    if "drawn_by" in card.dataset:  # a shipped model learnt from drawings that are no plant's pictures
        return set()
    if not name:
        raise BadInput(f"{model} does not say what it learnt from: nobody can say which pictures it has not seen.")
    try:
        manifest = manifest_of(store, settings, str(name))
    except NotFound as error:
        raise BadInput(
            f"{model} learnt from dataset '{name}', which is not here: nobody can say which pictures it has not seen."
        ) from error
    return {str(one["sha256"]) for one in manifest["items"] if one.get("split") != "test"}


def set_limits(
    store: "Store",
    settings: Settings,
    site: str,
    reason: str,
    *,
    rate: float = RATE,
    confidence: float = CONFIDENCE,
    now: datetime,
    progress: Progress = quiet,
) -> "KeptLimits":
    """Find the limits of the model in use at a site, and put them in force.

    Raises:
        BadInput: the site has no model, or none of its parts gives a claim.
    """
    model = store.sites.get(site).model
    if model is None:
        raise BadInput(f"{site} has no model whose word could count: put one in use first.")
    before = store.claims.limits(site)
    made = calibrated(constructed_claims(store, settings, site, model, progress), site, model, rate, confidence)
    return store.claims.set_limits(site, made, reason, seen=0 if before is None else before.number, now=now)


def calibrated(claims: Iterable[Constructed], site: str, model: str, rate: float, confidence: float) -> Limits:
    """Limits from constructed claims.

    Raises:
        BadInput: there are none.
    """
    found = list(claims)
    if not found:
        raise BadInput(f"No part of {site} is labelled in full, scored by {model} and unknown to it: label some first.")
    return calibrate(found, model, rate, confidence)


# --- what is written down -------------------------------------------------------------------------------------------


def checked_document(checked: Checked) -> dict[str, Any]:
    """A check as JSON: claims, rulings, crops, and what they rest on."""
    return {
        "rulings": {str(one): checked.count(one) for one in Ruling},
        "limits": checked.limits,
        "evidence": evidence_document(checked.evidence),
        "sentences": [sentence_document(one) for one in checked.sentences],
    }


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """Which labels, predictions and readings the evidence is made of."""
    return {
        "problem": evidence.problem,
        "label": None if evidence.printed is None else [one.text for one in evidence.printed.reasons],
        "images": [
            {
                "image": one.image_id,
                "unusable": one.unusable,
                "review": None if one.label is None else one.label.review_id,
                "model": None if one.prediction is None else one.prediction.model,
                "score": None if one.prediction is None else round(one.prediction.score, 4),
            }
            for one in evidence.seen
        ],
    }


def sentence_document(one: CheckedSentence) -> dict[str, Any]:
    """One sentence as JSON."""
    return {
        "text": one.sentence.text,
        "nothing": one.sentence.nothing,
        "leftover": list(one.sentence.leftover),
        "claims": [
            {
                "kind": str(found.claim.kind),
                "phrase": found.claim.phrase,
                "class": found.claim.class_id,
                "value": found.claim.value,
                "place": None if found.claim.place is None else found.claim.place.name,
                "negated": found.claim.negated,
                "hedged": found.claim.hedged,
                "ruling": str(found.ruling),
                "why": found.why,
                "by": found.by,
                "support": None if found.support is None else round(found.support, 4),
                "limit": found.limit,
                "crops": [[crop.image_id, *crop.box] for crop in found.crops],
            }
            for found in one.findings
        ],
    }
