"""The numbered list of defect classes, and how the names that people and files use are matched to it.

A name is matched by id, label or alias, without regard to case, spaces, dashes and underscores. What matches
nothing stays unmapped: never guessed, never dropped.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from typing import Any

from core.errors import BadInput, NotFound
from core.records import NO_DEFECT, Severity

DEFECTIVE = "DEFECTIVE"  # defective, but nobody said in which way; counted beside the classes, never a class
GOOD_WORDS = (NO_DEFECT, "no defects", "defect free", "free", "ok", "okay", "good", "pass", "normal")
DEFECT_WORDS = ("defective", "defect", "defects", "bad", "ng", "nok", "not ok", "not good", "anomaly", "fail", "faulty")
DEFECTIVE_FROM = 0.5  # a defect probability of one half or more is a defective picture
MAX_NAME = 200
MAX_CLASSES = 10_000
MAX_BYTES = 8 << 20


@dataclass(frozen=True)
class DefectClass:
    """One way of being defective.

    Attributes:
        id: stays for ever; a dataset's own id where the taxonomy came from a dataset.
        aliases: other names that mean this class.
        severities: those that a region of this class may have.
        parent: the group it rolls up to; None where it stands alone.
        alias_sources: where an alias came from, e.g. a file or a person, for those that have a source.
    """

    id: str
    label: str = ""
    description: str = ""
    aliases: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = tuple(Severity)
    parent: str | None = None
    alias_sources: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.id.strip() or len(self.id) > MAX_NAME:
            raise BadInput(f"A class needs an id of 1 to {MAX_NAME} characters, found {self.id[:40]!r}: name it.")
        if not self.severities:
            raise BadInput(f"Class {self.id} allows no severity: give at least one of {_listed(Severity)}.")
        if not self.label:
            object.__setattr__(self, "label", self.id)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that means this class."""
        return (self.id, self.label, *self.aliases)


