"""The queue of a device: one run at a time, first come first served.

Each waiting run has an entry, a small file named by the time it joined. A run may take its
device when no living run has an earlier entry and the device's own kernel lock is free.
Entries of runs whose process is gone are ignored and swept away.
"""

from __future__ import annotations

import re
from pathlib import Path

from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.runs.folder import RunFolder


class DeviceQueue:
    """The runs that wait for one device.

    Args:
        runs_dir: Folder of all runs.
        device: ``cpu``, ``gpu:0`` …
    """

    def __init__(self, runs_dir: Path, device: str) -> None:
        self.runs_dir = runs_dir
        # The device comes from a file that anybody may have written: it must not name a
        # folder elsewhere, whose files would be taken for entries and swept away.
        self.folder = runs_dir / ".devices" / re.sub(r"[^A-Za-z0-9]", "-", device)[:64]

    @property
    def lock_path(self) -> Path:
        """The lock that the run on the device holds."""
        return self.folder / "lock"

    def enqueue(self, run_id: str, queued_at: float) -> None:
        """Adds a run, ordered by the time it joined (seconds since 1970).

        Entries it still has from a life before, in whatever queue, are removed: a run waits
        in one queue, once. A clock that was set back lets nobody jump the queue.
        """
        for folder in self.folder.parent.glob("*"):
            DeviceQueue(self.runs_dir, folder.name).leave(run_id)
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(entry.name.partition(".")[0]) for entry in self._entries()]
        number = max(int(queued_at * 1e6), *(last + 1 for last in numbers), 0)
        (self.folder / f"{number:020d}.{run_id}").touch()

    def leave(self, run_id: str) -> None:
        """Removes a run's entries."""
        for entry in self._entries():
            if _run_of(entry) == run_id:
                entry.unlink(missing_ok=True)

    def waiting(self) -> list[str]:
        """Returns the living runs in it, the next one first."""
        return [_run_of(entry) for entry in self._entries() if self._is_alive(entry)]

    def try_acquire(self, run_id: str) -> Lock | None:
        """Returns the device's lock if it is this run's turn and the device is free."""
        for entry in self._entries():
            if not self._is_alive(entry):
                entry.unlink(missing_ok=True)  # swept here and not by those who only look
            else:
                return try_lock(self.lock_path) if _run_of(entry) == run_id else None
        return None

    def _is_alive(self, entry: Path) -> bool:
        return is_held(RunFolder(self.runs_dir / _run_of(entry)).lock_path)

    def _entries(self) -> list[Path]:
        try:
            names = sorted(path for path in self.folder.iterdir())
            return [path for path in names if re.fullmatch(r"\d{20}\..+", path.name)]
        except OSError:
            return []


def _run_of(entry: Path) -> str:
    return entry.name.partition(".")[2]
