"""What to label next: the pool, its embeddings, a strategy's choice beside a random arm, and a batch in the store."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.intake.opening import open_model
from app.jobs.science.embedding import GOOD, columns, compute, embeddings_of
from app.settings import Settings
from core.errors import BadInput, ModelError
from core.learn.select import strategy_named
from core.learn.select.batches import Candidate, Proposed
from core.learn.select.budget import Budget, Price, Unit
from core.learn.select.choosing import CONTROL, SIMILAR, Ask, Choice, Quota, choose
from core.learn.select.plane import directions, flat
from core.learn.select.pool import Pool
from core.records import Floats
from data.embeddings import BUDGET_BYTES

if TYPE_CHECKING:
    from data.embeddings import Found
    from data.store import Store
    from models.engine import Engine
    from models.products import Products

MAP_POINTS = 1500  # of the pool on the page's map
RELABEL = "relabel-suspects"


@dataclass(frozen=True)
class _Known:
    """Candidates that have an embedding, row by row."""

    pictures: list[Candidate]
    vectors: Floats
    probabilities: Any


def select(
    store: "Store",
    settings: Settings,
    strategy: str,
    budget: float,
    unit: Unit = "items",
    *,
    site: str | None = None,
    model: str | None = None,
    shadow: str | None = None,
    control: float = CONTROL,
    similar: float | None = SIMILAR,
    quotas: Sequence[Mapping[str, Any]] = (),
    price: float = Price().money,
    label_seconds: float = Price().seconds,
    seed: int = 0,
    send: bool = False,
    memory: int = BUDGET_BYTES,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Choose a batch and keep it; with `send`, ask for its labels at once.

    Args:
        store: acting for whoever chooses.
        settings: of the plant.
        strategy: by name.
        budget: in `unit`.
        unit: items, hours or money.
        site: only of one site; None for all that the person sees.
        model: whose eyes; where None the one in use at the site, or at most sites, and then only pictures of these.
        shadow: a second model, for disagreement.
        control: share of the batch that is drawn at random.
        similar: correlation from which two pictures count as one; None leaves that out.
        quotas: {kind: site or class, name, least, most} each.
        price: of one label, in the plant's money.
        label_seconds: of one label.
        seed: of everything random.
        send: open the tasks, too.
        memory: bytes that the embeddings may take; a pool that is larger is cut by chance.
        now: for the batch.
        progress: told while pictures are looked at.

    Returns:
        {strategy, chosen: [image ids], seconds, selection, model, arms, pool, left_out, short, sent}.

    Raises:
        BadInput: nothing to choose from, or a question that makes no sense.
        NotFound: no such strategy, site or model.
        Busy: embeddings of this model are being computed already.
    """
    started = time.monotonic()
    chosen_by = strategy_named(strategy)
    cost = Price(label_seconds, price)
    ask = Ask(
        chosen_by.name, Budget(budget, unit).items(cost), control, tuple(Quota(**one) for one in quotas), similar, seed
    )
    name = model or model_in_use(store, site)
    engine = open_model(store, settings, name)
    labelled = store.selections.candidates(site, labelled=True)
    wanted = labelled if strategy == RELABEL else store.selections.candidates(site, model=engine.card.name)
    foreign = 0
    if model is None and site is None:  # what another model looks after means nothing to this one
        own = {one.name for one in store.sites.all() if one.model == name}
        foreign = sum(one.site not in own for one in wanted)
        wanted, labelled = ([one for one in some if one.site in own] for some in (wanted, labelled))
    if not wanted:
        raise BadInput("Nothing is left to choose from: every readable picture is labelled or in the queue already.")
    unreadable = compute(settings, engine, [*wanted, *labelled], store=store, progress=progress).unreadable
    rng = np.random.default_rng(seed)
    known, beside, cut = _read(settings, engine, wanted, [] if strategy == RELABEL else labelled, memory, rng)
    if not known.pictures:
        raise BadInput("Not one picture of the pool could be read: look at the files, then try again.")
    pool = _pool(engine, known, beside, strategy)
    if engine.device == "cuda":
        pool = replace(pool, products=_products(known.vectors))
    if shadow is not None and strategy == "disagreement":
        pool = _with_shadow(store, settings, pool, known, shadow, columns(engine), progress)
    progress(0, 0, f"choosing {ask.items:,} of {pool.n:,}")
    choice = choose(pool, ask)
    picks, points = _proposed(pool, known, choice, rng)
    facts = {
        "pool": pool.n,
        "labelled": len(pool.labelled),
        "unreadable": unreadable,
        "foreign": foreign,
        "cut": cut,
        "left_out": dict(choice.left_out),
        "short": dict(choice.short),
        "balance": balance(pool, known.pictures, choice),
        "map": points,
    }
    asked = {**asdict(ask), "budget": budget, "unit": unit, "site": site, "shadow": shadow}
    number = store.selections.propose(
        chosen_by.name, engine.card.name, engine.card.sha256, picks, asked, facts, price, label_seconds, now
    )
    if send:
        store.selections.send(number, now)
    return {
        "strategy": chosen_by.name,
        "chosen": [one.image_id for one in picks],
        "seconds": round(time.monotonic() - started, 3),
        "selection": number,
        "model": engine.card.name,
        "arms": dict(Counter(one.arm for one in picks)),
        "pool": pool.n,
        "unreadable": unreadable,
        "left_out": dict(choice.left_out),
        "short": dict(choice.short),
        "sent": send,
    }


