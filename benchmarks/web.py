"""A server of the lab and a visitor who speaks its protocol as a browser does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from cifar_core.settings import PROJECT_DIR

PATIENCE_SECONDS = 60.0


@dataclass
class Answer:
    """What came back for one rerun.

    Attributes:
        content_seconds: Until the first element of the page.
        seconds: Until the script had finished.
        sent_bytes: All messages together.
        ticks: Fragments that want to be rerun by themselves, and after how many seconds.
        pages: Names of all pages in the address, and the hashes of their scripts.
        errors: Error boxes on the page.
    """

    content_seconds: float = 0.0
    seconds: float = 0.0
    sent_bytes: int = 0
    ticks: dict[str, float] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Server:
    """A web process of the lab on a free port.

    Args:
        environ: Variables beside this process's own.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py"),
                *("--server.address", "127.0.0.1", "--server.port", str(self.port)),
            ],
            cwd=PROJECT_DIR,
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def visit(self) -> Visitor:
        """Returns a visitor as soon as the server takes one.

        Raises:
            RuntimeError: It has ended, or took nobody for a minute.
        """
        while True:
            try:
                return Visitor(self.port)
            except (OSError, WebSocketException) as error:
                is_late = time.perf_counter() - self.began > PATIENCE_SECONDS
                if is_late or self._process.poll() is not None:
                    raise RuntimeError("The lab's server did not come up.") from error
                time.sleep(0.005)

    def resident_bytes(self) -> int | None:
        """Returns the memory the process holds, where the system says so."""
        try:
            text = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return None
        line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def processor_seconds(self) -> float | None:
        """Returns the processor time the process has used, where the system says so."""
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return None
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Visitor:
    """A session of the lab without a screen.

    Args:
        port: Of the server.

    Raises:
        OSError: Nothing listens there yet.
        WebSocketException: What listens does not take sessions yet.
    """

    def __init__(self, port: int) -> None:
        # As a browser it asks for compressed messages; their size is counted uncompressed.
        self._line: ClientConnection = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=Origin(f"http://127.0.0.1:{port}"),
            max_size=None,
            open_timeout=PATIENCE_SECONDS,
        )

    def close(self) -> None:
        """Leaves."""
        self._line.close()

    def open(self, page: str = "", query: str = "") -> Answer:
        """Opens or reruns a page: its hash (empty for the first one) and its query string."""
        order = BackMsg()
        order.rerun_script.page_script_hash = page
        order.rerun_script.query_string = query
        return self._ask(order)

    def tick(self, fragment: str, page: str, query: str = "") -> Answer:
        """Reruns a fragment as the page does by itself."""
        order = BackMsg()
        order.rerun_script.fragment_id = fragment
        order.rerun_script.is_auto_rerun = True
        order.rerun_script.page_script_hash = page
        order.rerun_script.query_string = query
        return self._ask(order)

    def _ask(self, order: BackMsg) -> Answer:
        answer = Answer()
        began = time.perf_counter()
        self._line.send(order.SerializeToString())
        while True:
            data: Any = self._line.recv(PATIENCE_SECONDS)
            answer.sent_bytes += len(data)
            message = ForwardMsg.FromString(data)
            now = time.perf_counter() - began
            kind = message.WhichOneof("type")
            if kind in _READERS:
                _READERS[kind](message, answer)
            if not answer.content_seconds and kind == "delta" and _shows_something(message):
                answer.content_seconds = now
            if kind == "script_finished":
                answer.seconds = now
                return answer


def _shows_something(message: ForwardMsg) -> bool:
    """Says whether a message brings an element that a person can see on the page itself."""
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    is_style = kind == "html" and element.html.body.lstrip().startswith("<style")
    return kind not in (None, "empty") and not is_style and message.metadata.delta_path[0] == 0


def _read_delta(message: ForwardMsg, answer: Answer) -> None:
    element = message.delta.new_element
    if element.WhichOneof("type") == "exception":
        answer.errors.append(element.exception.message)


def _read_tick(message: ForwardMsg, answer: Answer) -> None:
    answer.ticks[message.auto_rerun.fragment_id] = message.auto_rerun.interval


def _read_navigation(message: ForwardMsg, answer: Answer) -> None:
    for page in message.navigation.app_pages:
        answer.pages[page.url_pathname] = page.page_script_hash


_READERS: Mapping[str, Callable[[ForwardMsg, Answer], None]] = {
    "delta": _read_delta,
    "auto_rerun": _read_tick,
    "navigation": _read_navigation,
}
