"""Between cifar_core.files and the system: fails, records or counts every operation."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from cifar_core import files


class Tap:
    """Stands in for the ``os`` module inside cifar_core.files.

    Args:
        fail_at: Which operation fails, counted from 0; None lets all pass.
        number: The error it fails with.
        for_good: Whether every later operation that needs the disk fails too.
    """

    def __init__(
        self, fail_at: int | None = None, number: int = errno.ENOSPC, *, for_good: bool = False
    ) -> None:
        self.count = 0
        self._fail_at = fail_at
        self._number = number
        self._for_good = for_good

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _meet(self) -> bool:
        """Counts an operation and says whether it is to fail."""
        here, self.count = self.count, self.count + 1
        if self._fail_at is None:
            return False
        return here == self._fail_at or (self._for_good and here > self._fail_at)

    def _error(self) -> OSError:
        return OSError(self._number, os.strerror(self._number))

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        # What is opened without waiting is read (files.open_regular): here the disk fails to keep.
        if not flags & os.O_NONBLOCK and self._meet():
            raise self._error()
        return os.open(path, flags, mode)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self._meet():
            os.write(descriptor, data[: len(data) // 2])  # what fits is written before it fails
            raise self._error()
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        if self._meet():
            raise self._error()
        os.fsync(descriptor)

    def ftruncate(self, descriptor: int, size: int) -> None:
        if self._meet():
            raise self._error()
        os.ftruncate(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        if self._meet():
            raise self._error()
        source.replace(target)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)
        if self._meet():
            raise self._error()


@dataclass(frozen=True)
class Operation:
    """One operation on the disk.

    Attributes:
        kind: ``write``, ``size``, ``sync`` (of a file); ``name`` (a file appears under a
            name), ``move`` and ``names`` (the folder is synced).
        node: Which file, whatever it is called.
        name: The name it has got.
        source: For ``move``: the name it had.
        offset: For ``write``: where; for ``size``: the new length.
        data: For ``write``: what.
    """

    kind: str
    node: int = 0
    name: str = ""
    source: str = ""
    offset: int = 0
    data: bytes = b""


class Recorder(Tap):
    """Writes down what happens to the files of one folder, for :mod:`tests.torture.power`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.log: list[Operation] = []
        self.begin = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.names = {name: node for node, name in enumerate(self.begin)}
        self._next = len(self.names)
        self._open: dict[int, int | None] = {}
        self._at: dict[int, int] = {}
        self._sizes = {self.names[name]: len(data) for name, data in self.begin.items()}

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = os.open(path, flags, mode)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self._open[descriptor] = None
            return descriptor
        name = Path(path).name
        if name not in self.names:
            self.names[name], self._next = self._next, self._next + 1
            self._sizes[self.names[name]] = 0
            self.log.append(Operation("name", self.names[name], name))
        node = self.names[name]
        assert not (flags & os.O_TRUNC and self._sizes[node]), "no file is emptied in place"
        self._open[descriptor] = node
        self._at[descriptor] = self._sizes[node] if flags & os.O_APPEND else 0
        return descriptor

    def write(self, descriptor: int, data: memoryview) -> int:
        node = self._open[descriptor]
        assert node is not None
        done = os.write(descriptor, data)
        at = self._at[descriptor]
        self.log.append(Operation("write", node, offset=at, data=bytes(data[:done])))
        self._at[descriptor] = at + done
        self._sizes[node] = max(self._sizes[node], at + done)
        return done

    def ftruncate(self, descriptor: int, size: int) -> None:
        node = self._open[descriptor]
        assert node is not None
        os.ftruncate(descriptor, size)
        self._sizes[node] = size
        self.log.append(Operation("size", node, offset=size))

    def fsync(self, descriptor: int) -> None:
        node = self._open[descriptor]
        self.log.append(Operation("names") if node is None else Operation("sync", node))

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)
        node = self.names.pop(source.name)
        self.names[target.name] = node
        self.log.append(Operation("move", node, target.name, source.name))

    def close(self, descriptor: int) -> None:
        del self._open[descriptor]
        os.close(descriptor)


@contextmanager
def tapped(tap: Tap) -> Iterator[Tap]:
    """Puts a tap between cifar_core.files and the system."""
    with mock.patch.object(files, "os", tap):
        yield tap
