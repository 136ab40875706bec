"""What stands before the pages: whose connections are taken, and what every answer forbids.

Streamlit has neither security headers nor a refusal of connections without an Origin. This
middleware adds both in front of it; app.py puts it there, so ``streamlit run app.py`` has it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from cifar_core.report.document import script_digests
from cifar_core.ui.first_visit import FirstVisit
from cifar_core.ui.uploads import UploadsInMemory

POLICY_VIOLATION = 1008
"""The code with which a WebSocket is closed that should not have been opened (RFC 6455)."""


class Gate:
    """Refuses WebSockets of other sites and adds the security headers to every answer.

    Args:
        app: The server behind it.
        allowed_origins: Origins that may open WebSockets beside the server's own. None for
            those of Streamlit's option ``server.corsAllowedOrigins``.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str] | None = None) -> None:
        self._app = app
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; see :class:`Gate`."""
        if scope["type"] == "websocket" and not self._takes(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _headers():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_guarded if scope["type"] == "http" else send)

    def _takes(self, headers: Headers) -> bool:
        """Says whether a WebSocket comes from a page of this server's own.

        Browsers always name the page's origin; what names none is no browser. Streamlit itself
        would take connections without one, and those of every other port of this machine.
        """
        origin, host = headers.get("origin", ""), headers.get("host", "")
        if host and origin in (f"http://{host}", f"https://{host}"):
            return True
        allowed = self._allowed_origins
        if allowed is None:
            allowed = config.get_option("server.corsAllowedOrigins")
        return bool(origin) and origin in allowed


@functools.lru_cache(maxsize=1)
def _headers() -> tuple[tuple[str, str], ...]:
    """Returns the headers of every answer.

    Scripts come from this server only, and none is made from text; the one that stands in
    Streamlit's own page and the two of a report, which is read and presented in a frame, are
    allowed by their digests. Looks are written by scripts, hence ``unsafe-inline`` for styles.
    """
    index = Path(st.__file__).parent / "static" / "index.html"
    allowed = (*_script_digests(index.read_text("utf-8")), *script_digests())
    digests = " ".join(f"'{digest}'" for digest in allowed)
    policy = (
        "default-src 'self'",
        f"script-src 'self' {digests}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
    return (
        ("content-security-policy", "; ".join(policy)),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"),
    )


def _script_digests(page: str) -> Iterable[str]:
    """Yields the digests of the scripts that stand in a page, as a policy names them."""
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        digest = hashlib.sha256(script.encode()).digest()
        yield f"sha256-{base64.b64encode(digest).decode()}"


MIDDLEWARE = (Middleware(Gate), Middleware(FirstVisit), Middleware(UploadsInMemory))
"""For Streamlit's server, outermost first."""
