"""What a process says of itself while others look: written when it is news, and not too often."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from cifar_core.files import write_json

JobState = Literal["running", "finished", "failed", "interrupted"]

WRITE_SECONDS = 0.25
"""A job's status is written no more often than anyone looks."""


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """What a job last said of itself.

    Attributes:
        state: ``interrupted``: it was stopped, or its process is gone.
        message: What is being done, in words.
        what: Of a failure: what happened; empty otherwise.
        expected: Of a failure: what was expected.
        remedy: Of a failure or interruption: what to do.
    """

    state: JobState
    message: str = ""
    what: str = ""
    expected: str = ""
    remedy: str = ""


S = TypeVar("S")
J = TypeVar("J", bound=JobStatus)


class StatusWriter(ABC, Generic[S]):
    """Keeps the status of a process and writes it, from whatever thread.

    Args:
        status: Its status so far, a frozen dataclass.
        headline: The attribute whose change is written at once: what follows may take long.
        seconds: The least time between two other writings.
    """

    def __init__(self, status: S, *, headline: str, seconds: float) -> None:
        self.status = status
        self._headline, self._seconds = headline, seconds
        self._written_at = float("-inf")
        self._is_over = False
        self._guard = threading.RLock()

    def update(self, *, now: bool = False, **changes: Any) -> None:
        """Changes attributes of the status; it is written unless it was a moment ago.

        Args:
            now: Write at once and durably.
            **changes: Attributes of the status.
        """
        with self._guard:
            if self._is_over:
                return
            before = self.status
            self.status = dataclasses.replace(before, **changes)  # type: ignore[type-var]
            is_news = getattr(self.status, self._headline) != getattr(before, self._headline)
            moment = time.monotonic()
            if now or is_news or moment - self._written_at >= self._seconds:
                self._write(durable=now)
                self._written_at = moment

    def finish(self, **changes: Any) -> None:
        """Changes the status for the last time and writes it; only the first call counts."""
        with self._guard:
            if not self._is_over:
                self.status = dataclasses.replace(self.status, **changes)  # type: ignore[type-var]
                self._write_last()
                self._is_over = True

    @abstractmethod
    def _write(self, *, durable: bool = False) -> None: ...

    def _write_last(self) -> None:
        self._write()


class JobStatusWriter(StatusWriter[J]):
    """Writes a job's status where there is room: a full disk must not stop what needs none."""

    def __init__(self, path: Path, status: J) -> None:
        super().__init__(status, headline="message", seconds=WRITE_SECONDS)
        self._path = path

    def _write(self, *, durable: bool = False) -> None:
        values = dataclasses.asdict(self.status)
        try:
            write_json(self._path, values, durable=durable)
        except OSError:  # no second file fits beside the old one: that is written over
            with contextlib.suppress(OSError):
                self._path.write_text(json.dumps(values), encoding="utf-8")
