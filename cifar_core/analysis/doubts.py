"""Labels that are probably wrong, by confident learning.

Source: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", Journal of Artificial Intelligence Research 70, 2021; its form that reads the
doubtful pictures off the confident joint. The predictions must come from networks that never
learned from these pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cifar_core.evaluation.predictions import Floats, Integers, checked_pair


@dataclass(frozen=True, eq=False)
class Doubts:
    """Pictures whose label is doubtful, the most doubtful first.

    Attributes:
        places: (m,) int64, positions among the pictures that were judged.
        suggested: (m,) int64, the class the predictions speak for.
        margins: (m,) float64, the probability of the given label less that of the best other
            class; the closer to -1, the more doubtful.
        pictures: How many pictures were judged.
        thresholds: (classes,) float64, from which probability on a class counts as predicted.
    """

    places: Integers
    suggested: Integers
    margins: Floats
    pictures: int
    thresholds: Floats


def find_doubts(probabilities: ArrayLike, labels: ArrayLike) -> Doubts:
    """Finds the pictures that confidently look like another class than their label says.

    A class counts as predicted where its probability reaches the mean probability that the
    pictures labelled so are given for it. A picture is doubtful when the most probable class
    among those is not its label. (The same list, in the same order, as cleanlab 2.9.0 gives
    for ``filter_by="confident_learning"`` ranked by the normalised margin.)

    Args:
        probabilities: (n, classes), calibrated, out of sample.
        labels: The given classes (n,).

    Raises:
        PredictionsError: Probabilities and labels do not fit together.
    """
    values, given = checked_pair(probabilities, labels)
    rows = np.arange(len(given))
    thresholds = np.array(
        [
            values[given == label, label].mean() if (given == label).any() else np.inf
            for label in range(values.shape[1])
        ]
    )
    reached = np.where(values >= thresholds, values, -1.0)
    suggested = reached.argmax(axis=1)
    is_doubtful: NDArray[np.bool_] = (reached.max(axis=1, initial=-1.0) >= 0) & (suggested != given)
    others = values.copy()
    others[rows, given] = -1.0
    margins = values[rows, given] - others.max(axis=1, initial=-1.0)
    places = np.flatnonzero(is_doubtful)
    places = places[np.argsort(margins[places], kind="stable")].astype(np.int64)
    return Doubts(
        places, suggested[places].astype(np.int64), margins[places], len(given), thresholds
    )
