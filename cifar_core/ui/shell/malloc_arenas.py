"""The server's memory with many visitors: few heaps instead of one for every other thread.

Each visitor's script runs in a thread of its own. The GNU C library gives threads heaps of their
own, up to eight for each core, and what one heap has free another cannot use: with fifty visitors
the server held 115 MB more than for one, with two heaps 41 and 73 MB, at the same speed
(`make load`).
"""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
"""The parameter's number in <malloc.h>."""

MOST_HEAPS = 2


def keep_few() -> None:
    """Limits the heaps of this process from now on; does nothing with another C library."""
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MOST_HEAPS)
    except (OSError, AttributeError, TypeError):
        return


def give_back() -> None:
    """Gives memory that was freed back to the system; does nothing with another C library."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
