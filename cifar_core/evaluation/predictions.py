"""Predictions as they come in: checked once, so that every figure can trust them.

Probabilities are an array (n, classes) of any float type, one row per image; labels and predicted
classes are arrays (n,) of whole numbers from 0. How many classes there are, the array itself says;
what is read from a file is held against its dataset before.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cifar_core.errors import LabError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SUM_TOLERANCE: Final = 0.05
"""Probabilities may come from elsewhere with few digits: ten roundings add up."""


class PredictionsError(LabError, ValueError):
    """Predictions or labels from which no honest figure can be drawn."""


def checked_probabilities(probabilities: ArrayLike, classes: int | None = None) -> Floats:
    """Returns probabilities (n, classes) as float64, or says what is wrong with them.

    Args:
        probabilities: Of any float type, one row per image.
        classes: How many there must be; two or more when left out.

    Raises:
        PredictionsError: Another shape or number, a value that is not a number or negative, or a
            row that does not sum to 1.
    """
    given = np.asarray(probabilities)
    if given.ndim != 2 or given.shape[1] < 2 or given.shape[1] != (classes or given.shape[1]):
        raise _refusal(f"The probabilities have the shape {given.shape}.", "(images, classes)")
    values = given.astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise _refusal(f"A probability of picture {row} is not a number.", "values from 0 to 1")
    sums = values.sum(axis=1)
    wrong = (values < 0).any(axis=1) | (np.abs(sums - 1.0) > _SUM_TOLERANCE)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise _refusal(
            f"The values of picture {row} are no probabilities: they sum to {sums[row]:.3g}.",
            "values from 0 to 1 that sum to 1",
        )
    return values


def checked_labels(
    labels: ArrayLike, *, pictures: int | None = None, classes: int | None = None
) -> Integers:
    """Returns labels (n,) as int64, or says what is wrong with them.

    Args:
        labels: Classes, counted from 0, one per picture.
        pictures: How many there must be; any number when left out.
        classes: How many classes there are; any number when left out.

    Raises:
        PredictionsError: Another shape or number, or a value that is no class.
    """
    given = np.asarray(labels)
    if given.ndim != 1:
        raise _refusal(f"The labels have the shape {given.shape}.", "one class per picture")
    if pictures is not None and len(given) != pictures:
        raise _refusal(
            f"There are {len(given):,} labels for {pictures:,} predictions.",
            "exactly one label per prediction",
        )
    if given.size == 0:
        return np.zeros(0, np.int64)
    whole = "whole numbers from 0" + (f" to {classes - 1}" if classes else "")
    if given.dtype.kind not in "iu":
        raise _refusal(f"The labels are of the type {given.dtype}.", whole)
    if given.min() < 0 or (classes is not None and given.max() >= classes):
        odd = given.min() if given.min() < 0 else given.max()
        raise _refusal(f"The label {odd} is no class.", whole)
    return given.astype(np.int64)


def checked_pair(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, Integers]:
    """Returns probabilities (n, classes) and their labels (n,), both checked."""
    values = checked_probabilities(probabilities)
    return values, checked_labels(labels, pictures=len(values), classes=values.shape[1])


def checked_matrix(matrix: ArrayLike, classes: int | None = None) -> NDArray[Any]:
    """Returns a matrix (classes, classes) of counts or shares, or says what is wrong with it.

    Args:
        matrix: Rows true classes, columns predicted ones.
        classes: How many there must be; any number when left out.

    Raises:
        PredictionsError: Another shape, or an entry that is not a number.
    """
    given = np.asarray(matrix)
    size = classes or (len(given) if given.ndim else 0)
    if given.shape != (size, size) or size < 2:
        raise _refusal(f"The matrix has the shape {given.shape}.", "(classes, classes)")
    if given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        raise _refusal("An entry of the matrix is not a number.", "numbers alone")
    return given


def refuse_nothing(pictures: int) -> None:
    """Refuses to draw a share from no picture at all.

    Raises:
        PredictionsError: There are no pictures.
    """
    if pictures < 1:
        raise _refusal("There are no pictures to count.", "at least one picture")


def _refusal(what: str, expected: str) -> PredictionsError:
    return PredictionsError(
        what,
        expected=f"Expected: {expected}.",
        remedy="Evaluate the model again, or choose another run.",
    )
