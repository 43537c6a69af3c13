"""Messages: only to allowed hosts at allowed addresses, once, tried again, without a secret anywhere."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.jobs.quality import notices
from app.settings import Settings
from core.errors import BadInput
from core.roles import WORKER
from core.watch.alarms import RETRIES_S, Notice, Raised, retry_at
from core.watch.rules import RuleKind
from data.store import Store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "hunter2-token"


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks, or sends them elsewhere."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), json.loads(body)))
        self.send_response(302 if self.server.elsewhere else 200)
        if self.server.elsewhere:
            self.send_header("Location", self.server.elsewhere)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.elsewhere = [], ""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def current(tmp_path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def worker(store: Store) -> Store:
    store.sites.add("Lyon", now=NOW)
    return store.acting_as(WORKER)


def configure(current: Settings, hosts: dict, *channels: dict, mode: int = 0o600) -> None:
    path = notices.channels_file(current)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"hosts": hosts, "channels": list(channels)}))
    path.chmod(mode)


def raise_one(worker: Store, *channels: str) -> int:
    begun = worker.watching.begin("Lyon")
    one = Raised(RuleKind.MISSES, "", 0, "Misses.\r\nBcc: everybody@evil.example", {}, False, channels)
    [alarm_id] = worker.watching.keep("Lyon", begun.revision, {"figures": []}, [one], [], NOW)
    return alarm_id


def hook(receiver: HTTPServer, **more: object) -> dict:
    return {"name": "quality", "url": f"json://user:{SECRET}@localhost:{receiver.server_port}/in"} | more


def test_a_webhook_gets_the_alarm_signed_with_time_and_id_and_gets_it_once(worker, current, receiver):
    configure(current, {"localhost": ["127.0.0.0/8", "::1/128"]}, hook(receiver))
    raise_one(worker, "quality")
    assert notices.deliver(worker, current, lambda: NOW) == 1
    assert notices.deliver(worker, current, lambda: NOW + timedelta(hours=1)) == 0
    [(headers, body)] = receiver.got
    key = (current.secrets / "webhook-key").read_text()
    signed = notices.signature(
        key, headers["X-Holdpoint-Id"], headers["X-Holdpoint-Time"], body["title"], body["message"]
    )
    assert headers["X-Holdpoint-Signature"] == f"sha256={signed}"
    assert headers["X-Holdpoint-Time"] == str(int(NOW.timestamp()))
    assert body["title"] == "Lyon: misses"
    assert "\n" not in body["message"]


def test_a_host_that_is_not_allowed_is_never_reached_and_the_reason_names_no_secret(worker, current, receiver):
    configure(current, {"mail.plant.example": []}, hook(receiver))
    alarm = raise_one(worker, "quality")
    assert notices.deliver(worker, current, lambda: NOW) == 0
    [notice] = worker.alarms.told(alarm)
    assert notice.error == "localhost is not among the allowed hosts"
    assert receiver.got == []
    assert SECRET not in str(worker.alarms.history(alarm)) + str(notice)


def test_a_private_address_behind_a_public_name_is_refused(worker, current, receiver):
    configure(current, {"localhost": []}, hook(receiver))
    alarm = raise_one(worker, "quality")
    notices.deliver(worker, current, lambda: NOW)
    assert "outside its networks" in worker.alarms.told(alarm)[0].error
    assert receiver.got == []


def test_a_redirect_leads_nowhere(worker, current, receiver):
    receiver.elsewhere = "http://169.254.169.254/latest/meta-data"
    configure(current, {"localhost": ["127.0.0.0/8", "::1/128"]}, hook(receiver))
    alarm = raise_one(worker, "quality")
    assert notices.deliver(worker, current, lambda: NOW) == 0
    assert len(receiver.got) == 1
    assert worker.alarms.told(alarm)[0].state == "waiting"


def test_what_fails_is_tried_again_later_and_later_and_given_up_in_the_end(worker, current):
    configure(current, {})
    alarm = raise_one(worker, "quality")
    now, waits = NOW, []
    for _ in range(len(RETRIES_S) + 1):
        assert notices.deliver(worker, current, lambda at=now: at) == 0
        waits.append(worker.alarms.told(alarm)[0].next_at - now)
        now = worker.alarms.told(alarm)[0].next_at
    assert waits[:-1] == sorted(waits[:-1])
    assert worker.alarms.told(alarm)[0].state == "given up"
    assert "quality could not be told" in [one.what for one in worker.alarms.history(alarm)]
    assert retry_at(len(RETRIES_S) + 1, NOW) is None


def test_a_message_that_somebody_has_in_hand_is_not_sent_twice(worker, current):
    alarm = raise_one(worker, "quality")
    [notice] = worker.watching.due(NOW)
    assert worker.watching.take(notice, NOW, 60)
    assert not worker.watching.take(notice, NOW, 60)
    assert worker.watching.due(NOW) == []
    assert worker.alarms.told(alarm)[0].state == "waiting"


@pytest.mark.parametrize("url", ["syslog://", "exec://rm", "file:///etc/passwd", "https://x.example", "mailto"])
def test_only_services_that_send_to_people_may_be_named(current, url):
    configure(current, {}, {"name": "x", "url": url})
    with pytest.raises(BadInput, match="Channel 1"):
        notices.channels(current)


def test_a_file_that_others_may_read_is_refused_without_a_word_of_what_is_in_it(current):
    configure(current, {}, {"name": "x", "url": f"json://{SECRET}@h/"}, mode=0o644)
    with pytest.raises(BadInput, match="chmod 600") as error:
        notices.channels(current)
    assert SECRET not in str(error.value)
    assert SECRET not in repr(notices.Channel("x", SECRET))


def test_a_network_that_is_none_is_refused(current):
    configure(current, {"h": ["all"]})
    with pytest.raises(BadInput, match="networks"):
        notices.hosts(current)


def test_without_a_file_there_is_no_channel(current):
    assert notices.channels(current) == []


def test_a_channel_may_hear_of_some_rules_only():
    one = notices.Channel("x", "json://h", frozenset({RuleKind.MISSES}))
    assert one.wants(RuleKind.MISSES)
    assert not one.wants(RuleKind.DRIFT)


@pytest.mark.parametrize(("address", "networks", "may"), [
    ("8.8.8.8", [], True), ("10.0.0.1", [], False), ("127.0.0.1", [], False), ("169.254.169.254", [], False),
    ("::1", [], False), ("10.1.2.3", ["10.1.0.0/16"], True), ("10.2.2.3", ["10.1.0.0/16"], False),
    ("8.8.8.8", ["10.1.0.0/16"], False), ("fe80::1%eth0", [], False), ("224.0.0.1", [], False),
])  # fmt: skip
def test_addresses_are_judged_after_the_name_is_looked_up(address, networks, may):
    assert notices.may_reach(address, networks) is may


def test_an_address_that_was_never_looked_up_cannot_be_connected_to(monkeypatch):
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, getattr(socket.socket, name))
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    refused = notices.confine({"localhost": ["127.0.0.0/8", "::1/128"]})
    with socket.socket() as one, pytest.raises(OSError, match="refused"):
        one.connect(("127.0.0.2", 9))
    assert refused == ["an address that was never looked up"]


def test_a_service_that_never_answers_ends_with_its_time(worker, current, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(notices, "SEND_S", 3.0)
        configure(current, {"localhost": ["127.0.0.0/8", "::1/128"]},
                  {"name": "quality", "url": f"json://localhost:{silent.getsockname()[1]}/?rto=60"})  # fmt: skip
        alarm = raise_one(worker, "quality")
        notices.deliver(worker, current, lambda: NOW)
    [notice] = worker.alarms.told(alarm)
    assert isinstance(notice, Notice)
    assert notice.error == "no answer within 3 s"
