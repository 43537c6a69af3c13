"""The endpoint's paths: what a request may hold, and which status each failure gets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, File, Form, Header, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from app.api.answers import Answer, Problem
from app.api.guard import Guard, refuse, token
from app.api.page import page
from app.api.service import ENDPOINT, Ask, Service
from app.jobs.intake.documents import answer
from app.jobs.intake.line import Origin
from app.jobs.intake.sources import Naming
from app.jobs.upkeep.sealing import Sealer, open_plant
from app.settings import Settings
from core.errors import BadInput, Conflict, HoldpointError, NotAllowed, NotFound
from core.records import Outcome, Reason, Route

if TYPE_CHECKING:
    from data.store import Store

PATH = "/api/v1/ml/predict/visual-inspection"


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
        return HTMLResponse(page(app.openapi(), PATH))

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
        return refuse(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def say_what(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
        return refuse(422, f"{where}: {first['msg'].lower()}.")

    @app.exception_handler(Exception)
    async def say_hold(_request: Request, _error: Exception) -> Response:
        # The server logs the story; a machine that reads only the decision still stops the part.
        return JSONResponse({"detail": "The endpoint failed: hold the part.", "decision": "HOLD"}, 500)

    return app


def serve(settings: Settings, host: str, port: int, model: str | None = None) -> None:
    """Listen until interrupted."""
    import uvicorn

    store = open_plant(settings, ENDPOINT)
    app = make_app(settings, store, model, [host])
    with Sealer(store, settings):
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, proxy_headers=False)


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
