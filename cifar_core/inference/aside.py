"""Long work beside a training: done by a thread that lets the training go first."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

NICENESS = 10
"""Against a thread of ordinary priority it has a tenth of a core (Linux, sched(7))."""


REST_BESIDE_TRAINING = 2.0
"""How many times as long as a piece of work the rest behind it is while a network trains."""


def aside(work: Callable[[], T], *, rest: float = 0.0) -> T:
    """Does work in a thread of low priority and returns its result, or raises its failure.

    While nothing else wants the processor it is as fast as anywhere. A thread of its own, because
    only the owner of the machine may raise a priority again. Elsewhere than on Linux a thread has
    no priority of its own, and many a Linux shares the processor out by session first, where the
    priority of one counts nothing for another: against a training only resting helps there.

    Args:
        work: What there is to do: a piece of something longer.
        rest: How many times as long as the work took to wait behind it.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(1, initializer=_yield_to_others) as thread:
        result = thread.submit(work).result()
    time.sleep(rest * (time.monotonic() - began))
    return result


def _yield_to_others() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux: elsewhere this would slow the whole process
        own = threading.get_native_id()
        with contextlib.suppress(OSError):
            lower = max(NICENESS, os.getpriority(os.PRIO_PROCESS, own))
            os.setpriority(os.PRIO_PROCESS, own, lower)
