"""Whether a model's probabilities mean what they say: reliability, ECE and temperature.

Source of all three: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern
Neural Networks", ICML 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.evaluation.predictions import (
    Floats,
    checked_pair,
    checked_probabilities,
    refuse_nothing,
)

BINS: Final = 15

TEMPERATURES: Final = (0.05, 20.0)
"""Between which a temperature is looked for; networks of this kind need 0.5 to 3."""


_SMALLEST_STORED: Final = 2.0**-24
"""The smallest positive float16, the type in which runs keep their probabilities."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers whose top probability lies in (low, high].

    Attributes:
        low: Lower end of the bin, outside it.
        high: Upper end of the bin, inside it.
        count: Answers in the bin.
        confidence: Their mean top probability; ``None`` where there are none.
        accuracy: Share of right ones; ``None`` where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Returns how often answers of each confidence are right, in bins of equal width.

    Args:
        probabilities: (n, classes) of any float type.
        labels: True classes (n,).
        bins: Number of bins between 0 and 1, at least 1.

    Raises:
        PredictionsError: Probabilities and labels do not fit together.
    """
    values, true = checked_pair(probabilities, labels)
    confidence = values.max(axis=1) if len(values) else np.zeros(0)
    right = values.argmax(axis=1) == true
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = []
    for number in range(bins):
        inside = place == number
        count = int(inside.sum())
        rows.append(
            ReliabilityBin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return tuple(rows)


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> float:
    """Returns by how much confidence and accuracy differ on average, from 0 to 1 (ECE).

    The mean over the bins of :func:`reliability`, weighted by their pictures, of
    ``|accuracy - confidence|``.

    Raises:
        PredictionsError: There are no pictures, or probabilities and labels do not fit.
    """
    rows = reliability(probabilities, labels, bins)
    pictures = sum(row.count for row in rows)
    refuse_nothing(pictures)
    return (
        sum(
            row.count * abs(row.accuracy - row.confidence)
            for row in rows
            if row.accuracy is not None and row.confidence is not None
        )
        / pictures
    )


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Returns the temperature at which the probabilities explain the labels best.

    Minimises the mean negative log-likelihood over the logarithm of the temperature. The
    logarithms of probabilities equal the logits up to a constant per picture, which softmax
    does not see. Above 1 the model was too sure of itself, below 1 not sure enough. Fit on a
    validation split, never on the split that is reported.

    Returns:
        The temperature; 1 when no other does better, as for all-equal probabilities.

    Raises:
        PredictionsError: There are no pictures, or probabilities and labels do not fit.
    """
    from scipy.optimize import minimize_scalar

    values, true = checked_pair(probabilities, labels)
    refuse_nothing(len(true))
    logits = _logarithms(values)
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        scaled = logits / math.exp(log_temperature)
        return float(np.mean(_log_sum_exp(scaled) - scaled[rows, true]))

    low, high = TEMPERATURES
    found = minimize_scalar(
        loss, bounds=(math.log(low), math.log(high)), method="bounded", options={"xatol": 1e-9}
    )
    return math.exp(float(found.x)) if found.fun < loss(0.0) - 1e-12 else 1.0


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Floats:
    """Returns probabilities (n, classes) float64 made milder (above 1) or sharper (below 1).

    The order of the classes, and so the accuracy, stays what it was.

    Raises:
        PredictionsError: The probabilities are none.
        ValueError: The temperature is not a positive number.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"A temperature is a positive number, not {temperature!r}.")
    values = checked_probabilities(probabilities)
    scaled = _logarithms(values) / temperature
    softened: Floats = np.exp(scaled - _log_sum_exp(scaled)[:, None])
    return softened


def _logarithms(values: Floats) -> Floats:
    """Returns the logarithms of probabilities (n, classes); only zeros are touched.

    A probability stored as 0 was smaller than what its type or its rounding can hold. It
    counts as the smallest float16, or the smallest other value if that is smaller still, so
    that one rounded picture neither breaks nor rules a fit and the order stays.
    """
    positive = values[values > 0]
    smallest = min(_SMALLEST_STORED, float(positive.min(initial=1.0)))
    logarithms: Floats = np.log(np.where(values > 0, values, smallest))
    return logarithms


def _log_sum_exp(values: Floats) -> Floats:
    """Returns the logarithm of each row's sum of exponentials, without overflow."""
    top = values.max(axis=1)
    total: Floats = top + np.log(np.exp(values - top[:, None]).sum(axis=1))
    return total
