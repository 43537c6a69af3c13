"""Coming in by the company's own sign-in (OpenID Connect), which ends in the same session as a password does.

Streamlit's `st.login` is not used: it runs inside a page, so a page's script would have to run for somebody whom nobody
knows yet, and it keeps a cookie of its own that no administrator can end. Here the company says who somebody is, an
administrator has said what they may do, and the store keeps the session. What is between the two requests stays in this
process; the browser holds only a random number.
"""

import secrets
import time
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc.errors import JoseError
from starlette.requests import Request

from app.settings import Settings
from core.errors import BadInput, NotAllowed

START, BACK = "/sign-in/company", "/sign-in/company/back"
COOKIE = "holdpoint-company"
PATIENCE_S = 600  # to type a password over there
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_MOST = 1000
_TIMEOUT_S = 10.0
# All that Authlib lets through; it asks by httpx2 where that is installed, as it is with timm.
_TROUBLE = (OAuthError, JoseError, httpx2.HTTPError, ValueError, KeyError, RuntimeError)
REFUSED = "The company's sign-in did not say who you are. Try again, or ask an administrator."
UNREACHABLE = "The company's sign-in cannot be reached. Try again in a minute, or sign in with a password."

_pending: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()


def check(current: Settings) -> None:
    """Refuse to start with half a configuration, or with secrets going over the wire in clear.

    Raises:
        BadInput: naming the variable.
    """
    if not current.oidc_issuer:
        return
    if not current.oidc_client_id or not current.oidc_client_secret.get_secret_value():
        raise BadInput(
            "HOLDPOINT_OIDC_ISSUER is set: give HOLDPOINT_OIDC_CLIENT_ID and HOLDPOINT_OIDC_CLIENT_SECRET, too."
        )
    parts = urlsplit(current.oidc_issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise BadInput("HOLDPOINT_OIDC_ISSUER must be an https address: what is said there opens the plant.")


async def start(request: Request, current: Settings, next_path: str) -> tuple[str, str]:
    """Where to send the browser, and the number it must bring back.

    Raises:
        NotAllowed: the company's sign-in cannot be asked.
    """
    session: dict[str, Any] = {"next": next_path}
    request.scope["session"] = session
    try:
        client = await _client(current)
        answer = await client.authorize_redirect(request, _back(request))
    except _TROUBLE as error:
        raise NotAllowed(UNREACHABLE) from error
    number = secrets.token_urlsafe(32)
    now = time.monotonic()
    for old in [key for key, (since, _) in _pending.items() if now - since > PATIENCE_S]:
        del _pending[old]
    while len(_pending) >= _MOST:
        _pending.popitem(last=False)
    _pending[number] = (now, session)
    return str(answer.headers["location"]), number


async def finish(request: Request, current: Settings) -> tuple[str, str, str, str]:
    """Who came back: issuer, subject, verified e-mail address (or empty), and the page they had asked for.

    Raises:
        NotAllowed: nobody was sent, too long ago, or the answer is not to be believed.
    """
    since, session = _pending.pop(request.cookies.get(COOKIE, ""), (float("-inf"), {}))
    if time.monotonic() - since > PATIENCE_S:
        raise NotAllowed("This sign-in took too long or began elsewhere. Start again.")
    request.scope["session"] = session
    try:
        client = await _client(current)
        token = await client.authorize_access_token(request)
        claims = dict(token["userinfo"])
        if "email" not in claims and "userinfo_endpoint" in client.server_metadata:
            more = dict(await client.userinfo(token=token))
            if more.get("sub") == claims["sub"]:
                claims = more | claims
        issuer, subject = str(claims["iss"]), str(claims["sub"])
    except _TROUBLE as error:
        raise NotAllowed(REFUSED) from error
    email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
    return issuer, subject, email, str(session["next"])


async def _client(current: Settings) -> Any:
    """Authlib's client, which checks state, nonce, PKCE, signature, issuer, audience and times."""
    issuer = current.oidc_issuer.rstrip("/")
    client = OAuth().register(
        "company",
        client_id=current.oidc_client_id,
        client_secret=current.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "timeout": _TIMEOUT_S},
    )
    metadata = await client.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != issuer:
        raise ValueError("the issuer calls itself otherwise")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    # Never "none", and no shared secret: only the issuer can sign.
    metadata["id_token_signing_alg_values_supported"] = [one for one in offered if one in SIGNATURES]
    return client


def _back(request: Request) -> str:
    """The address at which we are asked again; the guard has checked the host."""
    return f"{request.url.scheme}://{request.headers['host']}{BACK}"
