"""What a worker says of its run while it works: the one writer of status.json."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from typing import Any

from cifar_core import files
from cifar_core.runs.folder import RunFolder, State, Status

LOG = logging.getLogger(__name__)

SPEAK_SECONDS = 1.0
RESERVE_BYTES = 64 * 1024


class Journal:
    """Keeps a run's status and writes it about once a second, and at every turn at once.

    A small file is kept in reserve, and the last word is written into its room: so the run
    can say why it ended on a full disk too, whoever else writes there.

    Args:
        folder: The run.
        status: Its status so far.
    """

    def __init__(self, folder: RunFolder, status: Status) -> None:
        self.folder = folder
        self.status = status
        self._since = time.monotonic()
        self._spoken = 0.0
        self._is_over = False
        self._voice = threading.RLock()
        self._reserve = folder.path / ".reserve"

    def reserve(self) -> None:
        """Takes the room for the last word; removes what a killed worker left half-written.

        Raises:
            OSError: The disk is full already, or the folder cannot be written.
        """
        for path in (self.folder.status_path, self.folder.checkpoint_path, self._reserve):
            files.sweep(path.parent, path.name)
        files.write_whole(self._reserve, bytes(RESERVE_BYTES), durable=False)

    def start_clock(self) -> None:
        """Begins to count the time on the device."""
        self._since = time.monotonic()

    def device_seconds(self) -> float:
        """Returns the time on the device in this attempt."""
        return time.monotonic() - self._since

    def say(self, *, now: bool = False, **changes: Any) -> None:
        """Changes the status; it is written when it was not within the last second.

        A new phase is written at once: what follows may take long, and nothing is said in it.

        Args:
            now: Write at once and durably: the run's state has changed.
            **changes: Attributes of :class:`Status`.
        """
        with self._voice:
            if self._is_over:
                return
            is_new_phase = changes.get("phase", self.status.phase) != self.status.phase
            self.status = dataclasses.replace(self.status, **changes)
            moment = time.monotonic()
            if now or is_new_phase or moment - self._spoken >= SPEAK_SECONDS:
                self.status = dataclasses.replace(self.status, heartbeat_at=time.time())
                self.folder.write_status(self.status, durable=now)
                self._spoken = moment

    def end(self, state: State, reason: str = "", remedy: str = "") -> None:
        """Writes the last word of this attempt, in room kept for it. Only the first one counts.

        Raises:
            OSError: The folder cannot be written at all.
        """
        with self._voice:
            if self._is_over:
                return
            now = time.time()
            self.status = dataclasses.replace(
                self.status,
                state=state,
                reason=reason,
                remedy=remedy,
                phase="",
                heartbeat_at=now,
                ended_at=now,
                eta_seconds=None,
            )
            self.folder.write_last_status(self.status, self._reserve)
            self._is_over = True
        LOG.info(
            "%s after %.1f s on the device: setup %.1f s, training %.1f s, closing %.1f s. %s",
            *(state, self.status.device_seconds, self.status.setup_seconds),
            *(self.status.running_seconds, self.status.closing_seconds, reason),
        )
