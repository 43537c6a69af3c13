"""`holdpoint serve`: one picture in, one decision out, over HTTP.

    request ─▶ guard: host, token, room, size ─▶ picture kept whole ─▶ batch of whoever waits ─▶ the line ─▶ answer

Requests that wait at the same time are scored and filed together. Whatever fails after a picture was taken in is
answered with HOLD, never with PASS.
"""

import asyncio
import hmac
import html
import json
import queue
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import FastAPI, File, Form, Header, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.jobs.documents import answer
from app.jobs.files import write_whole
from app.jobs.line import MODEL_FAILURES, Line, Origin, Wanted, decoders, open_model, sentence
from app.jobs.sources import Naming, Source, keep
from app.settings import Settings
from core.decide.decision import PartEvidence, PartPicture, SiteRules, decide
from core.errors import BadInput, Conflict, HoldpointError, NotAllowed, NotFound, Unreadable
from core.pictures.sandbox import DecodePool, Upload
from core.plant import Filed
from core.records import Decision, Image, Outcome, Prediction, Reason, Route
from core.roles import Actor

if TYPE_CHECKING:
    from data.store import Store

PATH = "/api/v1/ml/predict/visual-inspection"
ENDPOINT = Actor("endpoint", system=True)
OPEN_PATHS = frozenset({"/healthz", "/openapi.json", "/docs"})
OVERHEAD_BYTES = 64 << 10  # of a multipart body around its picture
RETRY_AFTER_S = 1
RECEIVE_S = 30.0  # between two pieces of a body
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
WAITING = Reason("waiting", "The part waits for its other views.")

Text = Annotated[str | None, Form(max_length=200)]


class Box(BaseModel):
    """In the image's own pixels, after EXIF orientation."""

    x: float
    y: float
    width: float
    height: float


class Defect(BaseModel):
    """One region that the model proposes."""

    class_: str = Field(alias="class", description="Class id of the site's taxonomy, or of the model.")
    confidence: float | None
    severity: str | None
    bounding_box: Box
    area_percentage: float = Field(description="Of the picture's area that the box covers.")


class Why(BaseModel):
    """One reason behind the decision."""

    code: str
    text: str


class Answer(BaseModel):
    """What was decided about the part, and what the model saw in this picture."""

    image_id: str = Field(description="The store's id; the SHA-256 of the bytes where no site was named.")
    prediction: str | None = Field(description="DEFECT, NO_DEFECT, or null where nothing could be scored.")
    defects: list[Defect]
    overall_confidence: float | None = Field(description="Of the prediction, 0.5 to 1.")
    inference_time_ms: float | None
    recommended_action: Route
    model_version: str | None
    camera_id: str | None
    timestamp: datetime
    decision: Outcome = Field(description="About the part; HOLD whenever anything is missing or went wrong.")
    reasons: list[Why]
    policy_version: int | None
    coordinates: str = Field(description="Always 'image'.")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


@dataclass(frozen=True)
class Ask:
    """One request, its picture still in memory.

    Attributes:
        key: the caller's idempotency key.
        done: gets the answer.
    """

    data: bytes
    name: str
    site: str | None
    naming: Naming
    origin: Origin
    key: str | None = None
    done: "Future[dict[str, Any]]" = field(default_factory=Future, compare=False)

    @property
    def source(self) -> str:
        """The same key from the same site is the same capture; without one each request is its own."""
        return f"request:{self.key}" if self.key else f"request:{uuid4().hex}"


