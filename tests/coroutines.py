"""Awaiting from a test whose thread may already have a loop of events.

Playwright keeps one running in the thread of the tests for as long as the browser is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def await_aside(work: Coroutine[Any, Any, None]) -> None:
    """Awaits a coroutine in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
