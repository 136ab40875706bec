"""The people of the load test: how they walk through the lab, and what they met."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from benchmarks.figures import percentile
from benchmarks.web import Answer, Visitor

PAUSE_SECONDS = (4.0, 12.0)
"""How long a person looks before the next click."""


@dataclass
class Log:
    """What all visitors of an experiment met.

    Attributes:
        pages: Seconds of each page opened.
        reruns: Seconds of each rerun of a page, as a click makes one.
        ticks: Seconds of each refresh that a page made by itself.
        failures: What went wrong, in words.
    """

    pages: list[float] = field(default_factory=list)
    reruns: list[float] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def take(self, seconds: list[float], ask: Callable[[], Answer], where: str) -> Answer | None:
        """Asks for something and notes how long it took, or what went wrong."""
        try:
            answer = ask()
        except Exception as error:  # noqa: BLE001 - whatever a visitor meets is a failure
            self.failures.append(f"{where}: {type(error).__name__}: {error}")
            return None
        seconds.append(answer.seconds)
        self.failures += [f"{where}: {text}" for text in answer.errors]
        return answer

    @property
    def tried(self) -> int:
        """How often something was asked for."""
        return len(self.pages) + len(self.reruns) + len(self.ticks) + len(self.failures)


def walk(port: int, pages: Mapping[str, str], query: str, log: Log, seed: int) -> None:
    """One person: opens every page in an order of their own, looks, and clicks twice on each."""
    draw = random.Random(seed)  # noqa: S311 - chance protects nothing here
    time.sleep(draw.uniform(0, PAUSE_SECONDS[1]))
    try:
        visitor = Visitor(port)
    except Exception as error:  # noqa: BLE001 - whatever a visitor meets is a failure
        log.failures.append(f"connecting: {type(error).__name__}: {error}")
        return
    for name, page in draw.sample(sorted(pages.items()), len(pages)):
        answer = log.take(log.pages, partial(visitor.open, page, query), name)
        for _ in range(2):
            look(visitor, answer, page, query, log, draw.uniform(*PAUSE_SECONDS))
            answer = log.take(log.reruns, partial(visitor.open, page, query), name)
    visitor.close()


def look(
    visitor: Visitor, answer: Answer | None, page: str, query: str, log: Log, seconds: float
) -> None:
    """Waits as a person does, while the page refreshes itself as often as it asks to."""
    until = time.monotonic() + seconds
    ticks = answer.ticks if answer else {}
    if not ticks:
        time.sleep(seconds)
        return
    due = {fragment: time.monotonic() + pause for fragment, pause in ticks.items()}
    while (now := min(due.values())) < until:
        time.sleep(max(0.0, now - time.monotonic()))
        for fragment, pause in ticks.items():
            if due[fragment] <= time.monotonic():
                log.take(
                    log.ticks,
                    partial(visitor.tick, fragment, page, query),
                    "tick",
                )
                due[fragment] = time.monotonic() + pause
    time.sleep(max(0.0, until - time.monotonic()))


def come_and_go(port: int, page: str) -> Answer:
    """Opens a page in a session of its own, which then ends."""
    visitor = Visitor(port)
    try:
        return visitor.open(page)
    finally:
        visitor.close()


def spread(seconds: list[float]) -> str:
    """Returns p95, with the median and the largest beside it."""
    if not seconds:
        return "none"
    figures = (percentile(seconds, 0.95), percentile(seconds, 0.5), max(seconds))
    return "{:.2f} s (median {:.2f}, largest {:.2f})".format(*figures)