class Service:
    """One thread that takes whatever waits, and scores and files it together."""

    def __init__(
        self,
        settings: Settings,
        store: "Store",
        model: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`model` answers requests that name no site."""
        self.settings, self.model, self.now = settings, model, now
        self.store = store.acting_as(ENDPOINT)
        self._waiting: queue.Queue[Ask | None] = queue.Queue()
        self._exit = ExitStack()
        self._pool: DecodePool | None = None
        self._lines: dict[str, Line] = {}
        self._thread = threading.Thread(target=self._work, name="endpoint", daemon=True)

    def start(self) -> None:
        """Start the decoders and the thread."""
        self._pool = self._exit.enter_context(decoders(self.settings))
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, then end."""
        self._waiting.put(None)
        self._thread.join()
        self._exit.close()

    def submit(self, ask: Ask) -> "Future[dict[str, Any]]":
        """Queue a request."""
        self._waiting.put(ask)
        return ask.done

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._waiting.get()]
            while len(batch) < self.settings.batch_images:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            ended = None in batch
            asks = [ask for ask in batch if ask is not None]
            for site in dict.fromkeys(ask.site for ask in asks):
                self._answer(site, [ask for ask in asks if ask.site == site])

    def _answer(self, site: str | None, asks: Sequence[Ask]) -> None:
        """Answer everybody; the thread outlives whatever happens here."""
        try:
            if site is None:
                self._only_score(asks)
            else:
                self._file(site, asks)
        except BaseException as error:
            for ask in asks:
                if not ask.done.done():
                    ask.done.set_exception(error)
            if not isinstance(error, Exception):
                raise

    def _only_score(self, asks: Sequence[Ask]) -> None:
        """Nothing is stored, and without a policy everything is HOLD."""
        if self.model is None or self._pool is None:
            raise BadInput("Name a site: this endpoint was started without a model of its own.")
        reads = list(self._pool.decode(Upload(ask.name, ask.data) for ask in asks))
        for ask, read in zip(asks, reads, strict=True):
            if isinstance(read, Unreadable):
                ask.done.set_exception(read)
                continue
            prediction, error = None, None
            try:
                (prediction,) = open_model(self.store, self.settings, self.model).score([read.decoded.pixels])
            except MODEL_FAILURES as failure:
                error = sentence(failure)
            picture = PartPicture(0, quality=read.quality, prediction=prediction, error=error)
            decided = decide(PartEvidence([picture]), SiteRules())
            size = (read.decoded.width, read.decoded.height)
            ask.done.set_result(
                answer(
                    read.sha256, prediction, size, decided.outcome, decided.reasons, decided.route, self.now(),
                    ask.origin.camera,
                )
            )  # fmt: skip

    def _file(self, site: str, asks: Sequence[Ask]) -> None:
        line = self._lines.get(site)
        if line is None:
            line = self._lines[site] = self._exit.enter_context(
                Line(self.store, self.settings, site, now=self.now, pool=self._pool)
            )
        wanted: dict[str, Wanted] = {}
        of: dict[str, list[Ask]] = {}
        for ask in asks:
            source = ask.source
            path = keep(ask.data, self.settings.uploads, _suffix(ask.name))
            before = self.store.images.find(site=site, source=source) if ask.key else []
            digest = sha256(ask.data).hexdigest()
            if any(image.sha256 != digest for image in before) or (
                source in wanted and wanted[source].source.path != path
            ):
                ask.done.set_exception(
                    Conflict(
                        f"The idempotency key '{ask.key}' was used for another picture: give each picture its own."
                    )
                )
                continue
            wanted[source] = Wanted(Source(source, path), ask.naming, ask.origin)
            of.setdefault(source, []).append(ask)
        filed = line.take(list(wanted.values()))
        for one in filed:
            document = self._document(one)
            for ask in of[one.source]:
                ask.done.set_result(document)

    def _document(self, filed: Filed) -> dict[str, Any]:
        if filed.image_id is None:
            raise BadInput(f"The picture was not kept: {filed.reason}")
        image = self.store.images.get(filed.image_id)
        return stored_answer(
            image,
            self.store.images.prediction(image.id),
            self.store.parts.decision(image.part_id),
            self.now(),
        )


def stored_answer(
    image: Image, prediction: Prediction | None, decision: Decision | None, now: datetime
) -> dict[str, Any]:
    """The answer about an image as the store has it."""
    size = (image.width, image.height) if image.width and image.height else None
    camera = image.capture.camera
    if decision is None:
        return answer(str(image.id), prediction, size, Outcome.HOLD, (WAITING,), Route.HOLD, now, camera)
    return answer(
        str(image.id),
        prediction,
        size,
        decision.outcome,
        decision.reasons,
        decision.route,
        decision.decided_at,
        camera,
        decision.policy,
    )


