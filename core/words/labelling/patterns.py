"""Functions that go by patterns: lines, places, shifts, verdicts, numbers, sizes, and what stands around a defect."""

from core.words.labelling.registry import by_pattern
from core.words.votes import AMBIGUOUS

_NUMBER = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_COUNT = rf"(?:{_NUMBER}|a\s+dozen|a\s+couple|several|a\s+few)"
_UNITS = r"(?:am|pm|a\.m|p\.m|o'?clock|h\b|hours?|minutes?|days?|weeks?|months?|years?|%|percent|th\b|st\b|nd\b|rd\b)"

FUNCTIONS = (
    by_pattern(
        "line by its number", "line", "A line, press or cell of machines with a number or letter: line D, press 2, L3.",
        rf"\b(?:line|press|mill)\s+(?:{_NUMBER}|[a-h]|north|south|east|west)\b | \bl\d{{1,2}}\b"
        rf"| \b(?:the\s+)?(?:first|second|third|fourth|fifth|last)\s+line\b",
    ),
    by_pattern(
        "line by its work", "line", "A line named by what it does: the packing line, the press line.",
        r"\b(?:the\s+)?(?:\w+ing|assembly|paint|press|return|return?s|coating|filling|bottle)\s+line\b",
    ),
    by_pattern(
        "place by its number", "location", "A station, bay, dock, camera or hall with a number or letter.",
        rf"\b(?:station|bay|dock|aisle|camera|cell|building|hall|zone|gate|rack|door|shelf|bin)\s+"
        rf"(?:{_NUMBER}|[a-h]|north|south)(?:\s+door\s+\d)?\b",
    ),
    by_pattern(
        "place by its kind", "location", "A part of the building: the loading dock, the paint shop, the Lyon plant.",
        r"\b(?:the\s+)?(?:loading\s+(?:dock|bay)|packing\s+area|warehouse|paint\s+shop|clean\s*room|break\s+room"
        r"|cold\s+store|quarantine\s+cage|receiving(?:\s+area)?|mezzanine|(?:rework|test)\s+bench|canteen|yard)\b"
        r"| \b(?:the\s+)?\w+\s+(?:site|plant|warehouse|factory)\b",
    ),
    by_pattern(
        "shift", "schedule", "A shift, crew or team: the night shift, B team, Monday's crew.",
        r"\b(?:the\s+|tomorrow's\s+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:'s)?\s+)?"
        r"(?:night|day|early|late|morning|evening|afternoon|weekend|first|second|third|next|[a-d]|red|blue|green)\s+"
        r"(?:shift|crew|team|people)\b | \b(?:mon|tues|wednes|thurs|fri|satur|sun)day's\s+(?:shift|crew|team)\b",
    ),
    by_pattern(
        "shift's bare word", "schedule", "The words shift, crew and team with whatever word stands before them.",
        r"\b(?:the\s+)?\w+\s+(?:shift|crew|team)\b",
    ),
    by_pattern(
        "verdict", "verdict", "What was decided: held, on hold, rejected, released, scrapped.",
        r"\b(?:held|on\s+hold|failed|passed|rejected|released|scrapped|overridden|overruled|auto-?passed|unsure"
        r"|reworked?|approved)\b",
    ),
    by_pattern(
        "verdict after a verb", "verdict", "The participle after was, were, got or been.",
        r"\b(?:was|were|got|been|is|are)\s+(?P<it>\w+ed)\b",
    ),
    by_pattern(
        "number before a thing", "quantity", "A number that is no time, place or line.",
        rf"(?<!line\s)(?<!press\s)(?<!station\s)(?<!camera\s)(?<!bay\s)(?<!dock\s)(?<!size\s)(?<![:./,-])"
        rf"\b(?P<it>{_COUNT})\b(?!\s*(?:{_UNITS}|[:./-]\d))(?=\s+[a-z])",
    ),
    by_pattern("digits", "quantity", "Any number in digits.", r"(?<![\w:./])\d{1,4}(?![\w:./])"),
    by_pattern(
        "size", "size", "King size, size 42, XL, 40 mm.",
        r"\b(?:(?:king|queen|twin|full|double|single)(?:[\s-]sized?)?|extra[\s-]large|xx?[ls]|size\s+\d{1,2}"
        r"|\d+(?:\.\d+)?\s?(?:mm|cm|inch(?:es)?|litres?|kg))\b",
    ),
    by_pattern(
        "what was seen", "defect", "The words after a verb of seeing and before a place or the end.",
        r"\b(?:saw|see|seeing|found|noticed|report|getting|there\s+(?:are|is)|we\s+have)\s+"
        r"(?:(?:the|a|an|some|more|new|again|many|lots\s+of|too\s+many)\s+)*(?P<it>[a-z]+(?:\s[a-z]+)?)"
        r"(?=\s+(?:on|at|in|from|again)\b|\s*[.,!?]|\s*$)",
    ),
    by_pattern(
        "what a thing came with", "defect", "The words after `with` at the end of a clause or before a place.",
        r"\bwith\s+(?:a\s+|an\s+|some\s+)?(?P<it>[a-z]+(?:\s[a-z]+)?)(?=\s+(?:on|at|in|from|since)\b|\s*[.,!?]|\s*$)",
    ),
    by_pattern(
        "thing that came or has", "product", "The word before came, has, have or with.",
        r"\b(?:the|these|those|all|this|a)\s+(?P<it>[a-z]+)\s+(?:came|come|has|have|with|arrived|fell|jammed|stuck)\b",
    ),
    by_pattern(
        "thing on which it is", "product", "The word after `on the` at the end of a clause.",
        r"\b(?:on|of|in)\s+(?:the|these|our)\s+(?P<it>[a-z]+s)\b(?=\s*[.,!?]|\s*$)",
    ),
    by_pattern(
        "somebody who does or is told", "employee", "The word after tell, ask or remind, and before says or takes.",
        r"\b(?:tell|ask|remind|inform|warn|let|give\s+(?:it|this|the\s+rest)\s+to|assign(?:\s+(?:it|this))?\s+to)\s+"
        r"(?P<it>(?!the\b|us\b|me\b|them\b|everyone\b|it\b|this\b)[a-z]{3,}(?:\s(?!to\b|to|about|that|of|know)[a-z]{3,})?)\b",
    ),
    by_pattern(
        "title and name", "employee", "Mr, Ms or Dr with the word after it.",
        r"\b(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|monsieur)\.?\s+[a-z]{2,}(?:\s[A-Z][a-z]+)?",
    ),
    by_pattern("placeholder of a name", "employee", "A name that was covered before it was stored.", r"\[NAME\]"),
    by_pattern("covered name in doubt", AMBIGUOUS, "A covered name: a person's or a thing's.", r"\[NAME\?\]"),
)  # fmt: skip
