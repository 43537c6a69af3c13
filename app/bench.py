"""The inspect page's work: score what was dropped, decide as the site would, and send it to the queue if asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Protocol

import streamlit as st

from app import context
from app.jobs.intake.at_site import at_site
from app.jobs.intake.inspect import Inspected, inspect
from app.jobs.intake.inspect import warm_up as load_ahead
from app.state import InspectState, told
from app.web.pictures import checked_bytes
from core.decide.decision import Decided, PartPicture
from core.decide.policy import Policy
from core.errors import BadInput, HoldpointError, NotAllowed
from core.pictures.covering import Cover, cover_jpeg
from core.pictures.decode import sha256_of
from core.plant import Arrival
from core.records import Capture, Image, Outcome, TaskKind
from core.roles import Action
from core.vault import to_keep

TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "bmp", "webp"]
MOST_AT_ONCE = 40
FILED = "image "  # how the name of a filed picture's result begins


class Dropped(Protocol):
    """What the uploader gives for one file."""

    name: str

    def getvalue(self) -> bytes:
        """All of it."""


def model_choice(site: str | None, *, key: str) -> str | None:
    """The site's own model first; any other version may be tried."""
    names = [version.name for version in context.store().models.all()]
    if not names:
        return None
    own = context.store().sites.get(site).model if site else None
    return st.selectbox("Model", names, index=names.index(own) if own in names else 0, key=key)


def warm_up(view: InspectState, model: str) -> None:
    """Have the net ready by the time somebody has found a picture to drop; once for each model and visitor."""
    folder = context.model_folder(model)
    if folder is not None and view.warmed != model:
        view.warmed = model
        context.scorer().start(load_ahead, context.settings(), folder)


def score(view: InspectState, dropped: Sequence[Dropped], filed: Image | None, model: str, site: str) -> None:
    """Score what is on the page and not scored yet; results of files that were taken away are forgotten."""
    folder = context.model_folder(model)
    if folder is None:
        return
    wanted: dict[str, tuple[str, Callable[[], bytes]]] = {}
    for one in dropped[:MOST_AT_ONCE]:
        wanted[f"{one.name}:{sha256_of(one.getvalue())[:12]}:{model}"] = (one.name, one.getvalue)
    if len(dropped) > MOST_AT_ONCE:
        view.failed = f"{len(dropped)} pictures at once; the first {MOST_AT_ONCE} are scored: ingest a folder instead."
    if filed is not None:
        wanted[f"{FILED}{filed.id}:{model}"] = (PurePath(filed.path).name, partial(checked_bytes, filed))
    for kept in (view.results, view.refused) if wanted else ():
        for gone in kept.keys() - wanted.keys():
            del kept[gone]
    for name, (label, data_of) in wanted.items():
        if name in view.results or name in view.refused:
            continue
        try:
            found = filed if name.startswith(FILED) else None
            covers = () if found is None else _covers(found)
            made = context.scorer().run(inspect, context.settings(), label, data_of(), folder)
            whole = (0.0, 0.0, float(made.width), float(made.height))
            view.results[name] = replace(made, preview=cover_jpeg(made.preview, covers, whole))
            view.chosen = name
        except HoldpointError as error:
            view.refused[name] = f"{label}: {error}"
            if not isinstance(error, BadInput):  # not the picture's fault
                view.stumbled.add(name)


def _covers(filed: Image) -> tuple[Cover, ...]:
    """What is covered of a filed picture for this person; a picture that they dropped is their own.

    Raises:
        BadInput: nothing of it may be shown.
    """
    shown = context.store().privacy.look(filed.id, context.now())
    if shown.withheld is not None:
        raise BadInput(f"this picture is withheld, it may show personal details: {shown.withheld}.")
    return shown.covers


def decide(result: Inspected, site: str, line: str | None, part_type: str | None) -> tuple[Decided, Policy | None]:
    """What the plant would make of this picture alone, and by which policy.

    Args:
        result: of the picture.
        site: where it would be decided.
        line: of its part; None where nobody knows.
        part_type: likewise.
    """
    at = at_site(context.store(), site, line, part_type, context.now())
    return at.decide(PartPicture(0, quality=result.quality, prediction=result.prediction)), at.policy


def filed_as(view: InspectState, result: Inspected) -> Image | None:
    """The filed image that a result is of; None for a picture that was dropped."""
    for name, one in view.results.items():
        if one is result and name.startswith(FILED):
            return context.store().images.get(int(name.removeprefix(FILED).partition(":")[0]))
    return None


def send_to_queue(view: InspectState, result: Inspected, data: bytes | None, site: str) -> None:
    """File an uploaded picture and ask that a person look at it."""
    with told(view):
        person = context.me()
        if not (context.may(Action.REVIEW) or context.may(Action.INGEST)):
            raise NotAllowed("Your role does not send pictures to the queue.")
        context.store().sites.get(site)  # refuses a site that is not theirs
        if data is None or sha256_of(data) != result.sha256:
            raise BadInput("The picture is not on the page any more: drop it again.")
        path = _keep(data, result)
        source = f"inspected:{result.sha256}"
        capture = Capture(source=source, part=f"inspected-{result.sha256[:12]}", stage="inspect page")
        arrival = Arrival(
            capture, str(path), result.sha256, result.width, result.height, result.quality, result.prediction
        )
        plant = context.plant()  # an inspector may ask for a look, not file at will: the server files this one picture
        (filed,) = plant.arrivals.file(site, [arrival], close_parts=True, now=context.now())
        part_id = filed.part_id or (plant.images.get(filed.image_id).part_id if filed.image_id else None)
        if part_id is None:
            raise BadInput(f"The picture could not be filed: {filed.reason}.")
        decision = plant.parts.decision(part_id)
        kind = TaskKind.TRIAGE if decision is None or decision.outcome is Outcome.HOLD else TaskKind.LABEL
        task = context.store().queue.send(part_id, kind, f"sent from the inspect page by {person.name}")
        view.sent[result.sha256] = f"In the queue as task {task.id}."


def _keep(data: bytes, result: Inspected) -> Path:
    suffix = PurePath(result.name).suffix.lower()
    folder = context.settings().uploads / result.sha256[:2]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.sha256}{suffix if suffix.removeprefix('.') in TYPES else '.img'}"
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.write_bytes(to_keep(data))
        draft.replace(path)
    return path
