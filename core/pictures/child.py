"""What runs inside a decoder's child process: take a request, look at one picture under limits, answer.

Started by core.pictures.sandbox with a socket, a lifeline and a bare environment. Requests and answers are small JSON
messages; pixels are left in shared memory. The process dies by itself when its parent is gone (the lifeline's other
end closes, upon which the kernel sends SIGIO), when a picture takes too long (SIGALRM) or computes too long (SIGXCPU);
none of these needs the decoder's cooperation.
"""

import fcntl
import importlib
import json
import logging
import math
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import Unreadable
from core.pictures import decode as decoding
from core.pictures.decode import Limits
from core.pictures.memory import Lent, Memory
from core.pictures.preview import crop, preview
from core.pictures.quality import QualityLimits, measure
from core.records import Pixels

Allocate = Callable[[tuple[int, int, int]], Pixels]
Complaints = Callable[[], str]
Look = Callable[[bytes, Mapping[str, Any], Limits, QualityLimits, Allocate, Complaints], dict[str, Any]]

_GRAIN = 2**18  # shared memory comes in steps, so that pictures of nearly one size can share a segment


class Segments:
    """Shared memory made here, lent to the parent and given back; warm pages are worth a third of a decode."""

    def __init__(self) -> None:
        self._maps: dict[int, Memory] = {}
        self._free: set[int] = set()
        self._next = 0
        self.lent: int | None = None
        self.new_fd: int | None = None

    def take(self, shape: tuple[int, int, int]) -> Pixels:
        """Lend the smallest free segment that is large enough, or a new one."""
        size = math.prod(shape)
        fitting = [number for number in self._free if self._maps[number].length >= size]
        if fitting:
            number = min(fitting, key=lambda n: self._maps[n].length)
            self._free.discard(number)
        else:
            number, self._next = self._next, self._next + 1
            length = max(1, -(-size // _GRAIN)) * _GRAIN
            self.new_fd = os.memfd_create("holdpoint-picture", os.MFD_CLOEXEC)
            os.ftruncate(self.new_fd, length)
            self._maps[number] = Memory(self.new_fd, length)
        self.lent = number
        return Lent(self._maps[number], shape).array()

    def give_back(self, free: list[int], drop: list[int]) -> None:
        """Take back what the parent no longer shows."""
        self._free.update(free)
        for number in drop:
            self._free.discard(number)
            self._maps.pop(number, None)

    def size(self, number: int) -> int:
        return self._maps[number].length


def look(
    data: bytes,
    request: Mapping[str, Any],
    limits: Limits,
    quality_limits: QualityLimits,
    allocate: Allocate,
    complaints: Complaints,
) -> dict[str, Any]:
    """Decode one picture and measure it; the answer's facts, the pixels lying in what was allocated."""
    name = str(request["name"])
    if request["task"] == "preview":
        if "box" in request:
            x, y, width, height = request["box"]
            encoded = crop(data, (x, y, width, height), int(request["max_side"]), limits=limits)
        else:
            encoded = preview(data, int(request["max_side"]), limits=limits)
        out = allocate((1, len(encoded), 1))
        out[...] = np.frombuffer(encoded, np.uint8).reshape(out.shape)
        return {"shape": list(out.shape)}
    decoded = decoding.decode(data, limits, name=name, allocate=allocate, complaints=complaints)
    quality = measure(decoded.pixels, quality_limits)
    return {
        "shape": list(decoded.pixels.shape),
        "format": decoded.format,
        "exposure": vars(decoded.exposure),
        "taken_at": decoded.taken_at.isoformat() if decoded.taken_at else None,
        "quality": vars(quality),
    }


def serve(channel: int, lifeline: int, settings: str) -> None:
    """Answer requests until the channel closes.

    Args:
        channel: file descriptor of a SOCK_SEQPACKET socket.
        lifeline: read end of a pipe whose other end the parent holds and never writes to.
        settings: JSON with `limits`, `quality_limits`, `seconds`, `memory_bytes` and `look` (an import path).
    """
    _die_with_the_parent(lifeline)
    chosen = json.loads(settings)
    limits, quality_limits = Limits(**chosen["limits"]), QualityLimits(**chosen["quality_limits"])
    module, _, name = chosen["look"].partition(":")
    work: Look = getattr(importlib.import_module(module), name)
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    warnings.simplefilter("ignore")  # of Pillow's, about broken files; what matters is in the refusal
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    complaints = _listen_to_the_libraries()
    _limit(int(chosen["memory_bytes"]), limits)
    segments = Segments()
    with socket.socket(fileno=channel) as parent:
        parent.send(b"{}")
        while True:
            message, fds, _, _ = socket.recv_fds(parent, 2**18, 1)
            if not message:
                return
            request = json.loads(message)
            segments.give_back(request.get("free", []), request.get("drop", []))
            _start_the_clock(float(chosen["seconds"]))
            answer = _answer(request, fds, work, limits, quality_limits, segments, complaints)
            signal.setitimer(signal.ITIMER_REAL, 0)
            new = [segments.new_fd] if segments.new_fd is not None else []
            socket.send_fds(parent, [json.dumps(answer).encode()], new)
            for fd in (*new, *fds):
                os.close(fd)
            segments.new_fd = segments.lent = None


def _answer(
    request: Mapping[str, Any],
    fds: list[int],
    work: Look,
    limits: Limits,
    quality_limits: QualityLimits,
    segments: Segments,
    complaints: Complaints,
) -> dict[str, Any]:
    sha256 = None
    try:
        data = _read_fd(fds[0], limits) if fds else decoding.read(Path(request["name"]), limits)
        sha256 = decoding.sha256_of(data)
        answer = work(data, request, limits, quality_limits, segments.take, complaints)
        answer["sha256"], answer["bytes"] = sha256, len(data)
    except Unreadable as refusal:
        answer = {"reason": refusal.reason.value, "message": str(refusal), "sha256": sha256}
    except MemoryError:
        answer = {
            "reason": "decoder over its limits",
            "message": "The picture needs more memory than one may take: save it smaller or raise the limit.",
            "sha256": sha256,
        }
    if segments.lent is not None:
        answer["segment"], answer["length"] = segments.lent, segments.size(segments.lent)
    return answer


def _read_fd(fd: int, limits: Limits) -> bytes:
    size = os.fstat(fd).st_size
    return os.pread(fd, min(size, limits.bytes + 1), 0)


def _start_the_clock(seconds: float) -> None:
    """Give one picture its time: wall clock and processor."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _limit(memory_bytes: int, limits: Limits) -> None:
    """Bound private memory beyond what the libraries have taken, file size, open files; no core dumps."""
    status = Path("/proc/self/status").read_text()
    taken = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
    file_bytes = limits.pixels * 3 + 2 * _GRAIN
    for kind, value in (
        (resource.RLIMIT_DATA, taken + memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _die_with_the_parent(lifeline: int) -> None:
    """Ask the kernel for a deadly signal when the pipe's other end closes, whatever the decoder is doing then.

    PR_SET_PDEATHSIG would fire when the starting *thread* ends, and Streamlit's threads come and go.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        closed = os.read(lifeline, 1) == b""  # the parent may have gone before the signal was armed
    except BlockingIOError:
        closed = False
    if closed:
        os._exit(1)


def _listen_to_the_libraries() -> Complaints:
    """Send what C libraries print to a file of our own; Python's own standard error stays where it was."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    heard = os.memfd_create("holdpoint-complaints", os.MFD_CLOEXEC)
    os.dup2(heard, 2)

    def complaints() -> str:
        size = os.fstat(heard).st_size
        if not size:
            return ""
        text = os.pread(heard, min(size, 2**16), 0).decode("utf-8", "replace")
        os.ftruncate(heard, 0)
        os.lseek(heard, 0, os.SEEK_SET)
        return text

    return complaints
