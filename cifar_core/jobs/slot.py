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

from cifar_core.errors import LabError, plain_text
from cifar_core.jobs import process
from cifar_core.jobs.end import End, carry_out
from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.jobs.stop import StopRequest

PATIENCE_SECONDS = 0.3
"""Readers that look whether a process lives hold its lock for microseconds; wait that out."""


@dataclass(frozen=True)
class Slot:
    """Starts, stops and carries out the work of one name in one folder."""

    folder: Path
    name: str

    def path(self, kind: str) -> Path:
        """Returns the path of its ``lock``, ``json``, ``log`` or ``stop``."""
        return self.folder / f"{self.name}.{kind}"

    def is_taken(self) -> bool:
        """Says whether a process is at work."""
        return is_held(self.path("lock"))

    def take(self) -> Lock | None:
        """Takes the lock, or returns None while another process holds it.

        Raises:
            OSError: The folder cannot be made or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return try_lock(self.path("lock"), patience_seconds=PATIENCE_SECONDS)

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
                self.path("stop").unlink(missing_ok=True)
                prepare()
                command = ["-m", module, *arguments]
                process.start(command, lock=lock, log_path=self.path("log"))

    def stop(self) -> None:
        """Asks its process to end; it does within a second or two.

        Raises:
            OSError: The request cannot be written.
        """
        if self.is_taken():
            self.path("stop").touch()

    def adopt(self, descriptor: Sequence[str]) -> Lock:
        """Makes this process the one at work; from now on its main thread can be asked to stop.

        Args:
            descriptor: The last argument of a started process; empty in one run by hand.

        Raises:
            SystemExit: Another process is at work.
        """
        lock = Lock.adopt(int(descriptor[0])) if descriptor else self.take()
        if lock is None:
            sys.exit(f"Another process is at work: it holds {self.path('lock')}.")
        StopRequest(self.path("stop")).interrupt()
        return lock

    def carry_out(self, work: Callable[[], object]) -> End:
        """Does some work and returns how it ended, whatever happens."""

        def explain(error: BaseException) -> LabError:
            return LabError(
                f"Something unforeseen happened: {plain_text(error)}.",
                expected="Work without surprises.",
                remedy=f"Please report it with the log {self.path('log')}.",
            )

        return carry_out(work, explain)
