"""Waiting in line: one run per device, first come first served.

Each waiting run has a ticket, a small file named by the time it joined. A run may take its
device when no living run holds an earlier ticket and the device's own kernel lock is free.
Tickets of runs whose process is gone are ignored and swept away.
"""

from __future__ import annotations

import re
from pathlib import Path

from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.runs.folder import RunFolder


class Line:
    """The line before one device.

    Args:
        runs_dir: Folder of all runs.
        device: ``cpu``, ``gpu:0`` …
    """

    def __init__(self, runs_dir: Path, device: str) -> None:
        self.runs_dir = runs_dir
        # The device comes from a file that anybody may have written: it must not name a
        # folder elsewhere, whose files would be taken for tickets and swept away.
        self.folder = runs_dir / ".devices" / re.sub(r"[^A-Za-z0-9]", "-", device)[:64]

    @property
    def lock_path(self) -> Path:
        """The lock that the run on the device holds."""
        return self.folder / "lock"

    def join(self, run_id: str, queued_at: float) -> None:
        """Draws a ticket for a run, ordered by the time it joined (seconds since 1970).

        Tickets it still has from a life before, in whatever line, are given back: a run
        stands in one line, once. A clock that was set back lets nobody jump the queue.
        """
        for folder in self.folder.parent.glob("*"):
            Line(self.runs_dir, folder.name).leave(run_id)
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(ticket.name.partition(".")[0]) for ticket in self._tickets()]
        number = max(int(queued_at * 1e6), *(last + 1 for last in numbers), 0)
        (self.folder / f"{number:020d}.{run_id}").touch()

    def leave(self, run_id: str) -> None:
        """Gives a run's tickets back."""
        for ticket in self._tickets():
            if _run_of(ticket) == run_id:
                ticket.unlink(missing_ok=True)

    def waiting(self) -> list[str]:
        """Returns the living runs in line, the next one first."""
        return [_run_of(ticket) for ticket in self._tickets() if self._is_alive(ticket)]

    def take_turn(self, run_id: str) -> Lock | None:
        """Returns the device's lock if it is this run's turn and the device is free."""
        for ticket in self._tickets():
            if not self._is_alive(ticket):
                ticket.unlink(missing_ok=True)  # swept here and not by those who only look
            else:
                return try_lock(self.lock_path) if _run_of(ticket) == run_id else None
        return None

    def _is_alive(self, ticket: Path) -> bool:
        return is_held(RunFolder(self.runs_dir / _run_of(ticket)).lock_path)

    def _tickets(self) -> list[Path]:
        try:
            names = sorted(path for path in self.folder.iterdir())
            return [path for path in names if re.fullmatch(r"\d{20}\..+", path.name)]
        except OSError:
            return []


def _run_of(ticket: Path) -> str:
    return ticket.name.partition(".")[2]
