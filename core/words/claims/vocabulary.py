"""The words by which claims are known: English, small, and on the side of doubt."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
           "both": 2, "several": 2, "multiple": 2, "many": 2, "couple": 2, "few": 2, "numerous": 2, "2": 2, "3": 3,
           "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9, "10": 10}  # fmt: skip

NEGATORS = _words("""
    no not never without none neither nor zero lacks lacking isn't aren't wasn't weren't hasn't haven't hadn't
    doesn't don't didn't can't cannot couldn't won't isnt arent wasnt werent hasnt havent doesnt dont didnt cant
    nothing
""")
# After these, "no" and "not" deny nothing.
NOT_DENIED = frozenset({"only", "just", "merely", "simply", "longer", "doubt", "wonder", "mention"})
# What may stand between "no" and what it denies; anything else, and nobody can say what is denied.
BETWEEN = _words("""
    a an the any this that's there is are was were be been being have has had having see seen find found show
    shows showing shown visible single sign signs of trace traces evidence kind sort type and or nor its it i we
    you obvious apparent other further more new appear appears on to at in part item box product picture image
    surface look
""")
AFTER_DENIED = _words("visible present seen found there detected noticeable shown apparent")
BREAKS = _words("a an the its it it's there this these those i we they he she my is are was has")
CLAUSE = _words("but however although though whereas yet because since while except")

HEDGES = _words("""
    maybe perhaps possibly probably might may could seems seem seemed appears appear apparently likely
    presumably suspect suspected guess think believe roughly sort looks hardly barely almost nearly
""")
UNREAL = _words("if whether unless when whenever until lest")
ASKED = _words("""
    please should must would shall want wanted wish hope hoped expect expected verify confirm approve ignore
    pretend assume suppose ensure inspect check checking avoid prevent risk against disregard instruct prompt
""")
REPORTED = _words("""
    told said claimed claims claim promised advertised described listed supposed allegedly reportedly according
""")
OTHERS = _words("""
    other another others previous previously earlier neighbour neighbour's friend friend's similar last
    elsewhere
""")

GENERAL = _words("""
    damage damages damaged defect defects defective flaw flaws flawed faulty fault broken
""")
SOUND = _words("undamaged intact flawless unharmed faultless")
# Ways of being damaged that a site may have no class for: named, so that they are not passed over.
DAMAGE = _words("""
    dent dents dented hole holes tear tears torn rip ripped rust rusty rusted stain stains stained chip chips
    chipped scuff scuffs scuffed scuffing bubble bubbles burn burns burnt mould mold mouldy peeling warped bent
    crushed cracked crack cracks scratch scratches scratched corrosion corroded discoloured discolored leak
    leaks leaking leaked pit pits pitting burr burrs split splits dirty dirt wet melted deformed punctured
    smashed shattered
""")
COMPOUNDS = _words("""
    resistant proof tested test guard protector protection proofing resistance filler
""")
LARGE_WORDS = _words("""
    small tiny big large huge deep long short wide thin minor major severe heavy slight fine
""")

LABELS = _words("label labels sticker tag")
ATTRIBUTES = {"size": "size", "colour": "colour", "color": "colour", "item": "item", "product": "item",
              "article": "item", "model": "item", "label": "label", "variant": "item",
              "flavour": "flavour"}  # fmt: skip
COLOURS = {"red": "red", "orange": "orange", "yellow": "yellow", "green": "green", "blue": "blue",
           "purple": "purple", "violet": "purple", "pink": "pink", "brown": "brown", "cyan": "cyan",
           "turquoise": "cyan"}  # fmt: skip
THINGS = _words("""
    part item box product cover lid carton package parcel piece article unit it case surface
""")
NEUTRAL = THINGS - _words("lid cover case") | _words(
    "picture image photo photograph metal packaging whole all view order bag pack"
)
# After a preposition these are no place on the part.
NO_PLACE = NEUTRAL | _words("""
    arrival delivery transit shipping monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december time day week morning condition fact
    total this that it them opening unpacking inspection way me us you
""")
PREPOSITIONS = _words("""
    on at in inside near under behind along across around below above over underneath
""")

PLAIN = (
    NEUTRAL
    | PREPOSITIONS
    | _words("""
    a an the this that these those its it it's is are was were be been has have had with of to by as and or also there
    one some any i we you my our see sees seen saw find found show shows shown showing visible clearly no not without
    none neither nor both here from very can which but however although though only did does do
""")
)
# May stand beside damage and say nothing of where it is.
NOT_WHERE = (
    PLAIN
    | HEDGES
    | NEGATORS
    | NOT_DENIED
    | BETWEEN
    | LARGE_WORDS
    | CLAUSE
    | frozenset(NUMBERS)
    | _words("""
    received arrived came come comes got get gets bought ordered delivered shipped sent noticed notice discovered
    spotted reported customer customers complains complained already again too everywhere today yesterday through open
    off quite so really rather more than least about even now then still like looks looking hello everything delivery
""")
)

# May stand inside a name without changing it: "the seal is broken".
FILLING = _words("is are was were be been being the a an its it's has have had got looks very")
