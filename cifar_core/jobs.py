"""What a process of its own says of itself while pages look, and how it is asked to end.

A job of the name *work* keeps four files in its folder: ``work.lock``, which its process holds
for life and which alone tells whether it is alive; ``work.json``, how far it is; ``work.log``,
what it printed; and, for a moment, ``work.stop``, the wish that it should end.
"""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cifar_core import background
from cifar_core.background import State
from cifar_core.errors import LabError
from cifar_core.files import read_json, write_json
from cifar_core.lock import Lock, is_held, try_lock

PATIENCE_SECONDS = 0.3
"""Readers that look whether a job lives hold its lock for microseconds; wait that out."""

WRITES_PER_SECOND = 4
"""A status is written no more often than anyone looks."""


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

    state: State
    message: str = ""
    what: str = ""
    expected: str = ""
    remedy: str = ""


def take_lock(folder: Path, name: str) -> Lock | None:
    """Takes the lock of a job by its name, or returns None while another process does it.

    Raises:
        OSError: The folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return try_lock(_lock_path(folder, name), patience_seconds=PATIENCE_SECONDS)


def _lock_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"


S = TypeVar("S", bound=JobStatus)


@dataclass(frozen=True)
class Job(Generic[S]):
    """A kind of work that one process at a time does in a folder.

    Attributes:
        name: Of its files.
        module: Run as ``python -m module``; its last argument is the descriptor of its lock.
        status: The kind of status it writes.
        ends: The last message and what to do, by how it ended.
        lost: The same for a process that ended without a word; its log is named after it.
    """

    name: str
    module: str
    status: type[S]
    ends: Mapping[State, tuple[str, str]]
    lost: tuple[str, str]

    def is_alive(self, folder: Path) -> bool:
        """Says whether a process does it."""
        return is_held(_lock_path(folder, self.name))

    def start(self, folder: Path, arguments: Sequence[str | Path], *, message: str) -> None:
        """Starts it, unless it is being done: then nothing happens.

        The lock is taken here and inherited by the new process, so between the order and the
        process's last breath it is never free, and two can never run.

        Raises:
            OSError: The folder cannot be written.
        """
        lock = take_lock(folder, self.name)
        if lock is None:
            return
        with lock:
            self.stop_path(folder).unlink(missing_ok=True)
            self._write(folder, self.status(state="running", message=message))
            background.start(self.module, arguments, lock=lock, log_path=self.log_path(folder))

    def stop(self, folder: Path) -> None:
        """Asks it to end; it does within a second or two.

        Raises:
            OSError: The request cannot be written.
        """
        if self.is_alive(folder):
            self.stop_path(folder).touch()

    def read(self, folder: Path) -> S | None:
        """Returns where it stands, or None when there never was one."""
        alive = self.is_alive(folder)  # asked first: one that ends now has written its end
        try:
            status = read_json(self._status_path(folder), self.status)
        except (OSError, ValueError):
            return None
        if status.state != "running" or alive:
            return status
        message, remedy = self.lost
        remedy = f"{remedy} Its log is {self.log_path(folder)}."
        return dataclasses.replace(status, state="interrupted", message=message, remedy=remedy)

    def run(self, folder: Path, work: Callable[[Callable[[S], None]], object]) -> int:
        """Does it and keeps its status up to date; the lock is held already.

        Args:
            folder: Where its files are.
            work: Does it; is given whom to tell how far it is.

        Returns:
            The exit status of the process: 0 when finished, 1 when failed or stopped.
        """
        last = self.status(state="running")
        written_at = -1.0

        def report(status: S) -> None:
            nonlocal last, written_at
            before, last = last, status
            now = time.monotonic()
            if status.message != before.message or now - written_at >= 1 / WRITES_PER_SECOND:
                written_at = now
                self._try_write(folder, status)

        def end(state: State, reason: LabError | None) -> None:
            message, remedy = self.ends[state]
            ended = dataclasses.replace(last, state=state, message=message, remedy=remedy)
            if reason is not None:
                ended = dataclasses.replace(
                    ended, what=reason.what, expected=reason.expected, remedy=reason.remedy
                )
            self._try_write(folder, ended)

        return background.carry_out(lambda: work(report), end, log_path=self.log_path(folder))

    def stop_path(self, folder: Path) -> Path:
        """The file whose appearance asks it to end."""
        return folder / f"{self.name}.stop"

    def log_path(self, folder: Path) -> Path:
        """What its process printed."""
        return folder / f"{self.name}.log"

    def _status_path(self, folder: Path) -> Path:
        return folder / f"{self.name}.json"

    def _write(self, folder: Path, status: S) -> None:
        write_json(self._status_path(folder), dataclasses.asdict(status), durable=False)

    def _try_write(self, folder: Path, status: S) -> None:
        """Writes the status; a full disk must not stop work that has room elsewhere.

        When no second file fits beside the old one, the old one is written over.
        """
        try:
            self._write(folder, status)
        except OSError:
            try:
                text = json.dumps(dataclasses.asdict(status))
                self._status_path(folder).write_text(text, encoding="utf-8")
            except OSError:
                traceback.print_exc()
