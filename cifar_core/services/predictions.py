"""Predictions of trained networks for images, each with what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import DataError, PictureError
from cifar_core.inference.novelty import NoneOfThese
from cifar_core.inference.upload import Picture, to_network_input
from cifar_core.runs.reading import Run
from cifar_core.services.models import Model

Fit = Literal["squash", "crop"]
"""How an image becomes 32 × 32: the whole of it resized, or its centre square."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one model predicts for one image, and what it was made from.

    Attributes:
        run: The run that trained the model.
        network_input: (h, w, c) uint8, the image as the network gets it.
        raw_probabilities: (classes,) float32, as the network gives them.
        probabilities: (classes,) float32, calibrated where the run has a temperature.
        temperature: What they were calibrated with; None where the run has none.
        ood: Whether the image perhaps shows none of the classes; None where the run does not
            hold what that takes.
        fit: How the image became the network's input.
        flip: Whether the probabilities are averaged with those for the flipped image.
    """

    run: Run
    network_input: NDArray[np.uint8]
    raw_probabilities: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    temperature: float | None = None
    ood: NoneOfThese | None = None
    fit: Fit = "squash"
    flip: bool = False

    @property
    def is_calibrated(self) -> bool:
        """Whether its probabilities are calibrated."""
        return self.temperature is not None


def predict(
    images: Sequence[NDArray[np.uint8]],
    models: Sequence[Model],
    *,
    fit: Fit = "squash",
    flip: bool = False,
) -> list[tuple[Prediction, ...]]:
    """Returns what models predict for images; many at once are faster than one by one.

    Args:
        images: Each (height, width, 3) uint8.
        models: As :func:`cifar_core.services.open_model` returns them.
        fit: How the images become 32 × 32.
        flip: Average with the predictions for the flipped images (test-time augmentation); the
            test for none of the ten classes looks at the images as they are.

    Returns:
        For each image a prediction of each model, which does not depend on the other images.
    """
    if not len(images):
        return []
    shapes = {model.classifier.dataset.image_shape for model in models}
    inputs = {
        shape: np.stack([to_network_input(image, shape, fit=fit) for image in images])
        for shape in shapes
    }
    columns = [
        _of_model(model, inputs[model.classifier.dataset.image_shape], fit=fit, flip=flip)
        for model in models
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * len(images)


def network_input(image: NDArray[np.uint8], *, fit: Fit = "squash") -> NDArray[np.uint8]:
    """Returns an image (height, width, 3) uint8 as networks get it: (32, 32, 3) uint8."""
    return to_network_input(image, fit=fit)


def _of_model(model: Model, inputs: NDArray[np.uint8], *, fit: Fit, flip: bool) -> list[Prediction]:
    raw = model.classifier.classify(inputs, mirror=flip)
    calibrated = model.calibrate(raw)
    ood: Sequence[NoneOfThese | None] = [None] * len(inputs)
    if model.novelty is not None:
        ood = model.novelty.judge(model.inspector, inputs)
    return [
        Prediction(model.run, pixels, alone, shown, model.temperature, result, fit, flip)
        for pixels, alone, shown, result in zip(inputs, raw, calibrated, ood, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class BatchPrediction:
    """What models predict for one of many images, without the image itself.

    Attributes:
        name: The file's harmless name.
        sha256: Digest of its bytes; empty where it could not be read.
        predictions: One for each model, in their order; none where it could not be read.
        problem: Why it could not be read.
    """

    name: str
    sha256: str = ""
    predictions: tuple[Prediction, ...] = ()
    problem: PictureError | DataError | None = None


def classify_batch(
    images: Sequence[tuple[str, Callable[[], Picture]]],
    models: Sequence[Model],
    *,
    fit: Fit,
    flip: bool = False,
) -> list[BatchPrediction]:
    """Classifies some of many images and keeps no more of each than the networks' input.

    One image is in memory at a time; one that cannot be read costs itself alone.

    Args:
        images: What to call each where it cannot be read, and what returns it or raises
            PictureError or DataError.
        models: As :func:`cifar_core.services.open_model` returns them.
        fit: How the images become 32 × 32.
        flip: As for :func:`predict`.
    """
    read: list[BatchPrediction] = []
    inputs: list[NDArray[np.uint8]] = []
    for name, load in images:
        try:
            image = load()
        except (PictureError, DataError) as error:
            read.append(BatchPrediction(name, problem=error))
        else:
            inputs.append(network_input(image.pixels, fit=fit))
            read.append(BatchPrediction(image.name, image.sha256))
    found = iter(predict(inputs, models, fit=fit, flip=flip))
    return [
        one if one.problem else BatchPrediction(one.name, one.sha256, next(found)) for one in read
    ]
