"""Novelty on the line: which memory judges a picture, and what comes of its prediction.

Which memory is in force is asked of the store before each batch, as the model is. Whatever fails here holds the part.
Where the memory was fitted through the model that scores, it sees what that model's pass has seen already.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.jobs.intake.opening import MODEL_FAILURES, find_model, sentence
from app.settings import Settings
from core.decide.decision import NO_MODEL
from core.learn.novelty.records import InForce, MemoryVersion, scope_of
from core.records import Pixels, Prediction

if TYPE_CHECKING:
    from data.store import Store
    from models.engine import Engine, Observation
    from models.novelty.judge import Judge


def open_memory(
    store: "Store | None", settings: Settings, memory: MemoryVersion, engine: "Engine | None" = None
) -> "Judge":
    """The judge of a memory, its file and its net checked by their hashes; the last few stay open.

    Args:
        store: knows the net by name.
        settings: of the plant.
        memory: as entered.
        engine: that scores, whose pass it shares where it can.

    Raises:
        NotFound: the file or its net is gone.
        ModelError: either is another one, or cannot be used here.
    """
    from models.engine import chosen_device
    from models.novelty.judge import open_judge

    folder = str(memory.card.get("net_folder") or "")
    net = settings.home / folder if folder else find_model(store, settings, str(memory.card["net"]))
    device = chosen_device(settings.device)
    return open_judge(settings.home / memory.path, memory.sha256, net, device, settings.compiled, engine)


class Comparing:
    """Compares the pictures of one line with what is known to be good."""

    def __init__(self, store: "Store", settings: Settings, site: str) -> None:
        """Nothing is opened yet."""
        self._store, self._settings, self._site = store, settings, site
        self._batch: object = None
        self._in_force: dict[str | None, InForce] = {}
        # of this batch: finding a net asks the store and reads its card
        self._judges: dict[tuple[int, Engine | None], Judge] = {}

    def levels(self, net_sha256: str) -> tuple[int, ...]:
        """Of the middle layers of a net that a memory in force sees through; none where no memory does."""
        for scope in self._store.memories.in_force(self._site).values():
            card = scope.memory.card
            if card.get("net_sha256") == net_sha256 and not card.get("even_light"):
                return tuple(card.get("levels", ()))
        return ()

    def compared(
        self, batch: object, part_type: str | None, pixels: Pixels, prediction: Prediction | None, error: str | None,
        engine: "Engine | None" = None, observed: "Observation | None" = None,
    ) -> tuple[Prediction | None, str | None]:  # fmt: skip
        """A picture's prediction with its novelty, and its error; both as they were where no memory judges.

        Where no model is in use the memory's own prediction is filed, which sorts the queue and shows where; the error
        stays, so the part is held.

        Args:
            batch: that the picture is filed with; the memory that judges does not change within it.
            part_type: as far as it is known.
            pixels: of the picture.
            prediction: of the model; None where there is none.
            error: why there is none.
            engine: that scored; None where nobody did.
            observed: what it saw in the picture.
        """
        if batch is not self._batch:
            self._batch, self._in_force = batch, self._store.memories.in_force(self._site)
            self._judges = {}
        scope = scope_of(self._in_force, part_type)
        if scope is None or (prediction is None and error != NO_MODEL):
            return prediction, error
        try:
            key = (scope.memory.id, engine)
            judge = self._judges.get(key)
            if judge is None:
                judge = self._judges[key] = open_memory(self._store, self._settings, scope.memory, engine)
            judged = judge.judge(pixels) if prediction is None else judge.beside(pixels, observed)
        except MODEL_FAILURES as failure:
            said = f"nobody could say whether it resembles good parts ({sentence(failure)})"
            return prediction, said if error is None else error
        if prediction is None:
            return judge.prediction(judged), error
        spent = prediction.milliseconds + judged.milliseconds
        return replace(prediction, novelty=judged.novelty, milliseconds=spent), error
