"""Models that come from elsewhere: checked, copied into the plant, entered in the store."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from app.settings import CHECKOUT, Settings
from core.errors import Conflict
from core.plant import ModelVersion

if TYPE_CHECKING:
    from data.store import Store

SHIPPED = CHECKOUT / "models" / "shipped"


def add_model(store: "Store", settings: Settings, folder: Path) -> ModelVersion:
    """Bring a model folder into this plant; the same model twice is one.

    Raises:
        NotFound: no model there.
        ModelError: a pickle, a damaged card, or weights other than those the card names.
        Conflict: another model has that name.
    """
    from models.checkpoint import CARD, load, read_card
    from models.folder import WEIGHTS

    card = load(folder).card  # checks the hash of the weights, too
    place = settings.models / card.name
    if place.exists():
        if read_card(place).sha256 != card.sha256:
            raise Conflict(f"There is another model called {card.name}: give this one a new name.")
    else:
        draft = place.with_name(f".{card.name}.{uuid4().hex}")
        draft.mkdir(parents=True)
        try:
            for name in (CARD, WEIGHTS):
                shutil.copyfile(folder / name, draft / name)
            load(draft)  # what was copied, not what was there
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return store.models.add(card.to_json(), str(place), card.sha256)
