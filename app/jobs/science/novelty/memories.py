"""Novelty as a job: fit a memory of good parts, compare pictures with it, propose classes from what it held."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, decoders, quiet
from app.jobs.intake.opening import find_model, look_of
from app.jobs.intake.sources import find
from app.jobs.science.backtest import BACKBONE
from app.jobs.science.embedding import compute, embeddings_of
from app.jobs.science.learning import manifest_of
from app.jobs.science.novelty.judging import open_memory
from app.jobs.science.novelty.nets import Asked, Trunk, candidates, fit_best
from app.settings import Settings
from core.errors import BadInput, NotFound, Unreadable
from core.learn.novelty.clusters import clusters
from core.learn.novelty.memory import BUDGET_BYTES
from core.learn.novelty.records import RATE, MemoryVersion, Suggested, scope_of
from core.pictures.tiling import Look
from core.records import ImageState, Pixels

if TYPE_CHECKING:
    from data.store import Store

FOLDER = "novelty"
MOST_PICTURES = 2000  # good ones, the newest
PICTURES_SHOWN = 12  # of a proposal
MOST_NOVEL, GOOD_BESIDE = 700, 200  # pictures that are compared with each other


@dataclass(frozen=True)
class Good:
    """A picture of a good part.

    Attributes:
        part: pictures of one part are remembered or held out together.
    """

    path: str
    sha256: str
    part: str


def fit_novelty(
    store: "Store",
    settings: Settings,
    site: str,
    part_type: str | None = None,
    *,
    dataset: str | None = None,
    model: str | None = None,
    arch: str = BACKBONE,
    weights: str | None = None,
    look: Look | None = None,
    rate: float = RATE,
    budget_bytes: int = BUDGET_BYTES,
    even_light: bool = False,
    name: str | None = None,
    trunk: Trunk = "auto",
    seed: int = 0,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Fit a memory on pictures of good parts and enter it; it judges nothing before somebody puts it in force.

    Args:
        store: bound to whoever asks.
        settings: of the plant.
        site: whose parts.
        part_type: only of this type; None is the whole site.
        dataset: the good pictures of its training part; else those that people have labelled good at the site.
        model: whose middle layers it sees through; where None, the site's own unless a frozen net of `arch` measures
            better on planted defects.
        arch: a timm architecture.
        weights: "pretrained" or a file.
        trunk: "shared" and "frozen" take the one or the other without measuring.
        look: tile and scale; the part type's own, else the net's, where None.
        rate: of good parts that may be held for their novelty.
        budget_bytes: of the memory.
        even_light: take slow changes of light off each picture, where exposures differ.
        name: of the memory; made from site, part type and time where None.
        seed: of everything random.
        now: for the card.
        progress: told how far it is.

    Returns:
        {memory, sha256, site, part_type, net, shared, chosen, pictures, parts, patches, bytes, limit: {...}, sentence}.

    Raises:
        NotFound: no good picture, model or dataset.
        BadInput: too few good parts.
        ModelError: the net failed.
    """
    from models.engine import chosen_device
    from models.novelty import file
    from models.novelty.judge import probe_of

    at = now or datetime.now(UTC)
    pictures, source = good_pictures(store, settings, site, part_type, dataset)
    found = candidates(store, settings, site, model, arch, weights, trunk)
    called = name or _plain(f"{site}-{part_type or 'all'}-{at:%Y%m%d-%H%M%S}")
    path = settings.home / FOLDER / f"{called}{file.SUFFIX}"
    with _Reading(settings) as reading:
        asked = Asked(
            settings, chosen_device(settings.device), [one.part for one in pictures],
            lambda rows: reading.pixels([pictures[row] for row in rows]), look or _own_look(store, site, part_type),
            rate, budget_bytes, even_light, seed, progress,
        )  # fmt: skip
        best, why = fit_best(found, asked)
    fitted, net = best.fitted, best.checkpoint.card
    card = file.MemoryCard(
        name=called, site=site, part_type=part_type, net=net.name, net_sha256=net.sha256, look=best.look,
        levels=fitted.lens.levels, limit=fitted.limit, pictures=len(fitted.remembered),
        parts=len({pictures[row].part for row in fitted.remembered}), probe=(0.0, 0.0),
        net_folder=best.candidate.relative, source=source, created_at=at.isoformat(), even_light=even_light,
        shared=best.candidate.shared, chosen=why,
    )  # fmt: skip
    kept = file.Kept(card, fitted.memory, fitted.lens, fitted.held_out)
    kept = replace(kept, card=replace(card, probe=probe_of(kept, best.eye)))
    sha256 = file.write(path, kept)
    made = store.memories.add(site, part_type, f"{FOLDER}/{path.name}", sha256, kept.card.to_json(), now=at)
    return told_of(made) | {"patches": len(fitted.memory.vectors), "bytes": fitted.memory.bytes}


