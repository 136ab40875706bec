"""How many pixels are decoded at once: whoever finds no room waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

ROOM_PIXELS = 50_000_000
"""One picture of the largest size, or four of 12 megapixels. Decoding these takes at most 300 MB
(WebP with transparency; measured alone and six at the same time)."""


class Room:
    """Room for a number of pixels, shared by all threads of a server.

    Who comes first is served first, so that a large picture is not overtaken for ever by small
    ones.

    Args:
        pixels: How many there is room for.
    """

    def __init__(self, pixels: int = ROOM_PIXELS) -> None:
        self._free = self._whole = pixels
        self._line = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int | None) -> Iterator[None]:
        """Holds room while a picture is decoded, after waiting for it.

        Args:
            pixels: Width × height that the file declares; None where that is not known, which
                takes all the room there is.
        """
        wanted = self._whole if pixels is None else min(pixels, self._whole)
        with self._line, self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify()
