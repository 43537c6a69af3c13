"""Before a request's body is read: the right host, the token, room to work in, and no more bytes than allowed."""

import asyncio
import hmac
import secrets
from collections.abc import Sequence

from fastapi import Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.jobs.files import write_whole
from app.settings import Settings
from core.errors import BadInput

OPEN_PATHS = frozenset({"/healthz", "/openapi.json", "/docs"})
OVERHEAD_BYTES = 64 << 10  # of a multipart body around its picture
RETRY_AFTER_S = 1
RECEIVE_S = 30.0  # between two pieces of a body


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
            busy = refuse(429, "All places are taken: try again in a moment.", {"Retry-After": str(RETRY_AFTER_S)})
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
            return refuse(400, "This is not the host the request was sent to.")
        if scope["path"] in OPEN_PATHS:
            return None
        given = headers.get(b"authorization", b"")
        if not hmac.compare_digest(given, b"Bearer " + self.token.encode()):
            return refuse(
                401, "A bearer token is needed: it lies in the plant's secrets.", {"WWW-Authenticate": "Bearer"}
            )
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
                return refuse(408, "The request stopped arriving: send it again.")
            if message["type"] != "http.request":
                return refuse(400, "The request ended before its body did.")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.largest + OVERHEAD_BYTES:  # a body that did not say how long it is
                return self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> Response:
        return refuse(
            413, f"The picture is larger than {self.largest:,} bytes: send it compressed.", {"Connection": "close"}
        )


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


def refuse(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    """One sentence with a status."""
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
