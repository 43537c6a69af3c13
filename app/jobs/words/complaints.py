"""Complaints and returns from a file: covered, understood, linked and kept; what is not taken is told row by row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, quiet
from core.errors import BadInput, HoldpointError
from core.kpis.escapes import BadRow
from core.taxonomy import Taxonomy
from core.words.complaints.fields import reading_of
from core.words.complaints.reading import LARGEST, read_complaints
from core.words.complaints.records import Complaint, Field, Reading, Told
from core.words.redaction import PLACEHOLDERS, Kind, redact

if TYPE_CHECKING:
    from app.settings import Settings
    from data.store import Store
    from data.store.words.complaints import Understood
    from models.text.checkpoint import TextModel
    from models.text.understanding import Understood as Said

MODEL, DOMAIN = "text", "complaints"
AT_ONCE = 1000  # complaints that are kept together
SURELY_A_NAME = 0.8  # chance from which a person that only the text model sees is covered, too
NAME = Kind.NAME.placeholder
_PLACEHOLDER = re.compile("|".join(re.escape(one) for one in PLACEHOLDERS))  # the model has learnt no such word


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        known: references that the site had already.
        linked: of the new ones, those whose part was found.
        aside: that say nothing complaints are about.
        confirm: that a person has to go through, because something was less sure than the model's limit.
        covered: stretches of text that were covered, by kind.
        left_out: columns that were not read.
        model: that understood them; empty where none was at hand.
    """

    new: int
    known: tuple[str, ...]
    linked: int
    aside: int
    confirm: int
    covered: Mapping[str, int]
    bad: tuple[BadRow, ...]
    left_out: tuple[str, ...]
    model: str

    @property
    def sentence(self) -> str:
        """In words."""
        known = f", {len(self.known):,} known already" if self.known else ""
        bad = f", {len(self.bad):,} {'row' if len(self.bad) == 1 else 'rows'} not taken" if self.bad else ""
        return (
            f"{self.new:,} kept, {self.linked:,} of them linked to a part, {self.aside:,} set aside as about something "
            f"else{known}{bad}."
        )

    def to_json(self) -> dict[str, Any]:
        """One document."""
        return {
            "new": self.new,
            "known": len(self.known),
            "linked": self.linked,
            "aside": self.aside,
            "confirm": self.confirm,
            "covered": dict(self.covered),
            "left_out": list(self.left_out),
            "model": self.model,
            "bad": [{"line": one.line, "why": one.why} for one in self.bad],
        }


