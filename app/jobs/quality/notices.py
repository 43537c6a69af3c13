"""Messages about alarms: taken from the store, sent one by one by a child process that can reach nothing else.

Channels are in `secrets/channels.json`, which only its owner may read: addresses hold passwords and tokens, so neither
the store nor a page has them.

    {"hosts": {"mail.plant.example": ["10.1.0.0/16"], "hooks.slack.com": []},
     "channels": [{"name": "quality", "url": "mailtos://user:password@mail.plant.example?to=quality@plant.example",
                   "rules": ["misses"]}]}

A channel without rules hears of all. A host without networks is one on the internet: private addresses are refused.
The child resolves names itself and connects only to addresses that this file allows, whatever a name or a redirect
says; so a look-up that changes between check and use changes nothing.
"""

import contextlib
import hashlib
import hmac
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.settings import CHECKOUT, Settings
from core.errors import BadInput
from core.watch.rules import RuleKind

if TYPE_CHECKING:
    from core.watch.alarms import Notice
    from core.words.complaints.notices import Message
    from data.store import Store

SEND_S = 30.0  # the longest that one message may take
# What may be in an address. Others of the library's services run programs or write files on this machine.
SCHEMES = frozenset({"mailto", "mailtos", "json", "jsons", "slack", "msteams", "workflows", "mmost", "mmosts", "rocket",
                     "rockets", "gchat"})  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class Channel:
    """One way to tell people.

    Attributes:
        url: with its secrets; shown nowhere.
        rules: that it hears of; empty for all.
    """

    name: str
    url: str
    rules: frozenset[RuleKind] = frozenset()

    def __repr__(self) -> str:
        return f"Channel({self.name!r})"

    def wants(self, kind: RuleKind) -> bool:
        """Whether it is told about a rule."""
        return not self.rules or kind in self.rules


def channels_file(current: Settings) -> Path:
    """Where the addresses are."""
    return current.secrets / "channels.json"


def channels(current: Settings) -> list[Channel]:
    """Every channel; none where there is no file.

    Raises:
        BadInput: the file cannot be used; without a word of what is in it.
    """
    document = _document(current)
    found = []
    for number, one in enumerate(document.get("channels", []), 1):
        try:
            name, url = str(one["name"]).strip(), str(one["url"]).strip()
            rules = frozenset(RuleKind(rule) for rule in one.get("rules", ()))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadInput(f"Channel {number} in {channels_file(current)} needs a name, a url and rules that there "
                           "are: mend the file.") from error  # fmt: skip
        if (
            not name
            or _CONTROL.search(name + url)
            or url.partition("://")[0].lower() not in SCHEMES
            or "://" not in url
        ):
            raise BadInput(f"Channel {number} in {channels_file(current)} has no name, or an address that is none of "
                           f"{', '.join(sorted(SCHEMES))}: mend the file.")  # fmt: skip
        found.append(Channel(name, url, rules))
    if len({one.name for one in found}) != len(found):
        raise BadInput(f"Two channels in {channels_file(current)} have one name: give each its own.")
    return found


def hosts(current: Settings) -> dict[str, list[str]]:
    """The hosts that may be reached, with their networks.

    Raises:
        BadInput: a network is none.
    """
    found = _document(current).get("hosts", {})
    try:
        for networks in found.values():
            for network in networks:
                ipaddress.ip_network(network)
        return {str(host).lower().rstrip("."): [str(one) for one in networks] for host, networks in found.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"The hosts in {channels_file(current)} need lists of networks such as 10.1.0.0/16.") from error


def _document(current: Settings) -> Mapping[str, Any]:
    path = channels_file(current)
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path} can be read by others: chmod 600 it, and change what is secret in it.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON: mend the file.") from error
    if not isinstance(found, dict) or not isinstance(found.get("channels", []), list):
        raise BadInput(f"{path} has to be an object with hosts and channels.")
    return found


def deliver(
    store: "Store", current: Settings, now: Callable[[], datetime], stop: Callable[[], bool] = lambda: False
) -> int:
    """Send what is due of alarms; returns how many went out."""
    return send_due(store.watching, current, now, stop)


def send_due(
    waiting: Any,
    current: Settings,
    now: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    prefix: str = "notice",
) -> int:
    """Send what is due; each message is taken in hand first, so that it goes out once.

    Args:
        waiting: the store's part that keeps the messages: `due`, `take` and `went`.
        current: settings.
        now: the clock.
        stop: asked before each message.
        prefix: of the id by which receivers tell a message from others.

    Returns:
        How many went out.
    """
    due = waiting.due(now())
    if not due:
        return 0
    known = {one.name: one for one in channels(current)}
    sent = 0
    for message in due:
        if stop():
            break
        if not waiting.take(message, now(), 2 * SEND_S):
            continue
        channel = known.get(message.channel)
        error = "there is no such channel any more"
        if channel is not None:
            error = send(current, channel, message, now(), f"{prefix}-{message.id}")
        waiting.went(message, error, now())
        sent += not error
    return sent


