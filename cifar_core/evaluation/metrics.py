"""How good predictions are: matrix, accuracy with its interval, confusions.

Rows of a matrix are true classes, columns predicted ones, both in the dataset's order. The
predicted class is the one of the largest probability, the first of them when several are equal.
scikit-learn is not imported, it takes seconds and 150 MB; the tests hold every figure against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.evaluation.predictions import (
    Floats,
    Integers,
    checked_labels,
    checked_matrix,
    checked_pair,
    checked_probabilities,
    refuse_nothing,
)
from cifar_core.evaluation.words import taken_for
from cifar_core.formats import percent

Normalisation = Literal["none", "row", "column"]

Z_95: Final = 1.959963984540054
"""The 97.5% quantile of the normal distribution: two-sided 95%."""


@dataclass(frozen=True)
class Interval:
    """A 95% interval and the name of the method that gave it."""

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Share:
    """How many pictures of how many, with what that says about all such pictures.

    Attributes:
        right: Pictures counted.
        total: Pictures looked at, at least 1.
        value: ``right / total``.
        interval: 95% interval of the share.
    """

    right: int
    total: int
    value: float
    interval: Interval

    def words(self) -> str:
        """Returns the share for a person: ``83.2% ± 0.7``, or its range when lopsided."""
        below, above = self.value - self.interval.low, self.interval.high - self.value
        if abs(above - below) < 0.001:  # a tenth of a point: the last digit shown
            return f"{percent(self.value)} ± {50 * (above + below):.1f}"
        return (
            f"{percent(self.value)} ({_points(self.interval.low)} to {percent(self.interval.high)})"
        )


@dataclass(frozen=True)
class ConfusedPair:
    """A true class and the class some of its pictures were taken for.

    Attributes:
        true: Class the pictures show.
        predicted: Class they were taken for.
        count: Pictures confused.
        total: Pictures of the true class.
        share_of_true: ``count / total``.
    """

    true: int
    predicted: int
    count: int
    total: int
    share_of_true: float

    def sentence(self, dataset: DatasetSpec = CIFAR10) -> str:
        """Returns the pair in words: 175 of 1,000 cats were taken for dogs (17.5%)."""
        words = taken_for(
            true=self.true,
            predicted=self.predicted,
            count=self.count,
            total=self.total,
            dataset=dataset,
        )
        return f"{words}."


@dataclass(frozen=True)
class KeptCurve:
    """What happens when only answers above a threshold are kept.

    Attributes:
        thresholds: Smallest probability (m,) an answer needs to be kept, from 0 to 1.
        share_kept: Share (m,) of the answers kept.
        accuracy: Share (m,) of right answers among the kept; not a number where none is.
    """

    thresholds: Floats
    share_kept: Floats
    accuracy: Floats


def predicted_classes(probabilities: ArrayLike) -> Integers:
    """Returns the class (n,) of the largest probability of each image (n, classes)."""
    classes: Integers = checked_probabilities(probabilities).argmax(axis=1).astype(np.int64)
    return classes


def confusion(labels: ArrayLike, predicted: ArrayLike, classes: int) -> Integers:
    """Returns how often each true class (row) was taken for each class (column).

    Args:
        labels: True classes (n,), whole numbers from 0.
        predicted: Predicted classes (n,).
        classes: How many classes there are.

    Returns:
        Counts (classes, classes) int64; all zero when there are no pictures.

    Raises:
        PredictionsError: Labels and predictions do not fit together.
    """
    guessed = checked_labels(predicted, classes=classes)
    true = checked_labels(labels, pictures=len(guessed), classes=classes)
    # What sklearn.metrics.confusion_matrix gives (tested), without loading it: the slider
    # over the epochs asks for this on every step, in the web process.
    counts = np.bincount(true * classes + guessed, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def normalise(matrix: ArrayLike, by: Normalisation = "none") -> Floats:
    """Returns a matrix as shares of its rows or columns.

    Args:
        matrix: Counts (classes, classes).
        by: ``row``: share of the true class (recall on the diagonal); ``column``: share of
            the predicted class (precision on the diagonal); ``none``: the counts.

    Returns:
        Shares (classes, classes) float64; a row or column without pictures gives 0.
    """
    counts: Floats = checked_matrix(matrix).astype(np.float64)
    if by == "none":
        return counts
    totals = counts.sum(axis=1 if by == "row" else 0, keepdims=True)
    shares: Floats = counts / np.maximum(totals, np.finfo(np.float64).tiny)
    return shares


def wilson(right: int, total: int) -> Interval:
    """Returns the 95% Wilson score interval of a share.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22, 1927. It stays within 0
    and 1 and holds for shares near either end, where the usual ± formula does not.

    Raises:
        PredictionsError: There are no pictures.
    """
    refuse_nothing(total)
    share, z2 = right / total, Z_95 * Z_95
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = (
        Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    )
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == total else min(1.0, centre + half)
    return Interval(low, high, "Wilson score, 95%")


def share(right: int, total: int) -> Share:
    """Returns a count of pictures as a share with its interval.

    Raises:
        PredictionsError: There are no pictures.
    """
    return Share(int(right), int(total), float(right / max(total, 1)), wilson(right, total))


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> Share:
    """Returns the share of pictures whose class was predicted (top-1).

    Raises:
        PredictionsError: There are no pictures, or labels and predictions do not fit.
    """
    guessed = checked_labels(predicted)
    true = checked_labels(labels, pictures=len(guessed))
    return share(int(np.count_nonzero(true == guessed)), len(true))


def top_k(probabilities: ArrayLike, labels: ArrayLike, k: int = 5) -> Share:
    """Returns the share of pictures whose class is among the k most probable.

    Among equal probabilities the first class counts as the more probable one, as in
    :func:`predicted_classes`, so ``top_k(…, 1)`` is the accuracy.

    Raises:
        PredictionsError: There are no pictures, or probabilities and labels do not fit.
    """
    values, true = checked_pair(probabilities, labels)
    own = np.take_along_axis(values, true[:, None], axis=1)
    before = np.arange(values.shape[1])[None, :] < true[:, None]
    rank = ((values > own) | ((values == own) & before)).sum(axis=1)
    return share(int((rank < k).sum()), len(true))


def most_confused(matrix: ArrayLike, count: int = 5) -> list[ConfusedPair]:
    """Returns the pairs of classes confused most often, most frequent first.

    Args:
        matrix: Counts (classes, classes).
        count: How many pairs at most; pairs never confused are left out.
    """
    counts = checked_matrix(matrix)
    totals = counts.sum(axis=1)
    pairs = [
        ConfusedPair(true, predicted, n, int(totals[true]), n / int(totals[true]))
        for true in range(len(counts))
        for predicted in range(len(counts))
        if true != predicted and (n := int(counts[true, predicted])) > 0
    ]
    pairs.sort(key=lambda pair: (-pair.count, -pair.share_of_true))
    return pairs[: max(count, 0)]


def kept_against_accuracy(probabilities: ArrayLike, labels: ArrayLike) -> KeptCurve:
    """Returns how many answers are kept, and how good they are, at 101 thresholds.

    An answer is kept when its probability is at least the threshold.

    Raises:
        PredictionsError: There are no pictures, or probabilities and labels do not fit.
    """
    values, true = checked_pair(probabilities, labels)
    refuse_nothing(len(true))
    confidence = values.max(axis=1)
    right = values.argmax(axis=1) == true
    thresholds = np.arange(101) / 100
    order = np.argsort(confidence)
    first_kept = np.searchsorted(confidence[order], thresholds, side="left")
    right_from = np.append(np.cumsum(right[order][::-1])[::-1], 0)  # right ones from a place on
    kept = len(true) - first_kept
    accuracies = np.divide(
        right_from[first_kept], kept, out=np.full(len(thresholds), np.nan), where=kept > 0
    )
    return KeptCurve(thresholds, kept / len(true), accuracies)


def _points(value: float) -> str:
    return percent(value).removesuffix("%")
