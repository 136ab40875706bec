"""Probabilities in a run's folder, read and checked: the files may be anybody's, and may change.

They are read, never mapped: the worker of a resumed run shortens its file, and a mapped page that
is gone ends the process that looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.evaluation.predictions import checked_probabilities
from cifar_core.files import open_regular

BYTES = 2
"""Of a stored probability: float16."""


def count_epochs(path: Path, pictures: int, classes: int) -> int:
    """Returns how many whole epochs a file of predictions (epochs, pictures, classes) holds.

    Raises:
        OSError: It cannot be read, or is no file.
    """
    with open_regular(path) as file:
        return file.seek(0, 2) // (pictures * classes * BYTES)


def read_epochs(
    path: Path,
    pictures: int,
    epochs: Iterable[int],
    places: NDArray[np.int64],
    *,
    classes: int,
) -> NDArray[np.float32]:
    """Returns what a network answered at some places after some epochs, (epochs, places, classes).

    Args:
        path: Predictions (epochs, pictures, classes) float16, without a header.
        pictures: How many there are of each epoch.
        epochs: Counted from 0.
        places: (k,) positions of the pictures.
        classes: How many there are.

    Raises:
        OSError: The file cannot be read, or is no file.
        ValueError: It has become shorter, or what it holds are no probabilities.
    """
    size = pictures * classes * BYTES
    found = []
    with open_regular(path) as file:
        for epoch in epochs:
            file.seek(epoch * size)
            data = file.read(size)
            if len(data) < size:
                raise ValueError("the file has just become shorter")
            chosen = np.frombuffer(data, np.float16).reshape(pictures, classes)[places]
            found.append(checked_probabilities(chosen).astype(np.float32))
    return np.stack(found) if found else np.zeros((0, len(places), classes), np.float32)


def read_table(path: Path, pictures: int, classes: int) -> NDArray[np.float32]:
    """Returns the probabilities (pictures, classes) in a ``.npy`` file of float16.

    Raises:
        OSError: The file cannot be read, or is no file.
        ValueError: It is no such file, or what it holds are no probabilities.
    """
    size = pictures * classes * BYTES
    with open_regular(path) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"its format is {version}")
        shape, in_columns, dtype = np.lib.format.read_array_header_1_0(file)
        if shape != (pictures, classes) or in_columns or dtype != np.float16:
            raise ValueError(f"it holds {str(dtype)[:80]} {str(shape)[:80]}")
        data = file.read(size + 1)
    if len(data) != size:
        raise ValueError(f"it has {len(data):,} bytes of numbers where {size:,} belong")
    values = np.frombuffer(data, np.float16).reshape(pictures, classes)
    return checked_probabilities(values).astype(np.float32)
