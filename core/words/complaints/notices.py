"""A notice about a pattern or a single complaint: drafted from figures, approved by somebody else, then sent.

The draft says what was counted, never what a customer wrote: words from outside are in no message that leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.words.complaints.patterns import Pattern, Tested
from core.words.complaints.records import Complaint

MOST_BODY = 900  # characters; what the notifier sends at most is a little more
_PICTURES = 6


class NoticeState(StrEnum):
    """Where a notice is; whether its messages arrived is said by each of them."""

    DRAFT = "draft"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True)
class Draft:
    """What somebody is asked to approve.

    Attributes:
        about, name: such as order 55120.
        evidence: figures, and ids of complaints and pictures.
    """

    about: str
    name: str
    title: str
    body: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class ComplaintNotice:
    """A notice as the store keeps it."""

    id: int
    site: str
    draft: Draft
    state: NoticeState
    drafted_by: str
    drafted_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Message:
    """One message of a notice on one channel, until it went out or was given up."""

    id: int
    notice_id: int
    channel: str
    state: str
    title: str
    body: str
    attempts: int
    error: str
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None = None


def about_pattern(
    site: str, pattern: Pattern, looked: Tested, references: Sequence[str], images: Sequence[int]
) -> Draft:
    """What a pattern has to tell.

    Args:
        site: where.
        pattern: that stands out.
        looked: among how many tests.
        references: of its complaints.
        images: pictures of their parts, named by number: whoever may see them finds them there.
    """
    one = pattern.group
    within = ""
    if pattern.ratio is not None and pattern.within is not None:
        within = f" Ratio {pattern.ratio:.1f} (95%: {pattern.within.low:.1f} to {pattern.within.high:.1f})."
    body = (
        f"{pattern.sentence}{within} Exact test against the others, adjusted for {looked.tests:,} tests: "
        f"p = {pattern.p_adjusted:.2g}. Of such findings at most {looked.q:.0%} are expected to be chance."
        f"{_named('Complaints', references)}{_named('Pictures', [str(image) for image in images[:_PICTURES]])}"
    )
    evidence = {
        "hits": one.hits, "of": one.of, "what": one.what, "share": pattern.share, "elsewhere": pattern.elsewhere,
        "ratio": _finite(pattern.ratio), "low": _finite(None if pattern.within is None else pattern.within.low),
        "high": _finite(None if pattern.within is None else pattern.within.high), "p": pattern.p,
        "p_adjusted": pattern.p_adjusted, "tests": looked.tests, "q": looked.q,
        "complaints": list(references), "images": list(images),
    }  # fmt: skip
    what = f", {one.what}" if one.what else ""
    return Draft(one.about, one.name, f"{site}: complaints about {one.about} {one.name}{what}"[:120],
                 body[:MOST_BODY], evidence)  # fmt: skip


def about_complaint(complaint: Complaint, why: str, part: str, images: Sequence[int]) -> Draft:
    """What a single complaint has to tell."""
    told = complaint.told
    about = ", ".join(one.replace("_", " ") for one in complaint.reading.intents) or "not said"
    known = complaint.reading.class_id
    passed = "" if complaint.passage is None else f" {complaint.passage.sentence}"
    body = (
        f"{told.kind.capitalize()} {told.reference} of {told.told_on}, about: {about}"
        f"{'' if known is None else f' ({known})'}.{f' Part {part}.' if part else ''} {why}{passed}"
        f"{_named('Pictures', [str(image) for image in images[:_PICTURES]])}"
    )
    evidence = {"hits": 1, "of": 1, "complaints": [told.reference], "images": list(images), "why": why}
    return Draft("complaint", told.reference, f"{complaint.site}: {told.kind} {told.reference}"[:120],
                 body[:MOST_BODY], evidence)  # fmt: skip


def _named(what: str, names: Sequence[str], most: int = 12) -> str:
    if not names:
        return ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f" {what}: {', '.join(names[:most])}{more}."


def _finite(value: float | None) -> float | None:
    return None if value is None or value in (float("inf"), float("-inf")) else value
