"""What the pixels of a split are like on average: per channel, and as one picture per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Split
from cifar_core.dataset.sample import load_labels

COUNT_ROWS: tuple[str, ...] = (
    *(f"training batch {number}" for number in range(1, CIFAR10.train_batches + 1)),
    "train, all",
    "test",
)
"""Names of the rows of :func:`class_counts`."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Figures of all pixels of a split.

    Attributes:
        pictures: How many pictures were measured.
        mean: (c,) float64, mean of each channel of x/255, such as red, green, blue.
        deviation: (c,) float64, standard deviation likewise (of the population, not a sample).
        class_means: (classes, *image_shape) uint8, the mean image of each class; black where
            a class has no images.
        class_spreads: (classes, height, width) float64, how much the images of a class differ at
            each place: the standard deviation in levels of 255, root mean square of the channels.
    """

    pictures: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    class_means: NDArray[np.uint8]
    class_spreads: NDArray[np.float64]


def measure(split: Split) -> Statistics:
    """Measures a split exactly, in whole numbers, class by class to spare memory.

    Args:
        split: At least one image of it.
    """
    classes, shape = split.spec.classes, split.spec.image_shape
    levels = np.zeros((shape[2], 256), np.int64)  # How often each channel has each value.
    class_means = np.zeros((classes, *shape), np.uint8)
    class_spreads = np.zeros((classes, *shape[:2]))
    for label in range(classes):
        pictures = split.images[split.labels == label]
        if not len(pictures):
            continue
        total = pictures.sum(axis=0, dtype=np.uint64)
        class_means[label] = np.rint(total / len(pictures)).astype(np.uint8)
        squares = np.square(pictures, dtype=np.uint16).sum(axis=0, dtype=np.uint64)
        variances = squares / len(pictures) - (total / len(pictures)) ** 2
        class_spreads[label] = np.sqrt(variances.mean(axis=2).clip(min=0))
        for channel in range(shape[2]):
            levels[channel] += np.bincount(pictures[..., channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    shares = levels / levels.sum(axis=1, keepdims=True)
    mean = shares @ values
    deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(axis=1))
    return Statistics(len(split.labels), mean, deviation, class_means, class_spreads)


def class_counts() -> NDArray[np.int64]:
    """Counts the pictures per class from the labels of all 60,000, which ship with the lab.

    Returns:
        (7, 10) int64: the five training batches, the whole train split, the test split (see
        :data:`COUNT_ROWS`); one column per class.

    Raises:
        DataError: The shipped labels are missing or damaged.
    """
    train, test = load_labels()
    parts = [*train.reshape(CIFAR10.train_batches, CIFAR10.batch_images), train, test]
    rows = [np.bincount(part, minlength=CIFAR10.classes) for part in parts]
    return np.stack(rows).astype(np.int64)
