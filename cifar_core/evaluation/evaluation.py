"""The final figures of a trained network on the test split, as evaluation.json keeps them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar_core.evaluation import calibration, metrics
from cifar_core.evaluation.loss import cross_entropy


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of one trained network on one split.

    Attributes:
        split: Name of the split.
        pictures: How many pictures it has.
        right: How many the network names rightly.
        accuracy: Their share, from 0 to 1.
        interval: 95% interval of the accuracy, low and high.
        interval_method: How the interval was computed.
        top5: Share of pictures whose class is among the five likeliest.
        loss: Mean cross-entropy in nats, at temperature 1.
        accuracy_mirrored: Accuracy when the probabilities for a picture and its mirror image
            are averaged; never mixed into ``accuracy``.
        temperature: Fitted on the validation split; None where there was none.
        ece: Expected calibration error (15 bins) as trained.
        ece_calibrated: The same with the temperature applied.
        confusion_matrix: Counts, rows true, columns predicted, 10 × 10.
        training: Correct predictions and images of a sample of the training images, by the
            finished network and without augmentation or dropout: what may be compared with
            ``held_out``. None where it was not measured.
        held_out: The same of the validation images; None without a validation split.
    """

    split: str
    pictures: int
    right: int
    accuracy: float
    interval: tuple[float, float]
    interval_method: str
    top5: float
    loss: float
    accuracy_mirrored: float
    temperature: float | None
    ece: float
    ece_calibrated: float | None
    confusion_matrix: tuple[tuple[int, ...], ...]
    training: tuple[int, int] | None = None
    held_out: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as plain values, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Evaluation:
        """Builds the figures from plain values; keys it does not know are left out.

        Raises:
            TypeError: A figure is missing or of another kind.
            KeyError: The interval or the matrix is missing.
            ValueError: A figure is none: a share above 1, a temperature that is not positive.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        given = {key: value for key, value in values.items() if key in known}
        given["interval"] = tuple(given["interval"])
        given["confusion_matrix"] = tuple(tuple(row) for row in given["confusion_matrix"])
        for name in ("training", "held_out"):
            if given.get(name) is not None:
                correct, images = given[name]
                given[name] = (correct, images)
        figures = cls(**given)
        _check(figures)
        return figures


def _check(figures: Evaluation) -> None:
    """Refuses figures that nobody can have measured; the file may be anybody's."""
    pair = (0, 1)
    shares = {"accuracy", "top5", "accuracy_mirrored", "ece", "ece_calibrated"}
    limits = {**dict.fromkeys(shares, pair), "loss": (0, 1e6), "temperature": (1e-6, 1e6)}
    for name, (low, high) in limits.items():
        value = getattr(figures, name)
        may_be_none = name in ("temperature", "ece_calibrated")
        if not (value is None and may_be_none):
            _check_number(name, value, low, high)
    for name in ("training", "held_out"):
        for value in getattr(figures, name) or ():
            _check_number(name, value, 0, 1e9)
    for low_or_high in figures.interval:
        _check_number("interval", low_or_high, 0, 1)
    given: tuple[object, ...] = (len(list(figures.interval)), type(figures.split))
    if given != (2, str):
        raise ValueError("its interval or its split is none")
    cells = [cell for row in figures.confusion_matrix for cell in row]
    if [len(row) for row in figures.confusion_matrix] != [10] * 10:
        raise ValueError("its confusion matrix is not 10 × 10")
    for count in (figures.pictures, figures.right, *cells):
        if type(count) is not int:
            raise TypeError(f"{count!r} is no count")
        _check_number("a count", count, 0, 1e9)


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if type(value) not in (int, float):
        raise TypeError(f"{name} is {str(value)[:80]!r}")
    if not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name} is {value!r}")


def evaluate(
    probabilities: np.ndarray,
    mirrored: np.ndarray,
    labels: np.ndarray,
    *,
    split: str,
    temperature: float | None,
    training: tuple[int, int] | None = None,
    held_out: tuple[int, int] | None = None,
) -> Evaluation:
    """Computes every final figure from predictions.

    Args:
        probabilities: (n, 10) as the network answers.
        mirrored: (n, 10), averaged with the answers for the mirrored pictures.
        labels: (n,) true classes.
        split: Name of the split.
        temperature: Fitted elsewhere, or None.
        training: See :class:`Evaluation`.
        held_out: See :class:`Evaluation`.
    """
    predicted = metrics.predicted_classes(probabilities)
    accuracy = metrics.accuracy(labels, predicted)
    calibrated = None
    if temperature is not None:
        scaled = calibration.apply_temperature(probabilities, temperature)
        calibrated = calibration.expected_calibration_error(scaled, labels)
    return Evaluation(
        split=split,
        pictures=accuracy.total,
        right=accuracy.right,
        accuracy=accuracy.value,
        interval=(accuracy.interval.low, accuracy.interval.high),
        interval_method=accuracy.interval.method,
        top5=metrics.top_k(probabilities, labels, 5).value,
        loss=cross_entropy(probabilities, labels),
        accuracy_mirrored=metrics.accuracy(labels, metrics.predicted_classes(mirrored)).value,
        temperature=temperature,
        ece=calibration.expected_calibration_error(probabilities, labels),
        ece_calibrated=calibrated,
        confusion_matrix=tuple(
            tuple(int(cell) for cell in row) for row in metrics.confusion(labels, predicted)
        ),
        training=training,
        held_out=held_out,
    )


def count_correct(probabilities: np.ndarray, labels: np.ndarray) -> tuple[int, int]:
    """Returns how many predictions are correct, and of how many.

    Args:
        probabilities: (n, 10).
        labels: (n,) true classes.
    """
    counted = metrics.accuracy(labels, metrics.predicted_classes(probabilities))
    return counted.right, counted.total
