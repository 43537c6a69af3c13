"""Functions that go by lists of words: defects, products, brands, places, people, and a site's own entries.

Short on purpose and written from common knowledge; a plant's own words come in by a click on the page of notes.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from core.words.labelling.registry import Kind, LabelFunction, Prepared, each
from core.words.redaction_lists import DOUBTFUL, GIVEN, SURNAMES
from core.words.text import Span, plain_word, tokens_of

DEFECTS = (
    "burr", "scratch", "crack", "hairline crack", "dent", "pit", "pitting", "chip", "stain", "rust", "corrosion",
    "tear", "hole", "leak", "bubble", "blister", "void", "porosity", "warp", "gouge", "scuff", "scuff mark", "smudge",
    "flash", "sink mark", "short shot", "weld line", "wrinkle", "fold", "dust", "contamination", "discoloration",
    "delamination", "flaking", "peeling", "misalignment", "loose screw", "missing screw", "missing cap",
    "missing label",     "wrong label", "torn label", "bent corner",
    "crushed corner", "crushed box", "torn box", "open seal", "broken seal",
    "stripped thread", "runout", "chatter mark", "tool mark", "inclusion", "orange peel", "drip", "overspray", "defect",
    "mark", "damage", "breakage", "fracture", "wet box", "oil stain", "fingerprint", "sharp edge",
)  # fmt: skip
PRODUCTS = (
    "bracket", "housing", "carton", "bottle", "cap", "bearing", "gear", "shaft", "plate", "box", "label", "panel",
    "casting", "blade", "flange", "valve", "pump", "motor", "cover", "lid", "tray", "pallet", "bag", "pouch", "can",
    "jar", "tube", "pipe", "hose", "spring", "screw", "bolt", "nut", "washer", "gasket", "seal", "ring", "disc",
    "wheel", "frame", "door", "hinge", "handle", "knob", "switch", "cable", "connector", "board", "sensor", "lens",
    "mug", "kettle", "lamp", "chair", "table", "mattress", "pillow", "shirt", "shoe", "toy", "impeller", "manifold",
    "rotor", "piston", "cylinder", "part", "item", "piece", "unit", "parcel", "envelope", "crate",
)  # fmt: skip
BRANDS = ("lego", "legos", "nike", "adidas", "ikea", "bosch", "siemens", "samsung", "philips", "makita", "duplo")
PLACES = ("lyon", "hamburg", "rotterdam", "linz", "turin", "leeds", "porto", "munich", "madrid", "paris", "berlin")


def functions(entries: Mapping[str, Collection[str]]) -> tuple[LabelFunction, ...]:
    """Those that come with Holdpoint, and one for each label that a site has words of its own for."""
    own = tuple(
        by_list(f"the site's own: {label}", label, f"Words that people of the site put on its list of {label}s.", words)
        for label, words in sorted(entries.items())
        if words
    )
    return (*SHIPPED, *own)


def by_list(name: str, label: str, says: str, words: Iterable[str], kind: Kind = Kind.LIST) -> LabelFunction:
    """A function that votes for the longest entry at each place; one and many count as the same word."""
    entries = frozenset(folded(word) for word in words)
    longest = max((len(entry) for entry in entries), default=0)

    def find(text: Prepared) -> Iterable[Span]:
        alike = [singular(word) for word in text.plain]
        at = 0
        while at < len(alike):
            for length in range(min(longest, len(alike) - at), 0, -1):
                if tuple(alike[at : at + length]) in entries:
                    yield text.span(at, at + length, label)
                    at += length - 1
                    break
            at += 1

    return LabelFunction(name, kind, says, each(find))


def folded(entry: str) -> tuple[str, ...]:
    """An entry as it is compared."""
    return tuple(singular(plain_word(token.text)) for token in tokens_of(entry))


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Without the ending of the plural or of the owner, near enough to compare words."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _two_names(text: Prepared) -> Iterable[Span]:
    alike = [word.removesuffix("'s") for word in text.plain]
    for at in range(len(alike) - 1):
        if (alike[at] in GIVEN or alike[at] in DOUBTFUL) and alike[at + 1] in SURNAMES:
            yield text.span(at, at + 2, "employee")


def _qualified(text: Prepared) -> Iterable[Span]:
    """A defect with the word that says how large or where, as one span."""
    heads = {folded(word)[-1] for word in DEFECTS}
    for at in range(1, len(text.plain)):
        if singular(text.plain[at]) in heads and text.plain[at - 1] in _HOW:
            yield text.span(at - 1, at + 1, "defect")


_HOW = frozenset((
    "deep", "big", "small", "long", "huge", "tiny", "hairline", "surface", "edge", "corner", "wet", "oil", "paint",
    "weld", "tool", "scuff", "missing", "wrong", "torn", "open", "broken", "bent", "crushed", "loose", "sharp",
))  # fmt: skip
SHIPPED = (
    by_list("known defects", "defect", "A list of usual names of defects.", DEFECTS),
    LabelFunction("defect with its kind", Kind.LIST, "A known defect and the word before it: hairline crack.",
                  each(_qualified)),
    by_list("known products", "product", "A list of usual names of parts and goods.", PRODUCTS),
    by_list("known brands", "brand", "A few brands that everybody knows.", BRANDS),
    by_list("known places", "location", "A few towns that plants stand in.", PLACES),
    by_list("given names", "employee", "Given names that are hardly ever anything else.", GIVEN),
    by_list("names that are words too", "employee", "Given names that are ordinary words or brands as well.", DOUBTFUL),
    LabelFunction("name and surname", Kind.LIST, "A given name with a surname behind it.", each(_two_names)),
)  # fmt: skip
