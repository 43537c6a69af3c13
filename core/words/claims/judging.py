"""What the evidence says of a claim: a person's label first, a model's word only within its limits.

Confirmed, contradicted, or not enough; whatever fails or is in doubt is not enough.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.records import Region
from core.words.claims import judging_labels
from core.words.claims.constructing import surely
from core.words.claims.limits import Limits
from core.words.claims.places import inside
from core.words.claims.reading import read_claims
from core.words.claims.records import CheckedSentence, Claim, ClaimKind, Crop, Evidence, Finding, Ruling, Seen
from core.words.claims.support import shown, support

SIZE_NEAR = 0.25  # share by which a said size may be off a measured one
MOST_CROPS = 6
AROUND = 0.5  # of a region's longer side, shown around it

_TURNED = {Ruling.CONFIRMED: Ruling.CONTRADICTED, Ruling.CONTRADICTED: Ruling.CONFIRMED,
           Ruling.NOT_ENOUGH: Ruling.NOT_ENOUGH}  # fmt: skip


def check_text(text: str, evidence: Evidence, limits: Limits | None = None) -> tuple[CheckedSentence, ...]:
    """Read the claims of a text and hold each against the evidence.

    Args:
        text: only read; nothing in it changes how it is judged.
        evidence: of the part.
        limits: in force at the site; None confirms nothing by the model alone.
    """
    return tuple(
        CheckedSentence(one, tuple(judge(claim, evidence, limits) for claim in one.claims))
        for one in read_claims(text, evidence.taxonomy, evidence.views)
    )


def judge(claim: Claim, evidence: Evidence, limits: Limits | None = None) -> Finding:
    """Hold one claim against the evidence."""
    open_because = _open(claim, evidence)
    if open_because:
        return Finding(claim, Ruling.NOT_ENOUGH, open_because)
    said = replace(claim, negated=False)
    if claim.kind is ClaimKind.DAMAGE:
        found = _damage(said, evidence, limits)
    else:
        found = judging_labels.judge_label(said, evidence)
        if found.ruling is Ruling.NOT_ENOUGH and claim.class_id is not None:
            by_class = _damage(replace(said, kind=ClaimKind.DAMAGE), evidence, limits)
            found = by_class if by_class.ruling is not Ruling.NOT_ENOUGH else found
    if claim.negated:
        found = replace(found, ruling=_TURNED[found.ruling])
    return replace(found, claim=claim)


def _open(claim: Claim, evidence: Evidence) -> str:
    """Why a claim stays open whatever the pictures show; empty where it need not."""
    if evidence.problem:
        return f"The evidence is not complete: {evidence.problem}."
    if claim.unclear:
        return f"The sentence can be read in more than one way: {claim.unclear}."
    if not claim.known and claim.kind is ClaimKind.DAMAGE:
        return f"The site has no class for '{claim.phrase}', so nobody looks for it."
    if claim.elsewhere:
        return f"No picture is known to show where this is said to be ('{claim.elsewhere}')."
    if claim.negated and (claim.count > 1 or claim.size_mm or claim.size_px):
        return "It denies a number or a size, which can be read in more than one way."
    if not evidence.seen:
        return "There is no picture of this part."
    return ""


def _damage(claim: Claim, evidence: Evidence, limits: Limits | None) -> Finding:
    relevant = [one for one in evidence.seen if claim.view is None or one.view == claim.view]
    if not relevant:
        return Finding(claim, Ruling.NOT_ENOUGH, f"There is no picture of the view '{claim.view}'.")
    by_person = _by_people(claim, evidence, relevant)
    if by_person is not None:
        return by_person
    if claim.count > 1 or claim.size_mm or claim.size_px:
        return Finding(claim, Ruling.NOT_ENOUGH, "How many and how large is only taken from regions that people drew.")
    return _by_model(claim, evidence, relevant, limits)


def _by_people(claim: Claim, evidence: Evidence, relevant: Sequence[Seen]) -> Finding | None:
    """What labels say; None where nobody has labelled an image that the claim may be about."""
    labelled = [one for one in relevant if surely(one.label)]
    if not labelled:
        return None
    name = _name(claim, evidence)
    having = [one for one in labelled if one.label and _has(one.label, claim.class_id)]
    who = ", ".join(sorted({_who(one.label.by) for one in having or labelled if one.label}))
    if having:
        return _where(claim, evidence, having, name, who)
    if any(one.label and one.label.defective for one in labelled):
        return Finding(claim, Ruling.NOT_ENOUGH, f"{who} named other damage; nobody said whether there is {name}, too.")
    if len(labelled) < len(relevant):
        missing = len(relevant) - len(labelled)
        return Finding(claim, Ruling.NOT_ENOUGH, f"{missing} of the part's {len(relevant)} pictures nobody has judged.")
    crops = tuple(_whole(one) for one in relevant)[:MOST_CROPS]
    return Finding(claim, Ruling.CONTRADICTED, f"{who} found no defect when it was pictured.", "a person", crops)


def _where(claim: Claim, evidence: Evidence, having: Sequence[Seen], name: str, who: str) -> Finding:
    """A person has named the class; is it where, as often and as large as was said?"""
    drawn = [(one, region) for one in having if one.label for region in one.label.regions
             if claim.class_id in (None, region.class_id)]  # fmt: skip
    crops = tuple(_crop(one, region) for one, region in drawn)[:MOST_CROPS] or tuple(map(_whole, having))[:MOST_CROPS]
    if claim.place is None and claim.count == 1 and not claim.size_mm and not claim.size_px:
        return Finding(claim, Ruling.CONFIRMED, f"{who} labelled it: {name}.", "a person", crops)
    boxed = {one.image_id for one, _ in drawn}
    if any(one.image_id not in boxed for one in having):
        return Finding(claim, Ruling.NOT_ENOUGH, f"{who} labelled it {name} and drew no region, so nobody knows where.",
                       "", crops)  # fmt: skip
    told = [True if claim.place is None else inside(claim.place, region, one.size_wh) for one, region in drawn]
    there = [pair for pair, at in zip(drawn, told, strict=True) if at]
    near = sum(at is None for at in told)
    if claim.size_mm or claim.size_px:
        there, unknown = _of_size(claim, evidence, there)
        if unknown:
            return Finding(claim, Ruling.NOT_ENOUGH, unknown, "", crops)
    asked = _asked(claim)
    if len(there) >= claim.count:
        mine = tuple(_crop(one, region) for one, region in there)[:MOST_CROPS]
        return Finding(claim, Ruling.CONFIRMED, f"{who} drew {name} {_times(len(there))}{asked}.", "a person", mine)
    if near and len(there) + near >= claim.count:
        return Finding(claim, Ruling.NOT_ENOUGH, f"{who} drew {name} on the border of that place.", "", crops)
    return Finding(claim, Ruling.CONTRADICTED, f"{who} drew {name} {_times(len(drawn))}, {_times(len(there))}{asked}.",
                   "a person", crops)  # fmt: skip


def _of_size(
    claim: Claim, evidence: Evidence, drawn: Sequence[tuple[Seen, Region]]
) -> tuple[list[tuple[Seen, Region]], str]:
    """Regions about as large as was said; why they cannot be measured."""
    scale = 1.0 if claim.size_px else evidence.mm_per_px
    wanted = claim.size_px or claim.size_mm or 0.0
    if scale is None:
        return [], "Nobody said how many millimetres a pixel is here, so no size can be held against it."
    near = [(one, region) for one, region in drawn
            if abs(max(region.width, region.height) * scale - wanted) <= SIZE_NEAR * wanted]  # fmt: skip
    return near, ""


def _asked(claim: Claim) -> str:
    words = [f" at the {claim.place.name} of the picture" if claim.place else ""]
    if claim.size_mm:
        words.append(f" about {claim.size_mm:g} mm long")
    if claim.size_px:
        words.append(f" about {claim.size_px:g} px long")
    return "".join(words)


def _by_model(claim: Claim, evidence: Evidence, relevant: Sequence[Seen], limits: Limits | None) -> Finding:
    bad = next((one.unusable for one in relevant if one.unusable), "")
    if bad:
        return Finding(claim, Ruling.NOT_ENOUGH, f"A picture proves nothing: {bad}.")
    models = {one.prediction.model if one.prediction else None for one in relevant}
    if None in models:
        return Finding(claim, Ruling.NOT_ENOUGH, "Nobody has labelled this part, and no model has scored it.")
    strength = support(relevant, claim.class_id, claim.place)
    name = _name(claim, evidence)
    crops = tuple(_crop(one, region) for one in relevant for region in shown(one, claim.class_id, claim.place))
    crops = crops[:MOST_CROPS] or tuple(map(_whole, relevant))[:MOST_CROPS]
    limit = None if limits is None or models != {limits.model} else limits.of(claim.class_id, claim.place is not None)
    if strength is None or limit is None:
        why = f"Nobody has labelled this part, and the model's word on {name} is not calibrated for claims here."
        return Finding(claim, Ruling.NOT_ENOUGH, why, "", crops, strength)
    off = next((one.off for one in relevant if one.off), "") if claim.place else ""
    if off:
        return Finding(claim, Ruling.NOT_ENOUGH, f"Where the model points proves nothing: {off}.", "", crops, strength)
    model = str(next(iter(models)))
    asked = _asked(claim)
    if limit.confirm is not None and strength >= limit.confirm:
        why = (f"The model's word for {name}{asked} is {strength:.3f}; from {limit.confirm:.3f} on false claims pass "
               f"in at most {limit.false_bound:.1%} of parts.")  # fmt: skip
        return Finding(claim, Ruling.CONFIRMED, why, model, crops, strength, limit.confirm)
    if limit.absent is not None and strength < limit.absent and claim.view is None:
        why = (f"The model's word for {name}{asked} is {strength:.3f}; where it was there, it was below "
               f"{limit.absent:.3f} in at most {limit.true_bound:.1%} of parts.")  # fmt: skip
        return Finding(claim, Ruling.CONTRADICTED, why, model, crops, strength, limit.absent)
    needed = "no strength is shown to be safe" if limit.confirm is None else f"{limit.confirm:.3f} is needed"
    return Finding(claim, Ruling.NOT_ENOUGH, f"The model's word for {name}{asked} is {strength:.3f}, {needed}.", "",
                   crops, strength, limit.confirm)  # fmt: skip


def _who(by: str) -> str:
    return f"The import of {by.removeprefix('import:')}" if by.startswith("import:") else by


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _name(claim: Claim, evidence: Evidence) -> str:
    if claim.class_id is None:
        return "a defect"
    return evidence.taxonomy.get(claim.class_id).label.lower()


def _has(label: object, class_id: str | None) -> bool:
    classes: tuple[str, ...] = getattr(label, "classes", ())
    return bool(getattr(label, "defective", False)) if class_id is None else class_id in classes


def _crop(seen: Seen, region: Region) -> Crop:
    around = max(16.0, AROUND * max(region.width, region.height))
    left, top = max(0, int(region.x - around)), max(0, int(region.y - around))
    right = min(seen.size_wh[0], round(region.x + region.width + around))
    bottom = min(seen.size_wh[1], round(region.y + region.height + around))
    return Crop(seen.image_id, (left, top, max(1, right - left), max(1, bottom - top)))


def _whole(seen: Seen) -> Crop:
    return Crop(seen.image_id, (0, 0, max(1, seen.size_wh[0]), max(1, seen.size_wh[1])))