def import_complaints(
    store: "Store", settings: "Settings", site: str, name: str, data: bytes, now: datetime,
    progress: Progress = quiet,
) -> Imported:  # fmt: skip
    """Keep the complaints of a CSV file; see `core.words.complaints.reading.COLUMNS`.

    Done twice it changes nothing; ended in the middle it goes on where it was. What a customer wrote is covered here,
    and the words as they came are kept nowhere.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    source = f"file {PurePath(name).name[:80]}"
    read = read_complaints(data, store.reported.today(site, now))
    told = list(read.good.values())
    reader = Reader(settings, store.sites.get(site).taxonomy, _not_names(store, site))
    new = linked = aside = confirm = 0
    known: list[str] = []
    covered: dict[str, int] = {}
    for start in range(0, len(told), AT_ONCE):
        some = told[start : start + AT_ONCE]
        there = store.complaints.known(site, [one.reference for one in some])
        known += [one.reference for one in some if one.reference in there]
        made = reader.understood([one for one in some if one.reference not in there])
        kept = store.complaints.keep(site, made, source, now)
        fresh = set(kept.known)
        for one in made:
            if one.told.reference not in fresh:
                confirm += one.reading.confirm and not one.reading.out_of_scope
                for kind, count in one.covered.items():
                    covered[kind] = covered.get(kind, 0) + count
        new, linked, aside = new + len(kept.new), linked + kept.linked, aside + kept.aside
        known += kept.known
        progress(min(start + AT_ONCE, len(told)), len(told), "complaints")
    return Imported(new, tuple(known), linked, aside, confirm, covered, read.bad, read.left_out, reader.model_name)


def import_upload(
    store: "Store", settings: "Settings", site: str, path: str, name: str, progress: Progress = quiet
) -> dict[str, Any]:
    """The same of a file that somebody uploaded; it is deleted once it was read, whatever came of it.

    Raises:
        BadInput: the file is not among the uploads, too large, or as a whole of no use.
    """
    place = Path(path)
    if place.parent != settings.uploads or not place.name.startswith("complaints-"):
        raise BadInput("Only what was uploaded on the Complaints page is read.")
    try:
        if place.stat().st_size > LARGEST:
            raise BadInput(f"{name} is larger than {LARGEST >> 20} MiB: divide it.")
        data = place.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{name} is not there any more: upload it again.") from error
    try:
        found = import_complaints(store, settings, site, name, data, store.database.clock(), progress)
    except HoldpointError:
        place.unlink(missing_ok=True)
        raise
    place.unlink(missing_ok=True)
    return {**found.to_json(), "sentence": found.sentence}


class Reader:
    """Covers and understands texts; without a model it understands nothing and has a person asked.

    Args:
        settings: where models are.
        taxonomy: of the site.
        not_names: words that are no people's names there.
    """

    def __init__(self, settings: "Settings", taxonomy: Taxonomy, not_names: Sequence[str] = ()) -> None:
        self._taxonomy, self._not_names = taxonomy, tuple(not_names)
        self._model = _model(settings)
        self.model_name = "" if self._model is None else self._model.card.name

    def understood(self, told: Sequence[Told]) -> "list[Understood]":
        """Each complaint with its text covered and what was understood of it; the model reads the covered text."""
        from data.store.words.complaints import Understood

        keep = (*self._not_names, *{one.seller for one in told if one.seller})
        covered = [redact(one.text, keep=keep) for one in told]
        said = self._said([_PLACEHOLDER.sub(lambda found: " " * len(found.group()), one.text) for one in covered])
        found = []
        for one, safe, words in zip(told, covered, said, strict=True):
            counts = dict(safe.counts)
            text, reading = safe.text, Reading()
            if words is not None:
                text, more = _without_names(text, words)
                counts["name"] = counts.get("name", 0) + more
                reading = self._reading(words)
            if counts.get("name"):
                reading = replace(reading, fields={**reading.fields, "person": Field(NAME, None, "rule")})
            found.append(Understood(replace(one, text=text), {k: n for k, n in counts.items() if n}, reading))
        return found

    def _said(self, texts: Sequence[str]) -> "list[Said | None]":
        from models.text.understanding import understand

        wanted = [at for at, text in enumerate(texts) if text.strip()]
        found: list[Said | None] = [None] * len(texts)
        if self._model is not None and wanted:
            for at, said in zip(wanted, understand(self._model, [texts[at] for at in wanted], DOMAIN), strict=True):
                found[at] = said
        return found

    def _reading(self, said: "Said") -> Reading:
        intents = said.intents or ((said.intent,) if said.intent else ())
        # whoever is named is never kept, only that somebody was
        slots = [(one.label, NAME if one.label == "person" else one.text, one.confidence) for one in said.slots]
        return reading_of(
            intents, said.confidence, slots, said.out_of_scope, said.confirm, self.model_name, self._taxonomy
        )


def document(one: Complaint) -> dict[str, Any]:
    """A complaint as JSON."""
    told, shipped = one.told, one.told.shipped_on
    return {
        "complaint": one.id, "site": one.site, "reference": told.reference, "kind": str(told.kind),
        "told_on": told.told_on.isoformat(), "shipped_on": None if shipped is None else shipped.isoformat(),
        "text": told.text, "covered": dict(one.covered), "state": str(one.state),
        "about": list(one.reading.intents), "class": one.reading.class_id,
        "fields": {name: {"value": each.value, "sure": each.sure, "by": each.by or "model"}
                   for name, each in one.reading.fields.items()},
        "to_confirm": one.reading.confirm, "part": one.part_id, "linked": one.linked_how, "why": one.link_why,
        "visible": None if one.sight is None else str(one.sight),
        "passed": None if one.passage is None else one.passage.sentence, "escape": one.escape,
        "delay_days": one.delay_days, "order": told.order, "item": told.item, "seller": told.seller,
        "batch": told.batch, "source": one.source,
    }  # fmt: skip


def _without_names(text: str, said: "Said") -> tuple[str, int]:
    """The text without the people that the text model is sure of, and how many they were."""
    found = [one for one in said.slots
             if one.label == "person" and one.confidence >= SURELY_A_NAME and one.text.strip()]  # fmt: skip
    for one in sorted(found, key=lambda slot: slot.start, reverse=True):
        text = text[: one.start] + NAME + text[one.end :]
    return text, len(found)


def _not_names(store: "Store", site: str) -> list[str]:
    """Words that stand in complaints of a site with capitals and are no people: classes, items, part types."""
    found = store.sites.get(site)
    words = {site, *(name for one in found.taxonomy.classes for name in one.names)}
    words |= {one.name for one in store.part_types.all(site)}
    for item in store.prints.catalogue(site)[:2000]:
        words.update(word for word in item.entry.title.split() if word.isalpha())
    return sorted(words)


def _model(settings: "Settings") -> "TextModel | None":
    from app.jobs.words.text import find
    from models.text.checkpoint import load

    try:
        return load(find(settings, MODEL))
    except HoldpointError:
        return None
