"""Whether somebody is here for the first time; the browser remembers it, nobody else does.

Streamlit cannot set a cookie from a page, so the server does with its first answer: the moment of
the first visit and nothing else. The first hour counts as one visit.
"""

from __future__ import annotations

import time

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "cifar_lab_since"
FIRST_VISIT_SECONDS = 3600
YEAR_SECONDS = 365 * 24 * 3600


class FirstVisit:
    """Gives a browser that has none the cookie with the moment of its first visit.

    Args:
        app: The server behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; see :class:`FirstVisit`."""
        is_known = scope["type"] != "http" or COOKIE in HTTPConnection(scope).cookies

        async def send_remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", _cookie(time.time()))
            await send(message)

        await self._app(scope, receive, send if is_known else send_remembering)


def _cookie(now: float) -> str:
    return f"{COOKIE}={now:.0f}; Max-Age={YEAR_SECONDS}; Path=/; SameSite=Lax; HttpOnly"


def is_first_visit(*, now: float | None = None) -> bool:
    """Says whether this visitor was first here less than an hour ago, as far as is known."""
    since = str(st.context.cookies.get(COOKIE, ""))
    if not (since.isascii() and since.isdigit()):
        return True
    return (now or time.time()) - int(since[:20]) < FIRST_VISIT_SECONDS
