"""Looking at runs again and again: only what is new is read.

A page that is left open asks every few seconds. What a run has written once stays as it is, so
a row of metrics is parsed once, and the folder of a run that has ended is read again only when
something in it was written. What is kept here can be thrown away at any time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cifar_core import files
from cifar_core.runs import digests, index
from cifar_core.runs.contents import is_run
from cifar_core.runs.folder import MetricRow, RunFolder, parse_rows
from cifar_core.runs.reading import (
    IDENTITY,
    Run,
    Unlisted,
    find_unlisted,
    newest_first,
    observe,
)
from cifar_core.runs.rows import Rows, whole_lines

COMPARED_BYTES = 512
"""Of what was read before, so many last bytes must still be there: two rows, times included."""

MANY_RUNS = 200
"""So many runs are read again at each start; more are worth an index."""

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
        keeps_index: Whether what was read of many ended runs is kept on disk for the next start,
            see :mod:`cifar_core.runs.index`.
    """

    def __init__(self, runs_dir: Path, *, keeps_index: bool = False) -> None:
        self._runs_dir = runs_dir
        self._keeps_index = keeps_index
        self._lock = threading.Lock()
        self._ended: index.Ended | None = None
        self._unwritten = 0

    def look(self) -> list[Run]:
        """Returns every run, as :func:`cifar_core.runs.reading.list_runs` does.

        A run that has ended is read again when its stamp is another one: it comes to life, is
        renamed or gets its evaluation by a file that takes its place in the folder.
        """
        with self._lock:
            known = index.read(self._runs_dir) if self._ended is None else self._ended
            ended: dict[str, tuple[int, Run]] = {}
            found = []
            settled = time.time_ns() - int(SETTLED_SECONDS * 1e9)
            for name, stamp, changed in self._folders(known):
                before = known.get(name)
                is_known = before is not None and before[0] == stamp
                run = (
                    before[1] if before and is_known else observe(RunFolder(self._runs_dir / name))
                )
                if is_known or (not run.state.is_alive and changed < settled and _is_sure(run)):
                    ended[name] = (stamp, run)
                found.append(run)
            self._keep(known, ended)
        return newest_first(found)

    def find_unlisted(self) -> Unlisted:
        """Returns what the last look left out, as :func:`reading.find_unlisted` does."""
        return find_unlisted(self._runs_dir, known=self._ended or {})

    def _keep(self, known: index.Ended, ended: index.Ended) -> None:
        new = sum(1 for name, entry in ended.items() if known.get(name) is not entry)
        self._unwritten += new + len(known) - (len(ended) - new)
        self._ended = ended
        if self._keeps_index and self._unwritten >= MANY_RUNS:
            index.write(self._runs_dir, ended)
            self._unwritten = 0

    def _folders(self, known: index.Ended) -> Iterator[tuple[str, int, int]]:
        """Yields name, stamp and time of each run's folder."""
        try:
            names = os.listdir(self._runs_dir)  # noqa: PTH208 - a path for each takes its time
        except OSError:
            return
        for name in filter(IDENTITY.fullmatch, names):
            path = f"{self._runs_dir}/{name}"
            with suppress(OSError):  # deleted a moment ago
                stamp, changed = index.stamp_of(path)
                if (name in known and known[name][0] == stamp) or is_run(Path(path)):
                    yield name, stamp, changed


def _is_sure(run: Run) -> bool:
    """Says whether what could not be read of a run will be no better another time."""
    if run.recipe is not None:
        return True
    try:
        files.read_bytes(run.folder.recipe_path, most=files.MOST_JSON_BYTES)
    except (FileNotFoundError, files.NoFileError):
        return True
    except OSError:
        return False
    return True
