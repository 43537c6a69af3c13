"""Notes and logs: read from files, de-identified, stored, labelled by vote, and labelled anew when the rules change."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import SHIPPED, Progress, quiet
from app.jobs.words.note_files import NoteRow, Uncleared, read_notes
from core.errors import BadInput
from core.learn.metrics.proportions import Interval, proportion_interval
from core.words.labelling.changes import Difference, difference
from core.words.labelling.emerging import Emerging, emerging
from core.words.labelling.label_model import LabelModel, fit
from core.words.labelling.lists import folded
from core.words.labelling.privacy import deidentified
from core.words.labelling.registry import (
    LABELS,
    Kind,
    LabelFunction,
    LabelRules,
    Prepared,
    ballots,
    fingerprint,
    functions,
    prepared,
    rules_document,
)
from core.words.labelling.relevance import MOST_CHARACTERS, set_aside
from core.words.text import OUTSIDE, Span
from core.words.votes import (
    AMBIGUOUS,
    Ballot,
    Labelled,
    Record,
    Standing,
    Weights,
    equal_weights,
    joined,
    labelled,
    records,
    standings,
    weights,
)
from data.store.words.notes_rows import NewNote, Version

if TYPE_CHECKING:
    from data.store import Store

CHUNK = 200
MOST_FOR_MODEL = 1500  # notes that the label model is fitted on
MODEL_NAME = "text model"
_NEWEST = 0.3  # share of the notes that counts as lately


# --- what comes in --------------------------------------------------------------------------------------------------


def import_notes(
    store: "Store", name: str, data: bytes, site: str, *, cleared: bool = False, region: str | None = None,
    progress: Progress = quiet, now: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Read a file of notes; what is not cleared is counted and not looked at, what is kept is de-identified first.

    Args:
        store: bound to whoever imports.
        name: of the file: .jsonl, .csv or .txt.
        data: its contents, which are written nowhere.
        site: whose notes.
        cleared: the whole file is cleared; a row that says it is not stays out all the same.
        region: two letters of the country whose telephone numbers come without +.
        progress: told row by row.
        now: aware UTC.

    Returns:
        {read, new, known, uncleared, refused: {reason: n}, covered: {kind: n}, labelled, import}.

    Raises:
        BadInput: the file is no such file; nothing is stored.
    """
    entries = store.notes.rules(site).rules.entries
    found: list[NewNote] = []
    uncleared, refused, covered = 0, Counter[str](), Counter[str]()
    rows = read_notes(name, data)
    usable = [row if isinstance(row, NoteRow) else row.row for row in rows if isinstance(row, NoteRow) or
              (cleared and row.unsaid)]  # fmt: skip
    people = people_in([one.text for one in usable if one.problem is None and len(one.text) <= MOST_CHARACTERS])
    for at, row in enumerate(rows, 1):
        progress(at, len(rows), "rows")
        if isinstance(row, Uncleared) and not (cleared and row.unsaid):
            uncleared += 1
            continue
        said = row.row if isinstance(row, Uncleared) else row
        if said.problem is not None:
            refused[said.problem] += 1
            continue
        text = " ".join(said.text.split())
        if len(text) > MOST_CHARACTERS:
            refused["too long"] += 1
            continue
        kept = deidentified(text, entries, region, said.spans if text == said.text else (), people.get(text, ()))
        covered.update(kept.counts)
        truth = None
        if said.labelled and text == said.text:  # offsets count in the text as it came
            truth = tuple(one for one in kept.spans if one.label in LABELS)
        mark = repr((said.source_id, kept.text if said.source_id is None else "", said.said_at))
        found.append(NewNote(sha256(mark.encode()).hexdigest()[:32], kept.text, said.said_at, kept.counts, truth))
    counts = {"read": len(rows), "uncleared": uncleared, "refused": dict(refused), "covered": dict(covered)}
    made = store.notes.file(site, name, found, counts, now=now)
    return {**made.counts, "import": made.id}


def people_in(texts: Sequence[str]) -> dict[str, list[Span]]:
    """What the text model takes for people, by text; nothing where the model is not there."""
    read = list(dict.fromkeys(" ".join(text.split()) for text in texts))
    if not text_model_there():
        return {}
    return {
        text: [span for span in spans if span.label == "employee"]
        for text, spans in zip(read, _named(read), strict=True)
    }


def text_model_there() -> bool:
    """Whether the shipped text model can vote."""
    return any((SHIPPED / "text").glob("*.safetensors"))


# --- labelling ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _text_model() -> Any:
    from models.text.checkpoint import load

    return load(SHIPPED / "text")


