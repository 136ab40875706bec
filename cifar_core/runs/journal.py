"""What a worker says of its run while it works: the one writer of status.json."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

from cifar_core import files
from cifar_core.runs.folder import RunFolder, State, Status

SPEAK_SECONDS = 1.0
RESERVE_BYTES = 64 * 1024


class Journal:
    """Keeps a run's status and writes it about once a second, and at every turn at once.

    A small file is kept in reserve: when the disk is full it is given up, so that the run
    can still say why it ended.

    Args:
        folder: The run.
        status: Its status so far.
    """

    def __init__(self, folder: RunFolder, status: Status) -> None:
        self.folder = folder
        self.status = status
        self._spoken = 0.0
        self._is_over = False
        self._voice = threading.RLock()
        self._reserve = folder.path / ".reserve"

    def reserve(self) -> None:
        """Takes the room for the last word; removes what a killed worker left half-written.

        Raises:
            OSError: The disk is full already, or the folder cannot be written.
        """
        for path in (self.folder.status_path, self.folder.checkpoint_path):
            files.sweep(path.parent, path.name)
        self._reserve.write_bytes(bytes(RESERVE_BYTES))

    def say(self, *, now: bool = False, **changes: Any) -> None:
        """Changes the status; it is written when it was not within the last second.

        Args:
            now: Write at once and durably: the run's state has changed.
            **changes: Attributes of :class:`Status`.
        """
        with self._voice:
            if self._is_over:
                return
            self.status = dataclasses.replace(self.status, **changes)
            moment = time.monotonic()
            if now or moment - self._spoken >= SPEAK_SECONDS:
                self.status = dataclasses.replace(self.status, heartbeat_at=time.time())
                self.folder.write_status(self.status, durable=now)
                self._spoken = moment

    def end(self, state: State, reason: str = "", remedy: str = "") -> None:
        """Writes the last word of this attempt; makes room for it if the disk is full.

        Only the first last word counts.
        """
        with self._voice:
            self._reserve.unlink(missing_ok=True)
            self.say(
                now=True,
                state=state,
                reason=reason,
                remedy=remedy,
                phase="",
                ended_at=time.time(),
                eta_seconds=None,
            )
            self._is_over = True
