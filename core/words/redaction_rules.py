"""What addresses, numbers and e-mail addresses look like; names are in `redaction_names`.

Every pattern is bounded: no repetition inside a repetition over the same letters, so a hostile text costs what an
ordinary one of its length does.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.errors import BadInput
from core.words.redaction import PLACEHOLDERS, Kind, Personal
from core.words.redaction_lists import COUNTED, NO_NAME, SAYS_NUMBER, SAYS_PARCEL, SAYS_PERSON, SAYS_PHONE
from core.words.redaction_names import names


@dataclass(frozen=True)
class Looking:
    """How to look.

    Attributes:
        regions: countries whose telephone numbers may stand without +.
        sure_of_region: somebody said where the text is from.
        keep: words that are no names, in small letters.
    """

    regions: tuple[str, ...]
    sure_of_region: bool
    keep: frozenset[str]


Finder = Callable[[str, Looking], Iterable[Personal]]

USUAL_REGIONS = ("GB", "DE", "FR", "IT", "ES", "US")
_PLACEHOLDER = re.compile("|".join(re.escape(one) for one in PLACEHOLDERS))

_UP = "A-ZÀ-ÖØ-ÞĀĄĆĈĊČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽ"
_WORD = rf"[{_UP}][\w'’.\-]{{0,24}}"
_CITY = (
    rf"[{_UP}][^\W\d_]{{1,24}}"
    rf"(?:[ \-](?:[{_UP}][^\W\d_]{{1,24}}|(?:am|an|der|de|la|le|les|sur|sous|del|di|in|im|upon|on)\b)){{0,4}}"
)
_NUMBER = r"\d{1,5}(?: ?[a-zA-Z](?![\w'’]))?(?: ?[-/–] ?\d{1,4}[a-zA-Z]?(?!\w))?"
_FLAT = (
    r"(?:,? (?i:apt|apartment|flat|unit|suite|ste|room|floor|app|appt|bât|wohnung|whg|int|interno|piso|puerta|esc)\.?"
    r" ?#?\w{1,5}\b|,? #\w{1,5}\b|,? \d{1,2}º ?[A-Za-z]?\b)?"
)

_STREETS = (
    # 12 Rose Street; 12B Old Mill Rd, Apt 4
    rf"\b(?:(?i:flat|apt|apartment|unit|suite) \w{{1,4}},? )?{_NUMBER},? "
    rf"(?:(?i:north|south|east|west|n|s|e|w|old|new|upper|lower|st)\.? )?(?:{_WORD} ){{1,4}}"
    r"(?i:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|square|sq|terrace|way|close|"
    r"crescent|cres|gardens|gdns|grove|mews|parkway|pkwy|highway|hwy|circle|cir|row|walk|hill|park|green|quay|broadway)"
    rf"\b\.?{_FLAT}",
    # 12 rose street, as it is dictated
    r"\b\d{1,5}[a-z]? (?!(?:the|a|an|this|that|in|on|off|per|of|from|at|by|and|or|to)\b)[a-z]{3,20} "
    r"(?:street|avenue|boulevard)\b",
    # Rosenstraße 12; Rosen Str. 12a; Unter den Linden 5 is below
    rf"\b(?:[{_UP}][\w.\-]{{0,24}}[ \-]){{0,3}}[{_UP}]?[^\W\d_]{{2,30}}"
    r"(?i:straße|strasse|str\.|str|weg|platz|allee|gasse|ufer|damm|chaussee|steig|straat|laan|gracht|kade|plein)"
    rf",? ?{_NUMBER}\b{_FLAT}",
    rf"\b(?:{_WORD}[ \-]){{1,3}}(?i:straße|strasse|str\.?|weg|platz|allee|ring|damm),? {_NUMBER}\b{_FLAT}",
    rf"\b(?:Am|An der|An den|Auf der|Auf dem|Im|In der|In den|Zum|Zur|Unter den|Hinter der|Vor dem)"
    rf" {_WORD}(?: {_WORD})? {_NUMBER}\b",
    # 5 bis, rue de la Paix; rue Victor Hugo 8
    rf"\b\d{{1,4}}(?: ?(?i:bis|ter|quater|[a-d]))?,? "
    r"(?i:rue|avenue|av\.|boulevard|bd\.?|place|chemin|impasse|allée|allee|quai|route|cours|square|passage|faubourg)"
    rf" (?:(?i:de la|de l['’]|de|du|des|d['’]|la|le|les|l['’]) ?)?(?:{_WORD})"
    rf"(?:(?: |-)(?:(?i:de|du|des|la|le|et|d)\b ?)?{_WORD}){{0,4}}",
    rf"\b(?i:rue) (?:(?i:de la|de l['’]|de|du|des|d['’]) ?)?{_WORD}(?: {_WORD}){{0,3}},? {_NUMBER}\b",
    # Via Roma 10; Viale dei Mille, n. 4
    r"\b(?i:via|viale|piazza|piazzale|p\.zza|corso|largo|vicolo|strada|contrada|borgo|lungotevere)"
    rf" (?:(?i:della|delle|degli|dei|del|dell['’]|di|da|d['’]|san|santa|al|alla) ?)?{_WORD}(?: {_WORD}){{0,3}},?"
    rf" (?:(?i:n\.?|nr\.?|n°|numero) ?)?{_NUMBER}\b{_FLAT}",
    # Calle de Alcalá, 45, 3º B; C/ Mayor 7
    r"\b(?i:calle|c/|avenida|avda\.?|av\.|plaza|pza\.?|paseo|camino|carrera|ronda|carretera|ctra\.?|travesía|rambla)"
    rf" ?(?:(?i:de la|de los|de las|del|de|la) )?{_WORD}(?: (?:(?i:de|del|la|y) )?{_WORD}){{0,3}},?"
    rf" (?:(?i:nº|n\.º|núm\.?|n°|número) ?)?{_NUMBER}\b{_FLAT}",
    # ul. Polna 7
    rf"\b(?i:ul\.|al\.|os\.) ?{_WORD}(?: {_WORD}){{0,2}},? {_NUMBER}\b",
    # boxes at a post office
    r"\b(?i:p\.? ?o\.? ?box|post office box|postfach|boîte postale|casella postale|apartado(?: de correos)?|postbus)"
    r" ?(?:(?i:nr|no|n)\.? ?)?\d[\d ]{0,8}\d?\b",
    r"\bB\.?P\.? \d{2,5}\b(?=[ ,\n]+\d{5})",
)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|"
    "RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
_BRITISH = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GU"
    "|HA|HD|HG|HP|HR|HS|HU|HX|IG|IP|IV|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO"
    "|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
_TOWNS = (
    rf"\b\d{{2}}-\d{{3}} {_CITY}",
    rf"\b(?:D|A|CH|F|I|E|L|B|NL|DE|AT|FR|IT|ES|PL|LU|BE)[-–] ?\d{{4,5}} {_CITY}",
    rf"(?m:^|(?<=, )|(?<=,))[ \t]{{0,4}}\d{{5}} (?P<town>{_CITY})(?= ?(?:$|[,;.\n(]))(?: ?\([A-Z]{{2}}\))?",
    rf"\b(?:{_CITY},? )?(?:{_STATES}),? \d{{5}}(?:-\d{{4}})?\b",
    rf"\b(?:{_CITY}(?:,|\b)[ \n])?(?:{_BRITISH})\d[A-Z\d]? \d(?!GB|MB|KB|TB|XL|LB)[ABD-HJLNP-UW-Z]{{2}}\b",
    rf"\b\d{{4}} [A-Z]{{2}},? {_CITY}",
)
_ADDRESSES = tuple(re.compile(one) for one in (*_STREETS, *_TOWNS))
_STREET_PATTERNS = frozenset(re.compile(one) for one in _STREETS)
_TOWN_AFTER = re.compile(rf"(?P<gap>[ ,\n\t]{{1,4}})(?:\d{{4,5}} {_CITY}(?: \([A-Z]{{2}}\))?|{_CITY}(?=,? ?(?:\n|$)))")
_NO_TOWN = NO_NAME | COUNTED

_HOST = r"[\w\-]{1,63}"
_EMAIL = re.compile(
    rf"(?<![\w.+\-])\w[\w.+\-]{{0,63}} ?@ ?{_HOST}(?: ?\. ?{_HOST}){{0,3}} ?\. ?[a-z]{{2,12}}\b"
    rf"|\b\w[\w.+\-]{{0,63}} ?[(\[{{]at[)\]}}] ?{_HOST}"
    rf"(?:(?: ?\. ?| ?[(\[](?:dot|punkt|point|punto)[)\]] ?){_HOST}){{1,3}}"
    r"|\b\w[\w+\-]{0,40}(?: dot [\w+\-]{1,40}){0,2} at [\w\-]{2,40}(?: dot [a-z]{2,12}){1,2}\b",
    re.IGNORECASE,
)
_SAYS_PHONE = re.compile(
    rf"\b(?:{SAYS_PHONE})(?:[ .]?(?:{SAYS_NUMBER}))?(?: is| ist| est| è| es)?\.?[ :#]{{0,3}}"
    r"(?P<number>[+(]{0,2}\d[\d ()/.\-]{4,18}\d)",
    re.IGNORECASE,
)
_IS_NUMBER = rf"[\- ]?(?:{SAYS_NUMBER})?\.?(?: is| ist| est| è| es)?[ :#]{{1,3}}"
_NUMBERS = (
    re.compile(
        rf"\b(?:{SAYS_PARCEL}){_IS_NUMBER}(?P<number>(?=[A-Z \-]{{0,6}}\d)[A-Z0-9](?:[ \-]?[A-Z0-9]){{7,33}})\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:card|karte|carte|carta|tarjeta)\b[^\d\n]{0,12}(?P<number>\d(?:[ \-]?\d){12,18})\b", re.IGNORECASE
    ),
    re.compile(r"\b(?P<number>1Z(?: ?[0-9A-Z]){16})\b"),
    re.compile(r"\b(?P<number>[A-Z]{2}\d{9}[A-Z]{2})\b"),  # the post's own form, S10 of the UPU
    re.compile(
        rf"\b(?:{SAYS_PERSON})[\- ]?(?:{SAYS_NUMBER})\.?(?: is| ist| est| è| es)?[ :#]{{1,3}}"
        r"(?P<number>(?=[A-Z\-]{0,4}\d)[A-Z0-9\-]{4,24})\b",
        re.IGNORECASE,
    ),
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_CARD = re.compile(r"(?<![\d.])\d(?:[ \-]?\d){12,18}(?![\d.])")


def looking(region: str | None, keep: Collection[str]) -> Looking:
    """How to look in a text from a country, or from none in particular.

    Raises:
        BadInput: no country that has telephone numbers.
    """
    kept = frozenset(" ".join(word.casefold().split()) for word in keep)
    if region is None:
        return Looking(USUAL_REGIONS, False, kept)
    import phonenumbers

    wanted = region.upper()
    if wanted not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput(f"'{region}' is no country: give its two letters, such as FR or DE.")
    return Looking((wanted,), True, kept)


def pieces_between(text: str, start: int, end: int, found: Sequence[Personal]) -> Iterator[tuple[int, int]]:
    """The pieces of text[start:end] that lie between placeholders and what was found."""
    fences = [(one.start, one.end) for one in found]
    fences += [(hit.start(), hit.end()) for hit in _PLACEHOLDER.finditer(text, start, end)] if not found else []
    for fence_start, fence_end in [*sorted(fences), (end, end)]:
        if text[start:fence_start].strip():
            yield start, fence_start
        start = fence_end


def emails(text: str, how: Looking) -> Iterator[Personal]:
    """Addresses with @, and as people write or dictate them to avoid it."""
    del how
    for hit in _EMAIL.finditer(text):
        yield Personal(hit.start(), hit.end(), Kind.EMAIL, "e-mail")


def numbers(text: str, how: Looking) -> Iterator[Personal]:
    """Numbers that lead to one person: parcels, customers, accounts and cards; orders, lots and parts do not."""
    del how
    for pattern in _NUMBERS:
        for hit in pattern.finditer(text):
            yield Personal(hit.start("number"), hit.end("number"), Kind.NUMBER, "number")
    for hit in _IBAN.finditer(text):
        if _iban(hit.group()):
            yield Personal(hit.start(), hit.end(), Kind.NUMBER, "account")
    for hit in _CARD.finditer(text):
        if _luhn(hit.group()):
            yield Personal(hit.start(), hit.end(), Kind.NUMBER, "card")


def addresses(text: str, how: Looking) -> Iterator[Personal]:
    """Streets with a number, boxes at a post office, and towns with their code."""
    del how
    for pattern in _ADDRESSES:
        street = pattern in _STREET_PATTERNS
        for hit in pattern.finditer(text):
            town = hit.groupdict().get("town")
            if town and town.split()[0].casefold() in _NO_TOWN:
                continue
            end = hit.end()
            if street and (after := _TOWN_AFTER.match(text, end)):
                words = after.group().strip(" ,\n\t").split()
                if not any(word.casefold() in _NO_TOWN for word in words):
                    end = after.end()
            start = hit.start() + len(hit.group()) - len(hit.group().lstrip())
            yield Personal(start, end, Kind.ADDRESS, "street" if street else "town")


def phones(text: str, how: Looking) -> Iterator[Personal]:
    """Telephone numbers: announced ones in any form, others where a country has such a number."""
    if sum(letter.isdigit() for letter in text) < 6:
        return
    for hit in _SAYS_PHONE.finditer(text):
        if 6 <= sum(letter.isdigit() for letter in hit.group("number")) <= 15:
            yield Personal(hit.start("number"), hit.end("number"), Kind.PHONE, "announced")
    import phonenumbers

    for region in how.regions:
        for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID):
            if match.raw_string.startswith(("+", "00")) or _dialled(match.raw_string, how.sure_of_region):
                yield Personal(match.start, match.end, Kind.PHONE, "phonenumbers")


def _dialled(raw: str, sure_of_region: bool) -> bool:
    """Whether a number without a country is written as people write telephone numbers, not as a machine counts."""
    digits = [letter for letter in raw if letter.isdigit()]
    grouped = len(re.findall(r"\d+", raw)) > 1
    if digits[0] == "0" or raw.startswith("("):
        return grouped or (sure_of_region and 9 <= len(digits) <= 12)
    return len(re.findall(r"\d+", raw)) >= 3 and 9 <= len(digits) <= 11


def _iban(written: str) -> bool:
    """Whether the check digits of an international account number are right (ISO 13616)."""
    letters = written.replace(" ", "")
    if not 15 <= len(letters) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1


def _luhn(written: str) -> bool:
    """Whether a card's check digit is right and its first digit is one that payment cards have (ISO 7812)."""
    digits = [int(letter) for letter in written if letter.isdigit()]
    if digits[0] not in (3, 4, 5, 6) or not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    total = sum(
        digit if place % 2 == 0 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0


def name_finder(text: str, how: Looking) -> Iterator[Personal]:
    """Names of people; those right above an address count, too."""
    below = tuple(one.start for one in addresses(text, how))
    for start, end, rule in names(text, how.keep, below):
        yield Personal(start, end, Kind.NAME, rule)


# The order is the order of right where two finds overlap.
FINDERS: tuple[tuple[Kind, Finder], ...] = (
    (Kind.EMAIL, emails),
    (Kind.NUMBER, numbers),
    (Kind.ADDRESS, addresses),
    (Kind.PHONE, phones),
    (Kind.NAME, name_finder),
)
