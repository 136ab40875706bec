"""The place in a folder where one process at a time does one kind of work.

A slot of the name *work* has four files: ``work.lock``, which its process holds for life and
which alone tells whether it is alive; ``work.json``, how far it is or what it found; ``work.log``,
what it printed; and, for a moment, ``work.stop``, the request that it should end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_core.jobs import process
from cifar_core.jobs.end import End, carry_out, unforeseen
from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.jobs.stop import StopRequest

PATIENCE_SECONDS = 0.3
"""Readers that look whether a process lives hold its lock for microseconds; wait that out."""


@dataclass(frozen=True)
class Slot:
    """Starts, stops and carries out the work of one name in one folder."""

    folder: Path
    name: str

    @property
    def status_path(self) -> Path:
        """How far it is, or what it found."""
        return self.folder / f"{self.name}.json"

    @property
    def log_path(self) -> Path:
        """What its process printed."""
        return self.folder / f"{self.name}.log"

    @property
    def stop_path(self) -> Path:
        """The file whose appearance asks it to end."""
        return self.folder / f"{self.name}.stop"

    @property
    def lock_path(self) -> Path:
        """The lock its process holds."""
        return self.folder / f"{self.name}.lock"

    def is_taken(self) -> bool:
        """Says whether a process is at work."""
        return is_held(self.lock_path)

    def take(self) -> Lock | None:
        """Takes the lock, or returns None while another process holds it.

        Raises:
            OSError: The folder cannot be made or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return try_lock(self.lock_path, patience_seconds=PATIENCE_SECONDS)

    def start(
        self,
        module: str,
        arguments: Sequence[str | Path],
        *,
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        """Starts a module as its process, unless one is at work: then nothing happens.

        Args:
            module: Run as ``python -m module``; its last argument is the lock's descriptor.
            arguments: What it is given before that.
            prepare: Called under the lock, before the process starts.

        Raises:
            OSError: The folder cannot be written, or no process could be started.
        """
        lock = self.take()
        if lock is not None:
            with lock:
                self.stop_path.unlink(missing_ok=True)
                prepare()
                command = ["-m", module, *arguments]
                process.start(command, lock=lock, log_path=self.log_path)

    def stop(self) -> None:
        """Asks its process to end; it does within a second or two.

        Raises:
            OSError: The request cannot be written.
        """
        if self.is_taken():
            self.stop_path.touch()

    def adopt(self, descriptor: Sequence[str]) -> Lock | None:
        """Makes this process the one at work; from now on its main thread can be asked to stop.

        Args:
            descriptor: The last argument of a started process; empty in one run by hand.

        Returns:
            The lock, or None when another process is at work.
        """
        lock = Lock.adopt(int(descriptor[0])) if descriptor else self.take()
        if lock is None:
            sys.stderr.write(f"Another process is at work: it holds {self.lock_path}.\n")
            return None
        StopRequest(self.stop_path).interrupt()
        return lock

    def carry_out(self, work: Callable[[], object]) -> End:
        """Does some work and returns how it ended, whatever happens."""
        return carry_out(work, lambda error: unforeseen(error, self.log_path))
