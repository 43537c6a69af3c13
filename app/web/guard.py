"""What stands before every request: which host was asked, where it comes from, and who is signed in."""

from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadInput

COOKIE = "holdpoint"
OPEN_PATHS = (
    "/sign-in",
    "/sign-in/company",
    "/sign-in/company/back",
    "/_stcore/health",
    "/_stcore/script-health-check",
)
UPLOADS = "/_stcore/upload_file/"
OPEN_FOLDERS = ("/static/", "/favicon")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Streamlit builds its styles at run time and components bring their script inline, hence the two 'unsafe-inline' and
# blob:; plotly's and Vega's compiled expressions are never served, so no 'unsafe-eval'.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

MUST_HOLD: dict[str, object] = {
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "client.showErrorDetails": "none",
    "browser.gatherUsageStats": False,
}


def check_config(option: Callable[[str], object]) -> None:
    """Refuse to serve with Streamlit's own protections off.

    Args:
        option: gives the value of a Streamlit setting by its dotted name.

    Raises:
        BadInput: naming the first setting that does not hold.
    """
    for name, wanted in MUST_HOLD.items():
        found = option(name)
        if found != wanted:
            raise BadInput(
                f"The server's setting {name} is {found!r} and must be {wanted!r}: "
                "start it in the project's root, where .streamlit/config.toml is, and do not override that line."
            )
    if not option("server.allowedHosts"):
        raise BadInput("The server's setting server.allowedHosts is empty: name the hosts people will type.")
    if option("server.trustedUserHeaders"):
        raise BadInput("The server's setting server.trustedUserHeaders must stay empty: a header is no sign-in.")


def host_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether a Host header names this server; the port does not matter."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    for pattern in (entry.strip().lower().rstrip(".") for entry in allowed):
        if pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return bool(name)
    return False


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header comes from a page of this very server."""
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def is_open(path: str) -> bool:
    """Whether a path is served before anybody has signed in: the sign-in page and the program itself."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


class Guard:
    """ASGI middleware: Host, Origin, sign-in and security headers on every route, Streamlit's own included.

    Args:
        signed_in: whether a session token is good; asks the store, in a thread.
        allowed_hosts: read at every request, so that a changed setting counts.
        may_upload: whether the person of a session token may upload so many more bytes now.
    """

    def __init__(
        self,
        app: ASGIApp,
        signed_in: Callable[[str], bool],
        allowed_hosts: Callable[[], Iterable[str]],
        may_upload: Callable[[str, int], bool] = lambda token, size: True,
    ) -> None:
        self._app = app
        self._signed_in = signed_in
        self._allowed_hosts = allowed_hosts
        self._may_upload = may_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        elif scope["type"] == "http":
            await refusal(scope, receive, _with_headers(send))
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4401, "reason": "Not allowed."})

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not host_allowed(host, self._allowed_hosts()):
            return PlainTextResponse("This server does not answer to that host name.", 403)
        origin = headers.get("origin")
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if unsafe and origin is not None and not same_origin(origin, host):  # browsers always name one
            return PlainTextResponse("This request comes from another site.", 403)
        if is_open(scope["path"]):
            return None
        token = HTTPConnection(scope).cookies.get(COOKIE, "")
        known: bool = bool(token) and await run_in_threadpool(self._signed_in, token)
        if known:
            return await self._too_much(scope, headers, token)
        asks_for_a_page = scope["path"] == "/" or "text/html" in headers.get("accept", "")
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and asks_for_a_page:
            return RedirectResponse(f"/sign-in?next={quote(scope['path'])}", 303)
        return PlainTextResponse("Sign in first.", 401)

    async def _too_much(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        """An upload has to say how large it is, and one person's have a limit together."""
        if scope["type"] != "http" or scope["method"] != "PUT" or not scope["path"].startswith(UPLOADS):
            return None
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("An upload has to say how large it is.", 411)
        if await run_in_threadpool(self._may_upload, token, int(length)):
            return None
        return PlainTextResponse("You have uploaded a lot in the last minutes. Wait a little, then go on.", 429)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
        await send(message)

    return send_with_headers
