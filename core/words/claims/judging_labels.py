"""Claims about what is printed, what is missing and what colour a thing has, against readings and measures."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from core.words.claims.records import Claim, ClaimKind, Crop, Evidence, Finding, Ruling, Seen
from core.words.confusions import ONE_CONFUSION, distance, folded
from core.words.expiry import CERTAIN, DateReading, Expiry, Shelf, read_expiry
from core.words.presence import Presence
from core.words.print_check import PrintFinding
from core.words.prints import Print

SURE = 0.9  # of the reader, of every line that carries a text
LEAST_LETTERS = 3  # of a text that a label is said to say: shorter ones stand on any label
COLOURED = 0.2  # least share of a picture's pixels with a colour, for it to say which colour is not there
TRACE = 0.005  # share of the coloured pixels below which a colour is not there


def judge_label(claim: Claim, evidence: Evidence) -> Finding:
    """Hold a claim about print, a missing thing or a colour against the evidence."""
    rules: Mapping[ClaimKind, Callable[[Claim, Evidence], Finding]] = {
        ClaimKind.TEXT: _text,
        ClaimKind.DATE: _date,
        ClaimKind.EXPIRED: _expired,
        ClaimKind.MISSING: _missing,
        ClaimKind.WRONG: _wrong,
        ClaimKind.COLOUR: _colour,
    }
    return rules[claim.kind](claim, evidence)


def _open(claim: Claim, why: str, crops: tuple[Crop, ...] = ()) -> Finding:
    return Finding(claim, Ruling.NOT_ENOUGH, why, "", crops)


def _lines(evidence: Evidence) -> Iterator[tuple[Seen, Print]]:
    for one in evidence.seen:
        if one.read is not None and one.read.failed is None and not one.unusable:
            yield from ((one, line) for line in one.read.prints)


def _crop(seen: Seen, line: Print) -> Crop:
    x, y, width, height = (round(value) for value in line.box)
    around = max(6, height // 2)
    left, top = max(0, x - around), max(0, y - around)
    right, bottom = min(seen.size_wh[0], x + width + around), min(seen.size_wh[1], y + height + around)
    return Crop(seen.image_id, (left, top, max(1, right - left), max(1, bottom - top)))


def _text(claim: Claim, evidence: Evidence) -> Finding:
    wanted = folded(claim.value)
    if sum(one.isalnum() for one in wanted) < LEAST_LETTERS:
        return _open(claim, "So short a text stands on many labels by chance.")
    lines = list(_lines(evidence))
    if not lines:
        return _open(claim, "No label of this part was read.")
    for number, (seen, line) in enumerate(lines):
        pair = [(seen, line)]
        if number + 1 < len(lines) and lines[number + 1][0] is seen:
            pair.append(lines[number + 1])
        for some in (pair[:1], pair):
            read = folded(" ".join(one.text for _, one in some))
            if f" {wanted} " in f" {read} " and min(one.sure for _, one in some) >= SURE:
                crops = tuple(_crop(where, one) for where, one in some)
                return Finding(claim, Ruling.CONFIRMED, "That was read on the label.", "the label", crops)
    other = _other_value(wanted, evidence, lines)
    if other:
        crops = tuple(_crop(seen, line) for seen, line in lines if other in folded(line.text))[:2]
        return Finding(claim, Ruling.CONTRADICTED, f"The label says '{other}' there.", "the label", crops)
    return _open(claim, "That was not read on the label; other print may be on sides that no picture shows.",
                 tuple(_crop(seen, line) for seen, line in lines)[:3])  # fmt: skip


def _other_value(wanted: str, evidence: Evidence, lines: list[tuple[Seen, Print]]) -> str:
    """Another value of the attribute that the text is a value of, read surely where the text is not; empty for none."""
    printed = evidence.printed
    if printed is None or printed.identity is None or printed.presence is not Presence.PRESENT:
        return ""
    values: dict[str, set[str]] = {}
    for one in printed.identity.candidates:
        for name, value in one.entry.attributes.items():
            values.setdefault(name, set()).add(folded(value))
    words = [folded(word) for _, line in lines for word in line.text.split()]
    if any(distance(word, wanted) <= ONE_CONFUSION for word in words):
        return ""
    sure = {folded(word) for _, line in lines if line.sure >= SURE for word in line.text.split()}
    others = chain.from_iterable(sorted(some - {wanted}) for some in values.values() if wanted in some)
    return next((one for one in others if len(one) >= LEAST_LETTERS and one in sure), "")


def _date(claim: Claim, evidence: Evidence) -> Finding:
    meant = read_expiry([Print(f"EXP {claim.value}")], evidence.printing, evidence.today)
    day = _settled(meant)
    if day is None:
        return _open(claim, f"The date in the sentence can be read in more than one way: {meant.said()}.")
    printed = evidence.printed
    if printed is None or printed.expiry is None:
        return _open(claim, "No date of this part's label was read.")
    crops = _dated(evidence, printed)
    read = next((one.probability for one in printed.expiry.readings if one.day == day.day), 0.0)
    if read >= CERTAIN:
        return Finding(claim, Ruling.CONFIRMED, f"The label reads {printed.expiry.said()}.", "the label", crops)
    if _settled(printed.expiry) is not None:
        return Finding(claim, Ruling.CONTRADICTED, f"The label reads {printed.expiry.said()}.", "the label", crops)
    return _open(claim, f"The label's date is not read surely: {printed.expiry.said()}.", crops)


def _settled(expiry: Expiry) -> DateReading | None:
    return next((one for one in expiry.readings if one.probability >= CERTAIN), None)


def _dated(evidence: Evidence, printed: PrintFinding) -> tuple[Crop, ...]:
    texts = {one.text for one in printed.expiry.readings[:3]} if printed.expiry else set()
    return tuple(_crop(seen, line) for seen, line in _lines(evidence)
                 if any(text and text in folded(line.text) for text in texts))[:2]  # fmt: skip


def _expired(claim: Claim, evidence: Evidence) -> Finding:
    printed = evidence.printed
    if printed is None or printed.shelf is None:
        return _open(claim, "No date of this part's label was read.")
    crops, why = _dated(evidence, printed), f"The date {printed.shelf.why}; today is {evidence.today}."
    if printed.shelf.shelf is Shelf.EXPIRED:
        return Finding(claim, Ruling.CONFIRMED, why, "the label", crops)
    if printed.shelf.shelf in (Shelf.FINE, Shelf.SHORT):
        return Finding(claim, Ruling.CONTRADICTED, why, "the label", crops)
    return _open(claim, why, crops)


def _missing(claim: Claim, evidence: Evidence) -> Finding:
    if claim.value != "label":
        return _open(claim, f"No picture is known to show whether '{claim.value}' is there.")
    lines = list(_lines(evidence))
    if evidence.printed is not None and evidence.printed.presence is Presence.PRESENT:
        crops = tuple(_crop(seen, line) for seen, line in lines)[:3]
        return Finding(claim, Ruling.CONTRADICTED, f"A label was read: {evidence.printed.why}.", "the label", crops)
    if evidence.printed is None:
        return _open(claim, "Nobody asks for a label on this type of part, so none was looked for.")
    return _open(claim, f"Label {evidence.printed.presence}: {evidence.printed.why}. That proves no absence.")


def _wrong(claim: Claim, evidence: Evidence) -> Finding:
    identity = evidence.printed.identity if evidence.printed else None
    if identity is None or identity.margin is None:
        return _open(claim, "Nobody said which item this should be, or its label was not read.")
    crops = tuple(_crop(seen, line) for seen, line in _lines(evidence))[:3]
    other = next((one for one in identity.contradictions if claim.attribute in (one.attribute, "label", "item")), None)
    if other is not None:
        why = f"The label says {other.attribute} {other.read}, expected is {other.expected}."
        return Finding(claim, Ruling.CONFIRMED, why, "the label", crops)
    if claim.attribute == "label" and identity.margin >= SURE:
        return Finding(claim, Ruling.CONTRADICTED, "The label is the expected item's.", "the label", crops)
    if claim.attribute in ("label", "item") and identity.margin <= -SURE and identity.candidates:
        return Finding(claim, Ruling.CONFIRMED, f"The label reads like {identity.candidates[0].entry.title}.",
                       "the label", crops)  # fmt: skip
    return _open(claim, "The label does not say so; what is in the pack no picture shows.", crops)


def _colour(claim: Claim, evidence: Evidence) -> Finding:
    measured = [one for one in evidence.seen if one.colours and not one.unusable]
    if not measured:
        return _open(claim, "The pictures show no colour, or none was measured.")
    shares = [one.colours.get(claim.value, 0.0) for one in measured]
    most = max(max(one.colours, key=lambda name: one.colours[name]) for one in measured)
    crops = tuple(Crop(one.image_id, (0, 0, max(1, one.size_wh[0]), max(1, one.size_wh[1]))) for one in measured)[:2]
    whole = len(measured) == len(evidence.seen) and all(sum(one.colours.values()) >= COLOURED for one in measured)
    if whole and max(shares) < TRACE:
        why = f"No picture shows {claim.value}; most of what has a colour is {most}."
        return Finding(claim, Ruling.CONTRADICTED, why, "a measure", crops)
    return _open(claim, f"{max(shares):.0%} of a picture is {claim.value}; whose colour that is nobody can say.", crops)
