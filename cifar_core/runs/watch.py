"""Looking at runs again and again: only what is new is read.

A page that is left open asks every few seconds. What a run has written once stays as it is, so
a row of metrics is parsed once, and the folder of a run that has ended is read again only when
something in it was written. What is kept here can be thrown away at any time.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cifar_core import files
from cifar_core.runs import digests
from cifar_core.runs.contents import is_run
from cifar_core.runs.folder import MetricRow, RunFolder, parse_rows
from cifar_core.runs.reading import IDENTITY, Run, newest_first, observe
from cifar_core.runs.rows import Rows, whole_lines

COMPARED_BYTES = 512
"""Of what was read before, so many last bytes must still be there: two rows, times included."""

SETTLED_SECONDS = 5.0
"""A folder that was written to so lately may be written to again within one tick of its clock."""


class MetricsWatch:
    """The metrics of a run, for readers in any number of threads.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.metrics_path
        self._lock = threading.Lock()
        self._forget()

    def read(self) -> tuple[MetricRow, ...]:
        """Returns the rows so far, as :meth:`RunFolder.read_metrics` does.

        A file that was cut (its run went on from a checkpoint) or replaced is read anew.

        Raises:
            RunError: The run has finished, and the file is not the one it finished with.
        """
        digests.check(self._path)
        with self._lock:
            try:
                with files.open_regular(self._path) as file:
                    self._read_new(file)
            except OSError:
                self._forget()
            return self._rows

    def _forget(self) -> None:
        self._kept = Rows(parse_rows)
        self._rows: tuple[MetricRow, ...] = ()
        self._offset = 0
        self._last = b""
        self._stamp = (0, 0, 0)

    def _read_new(self, file: BinaryIO) -> None:
        state = os.fstat(file.fileno())
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        if stamp == self._stamp:
            return
        file.seek(self._offset - len(self._last))
        if file.read(len(self._last)) != self._last:
            self._forget()
            file.seek(0)
        before = self._offset
        for whole in whole_lines(file):
            self._kept.add(whole)
            self._offset += len(whole)
            self._last = (self._last + whole[-COMPARED_BYTES:])[-COMPARED_BYTES:]
        if self._offset != before:
            self._rows = tuple(self._kept.read())
        self._stamp = stamp


class RunsWatch:
    """The runs in a folder, for readers in any number of threads.

    Args:
        runs_dir: Folder of all runs.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._ended: dict[str, tuple[int, Run]] = {}

    def look(self) -> list[Run]:
        """Returns every run, as :func:`cifar_core.runs.reading.list_runs` does.

        A run that has ended comes to life, is renamed or gets its evaluation by a file that
        takes its place in the folder, and that changes the folder's time.
        """
        known, ended, found = self._ended, {}, []
        settled = time.time_ns() - int(SETTLED_SECONDS * 1e9)
        for name, changed in self._folders():
            before = known.get(name)
            if before is not None and before[0] == changed:
                run = before[1]
            else:
                run = observe(RunFolder(self._runs_dir / name))
            if not run.state.is_alive and changed < settled:
                ended[name] = changed, run
            found.append(run)
        self._ended = ended
        return newest_first(found)

    def _folders(self) -> list[tuple[str, int]]:
        """Returns name and time of each run's folder."""
        found = []
        try:
            with os.scandir(self._runs_dir) as entries:
                for entry in entries:
                    if IDENTITY.fullmatch(entry.name) and is_run(self._runs_dir / entry.name):
                        with suppress(FileNotFoundError):  # deleted a moment ago
                            found.append((entry.name, entry.stat().st_mtime_ns))
        except OSError:
            return []
        return found
