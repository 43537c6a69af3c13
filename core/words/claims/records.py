"""What claims are, and what can be said of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.records import Label, Prediction, Region
from core.taxonomy import Taxonomy
from core.words.claims.places import Place
from core.words.expiry import Printing
from core.words.print_check import PrintFinding
from core.words.prints import Reading

SEVERAL = 2  # what "several" and "many" say at least


class ClaimKind(StrEnum):
    """What kind of thing is said."""

    DAMAGE = "damage"
    TEXT = "label says"
    DATE = "label's date"
    EXPIRED = "expired"
    MISSING = "missing"
    WRONG = "wrong"
    COLOUR = "colour"


class Ruling(StrEnum):
    """What the evidence says of a claim."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_ENOUGH = "not enough"


@dataclass(frozen=True)
class Claim:
    """One thing that a sentence says of the part.

    Attributes:
        phrase: the words that say it, as they were written.
        class_id: of the site's taxonomy; None for any damage, and for what the site has no class for.
        known: False where a kind of damage is meant that the site has no class for.
        value: what the label is said to say, what is said to be missing, or the colour.
        attribute: such as "size", of what is said to be wrong.
        place: in the picture; None where none is said.
        view: of the part that is meant by the place; None where any is.
        elsewhere: words for a place that no picture is known to show; such a claim stays open.
        count: at least so many.
        size_mm: the longest side, in millimetres; None where none is said.
        size_px: the same in pixels.
        negated: the sentence says that it is not so.
        hedged: said with doubt.
        unclear: the sentence can be read both ways, so the claim stays open.
    """

    kind: ClaimKind
    phrase: str
    class_id: str | None = None
    known: bool = True
    value: str = ""
    attribute: str = ""
    place: Place | None = None
    view: str | None = None
    elsewhere: str = ""
    count: int = 1
    size_mm: float | None = None
    size_px: float | None = None
    negated: bool = False
    hedged: bool = False
    unclear: str = ""


@dataclass(frozen=True)
class Sentence:
    """One sentence and what it claims.

    Attributes:
        nothing: why it makes no claim that could be checked; empty where it makes one.
        leftover: words beyond its claims and the plain words around them: they say something that is not checked.
    """

    text: str
    claims: tuple[Claim, ...] = ()
    nothing: str = ""
    leftover: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crop:
    """Where to look: a box in an image's own pixels."""

    image_id: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Finding:
    """What the evidence says of one claim.

    Attributes:
        why: one plain sentence.
        by: whose word it is: "a person", a model's name, "the label", "a measure"; empty where nobody's counts.
        support: strength of the model's evidence, 0 to 1; None where it was not asked.
        limit: the strength that was needed; None where none is in force.
    """

    claim: Claim
    ruling: Ruling
    why: str
    by: str = ""
    crops: tuple[Crop, ...] = ()
    support: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class CheckedSentence:
    """A sentence with what the evidence says of each of its claims."""

    sentence: Sentence
    findings: tuple[Finding, ...] = ()

    @property
    def supported(self) -> bool:
        """Everything it says was checked and confirmed: what may stand in a description."""
        return (
            bool(self.findings)
            and all(one.ruling is Ruling.CONFIRMED for one in self.findings)
            and not self.sentence.leftover
        )


@dataclass(frozen=True)
class Seen:
    """One image of the part and everything that was said of it.

    Attributes:
        unusable: why the image proves nothing; empty where it can be used.
        label: what people say; None while nobody has.
        regions: that the model or the detector in force proposes.
        off: why the place of this prediction's heat proves nothing; empty where it may.
        read: what is printed on it; None where nobody read it.
        colours: share of the picture's coloured pixels, by colour; empty where it was not measured, or shows none.
    """

    image_id: int
    view: str | None
    size_wh: tuple[int, int]
    unusable: str = ""
    label: Label | None = None
    prediction: Prediction | None = None
    regions: tuple[Region, ...] = ()
    off: str = ""
    read: Reading | None = None
    colours: Mapping[str, float] = field(default_factory=dict)
    taken_at: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """All that can be held against claims about one part.

    Attributes:
        printed: the check of its label; None where its part type asks for none.
        today: at the site.
        mm_per_px: None where nobody said.
        problem: what could not be had; any makes every claim stay open.
    """

    part: str
    site: str
    taxonomy: Taxonomy
    seen: tuple[Seen, ...]
    today: date
    printed: PrintFinding | None = None
    printing: Printing = field(default_factory=Printing)
    mm_per_px: float | None = None
    problem: str = ""

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views that there are pictures of."""
        return tuple(dict.fromkeys(one.view for one in self.seen if one.view))
