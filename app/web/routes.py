"""Our own addresses beside Streamlit's: signing in and out, pictures, and finished exports."""

import re
import zipfile
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs
from uuid import uuid4

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app import context, desk
from app.theme import HEATMAP_RAMP, WHERE_RAMP
from app.web import answers, oidc, sign_in
from app.web.guard import COOKIE
from app.web.pictures import KINDS, Pictures, placeholder
from core.errors import BadInput, HoldpointError, NotAllowed, NotFound, QuarantineReason, Unreadable
from core.records import ImageState
from core.roles import Action, Actor, Role, allowed
from core.vault import in_use

SESSION_SECONDS = 12 * 3600  # a shift and its overlap; the store ends it earlier where it says so
FORM_BYTES = 8192
_CROP = re.compile(r"(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})/(\d{1,5})")


def routes() -> list[Route]:
    """All of them, for the server."""
    return [
        Route("/sign-in", show_sign_in, methods=["GET"]),
        Route("/sign-in", post_sign_in, methods=["POST"]),
        Route(oidc.START, to_company, methods=["GET"]),
        Route(oidc.BACK, from_company, methods=["GET"]),
        Route("/sign-out", post_sign_out, methods=["POST"]),
        Route("/img/{image_id:int}", crop, methods=["GET"]),
        Route("/img/{image_id:int}/{kind}", picture, methods=["GET"]),
        *answers.routes(),
        Route("/export/{job_id:int}", export, methods=["GET"]),
    ]


@cache
def _pictures(folder: Path) -> Pictures:
    return Pictures(folder, context.preview)


async def show_sign_in(request: Request) -> Response:
    """The sign-in page."""
    return await _sign_in_page(request)


async def _sign_in_page(request: Request, message: str = "", status: int = 200) -> Response:
    next_path = sign_in.safe_next(request.query_params.get("next", "/"))
    people = await run_in_threadpool(_demo_people, request)
    current = context.settings()
    company = current.oidc_name if current.oidc_issuer else ""
    html = sign_in.page(demo_people=people, next_path=next_path, message=message, company=company)
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def _demo_people(request: Request) -> list[tuple[str, Role]]:
    client = request.client.host if request.client else None
    if not sign_in.on_loopback(client, st.get_option("server.address")):
        return []
    return [(person.name, person.role) for person in context.plant().people.demo_people()]


async def post_sign_in(request: Request) -> Response:
    """Check a name and password, or a demo button, and hand out the session's cookie."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return PlainTextResponse("The form is too large.", 413)
    fields = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
    try:
        token = await run_in_threadpool(_token_for, request, fields)
    except NotAllowed as error:
        return await _sign_in_page(request, str(error) or sign_in.WRONG, 401)
    return _come_in(request, token, sign_in.safe_next(request.query_params.get("next", "/")))


def _come_in(request: Request, token: str, target: str) -> Response:
    """Hand out the session's cookie and go on to the page that was asked for."""
    response = RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def to_company(request: Request) -> Response:
    """Send the browser to the company's own sign-in."""
    current = context.settings()
    if not current.oidc_issuer:
        return await _sign_in_page(request, "Here one signs in with a password.", 404)
    try:
        where, number = await oidc.start(request, current, sign_in.safe_next(request.query_params.get("next", "/")))
    except NotAllowed as error:
        return await _sign_in_page(request, str(error), 502)
    response = RedirectResponse(where, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        oidc.COOKIE,
        number,
        max_age=oidc.PATIENCE_S,
        path=oidc.START,
        httponly=True,
        samesite="lax",  # it has to come along when the company sends the browser back
        secure=request.url.scheme == "https",
    )
    return response


async def from_company(request: Request) -> Response:
    """Whom the company names gets a session, if an administrator has made them an account."""
    current = context.settings()
    if not current.oidc_issuer:
        return await _sign_in_page(request, "Here one signs in with a password.", 404)
    try:
        issuer, subject, email, target = await oidc.finish(request, current)
        people = context.plant().people
        token = await run_in_threadpool(people.sign_in_company, issuer, subject, email, context.now())
    except NotAllowed as error:
        response = await _sign_in_page(request, str(error), 401)
    else:
        response = _come_in(request, token, sign_in.safe_next(target))
    response.delete_cookie(oidc.COOKIE, path=oidc.START)
    return response


def _token_for(request: Request, fields: dict[str, str]) -> str:
    people = context.plant().people
    demo = fields.get("demo", "")
    if not demo:
        return people.sign_in(fields.get("name", ""), fields.get("password", ""), context.now())
    if demo not in {name for name, _ in _demo_people(request)}:
        raise NotAllowed("The demo people come in only on the machine itself, with the demo plant.")
    return people.sign_in_demo(demo, context.now())


async def post_sign_out(request: Request) -> Response:
    """End the session in the store and drop the cookie."""
    await run_in_threadpool(context.plant().people.sign_out, request.cookies.get(COOKIE, ""))
    response = await _sign_in_page(request, sign_in.ENDED)
    response.delete_cookie(COOKIE, path="/")
    return response


async def picture(request: Request) -> Response:
    """One filed picture as a screen copy, or one of its maps as an overlay."""
    return await run_in_threadpool(_picture, request.cookies.get(COOKIE, ""), request.path_params)


