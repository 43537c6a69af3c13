"""Models found, checked and opened for whoever scores, and what may go wrong with them."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import CHECKOUT, Settings
from core.errors import HoldpointError, ModelError, NotFound
from core.pictures.tiling import Look
from core.plant import PartType

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine

# What a net, its file or its device may raise. The part is held with the message; nothing is lost and nothing passes.
MODEL_FAILURES = (
    HoldpointError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

SHIPPED = CHECKOUT / "models" / "shipped"


def look_of(kind: PartType) -> Look | None:
    """How the net looks at pictures of a part type; None leaves it to the card, where nobody set anything."""
    usual = PartType(kind.name)
    if (kind.scale, kind.tile, kind.stride, kind.whole_picture) == (
        usual.scale,
        usual.tile,
        usual.stride,
        usual.whole_picture,
    ):
        return None
    return Look(kind.tile, kind.stride, kind.scale, kind.whole_picture)


def find_model(store: "Store | None", settings: Settings, name: str) -> Path:
    """The folder of a model: one the store knows, one that is shipped, or a folder that is named itself.

    Raises:
        NotFound: no such model.
        ModelError: the card in the folder is not the one the store knows.
    """
    from models.checkpoint import CARD, read_card

    known = None
    if store is not None:
        with suppress(NotFound):
            known = store.models.get(name)
    plain = "/" not in name and not name.startswith(".")
    places = [settings.models / name, SHIPPED / name] if plain else []
    if known is not None:
        places.insert(0, settings.home / known.path)  # an absolute path stays as it is
    folder = next((place for place in [*places, Path(name)] if (place / CARD).is_file()), None)
    if folder is None:
        have = sorted(place.parent.name for root in (settings.models, SHIPPED) for place in root.glob(f"*/{CARD}"))
        raise NotFound(f"There is no model '{name}': there are {', '.join(have) or 'none yet; train one'}.")
    if known is not None and (found := read_card(folder).sha256) != known.sha256:
        raise ModelError(
            f"{folder} holds other weights (sha256 {found[:12]}) than the store knows as {name} ({known.sha256[:12]}): "
            "take the model from its backup."
        )
    return folder


def open_model(
    store: "Store | None", settings: Settings, name: str, levels: Callable[[str], tuple[int, ...]] = lambda _: ()
) -> "Engine":
    """The engine of a model; see `find_model`.

    Args:
        store: knows models by name.
        settings: of the plant.
        name: or a folder.
        levels: of its middle layers that are wanted, too, by the hash of its weights.
    """
    from models.checkpoint import read_card
    from models.engine import open_engine

    folder = find_model(store, settings, name)
    wanted = levels(read_card(folder).sha256)
    return open_engine(folder, settings.device, cache=settings.compiled, levels=wanted)


def sentence(error: BaseException) -> str:
    """A failure in one line that an inspector can read."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, HoldpointError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