@dataclass(frozen=True)
class Taxonomy:
    """One version of a site's classes.

    Attributes:
        name: of the ontology.
        version: as its author numbers it; the store numbers the versions of a site by itself.
    """

    name: str
    version: str
    classes: tuple[DefectClass, ...]

    def __post_init__(self) -> None:
        if len(self.classes) > MAX_CLASSES:
            raise BadInput(f"{len(self.classes)} classes, at most {MAX_CLASSES}: was the right file given?")
        taken: dict[str, str] = {}
        for entry in self.classes:
            if is_good(entry.id):
                raise BadInput(f"Class {entry.id} means that there is no defect, which is not a class: leave it out.")
            for name in entry.names:
                owner = taken.setdefault(folded(name), entry.id)
                if owner != entry.id:
                    raise BadInput(f"{name!r} would mean both {owner} and {entry.id}: keep it in one of them.")
        ids = [entry.id for entry in self.classes]
        if len(set(ids)) != len(ids):
            raise BadInput(f"Class ids must be unique, found {ids}: rename the repeated one.")

    @cached_property
    def _by_id(self) -> dict[str, DefectClass]:
        return {entry.id: entry for entry in self.classes}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        good = {folded(word): NO_DEFECT for word in GOOD_WORDS}
        return good | {folded(name): entry.id for entry in self.classes for name in entry.names}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Of all classes, in the taxonomy's own order: the order of the class heads."""
        return tuple(entry.id for entry in self.classes)

    def match(self, name: str) -> str | None:
        """The class that a name means, NO_DEFECT for a good word, None while it is unmapped."""
        return self._by_name.get(folded(name))

    def nearest(self, name: str, n: int = 3) -> list[str]:
        """The n classes whose names look most like an unmapped one, likeliest first."""
        wanted = folded(name)
        likeness = {
            entry.id: max(_likeness(wanted, folded(other)) for other in entry.names if folded(other))
            for entry in self.classes
        }
        return sorted(likeness, key=lambda class_id: (-likeness[class_id], class_id))[:n]

    def get(self, class_id: str) -> DefectClass:
        """The class with this id.

        Raises:
            NotFound: where the taxonomy has no such class.
        """
        if class_id not in self._by_id:
            raise NotFound(f"{class_id!r} is not in taxonomy {self.name} {self.version}, only {_listed(self.ids)}.")
        return self._by_id[class_id]

    def with_alias(self, class_id: str, alias: str, source: str = "") -> "Taxonomy":
        """The same taxonomy in which a name means a class as well.

        Raises:
            NotFound: where the class does not exist.
            BadInput: where the name already means something else.
        """
        entry, alias = self.get(class_id), alias.strip()
        known = self.match(alias)
        if known == class_id:
            return self
        if not folded(alias) or len(alias) > MAX_NAME:
            raise BadInput(f"An alias needs 1 to {MAX_NAME} characters, found {alias[:40]!r}: give a name.")
        if known is not None:
            raise BadInput(f"{alias!r} already means {known}: it cannot mean {class_id} too.")
        sources = {**entry.alias_sources, **({alias: source} if source else {})}
        return self._with(replace(entry, aliases=(*entry.aliases, alias), alias_sources=sources))

    def with_class(self, added: DefectClass) -> "Taxonomy":
        """The same taxonomy with one class more, at the end.

        Raises:
            BadInput: where one of its names is taken.
        """
        return replace(self, classes=(*self.classes, added))

    def rolled_up(self, class_id: str) -> str:
        """The group at the top of a class; the class itself where it has no parent."""
        seen: list[str] = []
        while (entry := self._by_id.get(class_id)) is not None and entry.parent and entry.parent not in seen:
            seen.append(class_id)
            class_id = entry.parent
        if not seen:
            self.get(class_id)
        return class_id

    def check_severity(self, class_id: str, severity: Severity) -> None:
        """Refuse a severity that the class does not have.

        Raises:
            BadInput: naming those it has.
            NotFound: where the class does not exist.
        """
        allowed = self.get(class_id).severities
        if severity not in allowed:
            raise BadInput(f"{class_id} cannot be {severity}: choose {_listed(allowed)}.")

    def to_json(self) -> dict[str, Any]:
        """The exchange form; `alias_sources` is left out where nothing has a source."""
        return {
            "ontology": self.name,
            "version": self.version,
            "classes": [
                {
                    "id": entry.id,
                    "label": entry.label,
                    "description": entry.description,
                    "aliases": list(entry.aliases),
                    "severity_levels": [str(severity) for severity in entry.severities],
                    "parent": entry.parent,
                    **({"alias_sources": dict(entry.alias_sources)} if entry.alias_sources else {}),
                }
                for entry in self.classes
            ],
        }

    @classmethod
    def from_json(cls, given: str | Mapping[str, Any]) -> "Taxonomy":
        """Read the exchange form.

        Raises:
            BadInput: naming the class and field that cannot be used.
        """
        document = _parsed(given) if isinstance(given, str) else given
        classes = document.get("classes") if isinstance(document, Mapping) else None
        if not isinstance(document, Mapping) or not isinstance(classes, Sequence) or isinstance(classes, str):
            raise BadInput('A taxonomy is {"ontology", "version", "classes": [...]}: found something else.')
        return cls(
            name=_text(document, "ontology", "the taxonomy", needed=True),
            version=_text(document, "version", "the taxonomy", needed=True),
            classes=tuple(_class_from(entry, number) for number, entry in enumerate(classes, 1)),
        )

    def _with(self, changed: DefectClass) -> "Taxonomy":
        classes = tuple(changed if entry.id == changed.id else entry for entry in self.classes)
        return replace(self, classes=classes)


@lru_cache(maxsize=10_000)  # an export asks for a few names a million times
def folded(name: str) -> str:
    """A name without case, spaces, dashes and underscores, so that writings of one name compare equal."""
    return re.sub(r"[\s\-_‐-―−]+", "", unicodedata.normalize("NFKC", name)).casefold()


_GOOD = frozenset(folded(word) for word in GOOD_WORDS)
_DEFECTIVE = frozenset(folded(word) for word in DEFECT_WORDS)


def is_good(name: str) -> bool:
    """Whether a word says that there is no defect."""
    return folded(name) in _GOOD


def says_only_defective(name: str) -> bool:
    """Whether a word says that there is a defect, but not which."""
    return folded(name) in _DEFECTIVE


def probability_of(label: str) -> float | None:
    """A number as label is a defect probability; None for a name.

    Raises:
        BadInput: for a number that is no probability.
    """
    try:
        value = float(label)
    except ValueError:
        return None
    if not math.isfinite(value) or not 0 <= value <= 1:
        raise BadInput(f"Label {label!r} is a number but no probability: give one from 0 to 1, or a name.")
    return value


