"""From what the text model understood to the fields of a case; each stays a proposal until a person says so."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import BadInput
from core.taxonomy import Taxonomy
from core.words.complaints.records import Field, Reading

NAMES = ("defect", "item", "size", "time", "person", "color", "brand", "quantity", "delivery", "order")
SHOWN = ("defect", "item", "size", "time", "person")
INTENTS = ("damaged", "wrong_item", "wrong_size", "missing_item", "expired", "late", "refund", "question", "thanks")
_LABELS = {"product": "item"}  # the model's own word for it
MOST_VALUE = 120
LEAST_SURE = 0.25  # a field that is less likely is not even proposed


def reading_of(
    intents: Iterable[str], sure: float, slots: Iterable[tuple[str, str, float]], out_of_scope: bool, confirm: bool,
    model: str, taxonomy: Taxonomy,
) -> Reading:  # fmt: skip
    """What a model understood, as fields.

    Args:
        intents: the main one first.
        sure: of the main one.
        slots: label, words and confidence; of several with one label the surest counts.
        out_of_scope: none of the intents fits.
        confirm: something is less sure than the model's limit.
        model: its name.
        taxonomy: of the site, for the defect's class.
    """
    best: dict[str, Field] = {}
    for label, words, chance in slots:
        name = _LABELS.get(label, label)
        value = " ".join(words.split())[:MOST_VALUE]
        if chance >= LEAST_SURE and name in NAMES and value and (name not in best or (best[name].sure or 0) < chance):
            best[name] = Field(value, round(chance, 4))
    said = best["defect"].value if "defect" in best else ""
    return Reading(tuple(intents), round(sure, 4), best, class_of(said, taxonomy), model, confirm, out_of_scope)


def class_of(words: str, taxonomy: Taxonomy) -> str | None:
    """The site's class that words name as a whole, or of which one word is a name; None where two fit or none."""
    if not words:
        return None
    whole = taxonomy.match(words)
    if whole is not None:
        return whole if whole in taxonomy.ids else None
    found = {taxonomy.match(word) for word in words.split()} & set(taxonomy.ids)
    return str(next(iter(found))) if len(found) == 1 else None


def corrected(
    reading: Reading, values: Mapping[str, str], intent: str, class_id: str | None, by: str, taxonomy: Taxonomy
) -> Reading:
    """The same after a person has gone through it: nothing is left to confirm.

    Args:
        reading: as it was.
        values: by name; an empty one takes a field away, one that is not given stays as it is and is confirmed.
        intent: the main one; others that were read stay behind it.
        class_id: of the site's taxonomy; None for none.
        by: who says so.
        taxonomy: of the site.

    Raises:
        BadInput: for a field, an intent or a class that there is not.
    """
    unknown = [name for name in values if name not in NAMES]
    if unknown:
        raise BadInput(f"There is no field '{unknown[0][:40]}': there are {', '.join(NAMES)}.")
    if intent not in INTENTS:
        raise BadInput(f"A complaint cannot be about '{intent[:40]}': choose one of {', '.join(INTENTS)}.")
    if class_id is not None and class_id not in taxonomy.ids:
        raise BadInput(f"The site has no class '{class_id[:40]}': choose one of its taxonomy.")
    fields = {name: replace(one, by=by) if name not in values else one for name, one in reading.fields.items()}
    for name, value in values.items():
        words = " ".join(value.split())
        if len(words) > MOST_VALUE or not words.isprintable():
            raise BadInput(f"{name} is no text of up to {MOST_VALUE} printable characters.")
        if not words:
            fields.pop(name, None)
            continue
        had = fields.get(name)
        fields[name] = replace(had, by=by) if had is not None and had.value == words else Field(words, None, by)
    intents = (intent, *(one for one in reading.intents if one != intent))
    return Reading(intents, None, fields, class_id, reading.model, confirm=False, out_of_scope=False)
