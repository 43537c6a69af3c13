"""The desk's own address: a browser posts its answers here, each with an id, and gets the next parts back.

The page's script has no part in it, so an answer costs one small request. What cannot be acknowledged is sent again by
the browser, after a lost connection, a reload or a restart of the server; the ids make that harmless. Who may do what
is the store's to say, for the person whose cookie came with the request.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import context, desk
from app.desk import Answer, Undo
from app.web.guard import COOKIE, same_origin
from core.decide.leaning import chips_for
from core.errors import BadInput, Busy, HoldpointError, NotAllowed, NotFound
from core.plant import ALL, Narrow
from core.records import Verdict
from core.roles import Actor

if TYPE_CHECKING:
    from data.store import Store

MOST_BYTES = 32_768
MOST_ACTS = 8
MOST_NOTE = 500
MOST_HAVE = 64
LONGEST_S = 86_400.0
NO_STORE = {"Cache-Control": "no-store"}
_ACT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ITEM = re.compile(r"\d{1,15}\.\d{1,9}")


@dataclass(frozen=True)
class Post:
    """One request of a desk.

    Attributes:
        by: whose desk it is; the browser may have been signed in as somebody else meanwhile.
        site: only parts of this one; None for all of theirs.
        have: "task.revision" of the parts that the browser has.
        showing: the task on its screen.
        leave: the desk is being left: what was taken ahead goes back.
        narrow: only these parts.
    """

    by: str
    site: str | None = None
    active: bool = True
    have: tuple[str, ...] = ()
    showing: int | None = None
    leave: bool = False
    acts: tuple[Answer | Undo, ...] = ()
    narrow: Narrow = ALL


def routes() -> list[Route]:
    """For the server."""
    return [
        Route("/desk/answers", post_answers, methods=["POST"]),
        Route("/desk/back", get_back, methods=["GET"]),
    ]


async def post_answers(request: Request) -> Response:
    """Take a desk's acts, one outcome each, and say what comes next."""
    if not same_origin(request.headers.get("origin", ""), request.headers.get("host", "")):
        return PlainTextResponse("This request does not come from the desk.", 403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return PlainTextResponse("Send JSON.", 415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return PlainTextResponse("That is more than a desk has to say.", 413)
    try:
        post = read(body)
    except BadInput as error:
        return PlainTextResponse(str(error), 400)
    return await run_in_threadpool(_answer, request.cookies.get(COOKIE, ""), post)


def _answer(token: str, post: Post) -> Response:
    plant = context.plant()
    person = plant.people.who(token)
    if person is None:
        return PlainTextResponse("Sign in first.", 401)
    if person.name != post.by:
        return PlainTextResponse("Somebody else is signed in here now.", 409)
    store, now = plant.acting_as(Actor(person.name)), context.now()
    results: list[dict[str, Any]] = []
    try:
        for act in post.acts:
            results.append(_act(store, act))  # noqa: PERF401 - what was done before a busy one is kept
        if post.leave:
            store.queue.release_ahead(now=now)
            return JSONResponse({"results": results, "screen": None}, headers=NO_STORE)
        told = desk.screen(store, post.site, context.now(), have=post.have, showing=post.showing, active=post.active,
                           narrow=post.narrow)  # fmt: skip
    except Busy as error:
        if len(results) < len(post.acts):  # nothing is lost: the browser sends all of it again
            return PlainTextResponse(str(error), 503)
        return JSONResponse({"results": results, "screen": None, "why": str(error)}, headers=NO_STORE)
    except HoldpointError as error:
        return JSONResponse({"results": results, "screen": None, "why": str(error)}, headers=NO_STORE)
    return JSONResponse({"results": results, "screen": told}, headers=NO_STORE)


def _act(store: "Store", act: Answer | Undo) -> dict[str, Any]:
    """One act's outcome; a refused one says why, and both say how the part stands now."""
    now = context.now()
    done: dict[str, Any] = {"act": act.act, "task": act.task}
    try:
        if isinstance(act, Undo):
            task = desk.take_back(store, act, now)
            return done | {"outcome": "stored", "item": desk.item_of(store, task.part_id, task, now)}
        desk.answer(store, act, now)
        if not act.first:
            return done | {"outcome": "stored"}
        part_id = store.queue.task(act.task, now).part_id
        return done | {"outcome": "stored", "item": desk.item_of(store, part_id, None, now)}
    except Busy:
        raise
    except HoldpointError as error:
        return done | {"outcome": "refused", "why": str(error), "item": _as_it_stands(store, act)}


def _as_it_stands(store: "Store", act: Answer | Undo) -> dict[str, Any] | None:
    """The part of a refused act, for the screen it comes back to; no more of it than this person may know yet."""
    now = context.now()
    try:
        task = store.queue.task(act.task, now)
        return desk.item_of(store, task.part_id, task, now)
    except (NotFound, NotAllowed):
        return None


async def get_back(request: Request) -> Response:
    """The part this person answered before, by how many steps back."""
    skip = request.query_params.get("skip", "0")
    if not skip.isdecimal() or int(skip) >= desk.MOST_BACK:
        return PlainTextResponse(f"Go back by 0 to {desk.MOST_BACK - 1}.", 400)
    return await run_in_threadpool(_back, request.cookies.get(COOKIE, ""), int(skip))


def _back(token: str, skip: int) -> Response:
    plant = context.plant()
    person = plant.people.who(token)
    if person is None:
        return PlainTextResponse("Sign in first.", 401)
    try:
        item = desk.back(plant.acting_as(Actor(person.name)), skip, context.now())
    except NotFound as error:
        return PlainTextResponse(str(error), 404)
    except HoldpointError as error:
        return PlainTextResponse(str(error), 403)
    return JSONResponse(item, headers=NO_STORE)


def read(body: bytes) -> Post:
    """What a desk sent, checked field by field.

    Raises:
        BadInput: for anything that is not exactly as it should be.
    """
    try:
        said = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadInput("This is no JSON that a desk would send.") from error
    given = _object(said, {one.name for one in fields(Post)})
    acts = given.get("acts", [])
    have = given.get("have", [])
    if not isinstance(acts, list) or len(acts) > MOST_ACTS:
        raise BadInput(f"A desk sends a list of at most {MOST_ACTS} acts.")
    if not isinstance(have, list) or len(have) > MOST_HAVE:
        raise BadInput(f"A desk holds at most {MOST_HAVE} parts.")
    site, showing = given.get("site"), given.get("showing")
    return Post(
        by=_text(given, "by", 200),
        site=None if site is None else _text(given, "site", 100),
        active=_flag(given, "active", True),
        have=tuple(_matching(one, _ITEM, "have") for one in have),
        showing=None if showing is None else _number(given, "showing"),
        leave=_flag(given, "leave", False),
        acts=tuple(_read_act(one) for one in acts),
        narrow=_read_narrow(given.get("narrow", {})),
    )


def _read_narrow(said: Any) -> Narrow:
    given = _object(said, {one.name for one in fields(Narrow)})
    line, camera, class_id = (
        _text(given, one, 100) if one in given else None for one in ("line", "camera", "class_id")
    )
    return Narrow(line, camera, class_id, _time(given, "since"), _time(given, "until"))


def _time(given: Mapping[str, Any], name: str) -> datetime | None:
    if name not in given:
        return None
    try:
        found = datetime.fromisoformat(_text(given, name, 40))
    except ValueError as error:
        raise BadInput("That is no time.") from error
    if found.tzinfo is None:
        raise BadInput("A time needs its zone.")
    return found.astimezone(UTC)


def _read_act(said: Any) -> Answer | Undo:
    kind = said.get("kind") if isinstance(said, dict) else None
    if kind == "undo":
        given = _object(said, {"kind", *(one.name for one in fields(Undo))})
        return Undo(_matching(given.get("act"), _ACT, "act"), _number(given, "task"), _number(given, "revision"))
    if kind != "answer":
        raise BadInput("An act is an answer or an undo.")
    given = _object(said, {"kind", *(one.name for one in fields(Answer))})
    try:
        verdict = Verdict(_text(given, "verdict", 20))
    except ValueError as error:
        raise BadInput("That is no verdict.") from error
    reasons = given.get("reasons", [])
    if not isinstance(reasons, list) or len(reasons) > 6 or any(one not in chips_for(verdict) for one in reasons):
        raise BadInput("A reason is one of those that the desk offers.")
    return Answer(
        act=_matching(given.get("act"), _ACT, "act"),
        task=_number(given, "task"),
        revision=_number(given, "revision"),
        fence=_number(given, "fence"),
        verdict=verdict,
        seconds=_seconds(given.get("seconds")),
        reasons=tuple(dict.fromkeys(reasons)),
        note=_text(given, "note", MOST_NOTE) if "note" in given else "",
        first=_flag(given, "first", False),
        heatmap=_flag(given, "heatmap", False) if "heatmap" in given else None,
    )


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _object(said: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise BadInput("A desk sends an object.")
    unknown = sorted(set(said) - known)
    if unknown:
        raise BadInput(f"A desk sends no field '{unknown[0][:40]}'.")
    return said


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    value = given.get(name)
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise BadInput(f"'{name}' is a text of at most {most} characters.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"'{name}' is no text that can be stored.") from error
    return value


def _number(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise BadInput(f"'{name}' is a whole number.")
    return value


def _flag(given: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    if not isinstance(value, bool):
        raise BadInput(f"'{name}' is true or false.")
    return value


def _matching(value: Any, form: re.Pattern[str], name: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise BadInput(f"'{name}' has not the form that a desk gives it.")
    return value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise BadInput("'seconds' is a time from 0 on.")
    return round(min(float(value), LONGEST_S), 1)
