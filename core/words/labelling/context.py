"""Person, brand or neither to be told: a name that could be either, judged by the words around it.

`shift` or `schedule` near "Jordan" make a person of it, `cart` or `Legos` a brand. Where the words say nothing, or as
much for one as for the other, the answer is AMBIGUOUS and a person decides. The nearer a word, the more it counts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.words.labelling.lists import BRANDS, DEFECTS, PLACES, PRODUCTS, folded, singular
from core.words.labelling.registry import Kind, LabelFunction, Prepared, each
from core.words.months import names_of_months
from core.words.redaction_lists import DOUBTFUL, GIVEN, NO_NAME, SURNAMES
from core.words.text import Span
from core.words.votes import AMBIGUOUS

REACH = 6  # words to either side
ENDS = frozenset(".!?;")
PERSON = frozenset((
    "shift", "schedule", "scheduled", "rota", "roster", "overtime", "crew", "team", "colleague", "supervisor",
    "foreman", "operator", "inspector", "technician", "told", "tell", "ask", "asked", "says", "said", "sick",
    "absent", "holiday", "handover", "handed", "badge", "covers", "cover", "covering", "replaces", "relieves",
    "relieved", "trained", "training", "works", "worked", "working", "mr", "mrs", "ms", "dr", "thanks", "thank",
    "remind", "reminded", "signed", "reports", "reported", "he", "she", "his", "her", "him", "reviewed", "checked",
    "decided", "overruled", "released", "assigned", "assign", "takes", "leave", "leaves",
))  # fmt: skip
BRAND = frozenset((
    "cart", "lego", "legos", "duplo", "brand", "brands", "model", "edition", "sku", "packaging", "packed", "order",
    "orders", "ordered", "bought", "buy", "set", "sets", "kit", "kits", "shelf", "stock", "pallet", "shipment",
    "logo", "carton", "cartons", "toy", "toys", "box", "boxes", "bottle", "bottles", "shirt", "shirts", "shoe",
    "shoes", "version", "series", "product", "products", "catalogue", "price", "discount", "refund", "returned",
    "item", "items", "genuine", "fake", "counterfeit",
))  # fmt: skip
_WEEKDAYS = frozenset((
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
))  # fmt: skip
_OPENERS = frozenset((
    "i", "ok", "line", "press", "station", "bay", "dock", "camera", "hall", "building", "zone", "aisle", "cell",
    "night", "late", "early", "please", "show", "hand", "give", "put", "mark", "on", "we", "it", "there",
    "these", "those", "my",
    "our", "your", "found", "saw", "noticed", "torn", "bent", "wet", "more", "many", "some", "who", "where", "how",
    "count", "report", "stop", "start", "keep", "watch", "clean", "fix",
    "info", "warn", "warning", "error", "debug", "trace",
))  # fmt: skip
_ORDINARY = NO_NAME | PERSON | BRAND | _WEEKDAYS | _OPENERS
_SPEAKS = frozenset(("says", "said", "takes", "took", "told", "asked", "reported", "reports", "covers", "works"))
_DOES = frozenset(("was", "is", "has", "had", "and", "will", "did", "does", "can", "again", "came", "went"))
_KNOWN = frozenset(word for entry in (*DEFECTS, *PRODUCTS, *PLACES) for word in folded(entry))

Resolved = Literal["person", "brand", "ambiguous"]


@dataclass(frozen=True)
class Name:
    """Words that may name somebody or something.

    Attributes:
        first, after: its words, the last one not included.
        resolved: by the words around it.
        person, brand: how much they say for either.
    """

    first: int
    after: int
    resolved: Resolved
    person: float
    brand: float


def names(text: Prepared, brands: Collection[str] = (), people: Collection[str] = ()) -> list[Name]:
    """Every stretch of a text that could be a person's or a brand's name and is not surely one of them.

    Args:
        text: as it was said.
        brands: words that the site knows to be so, folded as `lists.folded` does it.
        people: the same.

    Surely a person's are given names from the short list with no brand of the same name, unless the words around say
    otherwise; these are left to the lists.
    """
    found: list[Name] = []
    at = 0
    shouting = sum(len(token.text) > 1 and token.text.isupper() for token in text.tokens) > len(text.tokens) / 2
    while at < len(text.tokens):
        after = at
        while after < len(text.tokens) and _may_name(text, after, shouting, brands, people):
            after += 1
        if after == at:
            at += 1
            continue
        person, brand = said_for(text, at, after)
        known_brand = any(singular(text.plain[i]) in brands for i in range(at, after))
        known_person = any(text.plain[i].removesuffix("'s") in GIVEN or singular(text.plain[i]) in people
                           for i in range(at, after))  # fmt: skip
        if known_person != known_brand and (brand == person or (brand > person) == known_brand):
            at = after  # a known name that nothing around it contradicts: the lists' business
            continue
        resolved: Resolved = "ambiguous"
        if abs(person - brand) > 1e-9:
            resolved = "person" if person > brand else "brand"
        found.append(Name(at, after, resolved, person, brand))
        at = after
    return found


def said_for(text: Prepared, first: int, after: int) -> tuple[float, float]:
    """How much the words around say for a person and for a brand: each counts 1 beside it, less with every step."""
    person = brand = 0.0
    for step, places in ((-1, range(first - 1, -1, -1)), (1, range(after, len(text.tokens)))):
        for away, at in enumerate(places):
            word = text.plain[at]
            if away >= REACH or word in ENDS:
                break
            weight = 1 / (1 + away)
            if word in PERSON or (step < 0 and away == 0 and word == "by"):
                person += weight
            elif word in BRAND or singular(word) in _PRODUCT_HEADS:
                brand += weight
    return person, brand


def function(entries: Mapping[str, Collection[str]]) -> LabelFunction:
    """The function that votes employee, brand or AMBIGUOUS."""
    brands = brand_words(entries)
    people = frozenset(word for entry in entries.get("employee", ()) for word in folded(entry))
    labels: Mapping[Resolved, str] = {"person": "employee", "brand": "brand", "ambiguous": AMBIGUOUS}

    def find(text: Prepared) -> Iterable[Span]:
        return (text.span(one.first, one.after, labels[one.resolved]) for one in names(text, brands, people))

    says = "A name that may be a person's or a brand's, by the words around it; AMBIGUOUS where they do not tell."
    return LabelFunction("person or brand", Kind.CONTEXT, says, each(find))


def brand_words(entries: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Words of known brands and of the site's own brands and products, folded."""
    own = (*BRANDS, *entries.get("brand", ()), *entries.get("product", ()))
    return frozenset(word for entry in own for word in folded(entry))


