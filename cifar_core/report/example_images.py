"""Images of a report, each as a data URL with its classes in words."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cifar_core import formats
from cifar_core.dataset.arrays import Split
from cifar_core.report.subjects import Examples


@dataclass(frozen=True)
class ExampleImage:
    """An image with its true class and, in a gallery of predictions, the predicted one.

    Attributes:
        source: The image as a data URL.
        true: Name of the true class.
        predicted: Name of the predicted class.
        confidence: In words.
    """

    source: str
    true: str
    predicted: str = ""
    confidence: str = ""


def class_images(test: Split) -> list[ExampleImage]:
    """Returns the first test image of each class."""
    first = [int(np.flatnonzero(test.labels == label)[0]) for label in range(test.spec.classes)]
    images = np.asarray(test.images[first])
    return [
        ExampleImage(_source(image), name)
        for image, name in zip(images, test.spec.class_names, strict=True)
    ]


def example_images(examples: Examples, names: Sequence[str]) -> list[ExampleImage]:
    """Returns predicted images with the names of both their classes and the confidence."""
    return [
        ExampleImage(_source(image), names[truth], names[guess], _confidence(sure))
        for image, truth, guess, sure in zip(
            examples.images, examples.truths, examples.guesses, examples.sure, strict=True
        )
    ]


def _confidence(share: float) -> str:
    """Returns a probability for a person: rounding makes no certainty of it."""
    return "over 99.9%" if share > 0.9995 else formats.percent(share)


def _source(image: np.ndarray) -> str:
    """Returns an image, (h, w, 3) uint8, as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG", compress_level=9)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
