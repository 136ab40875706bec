"""A real server with its own folders, and a real browser to open it with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from cifar_core.settings import PROJECT_DIR
from tests.waiting import await_server, start_mortal
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).with_name("screenshots")
STILL = """() => {
  const now = document.body.innerHTML;
  if (window.seen !== now || window.stillSince === undefined) {
    window.seen = now;
    window.stillSince = performance.now();
  }
  return performance.now() - window.stillSince > 400;
}"""
"""Charts that grow into their place change the page until they are there."""
TALLEST = 3000
"""Pixels of the tallest screenshot."""


@dataclass
class Server:
    """A running lab."""

    url: str
    process: subprocess.Popen[bytes]
    log_path: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(log_path: Path, port: int, *, script: str = "app.py", **variables: str) -> Server:
    """Starts the lab as `make run` does, or another script, and waits until it answers."""
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}"]
    with log_path.open("ab") as log:
        process = start_mortal(
            command,
            cwd=PROJECT_DIR,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log_path)
    await_server(server.url, process, log_path)
    return server


@contextmanager
def serving(folder: Path, *fakes: Fake) -> Iterator[tuple[str, Path]]:
    """Serves fabricated runs, for tests that only look at them; gives address and their folder."""
    runs_dir = folder / "runs"
    for fake in fakes:
        fabricate(runs_dir, fake)
    server = start_server(folder / "server.log", free_port(), CIFAR_LAB_RUNS=str(runs_dir))
    try:
        yield server.url, runs_dir
    finally:
        server.kill()


@pytest.fixture(autouse=True, scope="session")
def _patience() -> None:
    """Lets expectations wait as long as everything else here: a busy machine is no failure."""
    expect.set_options(timeout=60_000)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers that end with the test."""
    started: list[Server] = []

    def start(port: int | None = None, **variables: str) -> Server:
        server = start_server(tmp_path / "server.log", port or free_port(), **variables)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves the lab as it comes: shipped models, shipped sample, no run of one's own.

    One server for all tests that only look: starting one takes seconds.
    """
    folder = tmp_path_factory.mktemp("lab")
    server = start_server(
        folder / "server.log",
        free_port(),
        CIFAR_LAB_MODELS=str(PROJECT_DIR / "models"),
        CIFAR_LAB_DATA=str(folder / "data"),
        CIFAR_LAB_RUNS=str(folder / "runs"),
        CIFAR_LAB_FEEDBACK=str(folder / "feedback"),
    )
    yield server
    server.kill()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages in contexts of their own; keywords are those of Browser.new_context."""
    contexts = []

    def start(**options: Any) -> Page:
        options.setdefault("viewport", {"width": 1400, "height": 1000})
        context = browser.new_context(**options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        return context.new_page()

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def keep() -> Callable[[Page, str], None]:
    """Keeps a screenshot of a whole page to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def shoot(page: Page, name: str) -> None:
        size = page.viewport_size
        assert size is not None
        # Streamlit scrolls a container inside the page: only a taller window shows all of it.
        height = page.evaluate(
            "() => document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0"
        )
        tall = min(max(height, size["height"]), TALLEST)
        page.set_viewport_size({"width": size["width"], "height": tall})
        page.evaluate("() => { window.stillSince = undefined; }")
        page.wait_for_function(STILL, polling=100)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
        page.set_viewport_size(size)

    return shoot
