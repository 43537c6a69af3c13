"""What each step of a pipeline does; every one of them may be begun again after a kill."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress
from app.jobs.science.datasets import build_dataset
from app.jobs.science.datasets.admitting import admit
from app.jobs.science.learning import Reader, check_files, examples_of, manifest_of
from app.jobs.science.pipelines.configuration import Augmentation, Configuration
from app.settings import Settings
from core.errors import GateFailed, NotFound
from core.gates.records import Answer
from core.learn.pipeline import Run, StepName

if TYPE_CHECKING:
    from data.store import Store
    from models.training.augment import Settled
    from models.training.examples import Example
    from models.training.sampling import Augmentation as Change
    from models.training.wishes import Wishes

SIDES = ("train", "val", "test")


class NotRun(Exception):
    """A step has nothing to do, for a reason that is no failure."""


@dataclass(frozen=True)
class Work:
    """What a step works with.

    Attributes:
        store: bound to whoever the run acts for.
        tries: 1 the first time; more where an earlier try was killed or failed.
    """

    store: "Store"
    settings: Settings
    run: Run
    configuration: Configuration
    tries: int
    progress: Progress

    def found(self, step: StepName) -> Mapping[str, Any]:
        """What an earlier step has found."""
        return self.run.step(step).result or {}

    @property
    def dataset(self) -> str:
        """The dataset's name, as the first step has settled it."""
        return str(self.found(StepName.VALIDATE)["dataset"])


def validate_labels(work: Work) -> dict[str, Any]:
    """Freeze the dataset or open it, ask its certificate and its files, and look through the site's labels.

    Raises:
        GateFailed: the certificate failed, or too many labels are doubtful.
    """
    from app.jobs.science.suspects import find_suspects

    name = _dataset(work)
    manifest = manifest_of(work.store, work.settings, name)
    certificate = admit(manifest, work.configuration.despite, work.store.actor.name)
    examples = [one for side in SIDES for one in examples_of(manifest, side)]
    check_files(examples, work.progress)
    report = find_suspects(work.store, work.settings, work.configuration.site, progress=work.progress)
    doubted = len({one["image"] for one in report["suspects"]})
    share = doubted / report["labels"] if report["labels"] else 0.0
    most = work.configuration.labels.most_doubted
    if most is not None and share > most:
        raise GateFailed(
            f"{doubted} of {report['labels']} labels of {work.configuration.site} are doubtful ({share:.1%}), more "
            f"than {most:.1%}: look at them on the page Label quality, then let the run go on."
        )
    return {
        "dataset": name,
        "hash": manifest.get("hash"),
        "pictures": {side: sum(one.split == side for one in examples) for side in SIDES},
        "certificate": certificate,
        "labels": report["labels"],
        "doubted": doubted,
        "doubts": report["counts"],
    }


def _dataset(work: Work) -> str:
    asked = work.configuration.dataset
    if asked.build is None:
        return str(asked.name)
    name = work.run.model
    try:
        return work.store.datasets.get(name).name  # frozen before a kill; the labels may have changed since
    except NotFound:
        given = asked.build.model_dump(exclude_none=True)
        build_dataset(work.store, work.settings, name, progress=work.progress, **given)
        return name


def augment(work: Work) -> dict[str, Any]:
    """Settle what is done to the pictures of each part type, and switch off what would hide or make defects."""
    asked = work.configuration.augmentation
    if asked is None:
        return {"own": True, "part_types": {}}
    with Reader(work.settings) as read:
        manifest = manifest_of(work.store, work.settings, work.dataset)
        found = settle_augmentation(work.store, manifest, examples_of(manifest, "train"), read, asked)
    return {"own": False, "part_types": {kind: settled_to_json(one) for kind, one in found.items()}}


def settle_augmentation(
    store: "Store", manifest: Mapping[str, Any], learned: "Sequence[Example]", read: Reader, asked: Augmentation
) -> "dict[str, Settled]":
    """What is done to each part type's pictures, measured on the training pictures of a dataset."""
    from models.training.augment import settle

    return settle(
        learned, read, asked.asked(), asked.classes_judged(), flips_of(store, manifest), asked.most_hidden
    )  # fmt: skip


