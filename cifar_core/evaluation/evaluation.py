"""The final figures of a trained network on the test split, as evaluation.json keeps them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from cifar_core.decoding import Count, Share
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
        confusion_matrix: Counts, rows true, columns predicted.
        training: Correct predictions and images of a sample of the training images, by the
            finished network and without augmentation or dropout: what may be compared with
            ``held_out``. None where it was not measured.
        held_out: The same of the validation images; None without a validation split.
    """

    split: str
    pictures: Count
    right: Count
    accuracy: Share
    interval: tuple[Share, Share]
    interval_method: str
    top5: Share
    loss: Annotated[float, Meta(ge=0, le=1e6)]
    accuracy_mirrored: Share
    temperature: Annotated[float, Meta(ge=1e-6, le=1e6)] | None
    ece: Share
    ece_calibrated: Share | None
    confusion_matrix: tuple[tuple[Count, ...], ...]
    training: tuple[Count, Count] | None = None
    held_out: tuple[Count, Count] | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as plain values, ready for JSON."""
        return dataclasses.asdict(self)


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
        probabilities: (n, classes) as the network answers.
        mirrored: (n, classes), averaged with the answers for the mirrored pictures.
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
            tuple(int(cell) for cell in row)
            for row in metrics.confusion(labels, predicted, np.shape(probabilities)[1])
        ),
        training=training,
        held_out=held_out,
    )


def count_correct(probabilities: np.ndarray, labels: np.ndarray) -> tuple[int, int]:
    """Returns how many predictions are correct, and of how many.

    Args:
        probabilities: (n, classes).
        labels: (n,) true classes.
    """
    counted = metrics.accuracy(labels, metrics.predicted_classes(probabilities))
    return counted.right, counted.total
