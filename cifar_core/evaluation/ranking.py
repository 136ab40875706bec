"""Precision and recall of each class as its threshold falls, and their area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.evaluation.predictions import Floats, checked_pair, refuse_nothing


@dataclass(frozen=True)
class PrecisionRecall:
    """One class against the nine others, from the highest threshold to the lowest.

    Attributes:
        label: The class.
        thresholds: Smallest probabilities (m,) of the class at which a picture is named so,
            falling.
        precision: Share (m,) of the pictures so named that show the class.
        recall: Share (m,) of the class's pictures that are so named, rising.
        average_precision: Mean of the precisions, weighted by what each threshold adds to the
            recall; not a number without pictures of the class.
    """

    label: int
    thresholds: Floats
    precision: Floats
    recall: Floats
    average_precision: float


def precision_recall(probabilities: ArrayLike, labels: ArrayLike) -> tuple[PrecisionRecall, ...]:
    """Returns how precision falls as recall rises, for each class.

    What ``sklearn.metrics.precision_recall_curve`` and ``average_precision_score`` give (tested),
    without loading scikit-learn into the web process: pictures of equal probability share one
    threshold, nothing is interpolated.

    Args:
        probabilities: (n, classes) of any float type.
        labels: True classes (n,).

    Raises:
        PredictionsError: There are no pictures, or probabilities and labels do not fit.
    """
    values, true = checked_pair(probabilities, labels)
    refuse_nothing(len(true))
    return tuple(_one(values[:, label], true == label, label) for label in range(values.shape[1]))


def _one(
    scores: Floats, shows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], label: int
) -> PrecisionRecall:
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    hits = np.cumsum(shows[order])
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # of equal scores
    named, found = last + 1.0, hits[last].astype(np.float64)
    pictures = int(shows.sum())
    precision = found / named
    recall = found / pictures if pictures else np.full(len(last), np.nan)
    steps = np.diff(recall, prepend=0.0)
    return PrecisionRecall(
        label, falling[last], precision, recall, float(np.sum(steps * precision))
    )
