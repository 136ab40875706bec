"""The gate before the pages: whose connections are taken, and what every answer forbids.

Streamlit has neither security headers nor a refusal of connections without an Origin, and obeys
messages that no page sends. This middleware mends all three in front of it; app.py puts it there,
so ``streamlit run app.py`` has it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from cifar_core.report.document import script_digests
from cifar_core.ui.kit.first_visit import FirstVisit
from cifar_core.ui.shell.messages import is_accepted, without_paths
from cifar_core.ui.shell.upload_limits import UploadLimits

_LOG = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
"""The code with which a WebSocket is closed that should not have been opened (RFC 6455)."""


class Gate:
    """Refuses WebSockets of other sites, drops foreign messages, adds the security headers.

    It stands before everything else, so that a failure behind it carries the headers too.

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
        if scope["type"] == "websocket":
            await self._pass_socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass_request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _pass_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Opens a WebSocket of the lab's own pages, and lets only their messages through."""
        headers = Headers(scope=scope)
        if not self._takes(headers.get("origin", ""), headers.get("host", "")):
            _LOG.warning("Refused a WebSocket. %s", _advice(headers.get("origin", ""), headers))
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return

        async def receive_accepted() -> Message:
            while not is_accepted(message := await receive()):
                _LOG.debug("Dropped a message of a kind that no page of the lab sends.")
            return message

        async def send_harmless(message: Message) -> None:
            await send(without_paths(message))

        await self._app(scope, receive_accepted, send_harmless)

    async def _pass_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request with the security headers, whatever happens behind the gate."""
        is_answered = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                headers = MutableHeaders(scope=message)
                for name, value in _headers():
                    headers[name] = value
            await send(message)

        if advice := self._foreign_address(scope):
            refusal = PlainTextResponse(advice, status_code=403)
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception:
            if is_answered:
                raise
            _LOG.exception("A request failed: %s %r", scope["method"], scope["path"])
            failure = PlainTextResponse("Something failed here; the log has it.", status_code=500)
            await failure(scope, receive, send_guarded)

    def _foreign_address(self, scope: Scope) -> str:
        """Returns what to set where a page asks for its server under another address than it has.

        Its WebSocket will be refused, and it asks for the server's health until it gets one: this
        answer is what it shows meanwhile. Browsers name the page in ``Referer`` to the same site
        only, monitors name none.
        """
        headers = Headers(scope=scope)
        try:
            page = urlsplit(headers.get("referer", ""))
        except ValueError:  # no address at all
            return ""
        if not page.netloc or not scope["path"].endswith("/_stcore/health"):
            return ""
        origin = f"{page.scheme}://{page.netloc}"
        is_own = self._takes(origin, headers.get("host", ""))
        return "" if is_own else _advice(origin, headers)

    def _takes(self, origin: str, host: str) -> bool:
        """Says whether a WebSocket comes from a page of this server's own.

        Browsers always name the page's origin; what names none is no browser. Streamlit itself
        would take connections without one, and those of every other port of this machine.
        """
        if host and origin in (f"http://{host}", f"https://{host}"):
            return True
        allowed = self._allowed_origins
        if allowed is None:
            allowed = config.get_option("server.corsAllowedOrigins")
        return bool(origin) and origin in allowed


def _advice(origin: str, headers: Headers) -> str:
    """Returns why a page is not the server's own, and what to set if it should be."""
    return (
        f"The page was opened at {origin[:200]!a}, but the request names the host "
        f"{headers.get('host', '')[:200]!a}. A proxy between them has to pass the header Host "
        "on as it came, with its port; or start the server with --server.corsAllowedOrigins and "
        "the page's address."
    )


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


MIDDLEWARE = (Middleware(Gate), Middleware(FirstVisit), Middleware(UploadLimits))
"""For Streamlit's server, outermost first."""
