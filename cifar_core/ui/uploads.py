"""What is uploaded stays in memory on its way in, too."""

from __future__ import annotations

from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Receive, Scope, Send


class UploadsInMemory:
    """Keeps files that arrive out of the disk's temporary folder.

    Starlette, on which Streamlit's server stands, writes what is larger than a megabyte into a
    temporary file while it arrives. The size of what may arrive is limited before that
    (``server.maxUploadSize``), and Streamlit reads the whole of it into memory afterwards anyway.

    Args:
        app: The server behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        MultiPartParser.spool_max_size = 0  # never: as in tempfile.SpooledTemporaryFile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; see :class:`UploadsInMemory`."""
        await self._app(scope, receive, send)
