from __future__ import annotations

import time

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from streamlit.runtime.context import ContextProxy

from cifar_core.ui.kit import first_visit
from tests.coroutines import await_aside


def visited(content_type: str, cookie: str = "") -> str | None:
    """Asks a server behind the middleware for something; returns the cookie it sets."""
    sent: list[Message] = []

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"cookie", cookie.encode())] if cookie else []}
    await_aside(first_visit.FirstVisit(server)(scope, receive, send))
    return Headers(raw=sent[0]["headers"]).get("set-cookie")


def test_a_new_browser_gets_the_moment_of_its_first_visit() -> None:
    given = visited("text/html; charset=utf-8")
    assert given is not None
    moment = int(given.split(";")[0].removeprefix(f"{first_visit.COOKIE}="))
    assert abs(moment - time.time()) < 60
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given


def test_a_browser_that_has_it_keeps_it() -> None:
    assert visited("text/html; charset=utf-8", f"other=1; {first_visit.COOKIE}=1") is None


def test_only_pages_carry_the_cookie() -> None:
    assert visited("application/json") is None


@pytest.mark.parametrize(
    ("cookie", "is_first"),
    [
        (None, True),
        ("", True),
        ("yesterday", True),
        ("²", True),
        ("1000000", True),
        (str(1_000_000 - 3599), True),
        (str(1_000_000 - 3600), False),
        ("0", False),
        ("9" * 5000, True),
    ],
)
def test_the_first_hour_is_the_first_visit(
    monkeypatch: pytest.MonkeyPatch, cookie: str | None, is_first: bool
) -> None:
    known = {} if cookie is None else {first_visit.COOKIE: cookie}
    monkeypatch.setattr(ContextProxy, "cookies", known)
    assert first_visit.is_first_visit(now=1_000_000.0) is is_first
