"""One question to a model behind an OpenAI-compatible address, and one answer that keeps to a schema.

The address comes from the settings and from nowhere else. It is https, or http on this very machine; no redirect is
followed, no proxy of the environment is used, and question, answer and time are limited. Nothing is sent but the words
of this file's callers and one picture; no tool is offered.
"""

import base64
import ipaddress
import json
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema  # type: ignore[import-untyped]

from app.settings import Settings
from core.errors import BadInput, ModelError

MOST_ANSWER = 256 << 10
MOST_PICTURE = 4 << 20
MOST_KEY = 4096
MOST_TOKENS = 800
_CONNECT_S = 5.0


def address(url: str) -> str:
    """The address that is asked, from the one that is set.

    Raises:
        BadInput: for one that is neither https nor http on this machine, or carries more than host and path.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadInput(f"HOLDPOINT_DESCRIBER_URL is no address ({error}).") from error
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput("HOLDPOINT_DESCRIBER_URL has to be an address of host and path, without names, ? and #.")
    if parts.scheme == "http" and not _here(parts.hostname, port or 80):
        raise BadInput("HOLDPOINT_DESCRIBER_URL over http has to be on this machine: use https for any other.")
    if parts.scheme not in ("http", "https"):
        raise BadInput("HOLDPOINT_DESCRIBER_URL has to begin with https://, or with http:// on this machine.")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/v1") else f"{path}/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/chat/completions"


def _here(host: str, port: int) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    if host != "localhost":
        return False
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(one[4][0]).is_loopback for one in found)


def key_of(path: Path | None) -> str:
    """The key in a file that nobody else may read; empty where none is set.

    Raises:
        BadInput: it cannot be read, others may read it, or it is no key.
    """
    if path is None:
        return ""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadInput("HOLDPOINT_DESCRIBER_KEY_FILE may be read by others: set its mode to 600.")
        with path.open(encoding="ascii") as file:
            found = file.read(MOST_KEY + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("HOLDPOINT_DESCRIBER_KEY_FILE cannot be read.") from error
    if not found or len(found) > MOST_KEY or not found.isprintable() or " " in found:
        raise BadInput("HOLDPOINT_DESCRIBER_KEY_FILE holds no key: one line of printable characters is needed.")
    return found


def ask(settings: Settings, task: str, question: str, picture: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    """Ask, and wait no longer than the settings allow.

    Args:
        settings: name address, model, key and time.
        task: what the model is to do; our own words.
        question: data, as JSON text.
        picture: a JPEG.
        schema: of the answer.

    Returns:
        The answer, which keeps to the schema.

    Raises:
        BadInput: the settings cannot be used.
        ModelError: it did not answer in time, or not so that it can be used.
    """
    url, key = address(settings.describer_url), key_of(settings.describer_key_file)
    if not settings.describer_model.strip():
        raise BadInput("HOLDPOINT_DESCRIBER_MODEL is empty: name the model as its server knows it.")
    if len(picture) > MOST_PICTURE:
        raise ModelError(f"The picture has {len(picture):,} bytes: at most {MOST_PICTURE:,} are sent.")
    shown = f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}"
    body = {
        "model": settings.describer_model,
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
        "messages": [
            {"role": "system", "content": task},
            {"role": "user", "content": [{"type": "text", "text": question},
                                         {"type": "image_url", "image_url": {"url": shown}}]},
        ],
        "response_format": {"type": "json_schema",
                            "json_schema": {"name": "answer", "strict": True, "schema": schema}},
    }  # fmt: skip
    return _checked(_in_time(url, key, body, settings.describer_timeout), schema)


def _in_time(url: str, key: str, body: dict[str, Any], seconds: float) -> bytes:
    """The answer's bytes. The clock runs over all of it: a server that drips a byte now and then gains nothing."""
    found: list[bytes | ModelError] = []
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_S))
    client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False, headers=headers)
    end = time.monotonic() + seconds

    def work() -> None:
        try:
            found.append(_exchange(client, url, body, end))
        except ModelError as error:
            found.append(error)
        except httpx.TimeoutException:
            found.append(ModelError(f"The describer did not answer within {seconds:g} seconds."))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as error:
            found.append(ModelError(f"The describer could not be asked ({type(error).__name__})."))

    thread = threading.Thread(target=work, name="describer", daemon=True)
    thread.start()
    thread.join(seconds)
    late = thread.is_alive()
    client.close()
    if late or not found:
        raise ModelError(f"The describer did not answer within {seconds:g} seconds.")
    if isinstance(found[0], ModelError):
        raise found[0]
    return found[0]


def _exchange(client: httpx.Client, url: str, body: dict[str, Any], end: float) -> bytes:
    with client.stream("POST", url, json=body) as answer:
        if answer.status_code != 200:
            raise ModelError(f"The describer answered with status {answer.status_code}.")
        if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise ModelError("The describer's answer is no JSON.")
        got = bytearray()
        for some in answer.iter_bytes(8192):
            got += some
            if len(got) > MOST_ANSWER:
                raise ModelError(f"The describer's answer is longer than {MOST_ANSWER >> 10} KiB.")
            if time.monotonic() > end:
                raise ModelError("The describer did not end its answer within the time it has.")
        return bytes(got)


def _checked(data: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
        if not isinstance(content, str):
            raise ModelError("The describer's answer has no text.")
        found = json.loads(content)
        jsonschema.validate(found, schema)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ModelError("The describer's answer cannot be read as JSON.") from error
    except jsonschema.ValidationError as error:
        raise ModelError("The describer's answer does not keep to the schema.") from error
    if not isinstance(found, dict):
        raise ModelError("The describer's answer does not keep to the schema.")
    return found