def told_of(memory: MemoryVersion) -> dict[str, Any]:
    """A memory as a command or a page shows it."""
    from core.learn.novelty.limit import Limit

    card, limit = memory.card, Limit(**memory.card["limit"])
    return {
        "memory": memory.name,
        "sha256": memory.sha256,
        "site": memory.site,
        "part_type": memory.part_type,
        "net": card["net"],
        "shared": bool(card.get("shared", False)),
        "chosen": str(card.get("chosen", "")),
        "pictures": card["pictures"],
        "parts": card["parts"],
        "source": card["source"],
        "limit": dict(card["limit"]),
        "sentence": limit.sentence,
        "by": memory.by,
        "made_at": memory.made_at.isoformat(),
    }


def good_pictures(
    store: "Store", settings: Settings, site: str, part_type: str | None, dataset: str | None
) -> tuple[list[Good], str]:
    """Pictures of good parts and where they come from; nothing but a label or a dataset says that a part is good.

    Raises:
        NotFound: none.
    """
    if dataset is not None:
        items = manifest_of(store, settings, dataset)["items"]
        chosen = [
            Good(str(one["path"]), str(one["sha256"]), str(one.get("part") or one["group"]))
            for one in items
            if one["split"] == "train" and not one["defective"] and part_type in (None, one.get("part_type"))
        ]
        source = f"training part of {dataset}"
    else:
        labelled = [
            one.image
            for one in store.labels.find(site=site)
            if not one.label.defective and one.image.state is ImageState.OK and one.image.width > 0
            and part_type in (None, one.image.capture.part_type)
        ]  # fmt: skip
        chosen = [Good(one.path, one.sha256, str(one.part_id)) for one in labelled[-MOST_PICTURES:]]
        source = f"labelled good at {site}"
    if not chosen:
        of = "" if part_type is None else f" of part type {part_type}"
        raise NotFound(f"No good picture{of} is known in the {source}: label or import good parts first.")
    return chosen, source


def judge_pictures(
    store: "Store", settings: Settings, site: str, sources: Sequence[str], part_type: str | None = None,
    memory: str | None = None, progress: Progress = quiet,
) -> list[dict[str, Any]]:  # fmt: skip
    """Compare pictures with what is known to be good; nothing is stored.

    Args:
        store: of the plant.
        settings: of the plant.
        site: where.
        sources: files, folders or patterns.
        part_type: of the pictures.
        memory: by name; the one in force where None.
        progress: told after each picture.

    Returns:
        [{file, novelty, held, p_value, milliseconds, error}], the most novel first; what cannot be judged comes
        before all.

    Raises:
        NotFound: no memory is in force, or none of that name.
    """
    chosen = _memory(store, site, part_type, memory)
    judge = open_memory(store, settings, chosen)
    found = find(sources, settings.uploads, settings.upload_bytes)
    answers: list[dict[str, Any]] = []
    with decoders(settings) as pool:
        for source, read in zip(found, pool.decode(one.path for one in found), strict=True):
            if isinstance(read, Unreadable):
                answers.append({"file": source.name, "novelty": None, "held": True, "p_value": None,
                                "milliseconds": None, "error": str(read)})  # fmt: skip
            else:
                judged = judge.judge(read.decoded.pixels)
                answers.append({"file": source.name, "novelty": round(judged.novelty, 6), "held": judged.novelty > 1,
                                "p_value": judged.p_value, "milliseconds": round(judged.milliseconds, 2),
                                "error": None})  # fmt: skip
            progress(len(answers), len(found), source.path.name)
    return sorted(answers, key=lambda one: (one["error"] is None, -(one["novelty"] or 0.0), one["file"]))


