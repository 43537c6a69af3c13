"""Decoding in child processes with limits, ahead of whoever computes.

A picture from a camera, a mail or an upload may be made to crash, hang or swell its decoder. So it is decoded in a
child process that has bounds on memory, processor and wall-clock time, is killed beyond them and replaced; the
picture is then refused and the next one goes on. Pixels come back through shared memory and are never copied here:
the array lies in the segment, and the segment goes back to its child once nobody holds the array any more.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import HoldpointError, QuarantineReason, Unreadable
from core.pictures.decode import Decoded, Limits
from core.pictures.memory import Lent, Memory
from core.pictures.quality import QualityLimits
from core.records import Exposure, Quality
from core.vault import in_use, opened, sealed_with

_START_SECONDS = 120.0  # to import NumPy and OpenCV on a machine that is busy with everything else
_STARTS = 3  # a child may be killed from outside while it starts
_GRACE_SECONDS = 5.0  # the child's own alarm comes first; this is for a child that is stopped
_LAST_WORDS_SECONDS = 3.0  # for a dying child to print its traceback
_DEPTH = 4  # requests a child may have waiting, so that it need not wait for the parent's threads
_READY_BYTES = 128 * 2**20  # decoded and not yet asked for, before decoding ahead pauses
_KEEP_BYTES = 96 * 2**20  # of free shared memory kept warm by each child
_CLOSED = "The pool of decoders is closed: open a new one."
_NO_START = "No decoder starts: its own message is on standard error."


@dataclass(frozen=True)
class Upload:
    """A picture that lies in no file of ours; its name is only text."""

    name: str
    data: bytes


Source = Path | Upload


@dataclass(frozen=True)
class Read:
    """One picture, decoded.

    Attributes:
        path: as it was asked for; an upload's name.
        sha256: of the very bytes that were decoded.
        size: of the file in bytes.
    """

    path: Path
    sha256: str
    decoded: Decoded
    quality: Quality
    size: int = 0


@dataclass(eq=False)
class _Job:
    source: Source
    task: dict[str, Any]
    future: "Future[Read | bytes | Unreadable]" = field(default_factory=Future)
    deaths: int = 0


class _Child:
    """One process, its channel and its shared memory."""

    def __init__(self, settings: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        lifeline, self._lifeline = os.pipe()
        code = f"from core.pictures.child import serve; serve({theirs.fileno()}, {lifeline}, {settings!r})"
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), lifeline),
                env=_environment(),
            )
        except OSError:
            ours.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        self.channel = ours
        self.freed: deque[int] = deque()
        self._maps: dict[int, Memory] = {}
        self._free: dict[int, int] = {}

    def send(self, job: _Job) -> None:
        """Hand a request over, with the segments that are free again."""
        drop = self._collect()
        request = {**job.task, "free": list(self._free), "drop": drop}
        self._free.clear()
        if isinstance(job.source, Path):
            self.channel.send(json.dumps({**request, "name": str(job.source)}).encode())
            return
        fd = os.memfd_create("holdpoint-upload", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(fd), "wb") as file:
                file.write(job.source.data)
            message = json.dumps({**request, "name": job.source.name[-255:]}).encode()
            socket.send_fds(self.channel, [message], [fd])
        finally:
            os.close(fd)

    def _collect(self) -> list[int]:
        while self.freed:
            number = self.freed.popleft()
            self._free[number] = self._maps[number].length
        drop = []
        while sum(self._free.values()) > _KEEP_BYTES:
            number = next(iter(self._free))
            del self._free[number], self._maps[number]
            drop.append(number)
        return drop

    def receive(self, seconds: float) -> tuple[dict[str, Any], Lent | None] | None:
        """Wait for the next answer; None where the process has ended.

        Raises:
            TimeoutError: when nothing came.
        """
        self.channel.settimeout(max(seconds, 0.001))
        try:
            message, fds, _, _ = socket.recv_fds(self.channel, 2**18, 1)
        except ConnectionError:
            return None
        if not message:
            return None
        answer: dict[str, Any] = json.loads(message)
        number = answer.get("segment")
        if number is None:
            return answer, None
        if fds:
            self._maps[number] = Memory(fds[0], answer["length"])
            os.close(fds[0])
        if "shape" not in answer:
            self.freed.append(number)
            return answer, None
        lent = Lent(self._maps[number], tuple(answer["shape"]))
        weakref.finalize(lent, self.freed.append, number).atexit = False
        return answer, lent

    def stop(self) -> int:
        """See the process end, by force if it does not by itself, and tell how it did."""
        self.channel.close()
        try:
            return self.process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        finally:
            os.close(self._lifeline)
        try:
            return self.process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL  # it hangs in the kernel, on a dead network drive perhaps, and ends when that does


class DecodePool:
    """Child processes that decode; used as a context manager, from as many threads as you like.

    Args:
        workers: processes.
        limits: what a picture may be.
        seconds: one picture may take, by the wall clock and by the processor.
        memory_bytes: private memory that decoding one picture may take.
        quality_limits: for the flags; they can be judged anew later.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        seconds: float = 20.0,
        memory_bytes: int = 1536 * 2**20,
        quality_limits: QualityLimits = QualityLimits(),  # noqa: B008 - frozen
        *,
        look: str = "core.pictures.child:look",
    ) -> None:
        self.workers = workers
        self.seconds = seconds
        self._settings = json.dumps(
            {
                "limits": asdict(limits),
                "quality_limits": asdict(quality_limits),
                "seconds": seconds,
                "memory_bytes": memory_bytes,
                "look": look,
            }
        )
        self._changed = threading.Condition()
        self._queue: deque[_Job] = deque()
        self._closed = False
        self._children: dict[int, _Child] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(n,), name=f"decoder {n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "DecodePool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children; arrays already handed out stay valid."""
        with self._changed:
            self._closed = True
            waiting = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        _give_up(waiting, _CLOSED)
        for child in list(self._children.values()):
            child.process.kill()
        for thread in self._threads:
            thread.join()

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the children that run now."""
        return tuple(child.process.pid for child in list(self._children.values()))

    def decode(self, sources: Iterable[Source]) -> Iterator[Read | Unreadable]:
        """Decode in order, ahead of the caller; a picture that cannot be read is yielded as its refusal."""
        waiting: deque[_Job] = deque()
        ahead = self.workers * _DEPTH
        try:
            for source in sources:
                waiting.append(self._submit(source, {"task": "decode"}))
                while waiting and (waiting[0].future.done() or len(waiting) >= ahead or _ready(waiting) > _READY_BYTES):
                    yield _read(waiting.popleft())
            while waiting:
                yield _read(waiting.popleft())
        finally:
            for job in waiting:
                job.future.cancel()

    def preview(self, source: Source, max_side: int, box: tuple[int, int, int, int] | None = None) -> bytes:
        """Make a small JPEG of one picture, or of a box of it.

        Args:
            source: of the picture.
            max_side: of the JPEG; its width where there is a box.
            box: x, y, width, height in the picture's own pixels; some of the picture has to lie in it.

        Raises:
            Unreadable: as the decoder would refuse it.
        """
        task: dict[str, Any] = {"task": "preview", "max_side": max_side}
        found = _result(self._submit(source, task if box is None else task | {"box": list(box)}))
        if isinstance(found, Unreadable):
            raise found
        if not isinstance(found, bytes):
            raise HoldpointError("The decoder answered a preview with a picture.")
        return found

    def _submit(self, source: Source, task: dict[str, Any]) -> _Job:
        # A child has no key: what is sealed is opened here.
        if in_use() is not None and isinstance(source, Path) and sealed_with(source) is not None:
            with suppress(HoldpointError, OSError):  # the child says what is wrong with it
                source = Upload(source.name, opened(source.read_bytes()))
        job = _Job(source, task)
        with self._changed:
            if self._closed:
                raise HoldpointError(_CLOSED)
            self._queue.append(job)
            self._changed.notify()
        return job

    def _work(self, number: int) -> None:
        """One thread for each child: keep it busy, watch its clock, replace it when it dies."""
        mine: deque[_Job] = deque()
        child: _Child | None = None
        try:
            while not self._closed:
                if child is None:
                    child = self._start(number)
                    if child is None:
                        return
                child = self._round(child, mine)
        finally:
            self._fail(mine)  # also where this thread met a bug: nobody shall wait for ever
            if child is not None:
                child.process.kill()
                child.stop()

    def _start(self, number: int) -> _Child | None:
        """Start a process and wait until it is ready; None where it fails again and again."""
        for _ in range(_STARTS):
            child = _Child(self._settings)
            self._children[number] = child
            if self._closed:
                child.process.kill()
            try:
                if child.receive(_START_SECONDS) is not None:
                    return child
            except TimeoutError:
                child.process.kill()
            child.stop()
            if self._closed:
                break
        return None

    def _fail(self, mine: deque[_Job]) -> None:
        """Nothing will be decoded here any more: say so to everybody who waits."""
        with self._changed:
            waiting = [*mine, *self._queue]
            self._queue.clear()
            closed, self._closed = self._closed, True
            self._changed.notify_all()
        mine.clear()
        _give_up(waiting, _CLOSED if closed else _NO_START)

    def _round(self, child: _Child, mine: deque[_Job]) -> _Child | None:
        """Send what may be sent, take one answer; None when the child has ended."""
        fresh: list[_Job] = []
        with self._changed:
            while not self._queue and not mine and not self._closed:
                self._changed.wait()
            while self._queue and len(mine) < _DEPTH and (not mine or len(self._queue) >= self.workers):
                job = self._queue.popleft()
                if job.future.running() or job.future.set_running_or_notify_cancel():
                    mine.append(job)
                    fresh.append(job)
        if not mine:
            return child
        try:
            for job in fresh:
                child.send(job)
            answered = child.receive(self.seconds + _GRACE_SECONDS)
        except TimeoutError:
            child.process.kill()
            self._bury(child, mine, late=True)
            return None
        except ConnectionError:
            answered = None
        if answered is None:
            self._bury(child, mine, late=False)
            return None
        job = mine.popleft()
        job.future.set_result(_outcome(job, *answered))
        return child

    def _bury(self, child: _Child, mine: deque[_Job], late: bool) -> None:
        """The child died over its first picture, which gets one more chance; the others go back to the queue's head."""
        code = child.stop()
        if self._closed:
            return
        first = mine.popleft()
        first.deaths += 1
        if late or -code in (signal.SIGALRM, signal.SIGXCPU):
            first.future.set_result(
                Unreadable(
                    QuarantineReason.TOO_SLOW,
                    f"Decoding took longer than {self.seconds:g} s and was stopped: save the picture anew, "
                    "in a plainer form or smaller.",
                )
            )
        elif first.deaths > 1:
            first.future.set_result(
                Unreadable(
                    QuarantineReason.UNDECODABLE,
                    f"The decoder died twice over this picture ({_death(code)}): copy it again from its source, "
                    "or rescan.",
                )
            )
        else:
            mine.appendleft(first)
        with self._changed:
            self._queue.extendleft(reversed(mine))
            mine.clear()
            self._changed.notify_all()


