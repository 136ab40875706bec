"""How many files and connections the server may hold: as many as the system lets it.

Each visitor takes about four. The usual limit of 1,024 is a soft one, made for old programs, and
was full at 250 visitors; what it may be raised to without a privilege is far more.
"""

from __future__ import annotations

import contextlib
import resource


def allow_many() -> None:
    """Raises this process's limit of open files to what it may be raised to."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS says "unlimited" and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