def _picture(token: str, asked: dict[str, object]) -> Response:
    plant = context.plant()
    person = plant.people.who(token)
    if person is None:
        return PlainTextResponse("Sign in first.", 401)
    image_id, kind = int(str(asked["image_id"])), str(asked["kind"])
    acting = plant.acting_as(Actor(person.name))
    pictures = _pictures(context.settings().previews)
    try:
        image = acting.images.get(image_id)
        headers = {"Cache-Control": "private, max-age=900", "Vary": "Cookie"}
        if kind in KINDS:
            shown = acting.privacy.look(image_id, context.now())
            if shown.withheld is not None:
                return _withheld()
            path = pictures.covered(image, kind, shown.covers) if shown.covers else pictures.copy(image, kind)
            media = "image/jpeg"
            if shown.uncovered:
                headers = {"Cache-Control": "no-store"}
        elif kind in ("heatmap", "where"):
            if desk.still_blind(acting, [image]):
                return PlainTextResponse("Answer first: at this site the first look is your own.", 403)
            prediction = acting.images.prediction(image_id)
            grid = None if prediction is None else prediction.heatmap if kind == "heatmap" else prediction.where
            if grid is None:
                return PlainTextResponse("This image has no such map.", 404)
            path = pictures.overlay(grid, kind, HEATMAP_RAMP if kind == "heatmap" else WHERE_RAMP)
            media = "image/png"
        else:
            return PlainTextResponse("There is no such kind of picture.", 404)
    except NotFound:
        return PlainTextResponse("There is no such image.", 404)
    except NotAllowed:
        return PlainTextResponse("This image belongs to a site that is not yours.", 403)
    except Unreadable as error:
        return _unreadable(image_id, image.state, error)
    if in_use() is not None:
        return Response(pictures.opened(path), media_type=media, headers=headers)
    return FileResponse(path, media_type=media, headers=headers)


async def crop(request: Request) -> Response:
    """A box of a filed picture: `?box=x,y,width,height&width=most`, in the picture's own pixels."""
    return await run_in_threadpool(_crop, request)


def _crop(request: Request) -> Response:
    plant = context.plant()
    person = plant.people.who(request.cookies.get(COOKIE, ""))
    if person is None:
        return PlainTextResponse("Sign in first.", 401)
    image_id = int(request.path_params["image_id"])
    asked = _CROP.fullmatch(f"{request.query_params.get('box', '')}/{request.query_params.get('width', '')}")
    if asked is None:
        return PlainTextResponse("Ask for box=x,y,width,height and width=, in whole pixels.", 400)
    x, y, wide, high, most = map(int, asked.groups())
    acting = plant.acting_as(Actor(person.name))
    try:
        image = acting.images.get(image_id)
        shown = acting.privacy.look(image_id, context.now())
    except NotFound:
        return PlainTextResponse("There is no such image.", 404)
    except NotAllowed:
        return PlainTextResponse("This image belongs to a site that is not yours.", 403)
    if shown.withheld is not None:
        return _withheld()
    pictures, box = _pictures(context.settings().previews), (x, y, wide, high)
    try:
        made = pictures.covered_crop(image, box, most, shown.covers)
    except Unreadable as error:
        return _unreadable(image_id, image.state, error)
    except BadInput as error:
        return PlainTextResponse(str(error), 400)
    kept = "no-store" if shown.uncovered else "private, max-age=900"
    return Response(made, media_type="image/jpeg", headers={"Cache-Control": kept, "Vary": "Cookie"})


def _withheld() -> Response:
    """In place of a picture that could not be looked at for personal details: nothing of it is shown."""
    words = "Withheld: may show personal details"
    return Response(placeholder(words), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _unreadable(image_id: int, known: ImageState, error: Unreadable) -> Response:
    found = {QuarantineReason.CHANGED: ImageState.CHANGED, QuarantineReason.MISSING: ImageState.MISSING}.get(
        error.reason
    )
    if found is not None and known is ImageState.OK:
        context.plant().images.set_state(image_id, found, str(error))
    words = {ImageState.CHANGED: "Evidence changed", ImageState.MISSING: "File missing"}.get(
        found or known, "Picture unreadable"
    )
    return Response(placeholder(words), 409, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def export(request: Request) -> Response:
    """The file that an export job made, for whoever may export."""
    return await run_in_threadpool(_export, request.cookies.get(COOKIE, ""), int(request.path_params["job_id"]))


def zipped(folder: Path) -> Path:
    """A folder as a zip beside it, made once; pictures are compressed already, so nothing is packed."""
    target = folder.with_name(f"{folder.name}.zip")
    if not target.exists():
        draft = folder.with_name(f".{folder.name}.{uuid4().hex}")
        try:
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
                for file in sorted(one for one in folder.rglob("*") if one.is_file()):
                    archive.write(file, file.relative_to(folder))
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    return target


def _export(token: str, job_id: int) -> Response:
    plant = context.plant()
    person = plant.people.who(token)
    if person is None:
        return PlainTextResponse("Sign in first.", 401)
    if not allowed(person.role, Action.EXPORT):
        return PlainTextResponse("Your role does not export.", 403)
    folder = context.settings().exports.resolve()
    try:
        job = plant.acting_as(Actor(person.name)).jobs.get(job_id)
        made = Path(str((job.result or {}).get("destination", folder))).resolve()
        if job.kind != "export" or made == folder or not made.is_relative_to(folder) or not made.exists():
            raise BadInput("This job has left nothing to download.")
        path = zipped(made) if made.is_dir() else made
    except HoldpointError as error:
        return PlainTextResponse(str(error), 404)
    return FileResponse(path, filename=path.name, headers={"Cache-Control": "private, no-store"})