class Guard:
    """Before a body is read: the right host, the token, room to work in, and no more bytes than allowed."""

    def __init__(self, app: ASGIApp, token: str, hosts: Sequence[str], waiting: int, largest: int) -> None:
        self.app, self.token, self.hosts, self.largest = app, token, frozenset(hosts), largest
        self.room = waiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass the request on with its whole body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        if self.room <= 0:
            busy = _no(429, "All places are taken: try again in a moment.", {"Retry-After": str(RETRY_AFTER_S)})
            await busy(scope, receive, send)
            return
        self.room -= 1
        try:
            body = await self._body(receive)
            if isinstance(body, Response):
                await body(scope, receive, send)
            else:
                await self.app(scope, _replay(body), send)
        finally:
            self.room += 1

    def _refusal(self, scope: Scope) -> Response | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin-1")
        if not self.hosts & {host, host.rsplit(":", 1)[0], "*"}:
            return _no(400, "This is not the host the request was sent to.")
        if scope["path"] in OPEN_PATHS:
            return None
        given = headers.get(b"authorization", b"")
        if not hmac.compare_digest(given, b"Bearer " + self.token.encode()):
            return _no(401, "A bearer token is needed: it lies in the plant's secrets.", {"WWW-Authenticate": "Bearer"})
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.largest + OVERHEAD_BYTES:
            return self._too_large()
        return None

    async def _body(self, receive: Receive) -> bytes | Response:
        parts = []
        size = 0
        while True:
            try:
                message = await asyncio.wait_for(receive(), RECEIVE_S)
            except TimeoutError:
                return _no(408, "The request stopped arriving: send it again.")
            if message["type"] != "http.request":
                return _no(400, "The request ended before its body did.")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.largest + OVERHEAD_BYTES:  # a body that did not say how long it is
                return self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> Response:
        return _no(
            413, f"The picture is larger than {self.largest:,} bytes: send it compressed.", {"Connection": "close"}
        )


def make_app(settings: Settings, store: "Store", model: str | None = None, hosts: Sequence[str] = ()) -> FastAPI:
    """The endpoint, for any ASGI server.

    Args:
        settings: of the plant.
        store: where sites, policies and models are.
        model: answers requests that name no site.
        hosts: names under which it may be reached; loopback always.
    """
    service = Service(settings, store, model)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await asyncio.to_thread(service.stop)

    app = FastAPI(
        title="Holdpoint",
        version="1",
        summary="Send a picture of a part; get PASS, HOLD or FAIL with the reasons.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own page loads scripts from outside the house
        redoc_url=None,
    )
    app.add_middleware(
        Guard,
        token=token(settings),
        hosts=("localhost", "127.0.0.1", "[::1]", *hosts),
        waiting=settings.serve_waiting,
        largest=settings.upload_bytes,
    )

    @app.get("/healthz", summary="Whether the endpoint answers", response_model=None)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(_page(app.openapi()))

    @app.post(
        PATH,
        summary="Decide about one picture",
        response_model=Answer,
        response_model_by_alias=True,
        responses={
            status: {"model": Problem, "description": text}
            for status, text in (
                (401, "No token, or a wrong one."),
                (404, "No such site."),
                (409, "The idempotency key was used for another picture."),
                (413, "The picture is too large."),
                (422, "Something in the request cannot be used."),
                (429, "All places are taken; Retry-After says when to come back."),
            )
        },
    )
    async def visual_inspection(
        image: Annotated[UploadFile, File(description="JPEG, PNG, TIFF, BMP or WebP.")],
        site: Annotated[
            str | None, Form(max_length=100, description="Files and decides there; only scored without it.")
        ] = None,
        camera_id: Annotated[str | None, Form(max_length=200, description="The camera that took it.")] = None,
        part: Annotated[str | None, Form(max_length=200, description="What the pictures of one item share.")] = None,
        view: Annotated[str | None, Form(max_length=200, description="Which side of the part it shows.")] = None,
        order: Annotated[str | None, Form(max_length=200, description="Production order.")] = None,
        machine: Annotated[str | None, Form(max_length=200, description="Machine that made the part.")] = None,
        line: Annotated[str | None, Form(max_length=200, description="Production line.")] = None,
        stage: Annotated[str | None, Form(max_length=200, description="Stage of production.")] = None,
        part_type: Annotated[
            str | None, Form(max_length=200, description="How it is looked at, and its views.")
        ] = None,
        idempotency_key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key",
                max_length=200,
                description="Sent again with the same picture, nothing is filed twice and the same image is answered. "
                "Without it every request is a new capture, and the same bytes again are held as a frozen camera's.",
            ),
        ] = None,
    ) -> Any:
        """Send one picture as multipart/form-data with `Authorization: Bearer TOKEN`.

        A picture that cannot be read, a model that fails, or a part that waits for other views is answered with
        HOLD and status 200.
        """
        data = await image.read()
        ask = Ask(
            data,
            (image.filename or "")[-200:],
            site or None,
            Naming(part or None, view or None, camera_id or None, stage or None, order or None),
            Origin(camera_id or None, line or None, machine or None, order or None, stage or None, part_type or None),
            idempotency_key or None,
        )
        waiting = asyncio.wrap_future(service.submit(ask))
        try:
            return await asyncio.wait_for(waiting, settings.serve_seconds)
        except TimeoutError:
            late = Reason("timeout", f"No answer within {settings.serve_seconds:g} s, so a person decides.")
            return _hold(ask, late, service.now())
        except HoldpointError as error:
            raise _refused(error) from error

    @app.exception_handler(HTTPException)
    async def say_no(_request: Request, error: HTTPException) -> Response:
        return _no(error.status_code, str(error.detail), dict(error.headers or {}))

    from fastapi.exceptions import RequestValidationError

    @app.exception_handler(RequestValidationError)
    async def say_what(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
        return _no(422, f"{where}: {first['msg'].lower()}.")

    @app.exception_handler(Exception)
    async def say_hold(_request: Request, _error: Exception) -> Response:
        # The server logs the story; a machine that reads only the decision still stops the part.
        return JSONResponse({"detail": "The endpoint failed: hold the part.", "decision": "HOLD"}, 500)

    return app


def serve(settings: Settings, host: str, port: int, model: str | None = None) -> None:
    """Listen until interrupted."""
    import uvicorn

    from data.store import open_store

    app = make_app(settings, open_store(settings.database_url, ENDPOINT), model, [host])
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, proxy_headers=False)


