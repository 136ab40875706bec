"""How a process is asked to end: by a file that appears, or by a termination signal."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

LOOK_SECONDS = 0.2


class StopAskedError(BaseException):
    """Someone asked the work to end. No Exception: nothing on the way may swallow it."""


class StopRequest:
    """Whether somebody wants the main thread's work to end.

    Args:
        path: The file whose appearance asks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_signalled = False

    def __call__(self) -> bool:
        """Says whether to stop now."""
        return self._is_signalled or self._path.exists()

    def listen(self) -> None:
        """Takes a signal, such as a shutdown of the machine, as a request, for work that looks."""
        _hear(self._note)

    def interrupt(self) -> None:
        """Has :class:`StopAskedError` raised in work that does not look, as soon as it is asked.

        A signal also wakes work that waits for somebody silent.
        """
        _hear(_raise_stop)
        threading.Thread(target=self._wait, daemon=True).start()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._is_signalled = True

    def _wait(self) -> None:
        while not self():
            time.sleep(LOOK_SECONDS)
        self._path.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGTERM)


def _hear(handler: Callable[[int, FrameType | None], None]) -> None:
    signal.signal(signal.SIGTERM, handler)
    # A signal that came before waits: see jobs.process.start.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _raise_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: tidying up takes a moment
    raise StopAskedError
