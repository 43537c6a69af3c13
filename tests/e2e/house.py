"""The app's own processes over a plant, on a port of their own: started, killed and started again at one address."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from core.records import Verdict
from core.roles import Actor
from data.store import Store, open_store
from tests.small_plant import Made

ROOT = Path(__file__).parents[2]
APP = ROOT / "app" / "main.py"
STARTS_WITHIN_S = 120.0
ENDS_WITHIN_S = 30.0
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """A web server over a plant, and its worker where one is wanted.

    Args:
        plant: as `make_plant` made it.
        script: what the server runs; the app by default.
        worker: whether jobs are done, too.
    """

    def __init__(self, plant: Made, *, script: Path = APP, worker: bool = False) -> None:
        self.plant, self.script, self._worker = plant, script, worker
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def web(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        return self._running[0]

    def start(self) -> "House":
        """Start what is not running, and wait until the server answers."""
        options = ("--server.port", str(self.port), "--server.fileWatcherType", "none")
        self._running = [self._run("web", "streamlit", "run", str(self.script), *options)]
        if self._worker:
            self._running.append(self._run("worker", "app.jobs.runner"))
        end = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < end:
            if self.web.poll() is not None:
                raise RuntimeError(f"The server ended by itself: {self.said()[-2000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return self
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"The server did not answer in {STARTS_WITHIN_S:.0f} s: {self.said()[-2000:]}")

    def _run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "HOLDPOINT_HOME": str(self.plant.home), "PYTHONPATH": str(ROOT)}
        environment.pop("HOLDPOINT_DATABASE_URL", None)
        with (self.plant.home / f"{name}.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        """What the server has written."""
        return (self.plant.home / "web.log").read_text(errors="replace")

    def stop(self) -> None:
        """End everything as a person would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End everything as a power cut would: no process hears of it."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        for process in self._running:
            process.send_signal(how)
        for process in self._running:
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(ENDS_WITHIN_S)
        self._running = []

    def __enter__(self) -> "House":
        """Started."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Ended."""
        self.stop()

    def store(self, name: str = "Ines") -> Store:
        """The plant's store, as one of its people."""
        return open_store(self.plant.url, Actor(name))

    def answers(self, name: str = "Ines") -> dict[int, list[Verdict]]:
        """What stands of a person's answers, by part."""
        store = self.store(name)
        said = {
            task.part_id: [one.verdict for one in store.reviews.of_part(task.part_id) if one.by == name]
            for task in store.queue.previous(100)
        }
        store.close()
        return said


def launch(playwright, flags: Sequence[str] = FLAGS):
    """The browser: the one that is named, Debian's chromium, or another Chrome that playwright finds."""
    named = os.environ.get("HOLDPOINT_BROWSER") or CHROMIUM
    return playwright.chromium.launch(executable_path=named if Path(named).exists() else None, args=list(flags))
