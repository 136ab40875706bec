"""The writer of a run's status while its worker lives: nobody else writes status.json then."""

from __future__ import annotations

import dataclasses
import logging
import time

from cifar_core import files
from cifar_core.jobs.status import StatusWriter
from cifar_core.runs.folder import RunFolder, Status

LOG = logging.getLogger(__name__)

WRITE_SECONDS = 1.0
RESERVE_BYTES = 64 * 1024


class RunStatusWriter(StatusWriter[Status]):
    """Writes a run's status about once a second, and at every new phase at once.

    A small file is kept in reserve, and the last status is written into its room: so the run
    can say why it ended on a full disk too, whoever else writes there.

    Args:
        folder: The run.
        status: Its status so far.
    """

    def __init__(self, folder: RunFolder, status: Status) -> None:
        super().__init__(status, headline="phase", seconds=WRITE_SECONDS)
        self.folder = folder
        self._since = time.monotonic()
        self._reserve = folder.path / ".reserve"

    def reserve(self) -> None:
        """Takes the room for the last status; removes what a killed worker left half-written.

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

    def _write(self, *, durable: bool = False) -> None:
        self.status = dataclasses.replace(self.status, heartbeat_at=time.time())
        self.folder.write_status(self.status, durable=durable)

    def _write_last(self) -> None:
        now = time.time()
        self.status = status = dataclasses.replace(
            self.status, phase="", heartbeat_at=now, ended_at=now, eta_seconds=None
        )
        self.folder.write_last_status(status, self._reserve)
        LOG.info(
            "%s after %.1f s on the device: setup %.1f s, training %.1f s, closing %.1f s. %s",
            *(status.state, status.device_seconds, status.setup_seconds),
            *(status.running_seconds, status.closing_seconds, status.reason),
        )