def model_in_use(store: "Store", site: str | None) -> str:
    """The model of a site, or the one that most sites use.

    Raises:
        BadInput: none is in use.
    """
    sites = [store.sites.get(site)] if site is not None else store.sites.all()
    used = Counter(one.model for one in sites if one.model)
    if not used:
        raise BadInput("No model is in use here, so nothing says how pictures look: name one with --model.")
    return min(used, key=lambda name: (-used[name], name))


def _read(
    settings: Settings,
    engine: "Engine",
    wanted: Sequence[Candidate],
    labelled: Sequence[Candidate],
    memory: int,
    rng: np.random.Generator,
) -> "tuple[_Known, Found, int]":
    """Embeddings of the pool and of what is labelled, within the budget of bytes, and how many had to stay out."""
    kept = embeddings_of(settings, engine)
    room = kept.room(memory) or 0
    ids = [one.image_id for one in wanted]
    others = [one.image_id for one in labelled]
    cut = 0
    if len(others) > room // 2:
        others = sorted(rng.choice(others, room // 2, replace=False).tolist())
    if len(ids) > room - len(others):
        cut = len(ids) - (room - len(others))
        ids = sorted(rng.choice(ids, room - len(others), replace=False).tolist())
    found = kept.read(ids, memory)
    by_id = {one.image_id: one for one in wanted}
    pictures = [by_id[image_id] for image_id in found.image_ids.tolist()]
    return _Known(pictures, found.vectors, found.probabilities), kept.read(others, memory), cut


def _pool(engine: "Engine", known: _Known, beside: "Found", strategy: str) -> Pool:
    names = columns(engine)
    numbers: dict[tuple[str, ...], int] = {(): 0}
    given = [
        numbers.setdefault(one.classes or (("?",) if one.defective else ()), len(numbers)) for one in known.pictures
    ]
    novelty = np.array([np.nan if one.novelty is None else one.novelty for one in known.pictures])
    return Pool(
        embeddings=known.vectors,
        probabilities=known.probabilities,
        names=names,
        parts=np.array([one.part_id for one in known.pictures], np.intp),
        sites=[one.site for one in known.pictures],
        labelled=beside.vectors if len(beside.image_ids) else known.vectors[:0],
        novelty=novelty if np.isfinite(novelty).all() else None,
        given=np.array(given, np.intp) if strategy == RELABEL else None,
    )


def _products(vectors: Floats) -> "Products | None":
    """On the card; here where they do not fit there."""
    from models.products import Products

    try:
        return Products(vectors, "cuda")
    except ModelError:
        return None


def _with_shadow(
    store: "Store",
    settings: Settings,
    pool: Pool,
    known: _Known,
    shadow: str,
    names: tuple[str, ...],
    progress: Progress,
) -> Pool:
    """The same pool with what a second model says, brought to the first one's classes."""
    engine = open_model(store, settings, shadow)
    compute(settings, engine, known.pictures, store=store, progress=progress)
    found = embeddings_of(settings, engine).read([one.image_id for one in known.pictures])
    if len(found.image_ids) != len(known.pictures):
        raise BadInput(f"{shadow} could not look at every picture of the pool: look at the files, then try again.")
    theirs = columns(engine)
    said = np.zeros((len(known.pictures), len(names)))
    for place, name in enumerate(theirs):
        # A class that the first model does not know still is a defect, and then of no class in particular.
        targets = [names.index(name)] if name in names else list(range(1, len(names)))
        said[:, targets] += found.probabilities[:, place : place + 1] / len(targets)
    return replace(pool, shadow=said)


def _proposed(
    pool: Pool, known: _Known, choice: Choice, rng: np.random.Generator
) -> tuple[list[Proposed], list[list[float]]]:
    """The batch as the store keeps it, and a sample of the pool for the map."""
    middle, ways = directions(pool.embeddings, rng)
    rows = np.array(choice.rows, np.intp)
    places = flat(pool.embeddings, rows, middle, ways).round(4).tolist()
    drawn = sum(one.arm == "random" for one in choice.picks)
    chance = drawn / len(set(pool.parts.tolist()))
    picks = [
        Proposed(known.pictures[one.row].image_id, one.arm, one.value, one.why,
                 chance if one.arm == "random" else None, (place[0], place[1]))
        for one, place in zip(choice.picks, places, strict=True)
    ]  # fmt: skip
    sample = np.sort(rng.choice(pool.n, min(pool.n, MAP_POINTS), replace=False))
    return picks, flat(pool.embeddings, sample, middle, ways).round(3).tolist()


def balance(pool: Pool, pictures: Sequence[Candidate], choice: Choice) -> dict[str, list[list[Any]]]:
    """By site, camera and likeliest answer: name, how many of the batch, how many of the pool."""
    likeliest = pool.probabilities.argmax(axis=1)
    words = {
        "site": [one.site for one in pictures],
        "camera": [one.camera or "not known" for one in pictures],
        "likely": [GOOD if at == 0 else pool.names[at] for at in likeliest.tolist()],
    }
    found = {}
    for kind, names in words.items():
        every, mine = Counter(names), Counter(names[row] for row in choice.rows)
        found[kind] = [[name, mine[name], number] for name, number in every.most_common(30)]
    return found