def _environment() -> dict[str, str]:
    """Only what starting Python needs: no secret of the parent's reaches a process that opens strangers' files."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # The decoder's buffers are kept instead of being returned page by page and faulted in again.
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
        "MALLOC_ARENA_MAX": "1",
    }


def _give_up(jobs: Iterable[_Job], why: str) -> None:
    for job in jobs:
        if job.future.running() or job.future.set_running_or_notify_cancel():
            job.future.set_exception(HoldpointError(why))


def _ready(waiting: Iterable[_Job]) -> int:
    done = (job.future.result() for job in waiting if job.future.done() and not job.future.cancelled())
    return sum(found.decoded.pixels.nbytes for found in done if isinstance(found, Read))


def _result(job: _Job) -> Read | bytes | Unreadable:
    try:
        return job.future.result()
    except CancelledError:
        raise HoldpointError(_CLOSED) from None


def _read(job: _Job) -> Read | Unreadable:
    found = _result(job)
    if isinstance(found, bytes):
        raise HoldpointError("The decoder answered a picture with a preview.")
    return found


def _outcome(job: _Job, answer: dict[str, Any], lent: Lent | None) -> Read | bytes | Unreadable:
    if lent is None:
        return Unreadable(QuarantineReason(answer["reason"]), answer["message"], answer["sha256"])
    pixels = lent.array()
    if job.task["task"] == "preview":
        return pixels.tobytes()
    taken_at = datetime.fromisoformat(answer["taken_at"]) if answer["taken_at"] else None
    quality = answer["quality"]
    return Read(
        path=job.source if isinstance(job.source, Path) else Path(job.source.name),
        sha256=answer["sha256"],
        decoded=Decoded(pixels, Exposure(**answer["exposure"]), taken_at, answer["format"]),
        quality=Quality(**{**quality, "flags": tuple(quality["flags"])}),
        size=answer["bytes"],
    )


def _death(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
