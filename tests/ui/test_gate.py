from __future__ import annotations

from typing import Any

import pytest

from cifar_core.ui.gate import Gate
from tests.coroutines import await_aside

PASSED = {"type": "passed on"}


def knock(
    origin: str | None, *, host: str = "127.0.0.1:8501", allowed: tuple[str, ...] = ()
) -> Any:
    """Returns the first message that comes back for a WebSocket from an origin."""
    sent: list[Any] = []

    async def lab(scope: Any, receive: Any, send: Any) -> None:
        await send(PASSED)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    scope = {"type": "websocket", "headers": headers, "path": "/_stcore/stream"}
    await_aside(Gate(lab, allowed)(scope, None, send))  # type: ignore[arg-type]
    return sent[0]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501"),
        ("http://localhost:8501", "localhost:8501"),
        ("https://lab.example.org", "lab.example.org"),
        ("http://[::1]:8501", "[::1]:8501"),
    ],
)
def test_the_lab_takes_its_own_pages(origin: str, host: str) -> None:
    assert knock(origin, host=host) == PASSED


@pytest.mark.parametrize(
    "origin",
    [
        *(None, "", "null", "*", "127.0.0.1:8501", "//127.0.0.1:8501/", "http://", "file://"),
        *("http://evil.example", "https://evil.example", "http://127.0.0.1:8501.evil.example"),
        *("http://127.0.0.1", "http://127.0.0.1:8502", "http://localhost:8501"),
        *("http://evil.example/127.0.0.1:8501", "http://evil.example#127.0.0.1:8501"),
        *("http://127.0.0.1:8501@evil.example", "http://evil.example@127.0.0.1:8501"),
    ],
)
def test_the_lab_takes_no_other_page(origin: str | None) -> None:
    assert knock(origin) == {"type": "websocket.close", "code": 1008}


def test_an_origin_that_the_configuration_names_is_taken() -> None:
    allowed = ("https://lab.example.org",)
    assert knock("https://lab.example.org", allowed=allowed) == PASSED
    assert knock("https://lab.example.org.evil", allowed=allowed) != PASSED
