"""Rows of an array in a file, read when they are asked for and never mapped into memory.

A mapped file that another process shortens ends this process (SIGBUS); a read that comes out
short is a sentence. The pages of the lab look at the full dataset this way.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import DataError
from cifar_core.files import open_regular


class StoredRows:
    """The rows of a ``.npy`` file of uint8 in C order; indexed as a NumPy array is.

    What is asked for is read into an array of its own. The file stays open, so one that takes
    its name later is not mixed in.

    Args:
        path: The file.
        shape: The shape its header must give.

    Attributes:
        filename: The file.
        offset: Where its rows begin, in bytes.
        shape: Of the whole array.
        dtype: uint8.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such array.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.filename = path
        self.shape = shape
        with open_regular(path) as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"its format is {version}")
            found, in_columns, dtype = np.lib.format.read_array_header_1_0(file)
            if found != shape or in_columns or dtype != self.dtype:
                raise ValueError(f"it holds {dtype} {found} instead of {self.dtype} {shape}")
            self.offset = file.tell()
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Returns the rows that a NumPy index means.

        Raises:
            DataError: The file has become shorter or cannot be read any more.
        """
        first, *rest = key if isinstance(key, tuple) else (key,)
        rows = np.arange(len(self))[first]
        found = self._read(rows.reshape(-1)).reshape(*rows.shape, *self.shape[1:])
        return found[(slice(None),) * rows.ndim + tuple(rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Returns the whole array; NumPy's functions ask for it."""
        if copy is False:
            raise ValueError("rows of a file are always copied")
        return np.asarray(self[:], dtype)

    def _read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Reads rows (n,), neighbours in one go, as (n, …)."""
        found = np.empty((len(rows), *self.shape[1:]), np.uint8)
        size = int(np.prod(self.shape[1:], dtype=np.int64))
        room = found.reshape(-1).data if found.size else memoryview(b"")
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for start, end in zip([0, *breaks], [*breaks, len(rows)], strict=True):
            if start < end:
                offset = self.offset + int(rows[start]) * size
                self._fill(room[int(start) * size : int(end) * size], offset)
        return found

    def _fill(self, room: memoryview, offset: int) -> None:
        while room:
            try:
                count = os.preadv(self._descriptor, [room], offset)
            except OSError as error:
                raise self._gone(error.strerror or str(error)) from error
            if not count:
                raise self._gone("it has become shorter")
            room, offset = room[count:], offset + count

    def _gone(self, reason: str) -> DataError:
        return DataError(
            f"The stored dataset cannot be read any more: {self.filename.name}, {reason}.",
            expected="Files that stay as they are while the lab reads them.",
            remedy="Run `python -m cifar_core data`, or press Download on the Dataset page.",
        )
