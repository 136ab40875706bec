"""Uploads: kept in memory on their way in, bounded for each session and in all, freed with it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from typing import Final

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from cifar_core import settings
from cifar_core.ui.kit.refused_uploads import REFUSED
from cifar_core.ui.shell import malloc_arenas

KEPT_SECONDS: Final = 90
"""How long the uploads of a visitor who left are kept, for a lost connection that comes back."""

SWEEP_SECONDS: Final = 15
LEAST_BYTES: Final = 100_000
"""What a file counts at least, so that many small ones are bounded, too."""

HEAD_BYTES: Final = 8_000
"""Of an upload: holds the name of its file."""

MOST_NOTES: Final = 20
"""Refusals that are kept for one session; further ones are answered with 413."""

NO_CONTENT, ACCEPTED = 204, 202

_FORM = re.compile(rb"(--[^\r\n]{1,200})\r\n(Content-Disposition:[^\r\n]+)\r\n", re.IGNORECASE)
_OF_THE_BODY = (b"content-length", b"transfer-encoding")
_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class UploadLimits:
    """Bounds what visitors upload, and keeps it out of the disk's temporary folder.

    Starlette, on which Streamlit's server stands, writes what is larger than a megabyte into a
    temporary file while it arrives. The size of each file is limited before that
    (``server.maxUploadSize``), and Streamlit reads the whole of it into memory afterwards anyway.
    Streamlit limits neither their number nor, once a visitor has left, how long they stay.

    Args:
        app: The server behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()  # bytes on their way, by session
        self._absent_since: dict[str, float] = {}
        self._sweeping: asyncio.Task[None] | None = None
        MultiPartParser.spool_max_size = 0  # never: as in tempfile.SpooledTemporaryFile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses an upload that has no room."""
        session = _PATH.search(scope.get("path", ""))
        if scope["type"] != "http" or scope["method"] != "PUT" or session is None:
            await self._app(scope, receive, send)
            return
        session_id = session[1]
        size = _declared_bytes(Headers(scope=scope))
        if refusal := self._refusal(session_id, size):
            note = await _note(receive, refusal) if _has_room_for_notes(session_id) else b""
            if not note:
                await PlainTextResponse(refusal, status_code=413)(scope, receive, send)
                return
            # In place of the file: the upload field shows no word of an answer, the page does.
            scope, receive, send = _with_body(scope, note), _reader(note), _accepting(send)
            size = LEAST_BYTES
        self._arriving[session_id] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving[session_id] -= size
            self._arriving += Counter()  # drops what is zero
            if self._sweeping is None or self._sweeping.done():
                self._sweeping = asyncio.create_task(self._sweep(), name="uploads-sweep")

    def _refusal(self, session_id: str, size: int) -> str:
        """Returns why an upload is refused, in three lines; empty where there is room."""
        kept = _kept_bytes(_manager())
        own = kept[session_id] + self._arriving[session_id] + size
        if own > settings.MAX_SESSION_UPLOAD_BYTES:
            return (
                f"not taken, for together your files would have {own / 1e6:.0f} MB.\n"
                f"At most {settings.MAX_SESSION_UPLOAD_BYTES / 1e6:.0f} MB for each visitor.\n"
                "Remove it and some of the others, then add it again."
            )
        if kept.total() + self._arriving.total() + size > settings.MAX_ALL_UPLOAD_BYTES:
            return (
                "not taken, for the server's room for uploads is full.\n"
                f"At most {settings.MAX_ALL_UPLOAD_BYTES / 1e6:,.0f} MB for all visitors.\n"
                "Remove it, and add it again in a minute or two."
            )
        return ""

    async def _sweep(self) -> None:
        """Forgets the files of visitors who left, until there are no files any more."""
        while runtime.exists() and (sessions := list(_manager().file_storage)):
            await asyncio.sleep(SWEEP_SECONDS)
            for session_id in sessions:
                self._forget(session_id, time.monotonic())

    def _forget(self, session_id: str, now: float) -> None:
        """Removes the files of a session that nobody has looked at for a while."""
        if runtime.get_instance().is_active_session(session_id):
            self._absent_since.pop(session_id, None)
        elif now - self._absent_since.setdefault(session_id, now) >= KEPT_SECONDS - SWEEP_SECONDS:
            del self._absent_since[session_id]
            _manager().remove_session_files(session_id)
            malloc_arenas.give_back()


def _manager() -> MemoryUploadedFileManager:
    """Returns what holds the files of all sessions in Streamlit's server."""
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager


def _kept_bytes(manager: MemoryUploadedFileManager) -> Counter[str]:
    """Returns how many bytes each session's files count."""
    return Counter(
        {
            session_id: sum(max(LEAST_BYTES, len(file.data)) for file in list(files.values()))
            for session_id, files in list(manager.file_storage.items())
        }
    )


def _has_room_for_notes(session_id: str) -> bool:
    files = list(_manager().file_storage.get(session_id, {}).values())
    return sum(file.type == REFUSED for file in files) < MOST_NOTES


async def _note(receive: Receive, refusal: str) -> bytes:
    """Reads an upload to its end, keeping its name alone, and returns what takes its place.

    Returns:
        A body of the same form with a file that holds the refusal; empty where that form is
        unknown, or the upload is larger than any may be.
    """
    head, size, more = b"", 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        head += part[: max(0, HEAD_BYTES - len(head))]
        size += len(part)
        more = message.get("more_body", False) and message["type"] == "http.request"
        if size > settings.MAX_UPLOAD_BYTES + HEAD_BYTES:
            return b""
    form = _FORM.match(head)
    if form is None:
        return b""
    line, disposition = form.groups()
    kind = f"Content-Type: {REFUSED}".encode()
    return b"\r\n".join((line, disposition, kind, b"", refusal.encode(), line + b"--", b""))


def _with_body(scope: Scope, body: bytes) -> Scope:
    """Returns a request that announces another body."""
    kept = [pair for pair in scope["headers"] if pair[0] not in _OF_THE_BODY]
    return {**scope, "headers": [*kept, (b"content-length", b"%d" % len(body))]}


def _reader(body: bytes) -> Receive:
    """Returns what gives a body once."""
    parts = [body]

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(), "more_body": False}

    return receive


def _accepting(send: Send) -> Send:
    """Returns what sends 202 in place of 204: something was taken, but not the file."""

    async def accept(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == NO_CONTENT:
            message = {**message, "status": ACCEPTED}
        await send(message)

    return accept


def _declared_bytes(headers: Headers) -> int:
    """Returns what an upload says it has; without a word, as much as one may have."""
    declared = headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdigit() else 0
    return max(LEAST_BYTES, size or settings.MAX_UPLOAD_BYTES)
