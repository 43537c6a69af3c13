import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.small_plant import Made, make_plant

ROOT = Path(__file__).parents[2]
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


@dataclass(frozen=True)
class Server:
    """A running app with its worker."""

    url: str
    plant: Made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer in time")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The real app and the real worker over the small plant, on a port of their own."""
    home = tmp_path_factory.mktemp("served") / "home"
    plant = make_plant(home, parts=12, demo=True)
    url = f"http://127.0.0.1:{_free_port()}"
    environment = {**os.environ, "HOLDPOINT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment.pop("HOLDPOINT_DATABASE_URL", None)
    port = url.rsplit(":", 1)[1]
    watch_nothing = ("--server.fileWatcherType", "none")
    web = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", port, *watch_nothing],
        cwd=ROOT, env=environment, stdout=(home / "web.log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.jobs.runner"],
        cwd=ROOT, env=environment, stdout=(home / "worker.log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_for(url, web)
        yield Server(url, plant)
    finally:
        for process in (web, worker):
            process.terminate()
        for process in (web, worker):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, or another Chrome that is installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = CHROMIUM if Path(CHROMIUM).exists() else None
        running = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(params=["dark", "light"])
def theme(request):
    return request.param


@pytest.fixture
def page(browser, server):
    """A fresh visitor who notes every request that leaves the house and every error of the page."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    found = context.new_page()
    found.outside = []
    found.refused = []
    own = (server.url, "data:", "blob:", server.url.replace("http", "ws"))
    found.on("request", lambda request: request.url.startswith(own) or found.outside.append(request.url))
    found.on("console", lambda line: "Content Security Policy" in line.text and found.refused.append(line.text))
    yield found
    context.close()
