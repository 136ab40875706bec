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
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from cifar_core import settings
from cifar_core.ui.shell import malloc_arenas

KEPT_SECONDS: Final = 90
"""How long the uploads of a visitor who left are kept, for a lost connection that comes back."""

SWEEP_SECONDS: Final = 15
LEAST_BYTES: Final = 100_000
"""What a file counts at least, so that many small ones are bounded, too."""

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
            await PlainTextResponse(refusal, status_code=413)(scope, receive, send)
            return
        self._arriving[session_id] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving[session_id] -= size
            self._arriving += Counter()  # drops what is zero
            if self._sweeping is None or self._sweeping.done():
                self._sweeping = asyncio.create_task(self._sweep(), name="uploads-sweep")

    def _refusal(self, session_id: str, size: int) -> str:
        """Returns why an upload is refused, in a sentence; empty where there is room."""
        kept = _kept_bytes(_manager())
        own = kept[session_id] + self._arriving[session_id] + size
        if own > settings.MAX_SESSION_UPLOAD_BYTES:
            return (
                f"Together your files would have {own / 1e6:.0f} MB; the lab keeps "
                f"{settings.MAX_SESSION_UPLOAD_BYTES / 1e6:.0f} MB for each visitor. "
                "Remove some of them first."
            )
        if kept.total() + self._arriving.total() + size > settings.MAX_ALL_UPLOAD_BYTES:
            return (
                "The server's room for uploads is full at the moment. Try again in a minute or two."
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


def _declared_bytes(headers: Headers) -> int:
    """Returns what an upload says it has; without a word, as much as one may have."""
    declared = headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdigit() else 0
    return max(LEAST_BYTES, size or settings.MAX_UPLOAD_BYTES)