def propose_classes(
    store: "Store", settings: Settings, site: str, *, model: str | None = None, now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:  # fmt: skip
    """Compare the novel parts that people found defective and no class fits, and propose those that look alike.

    Args:
        store: bound to whoever asks.
        settings: of the plant.
        site: whose novel parts.
        model: through whose eyes; the site's own, else the net of the memory in force, where None.
        now: of the proposals.
        progress: told how far it is.

    Returns:
        {site, parts, pictures, proposed: [{proposal, parts, pictures, apart}]}.

    Raises:
        NotFound: there is nothing to see through.
    """
    from models.engine import open_engine

    ready = [one for one in store.proposals.novel(site) if one.defective and not one.classes]
    if not ready:
        return {"site": site, "parts": 0, "pictures": 0, "proposed": []}
    engine = open_engine(_net_to_see(store, settings, site, model), settings.device, cache=settings.compiled)
    pictures = [_Picture(i, p, h, site, one.part_type) for one in ready
                for i, p, h in zip(one.image_ids, one.paths, one.hashes, strict=True)][:MOST_NOVEL]  # fmt: skip
    part_of = {i: one.part_id for one in ready for i in one.image_ids}
    good = [_Picture(one.image.id, one.image.path, one.image.sha256, site, one.image.capture.part_type)
            for one in store.labels.find(site=site) if not one.label.defective][-GOOD_BESIDE:]  # fmt: skip
    compute(settings, engine, [*pictures, *good], store=store, progress=progress)
    kept = embeddings_of(settings, engine)
    read, beside = (kept.read([one.image_id for one in some]) for some in (pictures, good))
    ids = read.image_ids.tolist()
    suggested = []
    for one in clusters(read.vectors, [part_of[i] for i in ids], beside.vectors if len(good) else None):
        typical = [ids[row] for row in one.rows]
        mine = tuple(dict.fromkeys(part_of[i] for i in typical))
        suggested.append(Suggested(tuple(typical[:PICTURES_SHOWN]), mine, round(one.apart, 4)))
    made = store.proposals.propose(site, engine.card.name, suggested, now=now)
    return {
        "site": site,
        "parts": len(ready),
        "pictures": len(ids),
        "proposed": [
            {"proposal": one.id, "parts": list(one.part_ids), "pictures": list(one.image_ids), "apart": one.apart}
            for one in made
        ],
    }


@dataclass(frozen=True)
class _Picture:
    image_id: int
    path: str
    sha256: str
    site: str
    part_type: str | None


class _Reading:
    """Decodes good pictures in limited child processes; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._pool = decoders(settings)

    def __enter__(self) -> "_Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def pixels(self, pictures: Sequence[Good]) -> Iterator[Pixels]:
        """In order; one that is gone or changed is no evidence of what is good, so it ends the fit.

        Raises:
            BadInput: naming it.
        """
        reads = self._pool.decode(Path(one.path) for one in pictures)
        for one, read in zip(pictures, reads, strict=True):
            if isinstance(read, Unreadable):
                raise BadInput(f"{Path(one.path).name} cannot be read ({read}): put it back, or label another one.")
            if read.sha256 != one.sha256:
                raise BadInput(f"{Path(one.path).name} has changed since it was labelled good: put it back.")
            yield read.decoded.pixels


def _net_to_see(store: "Store", settings: Settings, site: str, model: str | None) -> Path:
    chosen = model or store.sites.get(site).model
    if chosen is not None:
        return find_model(store, settings, chosen)
    found = store.memories.in_force(site)
    scope = found.get(None) or next(iter(found.values()), None)
    if scope is None:
        raise NotFound(f"{site} has no model and no memory in force to see through: name a model.")
    folder = str(scope.memory.card.get("net_folder") or "")
    return settings.home / folder if folder else find_model(store, settings, str(scope.memory.card["net"]))


def _memory(store: "Store", site: str, part_type: str | None, name: str | None) -> MemoryVersion:
    if name is not None:
        return store.memories.get(name)
    scope = scope_of(store.memories.in_force(site), part_type)
    if scope is None:
        raise NotFound(f"No memory is in force at {site}: fit one, then put it in force.")
    return scope.memory


def _own_look(store: "Store", site: str, part_type: str | None) -> Look | None:
    known = [one for one in store.part_types.all(site) if one.name == part_type]
    return look_of(known[0]) if known else None


def _plain(text: str) -> str:
    """What may be part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "memory"
