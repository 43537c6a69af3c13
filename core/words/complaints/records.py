"""What a complaint is: one thing that a customer told or sent back, what was understood of it, and what people said.

A customer's text is data. It is covered before it is kept, shown as plain text, and changes nothing by itself: every
field that a model read out of it is a proposal with its confidence until a person has confirmed or corrected it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.errors import BadInput

MOST_TEXT = 4000  # characters of a customer's text
MOST_WORD = 200  # characters of a number or name
DAY = "a day such as 2026-03-01"


class ComplaintKind(StrEnum):
    """How it came."""

    COMPLAINT = "complaint"
    RETURN = "return"


class Sight(StrEnum):
    """A person's word on the pictures: could anybody have seen there what the customer tells?"""

    VISIBLE = "visible"
    NOT_VISIBLE = "not visible"
    CANNOT_TELL = "cannot tell"


class Passed(StrEnum):
    """How the part got out."""

    MODEL = "model"  # by itself, under a policy
    INSPECTOR = "inspector"  # a person let it go
    CAUGHT = "caught"  # somebody or something stopped it, and it went out all the same
    UNKNOWN = "unknown"  # nothing was decided about it before it left


class ComplaintState(StrEnum):
    """Where it is."""

    OPEN = "open"
    ASIDE = "set aside"  # it says nothing that complaints are about
    ANSWERED = "answered"  # a person has looked at the pictures


class ActKind(StrEnum):
    """What can be done about it."""

    RELABEL = "relabel"
    REPACK = "repack"
    REWORK = "rework"
    NOTIFY = "notify"


class ActState(StrEnum):
    """Nothing is done before a person confirms it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


@dataclass(frozen=True)
class Told:
    """One row of a file, or one report that was typed.

    Attributes:
        reference: the sender's own number for it; the same one is never kept twice at a site.
        told_on: the day on which the customer told.
        part: name or serial number of the part.
        item: number of the catalogue, or the part type.
        shipped_on: the day on which it left the plant, where the sender knows.
    """

    reference: str
    told_on: date
    text: str
    kind: ComplaintKind = ComplaintKind.COMPLAINT
    order: str = ""
    item: str = ""
    part: str = ""
    tracking: str = ""
    seller: str = ""
    batch: str = ""
    shipped_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if not self.reference:
            raise BadInput("It has no id: give each complaint its own.")
        if not self.text and self.kind is ComplaintKind.COMPLAINT:
            raise BadInput("It has no text: a complaint needs one, only a return may go without.")
        if self.shipped_on is not None and self.shipped_on > self.told_on:
            raise BadInput(f"It was shipped on {self.shipped_on} and told before, on {self.told_on}.")
        if len(self.text) > MOST_TEXT:
            raise BadInput(f"Its text has {len(self.text):,} characters: at most {MOST_TEXT:,} are taken.")
        for word in (self.reference, self.order, self.item, self.part, self.tracking, self.seller, self.batch):
            if len(word) > MOST_WORD or not word.isprintable():
                raise BadInput(f"'{word[:40]}' is no text of up to {MOST_WORD} printable characters.")


@dataclass(frozen=True)
class Field:
    """One thing that a complaint names.

    Attributes:
        sure: the model's chance that it is right, in [0, 1]; None from a person.
        by: who said so; empty for the model.
    """

    value: str
    sure: float | None = None
    by: str = ""


@dataclass(frozen=True)
class Reading:
    """What a complaint was understood as.

    Attributes:
        intents: what it is about, such as damaged or wrong_size, the main one first.
        sure: of the main one.
        fields: by name, such as defect, item, size, time and person.
        class_id: the site's class of that defect; None where no class is known for it.
        model: name of the text model; empty where none was at hand, or a person has gone through it.
        confirm: something is less sure than the model's limit: a person has to say.
        out_of_scope: it is about none of what complaints are about.
    """

    intents: tuple[str, ...] = ()
    sure: float | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    class_id: str | None = None
    model: str = ""
    confirm: bool = True
    out_of_scope: bool = False

    def said(self, name: str) -> str:
        """A field's value; empty where it names none."""
        found = self.fields.get(name)
        return "" if found is None else found.value


@dataclass(frozen=True)
class Passage:
    """How a part got out.

    Attributes:
        model, policy: of the decision that was in force.
        inspector: whose answer let it go; empty where no person's did, or where it is not for whoever asks.
        at: when.
        decision_id: in force when it left.
    """

    how: Passed
    model: str | None = None
    policy: int | None = None
    inspector: str = ""
    at: datetime | None = None
    decision_id: int | None = None

    @property
    def sentence(self) -> str:
        """In words."""
        on = "" if self.at is None else f" on {self.at:%d %b %Y}"
        rule = "" if self.policy is None else f" under policy {self.policy}"
        if self.how is Passed.MODEL:
            return f"Passed by model {self.model or 'unknown'}{rule}{on}; no person looked at it."
        if self.how is Passed.INSPECTOR:
            return f"Passed by {self.inspector or 'an inspector'}{on}; the model was {self.model or 'unknown'}{rule}."
        if self.how is Passed.CAUGHT:
            who = self.inspector or (f"model {self.model}{rule}" if self.model else "the line")
            return f"Caught by {who}{on}, and it went out all the same: look for how."
        return "Nothing was decided about it before it left."


@dataclass(frozen=True)
class Complaint:
    """A complaint as the store keeps it.

    Attributes:
        text: covered; what was covered is counted in `covered`, by kind.
        linked_how: by which rule, or "person"; empty while no part is known.
        candidates: parts that it may be about, where the rule could not choose.
        link_why: the rule's sentence.
        sight: the last word of a person on the pictures; None while nobody has looked.
        passage: how the part got out, as found when somebody answered.
        delay_days: from leaving to telling; None where either day is unknown.
    """

    id: int
    site: str
    told: Told
    covered: Mapping[str, int]
    reading: Reading
    state: ComplaintState
    part_id: int | None
    linked_how: str
    link_why: str
    candidates: tuple[int, ...]
    source: str
    by: str
    entered_at: datetime
    sight: Sight | None = None
    passage: Passage | None = None
    delay_days: int | None = None
    answered_by: str = ""
    note: str = ""

    @property
    def escape(self) -> bool:
        """A defect that could be seen, in a part that was let go."""
        passed = self.passage is not None and self.passage.how in (Passed.MODEL, Passed.INSPECTOR)
        return self.sight is Sight.VISIBLE and passed


@dataclass(frozen=True)
class Act:
    """Something that may be done about a complaint.

    Attributes:
        why: what the proposal rests on, in a sentence.
    """

    id: int
    complaint_id: int
    kind: ActKind
    state: ActState
    why: str
    by: str = ""
    note: str = ""
    decided_at: datetime | None = None