def flips_of(store: "Store", manifest: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each part type of a dataset looks the same mirrored, as far as the plant knows it."""
    named = {(str(i["site"]), str(i["part_type"])) for i in manifest["items"] if i.get("part_type") and i.get("site")}
    found: dict[str, bool] = {}
    for site, kind in sorted(named):
        try:
            found[kind] = store.part_types.get(site, kind).flips and found.get(kind, True)
        except NotFound:
            continue
    return found


def settled_to_json(one: "Settled") -> dict[str, Any]:
    """What was settled for one part type."""
    return {
        "how": asdict(one.how),
        "off": [{"op": str(off.op), "why": off.why} for off in one.off],
        "pictures": one.pictures,
        "regions": one.regions,
    }


def change_from(values: Mapping[str, Any]) -> "Change":
    """The reverse, of `how`."""
    from models.training.sampling import Augmentation as Change

    crop = values.get("crop")
    return Change(**{**values, "crop": None if crop is None else (float(crop[0]), float(crop[1]))})


def train(work: Work) -> dict[str, Any]:
    """Train under the run's own name; a model that was whole before a kill is entered, not trained again."""
    from app.jobs.science.train import train as do

    configuration, name = work.configuration, work.run.model
    finished = _finished(work, name)
    if finished is not None:
        return finished
    made = do(
        work.store, work.settings, work.dataset, arch=configuration.architecture, weights=configuration.weights,
        epochs=configuration.epochs, seed=configuration.seed, name=name, despite=configuration.despite,
        refit=configuration.refit, adapt=configuration.adapt,
        site=configuration.site if configuration.adapt else None, wishes=_wishes(work), progress=work.progress,
    )  # fmt: skip
    return {one: made[one] for one in ("model", "epochs", "best_epoch", "chosen", "refit", "seconds", "weights")}


def _finished(work: Work, name: str) -> dict[str, Any] | None:
    """A model that this run has written already; None where it has not."""
    from models.checkpoint import CARD, read_card

    folder = work.settings.models / name
    if not (folder / CARD).is_file():
        return None
    card = read_card(folder)
    work.store.models.add(card.to_json(), f"{work.settings.models.name}/{name}", card.sha256)
    training = card.training
    return {
        "model": name, "epochs": len(training.get("history", ())), "best_epoch": training.get("best_epoch"),
        "chosen": training.get("chosen", ""), "refit": training.get("refit") is not None,
        "seconds": training.get("seconds"), "weights": card.weights,
    }  # fmt: skip


def _wishes(work: Work) -> "Wishes":
    from models.training.wishes import Wishes

    asked = work.configuration
    settled = work.found(StepName.AUGMENT).get("part_types", {})
    wishes = Wishes(
        batch=asked.batch,
        patience=None if asked.early_stopping is None else asked.early_stopping.patience,
        limit_s=asked.time_limit,
        augmentations={kind: change_from(one["how"]) for kind, one in settled.items()},
    )
    if asked.optimiser is None:
        return wishes
    how = asked.optimiser
    return replace(wishes, optimiser=how.name, trunk=how.trunk, heads=how.heads, weight_decay=how.weight_decay)


def evaluate(work: Work) -> dict[str, Any]:
    """Measure the model, and on the same pictures the one in use and the one it was adapted from."""
    from app.jobs.science.adapting import against_parent
    from app.jobs.science.evaluate import evaluate as do

    configuration, name = work.configuration, work.run.model
    split = configuration.evaluate
    measured = do(work.store, work.settings, name, work.dataset, split, progress=work.progress)
    production = work.store.sites.get(configuration.site).model
    if production is not None and production != name:
        do(work.store, work.settings, production, work.dataset, split, progress=work.progress)
    result = {
        "split": split,
        "images": measured["images"],
        "auroc": measured["auroc"],
        "auroc_interval": measured["auroc_interval"],
        "at_threshold": measured["at_threshold"],
        "report": measured["report"],
        "production": production,
    }
    if configuration.adapt is not None:
        told = against_parent(
            work.store, work.settings, name, work.dataset, configuration.site, progress=work.progress
        )  # fmt: skip
        result["against_parent"] = {"parent": told["parent"], "paired": told["paired"], "caution": told["caution"]}
    return result


def gate(work: Work) -> dict[str, Any]:
    """Ask the gate; one that was asked before a kill is not asked twice."""
    from app.jobs.science.gate import run_gate

    configuration, name = work.configuration, work.run.model
    split = configuration.gate.split
    kept = None
    if work.tries > 1:
        earlier = work.store.gates.of(name, configuration.site)
        kept = next((one for one in earlier if (one.dataset, one.split) == (work.dataset, split)), None)
    if kept is None:
        kept = run_gate(
            work.store, work.settings, name, configuration.site, work.dataset, split,
            limits=configuration.gate.asked(), progress=work.progress,
        )  # fmt: skip
    return {
        "gate": kept.id,
        "answer": str(kept.answer),
        "sentence": str(kept.document["sentence"]),
        "against": kept.against,
    }


def shadow(work: Work) -> dict[str, Any]:
    """Let the model look on, unless its gate refused it.

    Raises:
        NotRun: the gate refused it, or the configuration wants no shadow.
        Conflict: another model looks on, and the configuration does not say that it may be ended.
    """
    asked, site, name = work.configuration.shadow, work.configuration.site, work.run.model
    if asked is None:
        raise NotRun("The configuration asks for no shadow.")
    said = work.found(StepName.GATE)
    if said.get("answer") not in (str(Answer.PASS), str(Answer.UNSURE)):
        raise NotRun(f"The gate refused the model: {said.get('sentence', 'it was not asked')}")
    there = work.store.shadows.latest(site)
    if there is None or there.ended_at is not None or there.model != name:
        reason = f"run {work.run.id} of {work.run.pipeline}"
        if there is not None and there.ended_at is None and asked.replace:
            work.store.shadows.stop(site, reason)
        there = work.store.shadows.start(site, name, asked.hours, reason)
    return {"shadow": there.id, "until": there.until.isoformat()}


STEPS: Mapping[StepName, Callable[[Work], dict[str, Any]]] = {
    StepName.VALIDATE: validate_labels,
    StepName.AUGMENT: augment,
    StepName.TRAIN: train,
    StepName.EVALUATE: evaluate,
    StepName.GATE: gate,
    StepName.SHADOW: shadow,
}
