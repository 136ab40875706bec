"""The dataset as the arrays of a Keras program: shapes, types, ranges, and one-hot labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cifar_core.dataset.arrays import Dataset


@dataclass(frozen=True)
class ArrayFacts:
    """What a program prints of an array.

    Attributes:
        name: As the tutorial calls it, such as ``x_train``.
        shape: Its sizes.
        dtype: The type of its numbers.
        minimum: Its smallest number.
        maximum: Its largest.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float


PART_ROWS = 5000


def one_hot(labels: ArrayLike, classes: int) -> NDArray[np.float32]:
    """Returns labels (n,) as vectors (n, classes) float32: 1 at the place of the class, else 0."""
    vectors: NDArray[np.float32] = np.eye(classes, dtype=np.float32)[np.asarray(labels)]
    return vectors


def scaled(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns pixels 0 to 255 as float32 from 0 to 1, any shape."""
    return pixels.astype(np.float32) / np.float32(255)


def as_loaded(dataset: Dataset) -> tuple[ArrayFacts, ...]:
    """Returns the facts of the four arrays as they are loaded; reads every pixel once."""
    arrays = {
        "x_train": dataset.train.images,
        "y_train": dataset.train.labels,
        "x_test": dataset.test.images,
        "y_test": dataset.test.labels,
    }
    return tuple(_facts(name, array) for name, array in arrays.items())


def as_prepared(loaded: tuple[ArrayFacts, ...], classes: int) -> tuple[ArrayFacts, ...]:
    """Returns the facts of the same arrays as the tutorial prepares them for the network."""
    prepared = []
    for facts in loaded:
        is_images = facts.name.startswith("x")
        shape = facts.shape if is_images else (*facts.shape, classes)
        low, high = (facts.minimum / 255, facts.maximum / 255) if is_images else (0.0, 1.0)
        prepared.append(ArrayFacts(facts.name, shape, "float32", low, high))
    return tuple(prepared)


def _facts(name: str, array: NDArray[np.uint8]) -> ArrayFacts:
    starts = range(0, len(array), PART_ROWS)  # the whole would fill the memory
    ends = [(part.min(), part.max()) for part in (array[i : i + PART_ROWS] for i in starts)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return ArrayFacts(name, tuple(array.shape), str(array.dtype), float(low), float(high))
