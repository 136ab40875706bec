"""What the tutorial printed about its two networks, and what its figures really say.

Source: "CIFAR-10 classification using Keras Tutorial", whose text announces "an accuracy of
about 80%" and whose confusion matrices are copied here cell by cell (rows: true class).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cifar_core.evaluation.metrics import Share, share
from cifar_core.evaluation.predictions import Integers
from cifar_core.evaluation.words import percent

CLAIMED_ACCURACY: Final = 0.8
"""“with an accuracy of about 80%”, the tutorial's first paragraph."""

BEST_EPOCHS: Final[Mapping[str, tuple[int, int]]] = {"cnn4": (20, 50), "cnn6": (10, 20)}
"""Between which epochs the text sees the best accuracy, first and last."""

_CNN4: Final = (
    (599, 5, 74, 98, 55, 14, 12, 9, 117, 17),
    (16, 738, 12, 65, 9, 26, 7, 6, 40, 81),
    (31, 0, 523, 168, 136, 86, 33, 14, 9, 0),
    (10, 1, 31, 652, 90, 175, 19, 15, 5, 2),
    (6, 0, 34, 132, 717, 55, 16, 31, 9, 0),
    (5, 1, 17, 233, 53, 661, 10, 15, 4, 1),
    (2, 1, 39, 157, 105, 48, 637, 3, 7, 1),
    (6, 0, 14, 97, 103, 96, 5, 637, 5, 1),  # sums to 964: see misprint()
    (41, 7, 28, 84, 19, 18, 6, 4, 783, 10),
    (25, 28, 8, 77, 29, 27, 5, 19, 59, 723),
)
_CNN6: Final = (
    (736, 11, 54, 45, 30, 14, 15, 9, 61, 25),
    (10, 839, 6, 38, 3, 13, 7, 5, 22, 57),
    (47, 2, 566, 96, 145, 65, 51, 17, 7, 4),
    (23, 6, 56, 570, 97, 140, 57, 29, 12, 10),
    (16, 2, 52, 80, 700, 55, 25, 64, 3, 3),
    (10, 1, 64, 211, 59, 582, 24, 39, 6, 4),
    (4, 3, 42, 114, 121, 40, 650, 13, 5, 8),
    (14, 1, 40, 57, 69, 68, 11, 723, 3, 14),
    (93, 32, 26, 37, 16, 15, 6, 2, 752, 21),
    (34, 83, 8, 42, 12, 21, 6, 21, 25, 748),
)
_MATRICES: Final = {"cnn4": _CNN4, "cnn6": _CNN6}

MISPRINTED_CELL: Final = (7, 7)
"""Horses taken for horses, in the matrix of CNN-4."""
MISPRINTED_COUNT: Final = 637
CORRECTED_COUNT: Final = 673

_HOW_TO_TELL: Final = (
    "All ten classes of the test split have 1,000 pictures, but the printed row of the horses "
    "has only 964"
)


@dataclass(frozen=True)
class PublishedFigures:
    """What the tutorial published about one network.

    Attributes:
        network: ``cnn4`` or ``cnn6``.
        matrix: Counts (10, 10) int64, with the misprint corrected.
        accuracy: Its share of right pictures, with the interval.
        best_epochs: Between which epochs the text sees the best accuracy.
    """

    network: str
    matrix: Integers
    accuracy: Share
    best_epochs: tuple[int, int]


def published_matrix(network: str, *, corrected: bool = True) -> Integers:
    """Returns a published confusion matrix: counts (10, 10) int64, rows true.

    Args:
        network: ``cnn4`` or ``cnn6``.
        corrected: Whether the misprinted cell of CNN-4 is read as 673; ``False`` gives the
            matrix exactly as printed.

    Raises:
        KeyError: The tutorial knows no such network.
    """
    matrix = np.array(_MATRICES[network], np.int64)
    if corrected and network == "cnn4":
        matrix[MISPRINTED_CELL] = CORRECTED_COUNT
    return matrix


def published(network: str) -> PublishedFigures:
    """Returns everything the tutorial published about a network, misprint corrected.

    Raises:
        KeyError: The tutorial knows no such network.
    """
    matrix = published_matrix(network)
    return PublishedFigures(
        network=network,
        matrix=matrix,
        accuracy=share(int(np.trace(matrix)), int(matrix.sum())),
        best_epochs=BEST_EPOCHS[network],
    )


def misprint() -> str:
    """Returns the misprint in the published matrix of CNN-4, explained."""
    printed = published_matrix("cnn4", corrected=False)
    corrected = published_matrix("cnn4")
    return (
        f"{_HOW_TO_TELL}. Its diagonal, {MISPRINTED_COUNT}, repeats the frogs' figure one row "
        f"above; {CORRECTED_COUNT}, the same digits with two swapped, makes the row complete. "
        f"As printed CNN-4 has {np.trace(printed):,} of {printed.sum():,} pictures right, read "
        f"as {CORRECTED_COUNT} it has {np.trace(corrected):,} of {corrected.sum():,}."
    )


def claim_check() -> tuple[str, ...]:
    """Returns the tutorial's claim held against its own matrices, in sentences."""
    cnn4, cnn6 = published("cnn4").accuracy, published("cnn6").accuracy
    printed = published_matrix("cnn4", corrected=False)
    missing = round(CLAIMED_ACCURACY * cnn6.total) - cnn6.right
    short = 100 * (CLAIMED_ACCURACY - cnn6.value)
    announced = f"The tutorial's text announces about {CLAIMED_ACCURACY:.0%} of the test pictures"
    measured = (
        f"Its own confusion matrices say {cnn4.words()} for CNN-4 and {cnn6.words()} for CNN-6 "
        f"({cnn6.interval.method})."
    )
    distance = (
        f"The better of the two is {short:.1f} percentage points short: {missing:,} more of the "
        f"{cnn6.total:,} test pictures would have to be right."
    )
    chance = (
        f"Chance does not explain that: with {cnn6.total:,} pictures it moves the figure by "
        "less than one point."
    )
    caveat = (
        "CNN-4 is given with its misprint corrected; as printed it has "
        f"{np.trace(printed):,} of {printed.sum():,} pictures right "
        f"({percent(float(np.trace(printed) / printed.sum()))})."
    )
    return f"{announced} right.", measured, distance, chance, caveat
