"""The memory that all images together are decoded in: whoever finds no room waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

ROOM_BYTES = 920_000_000
"""One WebP of 50 megapixels, the largest there is, or four of 12; other formats take less."""


class Room:
    """Room for a number of bytes, shared by all threads of a server.

    Who comes first is served first, so that a large picture is not overtaken for ever by small
    ones.

    Args:
        size_bytes: How many there is room for.
    """

    def __init__(self, size_bytes: int = ROOM_BYTES) -> None:
        self._free = self._whole = size_bytes
        self._line = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, size_bytes: int | None) -> Iterator[None]:
        """Holds room while an image is decoded, after waiting for it.

        Args:
            size_bytes: What decoding takes; None where that is not known, which takes all the
                room there is.
        """
        wanted = self._whole if size_bytes is None else min(size_bytes, self._whole)
        with self._line, self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify()