def send(
    current: Settings, channel: Channel, notice: "Notice | Message", now: datetime, message_id: str | None = None
) -> str:
    """Send one message in a child process.

    Args:
        current: settings.
        channel: where to.
        notice: title and text.
        now: aware UTC.
        message_id: what receivers tell it from others by; made of the notice's number where None.

    Returns:
        Empty when it was taken; else why not, without any secret.
    """
    about = {
        "url": channel.url,
        "title": one_line(notice.title, 120),
        "body": one_line(notice.body, 1000),
        "hosts": hosts(current),
        "id": message_id or f"notice-{notice.id}",
        "time": str(int(now.timestamp())),
        "key": _signing_key(current),
    }
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE") if name in os.environ
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app.jobs.quality.notices"],
            input=json.dumps(about), capture_output=True, text=True, timeout=SEND_S, cwd=CHECKOUT, check=False,
            env={**kept, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {SEND_S:.0f} s"
    answer = done.stdout.strip().splitlines()
    return answer[-1] if answer and answer[-1] != "sent" else "" if answer else "the sending process failed"


def one_line(text: str, most: int) -> str:
    """Text that can start no header and no second line."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _signing_key(current: Settings) -> str:
    """What receivers of a webhook check a signature with; made at the first message, beside the other secrets."""
    from app.jobs.files import write_whole

    path = current.secrets / "webhook-key"
    if not path.exists():
        write_whole(path, os.urandom(32).hex().encode(), mode=0o600)
    return path.read_text(encoding="ascii").strip()


def signature(key: str, message_id: str, time: str, title: str, body: str) -> str:
    """HMAC-SHA256 over id, time, title and text, a line each."""
    told = "\n".join((message_id, time, title, body)).encode()
    return hmac.new(bytes.fromhex(key), told, hashlib.sha256).hexdigest()


# --- in the child ---------------------------------------------------------------------------------------------------


def confine(allowed: Mapping[str, Sequence[str]]) -> list[str]:
    """Let this process connect to the allowed hosts at allowed addresses, and to nothing else.

    Returns:
        A list that fills with what was refused.
    """
    refused: list[str] = []
    good: set[str] = set()
    resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def checked(host: Any, *rest: Any, **more: Any) -> list[Any]:
        name = (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")).lower().rstrip(".")
        if name not in allowed:
            refused.append(f"{one_line(name, 80)} is not among the allowed hosts")
            raise OSError("refused")
        found = [one for one in resolve(host, *rest, **more) if may_reach(str(one[4][0]), allowed[name])]
        if not found:
            refused.append(f"{one_line(name, 80)} has an address outside its networks")
            raise OSError("refused")
        good.update(str(one[4][0]) for one in found)
        return found

    def only_checked(self: socket.socket, address: Any) -> None:
        _check(address)
        connect(self, address)

    def only_checked_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return connect_ex(self, address)

    def _check(address: Any) -> None:
        if not isinstance(address, tuple) or str(address[0]) not in good:
            refused.append("an address that was never looked up")
            raise OSError("refused")

    socket.getaddrinfo = checked
    socket.socket.connect = only_checked  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = only_checked_ex  # type: ignore[method-assign, assignment]
    return refused


def may_reach(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in a host's networks; without any it has to be a public one."""
    found = ipaddress.ip_address(address.split("%")[0])
    if networks:
        return any(found in ipaddress.ip_network(one) for one in networks)
    return found.is_global and not found.is_multicast


def main() -> int:
    """Read one message from standard input, send it, and print "sent" or why not."""
    about = json.load(sys.stdin)
    out = sys.stdout
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        import apprise  # a third of a second that only this process has to pay

        refused = confine(about["hosts"])
        service = apprise.Apprise.instantiate(about["url"], suppress_exceptions=True)
        if service is None:
            told = "the address of the channel cannot be used"
        else:
            service.redirects = False
            if hasattr(service, "headers"):
                signed = signature(about["key"], about["id"], about["time"], about["title"], about["body"])
                service.headers |= {"X-Holdpoint-Id": about["id"], "X-Holdpoint-Time": about["time"],
                                    "X-Holdpoint-Signature": f"sha256={signed}"}  # fmt: skip
            went = service.notify(body=about["body"], title=about["title"], body_format=apprise.NotifyFormat.TEXT)
            told = "sent" if went else refused[-1] if refused else "the service did not take it"
    out.write(told + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
