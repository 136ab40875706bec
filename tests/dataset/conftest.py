"""What the tests of the dataset share: sets of the right shapes that are quick to write."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cifar_core.dataset.store import Arrays, write_full


@pytest.fixture(scope="session")
def blank_arrays() -> Arrays:
    """Arrays with the shapes of CIFAR-10 and nothing in them: quick to write."""
    return Arrays(
        np.zeros((50_000, 32, 32, 3), np.uint8),
        np.zeros(50_000, np.uint8),
        np.zeros((10_000, 32, 32, 3), np.uint8),
        np.zeros(10_000, np.uint8),
    )


@pytest.fixture
def prepared(tmp_path: Path, blank_arrays: Arrays) -> Path:
    """A data folder with a full set of the right shapes (and the wrong pictures)."""
    write_full(tmp_path, blank_arrays, "a test")
    return tmp_path


class Mirror:
    """A server on the loopback interface that answers as a test wants it to."""

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda _: None
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                mirror.ranges.append(self.headers.get("Range"))
                self.close_connection = True
                with contextlib.suppress(OSError):
                    mirror.answer(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Ends the server and whatever it still answers."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """A running mirror."""
    server = Mirror()
    yield server
    server.close()