def _named(texts: Sequence[str]) -> list[list[Span]]:
    """What the shipped text model takes for named things; on one core, since many texts at once need no more."""
    import torch

    from models.text.answering import ask

    model, threads = _text_model(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        raws = ask(model.net, model.card.vocabulary, model.shape("notes"), model.card.cuts["notes"], texts, sure=False)
    finally:
        torch.set_num_threads(threads)
    return [[span for span in raw.spans if span.label in LABELS] for raw in raws]


def model_function(ask: Callable[[Sequence[str]], Sequence[Sequence[Span]]] | None = None) -> LabelFunction:
    """The text model's named things as a labelling function.

    Args:
        ask: spans of texts; the shipped model's where None.
    """

    def find(texts: Sequence[Prepared]) -> list[list[Span]]:
        if ask is not None:
            return [list(spans) for spans in ask([one.text for one in texts])]
        return _named([one.text for one in texts])

    return LabelFunction(MODEL_NAME, Kind.MODEL, "What the text model of notes takes for named things.", find)


def voters(rules: LabelRules) -> tuple[LabelFunction, ...]:
    """Every function in force, the model's among them where the model is there."""
    models = (model_function(),) if text_model_there() and MODEL_NAME not in rules.off else ()
    return functions(rules, models)


def label_notes(
    store: "Store", site: str, *, fresh: bool = False, progress: Progress = quiet, now: datetime | None = None
) -> dict[str, Any]:
    """Label what is not labelled; everything, in a new version, where rules or functions have changed.

    A run that was ended goes on where it was.

    Args:
        store: bound to whoever asks.
        site: whose notes.
        fresh: a new version all the same, with weights from all checks that there are now.
        progress: told chunk by chunk.
        now: aware UTC.

    Returns:
        {version, notes, labelled, waiting, aside: {reason: n}, labels: {label: n}, changed: {label: {…}}}.
    """
    kept = store.notes.rules(site)
    asked = voters(kept.rules)
    mark = fingerprint(kept.rules, [one.name for one in asked])
    last = next(iter(store.notes.versions(site)), None)
    if last is None or last.fingerprint != mark or (fresh and last.finished_at is not None):
        document = _learned(store, site, kept.rules, asked)
        last = store.notes.begin_version(site, kept.number, mark, document, now=now)
    tally = _Tally.of(last.tally)
    plan = _Plan.of(last, kept.rules)
    total = store.notes.counts(site)["notes"]
    while True:
        waiting = store.notes.unlabelled(last.id, CHUNK)
        made = []
        for (note_id, text), one in zip(waiting, ballots([text for _, text in waiting], asked), strict=True):
            aside = set_aside(prepared(text), one)
            labels = Labelled() if aside else plan.label(one)
            made.append((note_id, labels, aside))
            tally.add(one, labels, aside)
        whole = len(waiting) < CHUNK
        store.notes.keep_labels(last.id, made, tally.document(), now=now, whole=whole)
        progress(tally.notes, max(total, tally.notes), f"notes of version {last.number}")
        if whole:
            break
    return {"version": last.number, **tally.document()["counts"], "changed": _changed(store, site, last)}


def _learned(store: "Store", site: str, rules: LabelRules, asked: Sequence[LabelFunction]) -> dict[str, Any]:
    """What a version goes by: weights from the labelled part, and the label model where the rules want it."""
    known = [one for one in store.notes.checks(site) if one.learns or not one.by_hand]
    heard = ballots([one.text for one in known], asked)
    found = records(heard, [one.truth for one in known])
    document: dict[str, Any] = {
        "rules": rules_document(rules),
        "functions": [[one.name, one.kind.value, one.says] for one in asked],
        "labelled_part": len(known),
        "records": [[name, label, one.right, one.said] for (name, label), one in sorted(found.items())],
    }
    if rules.combine == "Dawid-Skene":
        more = [one.text for one in store.notes.find(site, limit=MOST_FOR_MODEL)]
        truth = {at: one.truth for at, one in enumerate(known)}
        document["model"] = asdict(fit([*heard, *ballots(more, asked)], truth))
    return document


@dataclass(frozen=True)
class _Plan:
    """How a version joins votes."""

    weigh: Weights
    limit: float
    model: LabelModel | None

    @classmethod
    def of(cls, version: Version, rules: LabelRules) -> "_Plan":
        names = [name for name, *_ in version.document["functions"]]
        found = records_of(version)
        weigh = equal_weights(names, LABELS) if rules.combine == "majority vote" else weights(found, names, LABELS)
        model = version.document.get("model")
        return cls(weigh, rules.limit, None if model is None else LabelModel(**model))

    def label(self, one: Ballot) -> Labelled:
        if self.model is not None:
            return joined(one, self.model.outcomes(one, self.limit), self.weigh)
        return labelled(one, self.weigh, self.limit)


def records_of(version: Version) -> dict[tuple[str, str], Record]:
    """How a version's functions fared on the labelled part."""
    return {(name, label): Record(right, said) for name, label, right, said in version.document["records"]}


@dataclass
class _Tally:
    """What a version has found so far; kept with its last note, so that it can go on."""

    notes: int
    aside: Counter[str]
    labels: Counter[str]
    waiting: Counter[str]
    functions: dict[str, list[int]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "_Tally":
        counts = document.get("counts", {})
        return cls(counts.get("notes", 0), Counter(counts.get("aside", {})), Counter(counts.get("labels", {})),
                   Counter(counts.get("waiting", {})),
                   {name: list(one) for name, one in document.get("functions", {}).items()})  # fmt: skip

    def add(self, one: Ballot, labels: Labelled, aside: str | None) -> None:
        self.notes += 1
        if aside is not None:
            self.aside[aside] += 1
        self.labels.update(given.label for given in labels.given)
        self.waiting.update(stretch.came.value for stretch in labels.waiting)
        for found in standings([one], {}, one.votes):
            held = self.functions.setdefault(found.name, [0, 0, 0, 0])
            for at, value in enumerate((found.texts, found.words, found.overlaps, found.conflicts)):
                held[at] += value

    def document(self) -> dict[str, Any]:
        return {
            "counts": {"notes": self.notes, "labelled": self.notes - self.aside.total(), "aside": dict(self.aside),
                       "labels": dict(sorted(self.labels.items())), "waiting": dict(self.waiting)},
            "functions": self.functions,
        }  # fmt: skip


def _changed(store: "Store", site: str, version: Version) -> dict[str, Any]:
    before = [one for one in store.notes.versions(site) if one.number < version.number and one.finished_at is not None]
    if not before:
        return {}
    found = compare(store, site, before[0].number, version.number)
    return {label: asdict(moved) for label, moved in found.by_label.items()}


def compare(store: "Store", site: str, before: int, after: int) -> Difference:
    """How one version of the labels differs from another, on the notes that both have seen."""
    old, new = store.notes.labels_in(site, before), store.notes.labels_in(site, after)
    both = old.keys() & new.keys()
    return difference({note: old[note] for note in both}, {note: new[note] for note in both})


# --- how good it is -------------------------------------------------------------------------------------------------


def function_table(version: Version) -> list[Standing]:
    """The functions of a version: coverage, overlaps, conflicts, accuracy on the labelled part, weights."""
    found = records_of(version)
    out = []
    for name, *_ in version.document["functions"]:
        texts, words, overlaps, conflicts = version.tally.get("functions", {}).get(name, (0, 0, 0, 0))
        mine = {label: one for (who, label), one in found.items() if who == name and label != AMBIGUOUS}
        record = Record(sum(one.right for one in mine.values()), sum(one.said for one in mine.values()))
        each = [one.weight for one in mine.values()] or [Record().weight]
        out.append(Standing(name, texts, words, overlaps, conflicts, record, (min(each), max(each))))
    return out


@dataclass(frozen=True)
class Accuracy:
    """How good the labels are on notes that were drawn at random and checked by hand.

    Attributes:
        right, checked: notes, right where every label is and none is missing; stretches that wait count as missing
            where they bear a label.
        interval: of the share of right notes, exact, 95%; None without any.
        labels: (right, given, true) spans by label.
    """

    right: int
    checked: int
    interval: Interval | None
    labels: Mapping[str, tuple[int, int, int]]


def accuracy(store: "Store", site: str) -> Accuracy:
    """Of the version that counts, on the half of the checked notes that taught no function its weight."""
    right = checked = 0
    labels: dict[str, list[int]] = {}
    for one in store.notes.checks(site):
        if not one.by_hand or one.learns or one.voted is None:
            continue
        given, true = set(one.voted.spans), set(one.truth)
        checked += 1
        right += given == true
        for place, spans in enumerate((given & true, given, true)):
            for span in spans:
                labels.setdefault(span.label, [0, 0, 0])[place] += 1
    counts = {label: (found[0], found[1], found[2]) for label, found in sorted(labels.items())}
    return Accuracy(right, checked, proportion_interval(right, checked), counts)


def emerging_names(store: "Store", site: str, most: int = 30) -> list[Emerging]:
    """Words that came up in the newest third of a site's notes and that no list or function knows."""
    held = store.notes.find(site, limit=5000)
    newest = max(1, round(_NEWEST * len(held))) if held else 0
    entries = store.notes.rules(site).rules.entries
    known = {word for words in entries.values() for entry in words for word in folded(entry)}
    lately = [(one.text, one.counts.spans) for one in held[:newest]]
    return emerging(lately, [one.text for one in held[newest:]], known, most)


def answer(store: "Store", note_id: int, begins: int, ends: int, label: str, now: datetime | None = None) -> int:
    """A person's label for a stretch of a note.

    Raises:
        BadInput: no such label or stretch.
    """
    if label not in (*LABELS, OUTSIDE):
        raise BadInput(f"There is no label {label}: the labels are {', '.join(LABELS)}, and {OUTSIDE} for none.")
    return store.notes.override(note_id, begins, ends, label, now=now)