def count_by_class(taxonomy: Taxonomy, counts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Add up counts of names: by class (NO_DEFECT included), and by name for those that stay unmapped."""
    mapped: dict[str, int] = {}
    unmapped: dict[str, int] = {}
    for name, count in counts.items():
        class_id = taxonomy.match(name)
        into, key = (unmapped, name) if class_id is None else (mapped, class_id)
        into[key] = into.get(key, 0) + count
    return mapped, unmapped


def taxonomy_of(name: str, classes: Iterable[tuple[str, str]], source: str) -> Taxonomy:
    """A dataset's own classes as a taxonomy.

    Args:
        name: of the ontology, usually the site's or the dataset's.
        classes: (the dataset's own id, its display name or ""), in the dataset's order; good words are left out.
        source: where the names were read, kept beside each alias.
    """
    entries: dict[str, DefectClass] = {}
    owner: dict[str, str] = {}
    for raw_id, display in classes:
        class_id, display = raw_id.strip(), display.strip()
        if not folded(class_id) or is_good(class_id):
            continue
        key = owner.setdefault(folded(class_id), class_id)
        entry = entries.setdefault(key, DefectClass(key, description=f"Own class of {source}."))
        for alias in (class_id, display):
            unclaimed = folded(alias) and not is_good(alias) and owner.get(folded(alias), key) == key
            if unclaimed and alias not in entry.names:
                owner[folded(alias)] = key
                label = alias if alias == display and entry.label == entry.id else entry.label
                sources = {**entry.alias_sources, alias: source}
                entry = replace(entry, label=label, aliases=(*entry.aliases, alias), alias_sources=sources)
        entries[key] = entry
    return Taxonomy(name, "1", tuple(entries.values()))


def merged(old: Taxonomy, new: Taxonomy) -> Taxonomy:
    """The old taxonomy with the classes and aliases of the new one that it lacks; nothing is taken away."""
    for entry in new.classes:
        known = next((found for name in entry.names if (found := old.match(name)) not in (None, NO_DEFECT)), None)
        if known is None:
            free = tuple(alias for alias in entry.aliases if old.match(alias) is None)
            old = old.with_class(replace(entry, aliases=free))
            continue
        for alias in entry.names:
            if old.match(alias) is None:
                old = old.with_alias(known, alias, entry.alias_sources.get(alias, ""))
    return old


def _likeness(wanted: str, other: str) -> float:
    """0 to 1; a name inside the other counts as near."""
    ratio = SequenceMatcher(None, wanted, other).ratio()
    inside = min(len(wanted), len(other)) >= 3 and (wanted in other or other in wanted)
    return max(ratio, 0.8) if inside else ratio


def _parsed(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise BadInput(f"A taxonomy of {len(text):,} characters, at most {MAX_BYTES:,}: was the right file given?")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The taxonomy is not JSON ({error}): export one and change that.") from error


def _class_from(given: Any, number: int) -> DefectClass:
    if not isinstance(given, Mapping):
        raise BadInput(f"Class {number} is {type(given).__name__}: an object with an id is needed.")
    where = f"class {given.get('id', number)}"
    levels = _texts(given, "severity_levels", where)
    try:
        severities = tuple(dict.fromkeys(Severity(level.strip().lower()) for level in levels)) or tuple(Severity)
    except ValueError as error:
        raise BadInput(f"{where} has severities {levels}: use {_listed(Severity)}.") from error
    sources = given.get("alias_sources") or {}
    if not isinstance(sources, Mapping) or not all(isinstance(v, str) for v in sources.values()):
        raise BadInput(f"alias_sources of {where} must map aliases to texts.")
    return DefectClass(
        id=_text(given, "id", where, needed=True).strip(),
        label=_text(given, "label", where),
        description=_text(given, "description", where),
        aliases=tuple(dict.fromkeys(alias.strip() for alias in _texts(given, "aliases", where) if folded(alias))),
        severities=severities,
        parent=_text(given, "parent", where) or None,
        alias_sources=dict(sources),
    )


def _text(given: Mapping[str, Any], key: str, where: str, needed: bool = False) -> str:
    value = given.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise BadInput(f"{key!r} of {where} is {value!r}: a text is needed.")
    return value


def _texts(given: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = given.get(key) or []
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(one, str) for one in value):
        raise BadInput(f"{key!r} of {where} must be a list of texts.")
    return list(value)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(str(name) for name in names) or "none"
