"""The reader's own process: asked for one picture at a time, ended when it is slow, and made anew when it grows.

What a reader does wrong, it does there: a picture that it fails on is an error for that picture, and the next one is
read by a fresh process.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import numpy as np

from core.errors import ModelError
from core.records import Pixels
from core.words.prints import Print
from models.ocr.reader import Way

ROOT = Path(__file__).parents[2]
GIBI = 2**30
START_SECONDS = 120.0
HEADER = 4  # bytes before each message that give its length


class ReaderProcess:
    """Reads print in one child process; a context manager.

    Args:
        reader: "rapidocr" or "easyocr".
        languages: for readers that have to be told.
        seconds: that one picture may take.
        memory: bytes above which the process is made anew after the picture.
        threads: of the processor.
        fetch: whether missing models may be fetched.
    """

    def __init__(
        self,
        reader: str = "rapidocr",
        languages: tuple[str, ...] = ("en",),
        *,
        seconds: float = 30.0,
        memory: int = 3 * GIBI,
        threads: int = 1,
        fetch: bool = False,
    ) -> None:
        self.name, self.languages = reader, languages
        self.seconds, self.memory, self.threads, self.fetch = seconds, memory, threads, fetch
        self.started = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def __enter__(self) -> "ReaderProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def read(self, pixels: Pixels, way: Way = Way.RAW) -> list[Print]:
        """Lines of print in a picture, (h, w, 3) RGB uint8, boxes in its pixels.

        Args:
            pixels: of one picture.
            way: to look at it.

        Raises:
            ModelError: the reader cannot be had, took too long or failed on this picture.
        """
        channel = self._open()
        head = {"shape": list(pixels.shape), "way": way}
        try:
            channel.settimeout(self.seconds)
            send(channel, json.dumps(head).encode())
            send(channel, np.ascontiguousarray(pixels).tobytes())
            answer = json.loads(receive(channel))
        except TimeoutError as error:
            self.close()
            raise ModelError(f"Reading the print took more than {self.seconds:.0f} s.") from error
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise ModelError("The reader of print ended on this picture.") from error
        if answer.get("memory", 0) > self.memory:
            self.close()
        if "error" in answer:
            raise ModelError(f"The print could not be read: {answer['error']}")
        return [Print(str(text), float(sure), (box[0], box[1], box[2], box[3])) for text, sure, box in answer["prints"]]

    def close(self) -> None:
        """End the process; the next picture starts another."""
        if self._channel is not None:
            self._channel.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._child = self._channel = None

    def _open(self) -> socket.socket:
        if self._channel is not None and self._child is not None and self._child.poll() is None:
            return self._channel
        self.close()
        ours, theirs = socket.socketpair()
        chosen = {"reader": self.name, "languages": self.languages, "threads": self.threads, "fetch": self.fetch}
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "EASYOCR_MODULE_PATH", "LANG") if name in os.environ
        }
        self._child = subprocess.Popen(
            [sys.executable, "-m", "models.ocr.child", str(theirs.fileno()), json.dumps(chosen)],
            pass_fds=(theirs.fileno(),), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(self.threads)},
        )  # fmt: skip
        theirs.close()
        self._channel = ours
        self.started += 1
        ours.settimeout(START_SECONDS)
        try:
            hello = json.loads(receive(ours))
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise ModelError(f"The reader of print '{self.name}' did not start.") from error
        if "error" in hello:
            self.close()
            raise ModelError(str(hello["error"]))
        return ours


def send(channel: socket.socket, message: bytes) -> None:
    """One message, with its length before it."""
    channel.sendall(len(message).to_bytes(HEADER, "big") + message)


def receive(channel: socket.socket) -> bytes:
    """One message.

    Raises:
        EOFError: the other side is gone.
    """
    length = int.from_bytes(_exactly(channel, HEADER), "big")
    return _exactly(channel, length)


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = channel.recv(min(count - len(parts), 2**20))
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)
