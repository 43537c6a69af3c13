"""Which labels of a site to doubt, and why: a report that the label quality page shows."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets import evidence, looking, manifest
from app.settings import Settings
from core.errors import BadInput, HoldpointError
from core.learn.datasets import suspects
from core.learn.datasets.agreement import TwoLooks, confusions
from core.learn.datasets.suspects import Labelled, Suspect, Why
from core.plant import LabelledImage
from core.records import ImageState, Prediction
from data.formats.files import write_file

if TYPE_CHECKING:
    from data.store import Store

VERSION = 1
MOST = 400  # suspects of one kind in a report
FEWEST = 20  # labels that the model has an opinion about, for confident learning to say anything


def find_suspects(
    store: "Store", settings: Settings, site: str, *, now: datetime | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Look through every label of a site.

    Args:
        store: bound to whoever asks.
        settings: of the plant; the report lies in its home.
        site: whose labels.
        now: for the report.
        progress: told every few pictures.

    Returns:
        {site, made_at, labels, counts: {why: n}, notes, suspects: [...], confusions: [...]}.
    """
    progress(0, 0, "reading labels")
    found = [one for one in store.labels.find(site=site) if one.image.state is ImageState.OK and one.image.width > 0]
    labelled = [_labelled(one) for one in found]
    said = store.datasets.scores([one.image.id for one in found])
    seen = looking.look(settings, [one.image for one in found], progress)
    progress(0, len(found), "comparing")
    looks = evidence.looks_of(store, found, store.datasets.opinions({one.image.part_id for one in found}))
    notes: list[str] = []
    doubted = [
        *suspects.odd_boxes(labelled),
        *suspects.twins(labelled, _same_pictures(found, seen)),
        *_by_people(labelled, looks),
        *_by_model(store, settings, labelled, found, said, notes),
    ]
    report = {
        "format": VERSION,
        "site": site,
        "made_at": (now or datetime.now(UTC)).isoformat(),
        "labels": len(found),
        "counts": dict(Counter(str(one.why) for one in suspects.ranked(doubted))),
        "notes": notes,
        "suspects": [{**asdict(one), "why": str(one.why)} for one in _some(suspects.ranked(doubted))],
        "confusions": [
            {
                "classes": list(one.classes),
                "n": one.n,
                "people": [[*who, number] for who, number in sorted(one.people.items(), key=lambda pair: -pair[1])],
            }
            for one in confusions(looks)
        ],
    }
    path = report_path(settings, store.sites.get(site).id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, [json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False), "\n"])
    progress(len(found), len(found), "done")
    return report


def last_report(settings: Settings, site_id: int) -> dict[str, Any] | None:
    """The newest report of a site; None where nobody has looked yet, or it is of another version.

    Raises:
        BadInput: it cannot be read.
    """
    path = report_path(settings, site_id)
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path.name} is no report any more ({error}): look through the labels again.") from error
    return found if isinstance(found, dict) and found.get("format") == VERSION else None


def report_path(settings: Settings, site_id: int) -> Path:
    """Where a site's report lies; it may be deleted at any time."""
    return settings.home / "suspects" / f"site-{site_id}.json"


def _labelled(one: LabelledImage) -> Labelled:
    label, image = one.label, one.image
    classes = (*label.classes, *label.unmapped)
    return Labelled(
        image.id,
        image.part_id,
        image.path,
        (image.width, image.height),
        label.defective,
        classes,
        label.regions,
        label.by,
    )


def _same_pictures(found: Sequence[LabelledImage], seen: looking.Seen) -> list[tuple[int, int]]:
    """Numbers of pictures with the same bytes, or that look the same."""
    first: dict[str, int] = {}
    pairs = [(a, b) for a, b in looking.duplicates(seen, found).tolist()]
    for number, one in enumerate(found):
        known = first.setdefault(one.image.sha256, number)
        if known != number:
            pairs.append((known, number))
    return sorted(set(pairs))


def _by_people(labelled: Sequence[Labelled], looks: Sequence[TwoLooks]) -> list[Suspect]:
    by_path = {one.path: one for one in labelled}
    found = []
    for look in looks:
        if look.one == look.other:
            continue
        a, b = (", ".join(sorted(said)) for said in (look.one, look.other))
        for path in look.paths:
            if path in by_path:
                one = by_path[path]
                sentence = f"{look.by[0]} said {a}, {look.by[1]} said {b}."
                found.append(Suspect(one.image, one.part, Why.PEOPLE, sentence, 0.6))
    return found


def _by_model(
    store: "Store",
    settings: Settings,
    labelled: Sequence[Labelled],
    found: Sequence[LabelledImage],
    said: Mapping[int, Prediction],
    notes: list[str],
) -> list[Suspect]:
    """Confident learning on labels that the model has not learned from: of those it would only repeat the label."""
    learned = _learned(store, settings, {one.model for one in said.values()})
    asked = [
        number
        for number, one in enumerate(found)
        if one.image.id in said and one.image.sha256 not in learned.get(said[one.image.id].model, frozenset())
    ]
    repeated = sum(one.image.id in said for one in found) - len(asked)
    if repeated:
        notes.append(f"{repeated:,} labels were left out of the model's view: it was trained on them.")
    if find_spec("cleanlab") is None:
        notes.append("The model's view needs the package cleanlab: run make setup.")
        return []
    some = [labelled[number] for number in asked]
    given = [said[one.image] for one in some]
    kinds, labels, rows, numbers = suspects.kinds_and_probabilities(
        some, [one.score for one in given], [one.class_scores for one in given]
    )
    if len(numbers) < FEWEST or len(set(labels.tolist())) < 2:
        notes.append(f"The model has an opinion about {len(numbers)} labels it has not learned from; it takes "
                     f"{FEWEST}, of two kinds at least.")  # fmt: skip
        return []
    issues, quality = _confident(labels, rows)
    return suspects.by_model(some, kinds, rows, numbers, issues, quality)


def _confident(
    labels: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether each label is doubted, and its quality.

    Source: Northcutt, Jiang and Chuang 2021, "Confident Learning", as in cleanlab; pruned where both the noise rate of
        the class and the picture's own probabilities say so.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    present = np.unique(labels)  # a kind that nobody gave has no threshold
    rows = rows[:, present] / np.maximum(rows[:, present].sum(axis=1, keepdims=True), 1e-12)
    compact = np.searchsorted(present, labels)
    issues = find_label_issues(compact, rows, filter_by="prune_by_noise_rate", n_jobs=1)
    return np.asarray(issues, bool), np.asarray(get_label_quality_scores(compact, rows), np.float64)


def _learned(store: "Store", settings: Settings, models: set[str]) -> dict[str, frozenset[str]]:
    """Hashes of the pictures that each model was trained on, as far as its card and dataset are here."""
    found: dict[str, frozenset[str]] = {}
    for one in store.models.all():
        name = one.card.get("dataset", {}).get("name") if isinstance(one.card.get("dataset"), Mapping) else None
        if one.name not in models or not name:
            continue
        try:
            listed = manifest.manifest_in(settings, name, store.datasets.get(name).manifest)
        except HoldpointError:  # the dataset is elsewhere: then nothing is known of what it learned
            continue
        found[one.name] = frozenset(str(i["sha256"]) for i in listed["items"] if i["split"] == "train")
    return found


def _some(found: Sequence[Suspect]) -> list[Suspect]:
    counts: Counter[Why] = Counter()
    kept = []
    for one in found:
        counts[one.why] += 1
        if counts[one.why] <= MOST:
            kept.append(one)
    return kept