def token(settings: Settings) -> str:
    """The endpoint's token; made at the first start, readable by its owner only.

    Raises:
        BadInput: the file holds something too short to be a secret.
    """
    path = settings.secrets / "api-token"
    if not path.is_file():
        settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, secrets.token_urlsafe(32).encode() + b"\n", mode=0o600)
    found = path.read_text().strip()
    if len(found) < 32:
        raise BadInput(f"The token in {path} is shorter than 32 characters: delete the file and a new one is made.")
    return found


def _hold(ask: Ask, reason: Reason, now: datetime) -> dict[str, Any]:
    digest = sha256(ask.data).hexdigest()
    return answer(digest, None, None, Outcome.HOLD, (reason,), Route.HOLD, now, ask.origin.camera)


def _refused(error: HoldpointError) -> HTTPException:
    """4xx for what the caller can mend; anything else stays an error and the part is held."""
    statuses: tuple[tuple[type[HoldpointError], int], ...] = (
        (NotFound, 404),
        (Conflict, 409),
        (NotAllowed, 403),
        (BadInput, 422),
    )
    for kind, status in statuses:
        if isinstance(error, kind):
            return HTTPException(status, str(error))
    raise error


def _suffix(name: str) -> str:
    """Of an upload's name; what is unknown is left away and decided by content alone."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def _no(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": sentence}, status, headers=headers)


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # nothing more comes; whoever waits for a disconnect waits
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _page(schema: dict[str, Any]) -> str:
    """The OpenAPI document as one plain page that loads nothing."""
    call = schema["paths"][PATH]["post"]
    form = next(iter(call["requestBody"]["content"].values()))["schema"]
    name = form["$ref"].rsplit("/", 1)[1] if "$ref" in form else form["allOf"][0]["$ref"].rsplit("/", 1)[1]
    fields = schema["components"]["schemas"][name]
    rows = [
        (key, "yes" if key in fields.get("required", ()) else "", one.get("description", ""))
        for key, one in fields["properties"].items()
    ]
    rows += [(f"{one['name']} (header)", "", one.get("description", "")) for one in call.get("parameters", ())]
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    statuses = "".join(
        f"<li><b>{status}</b> {html.escape(one.get('description', ''))}</li>"
        for status, one in call["responses"].items()
    )
    answers = html.escape(json.dumps(schema["components"]["schemas"]["Answer"]["properties"], indent=1))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Holdpoint endpoint</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}pre{overflow:auto}</style>"
        f"<h1>POST {PATH}</h1><p>{html.escape(call['summary'])}. {html.escape(call.get('description', ''))}</p>"
        f"<table><tr><th>field<th>required<th>meaning</tr>{cells}</table><h2>Answers</h2><ul>{statuses}</ul>"
        f"<h2>200</h2><pre>{answers}</pre><p><a href=/openapi.json>openapi.json</a></p></html>"
    )
