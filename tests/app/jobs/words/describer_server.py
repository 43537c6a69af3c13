"""A small OpenAI-compatible server for tests: it answers as it is told, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """A server that runs.

    Attributes:
        url: to be set as HOLDPOINT_DESCRIBER_URL.
        answer: how the next questions are answered.
        asked: bodies of the questions, with path and key.
    """

    url: str
    answer: Answer
    asked: list[dict[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One question."""

    served: Server
    timeout = 60

    def do_POST(self) -> None:
        """Keep the question, then answer."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.served.asked.append({"path": self.path, "key": self.headers.get("authorization"), **body})
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked may wait no more
            self.served.answer(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def put(self, data: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Answer with these bytes."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def says(content: Any) -> Answer:
    """A completion with this content: a text as it is, anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}
    return lambda handler: handler.put(json.dumps(body).encode())


def tells(*sentences: str) -> Answer:
    """A completion that keeps to the describer's schema."""
    return says({"sentences": list(sentences)})


def raw(data: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    """Any answer at all."""
    return lambda handler: handler.put(data, status, kind, **headers)


def drips(server: Server) -> Answer:
    """One byte now and then, without an end: each in time, all together never."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.end_headers()
        while not server.ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return answer


def sleeps(server: Server) -> Answer:
    """Nothing at all."""
    return lambda _: server.ended.wait(60) and None


@contextmanager
def describer() -> Iterator[Server]:
    """Run one on this machine until the test is done."""
    made = Server("", tells())
    handler = type("Bound", (Handler,), {"served": made})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    made.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        http.shutdown()
        http.server_close()
        thread.join(10)
