"""What a process says of itself while others look: written when it is news, and not too often."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

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
        seconds: The least time between two writings of which neither is news.
    """

    headline: ClassVar[str]
    """The attribute whose change is news: what follows may take long, and nothing is said in it."""

    def __init__(self, status: S, seconds: float) -> None:
        self.status = status
        self._seconds = seconds
        self._written_at = float("-inf")
        self._is_over = False
        self._guard = threading.RLock()

    def update(self, *, now: bool = False, **changes: Any) -> None:
        """Changes the status; it is written unless it was a moment ago.

        Args:
            now: Write at once and durably.
            **changes: Attributes of the status.
        """
        with self._guard:
            if self._is_over:
                return
            before = self.status
            self.status = dataclasses.replace(before, **changes)  # type: ignore[type-var]
            is_news = getattr(self.status, self.headline) != getattr(before, self.headline)
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
    def _write(self, *, durable: bool) -> None:
        """Writes the status."""

    def _write_last(self) -> None:
        self._write(durable=False)


class JobStatusWriter(StatusWriter[J]):
    """Writes a job's status where there is room: a full disk must not stop what needs none.

    Args:
        path: The file of the status.
        status: The status so far.
    """

    headline = "message"

    def __init__(self, path: Path, status: J) -> None:
        super().__init__(status, WRITE_SECONDS)
        self._path = path

    def _write(self, *, durable: bool) -> None:
        """Writes over the old status when no second file fits beside it."""
        try:
            write_json(self._path, dataclasses.asdict(self.status), durable=durable)
        except OSError:
            try:
                self._path.write_text(json.dumps(dataclasses.asdict(self.status)), encoding="utf-8")
            except OSError:
                traceback.print_exc()
