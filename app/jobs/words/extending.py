"""Teach a text model one more domain, by configuration."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.jobs.intake.line import Progress, quiet
from app.jobs.words.text import SUBFOLDER, find, measure, plain_name, read_corpora
from app.settings import Settings
from core.errors import BadInput, Conflict


def extend(
    settings: Settings,
    folder: Path,
    model: str,
    config: Path,
    name: str,
    *,
    seed: int = 0,
    now: datetime | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Add the one domain of a config that a model does not know: new heads and an adapter, all else frozen.

    Args:
        settings: for the home folder.
        folder: that the config's own folders lie in.
        model: by name, or the path of its folder.
        config: names the model's domains, whose text tells the new one from them, and the new one.
        name: of the extended model.
        seed: of everything random.
        now: for the card.
        progress: told how far it is.

    Returns:
        {model, folder, domain, seconds, test}.

    Raises:
        BadInput: the config does not name the model's domains and one more.
        Conflict: a model of that name exists.
        GateFailed: an older domain would be understood less often than its interval allows.
    """
    from models.text.checkpoint import card_of, load, save
    from models.text.extending import extend as work

    out = settings.models / SUBFOLDER / plain_name(name)
    if out.exists():
        raise Conflict(f"There is a text model '{name}' already: choose another name.")
    base = load(find(settings, model))
    corpora, folders, setting = read_corpora(folder, config, None)
    known = {d.name for d in base.card.domains}
    fresh = [c for c in corpora if c.config.name not in known]
    if len(fresh) != 1:
        raise BadInput(
            f"The config names {len(fresh)} domains that {base.card.name} does not know "
            f"(it knows {', '.join(sorted(known))}): name those and one more."
        )
    older = [c for c in corpora if c.config.name in known]
    trained = work(base, fresh[0], older, setting, seed, progress)
    card = card_of(
        trained,
        name,
        now or datetime.now(UTC),
        encoder=base.card.encoder,
        dataset={
            **base.card.dataset,
            fresh[0].config.name: {p: len(s) for p, s in folders[fresh[0].config.name].parts.items()},
        },
        training={
            "onto": base.card.sha256,
            "config": setting.to_json(),
            "seed": seed,
            "history": list(trained.history),
        },
    )
    save(out, trained.net, card)
    grown = load(out)
    return {
        "model": name,
        "folder": str(out),
        "domain": fresh[0].config.name,
        "seconds": trained.seconds,
        "test": {d: measure(grown, folders[d], d, "test") for d in folders if folders[d].parts["test"]},
    }
