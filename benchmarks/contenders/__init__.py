"""The contenders: each a process of its own that warms up once and then waits for its turns.

A contender answers orders, one line of JSON each, with figures, one line of JSON each. What it
imports is its own affair: this package itself needs nothing beyond the standard library, so the
PyTorch contender runs in an environment without the lab's packages.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Order = Mapping[str, Any]
Figures = dict[str, Any]
Measure = Callable[[Order], Figures]


def compete(prepare: Callable[[], tuple[Measure, Figures]]) -> None:
    """Prepares, says that it is ready, and measures whenever it is told to.

    Args:
        prepare: Imports, builds and warms everything up; returns the function that carries out
            an order, and what there is to say before the first one.
    """
    # Libraries print as they like; only answers may reach the pipe.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    measure, hello = prepare()
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line))), file=answers, flush=True)


def clock(once: Callable[[], Any], seconds: float, *, least: int = 2) -> list[float]:
    """Calls a function again and again; returns what each call took, in seconds.

    Args:
        once: What is to be timed.
        seconds: For how long to go on.
        least: The fewest calls, however long they take.
    """
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < least or time.perf_counter() < end:
        began = time.perf_counter()
        once()
        took.append(time.perf_counter() - began)
    return took


def rate(pictures: int, once: Callable[[], Any], seconds: float) -> float:
    """Returns pictures per second of a function that works on some pictures at each call."""
    took = clock(once, seconds)
    return pictures * len(took) / sum(took)
