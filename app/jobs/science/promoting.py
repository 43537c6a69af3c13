"""Promoting and rolling back, after the weights that would decide have been looked at: nothing is put in use unread."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.intake.line import find_model
from app.settings import Settings
from core.errors import ModelError, NotFound
from core.serving import ModelChange

if TYPE_CHECKING:
    from data.store import Store


def promote(
    store: "Store", settings: Settings, site: str, model: str, reason: str, now: datetime | None = None
) -> ModelChange:
    """Put a model in use that has passed its gate; see `Promotions.promote`.

    Raises:
        ModelError: its files are gone or hold other weights than the store knows.
    """
    verified(store, settings, model)
    return store.promotions.promote(site, model, reason, now)


def rollback(store: "Store", settings: Settings, site: str, reason: str, now: datetime | None = None) -> ModelChange:
    """Put the model back in use that the present one replaced; see `Promotions.rollback`.

    Raises:
        ModelError: its files are gone or hold other weights than the store knows.
    """
    model = store.promotions.way_back(site)
    if model is None:
        raise NotFound(f"{site} has had no other model before this one: there is no way back.")
    verified(store, settings, model)
    return store.promotions.rollback(site, reason, now)


def verified(store: "Store", settings: Settings, model: str) -> None:
    """Read the files of a model and compare the hash of its weights with its card and with the store.

    Raises:
        NotFound: no such model.
        ModelError: they are not the ones.
    """
    check_weights(find_model(store, settings, model), store.models.get(model).sha256)


def check_weights(folder: Path, sha256: str) -> None:
    """Read a model's folder whole and compare the hash of its weights.

    Args:
        folder: of the model.
        sha256: of the weights that the store knows.

    Raises:
        NotFound: there is no model in it.
        ModelError: they are others, or the card is damaged.
    """
    from models.checkpoint import load

    found = load(folder).card.sha256
    if found != sha256:
        raise ModelError(
            f"{folder} holds other weights (sha256 {found[:12]}) than the store knows ({sha256[:12]}): take the model "
            "from its backup."
        )