def _may_name(
    text: Prepared, at: int, shouting: bool, brands: Collection[str], people: Collection[str]
) -> bool:  # fmt: skip
    word, token = text.plain[at].removesuffix("'s"), text.tokens[at].text
    if not token[:1].isalpha() or len(word) < 2:
        return False
    alike = singular(word)
    known = word in GIVEN or alike in brands or alike in people or (word in SURNAMES and token[:1].isupper())
    if alike in _KNOWN or word in _ORDINARY:
        return False
    capital = token[:1].isupper() and not shouting
    if capital and not _starts(text, at):
        return not _month(word)
    if capital and at + 1 < len(text.plain) and text.plain[at + 1] in _SPEAKS:
        return True
    if word in DOUBTFUL:  # an ordinary word as well: in small letters, or at the start, only beside a person's word
        does = at + 1 < len(text.plain) and text.plain[at + 1] in _DOES
        return capital and _starts(text, at) and (does or said_for(text, at, at + 1) != (0.0, 0.0))
    return known and (capital or not token[:1].isupper() or shouting)


def _starts(text: Prepared, at: int) -> bool:
    return at == 0 or text.plain[at - 1] in ENDS or text.plain[at - 1] in (":", '"', "-", "*")


def _month(word: str) -> bool:
    return word.upper() in names_of_months(("en",))


_PRODUCT_HEADS = frozenset(folded(entry)[-1] for entry in PRODUCTS) - {"part", "item", "piece", "unit"}
