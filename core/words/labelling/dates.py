"""Functions that find when something was: days, dates, clocks, parts of the day, stretches of time.

The notes have one label for all of them; `parsers` gives them under labels of one's own.
"""

from core.words.labelling.registry import Kind, LabelFunction, by_pattern

_DAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)(?:'s|s)?"
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
)
_ORDINAL = (
    r"(?:\d{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    r"|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth"
    r"|(?:twenty|thirty)[\s-]?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|thirtieth)"
)
_NUMBER = (
    r"(?:\d{1,2}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|half\s+an?)"
)
_WORD_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_UNIT = r"(?:minute|hour|day|night|week|weekend|month|year)s?"
_HALF = r"(?:a\.?\s?m\.?|p\.?\s?m\.?)"
_MINUTES = r"(?:fifteen|thirty|forty[\s-]five|ten|twenty|forty|fifty|five|oh\s+five)"
_CLOCK = (
    rf"(?:\d{{1,2}}:\d{{2}}(?:\s?{_HALF})?|\d{{3,4}}\s?{_HALF}|\d{{1,2}}\s?{_HALF}"
    rf"|{_WORD_NUMBER}(?:\s{_MINUTES})?\s(?:{_HALF}|o'?clock)|\d{{1,2}}\s?o'?clock"
    rf"|(?:half|quarter)\s(?:past|to)\s(?:{_WORD_NUMBER}|\d{{1,2}})|noon|midnight)"
)
_PART = r"(?:morning|afternoon|evening|night)"
_POINT = (
    rf"(?:{_CLOCK}|(?:the\s+)?(?:last\s+|next\s+|this\s+)?{_DAY}|yesterday|today|tomorrow|this\s+{_PART}|lunch"
    rf"|the\s+break|(?:last|next|this)\s+(?:week|month|year|night|shift)|{_MONTH}"
    rf"|the\s+(?:start|end|beginning)\s+of\s+the\s+(?:\w+)|\d{{1,2}}|{_WORD_NUMBER})"
)


def parsers(day: str = "time", clock: str = "time", phrase: str | None = "time") -> tuple[LabelFunction, ...]:
    """The functions, voting for labels of one's own.

    Args:
        day: label of days and dates.
        clock: of clocks and parts of the day.
        phrase: of longer stretches such as "since Monday" and "between 6 and 9"; None leaves them out.
    """
    kind = Kind.DATES
    made = [
        by_pattern("named day", day, "Today, yesterday, tomorrow, and days of the week.",
                   rf"\b(?:(?:next|last|this|on)\s+)?{_DAY}\b|\b(?:today|tomorrow|yesterday)(?:'s)?\b", kind),
        by_pattern("day of a month", day, "4 March, March 4th, the 23rd, 2026-03-04.",
                   rf"\b(?:{_DAY},?\s+)?(?:{_MONTH}\s+(?:the\s+)?(?:{_ORDINAL}|\d{{1,2}}(?!\d|:))"
                   rf"|(?:{_ORDINAL}|\d{{1,2}})\s+(?:of\s+)?{_MONTH})(?:,?\s+\d{{4}})?"
                   rf"|\b\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}\b|\b\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}\b", kind),
        by_pattern("ordinal day", day, "The 23rd, by itself.", r"\b\d{1,2}(?:st|nd|rd|th)\b", kind),
        by_pattern("days counted", day, "In 3 days, two weeks ago, nine days from now.",
                   rf"\b(?:in\s+)?{_NUMBER}\s+(?:day|week|month|year)s?(?:\s+(?:ago|from\s+(?:now|today)))?\b", kind),
        by_pattern("stretch of days", day, "This week, next month, the weekend.",
                   r"\b(?:this|next|last)\s+(?:week(?:end)?|month|year)(?:'s)?\b|\b(?:on\s+)?weekends?\b", kind),
        by_pattern("clock", clock, "17:45, 6 pm, half past six, noon.", rf"(?<![\d/.-])\b{_CLOCK}(?![\w/-])", kind),
        by_pattern("bare hour", clock, "A number after at, around, before, after, by or until.",
                   rf"\b(?:at|around|about|before|after|by|until|till|from)\s+"
                   rf"(?P<it>(?:\d{{1,2}}(?::\d{{2}})?|{_WORD_NUMBER})(?:ish)?)\b(?!\s*(?:people|persons|guests|of\s))",
                   kind),
        by_pattern("part of the day", clock, "Morning, afternoon, evening, tonight.",
                   rf"\b(?:this\s+)?{_PART}\b|\btonight(?:'s)?\b|\blast\s+night\b", kind),
    ]  # fmt: skip
    if phrase is not None:
        made += [
            by_pattern("since, before, after", phrase, "Since Monday, before noon, after the break.",
                       rf"\b(?:since|before|after|until|till|by|from)\s+{_POINT}"
                       rf"(?:\s+{_PART})?(?=\W|$)", kind),
            by_pattern("from here to there", phrase, "From Monday to Friday, between 6 and 9.",
                       rf"\b(?:from\s+{_POINT}\s+(?:to|until|till)\s+{_POINT}|between\s+{_POINT}\s+and\s+{_POINT})",
                       kind),
            by_pattern("in the last hours", phrase, "In the last hour, the past three days.",
                       rf"\b(?:in|over|within|during|for)?\s*(?:the\s+)?(?:last|past|next)\s+(?:{_NUMBER}\s+)?{_UNIT}\b",
                       kind),
            by_pattern("day with its part", phrase, "Yesterday afternoon, Monday morning, today at 6 pm.",
                       rf"\b(?:on\s+)?(?:yesterday|tomorrow|today|{_DAY})\s+(?:{_PART}|at\s+{_CLOCK})\b", kind),
        ]  # fmt: skip
    return tuple(made)


FUNCTIONS = parsers()
