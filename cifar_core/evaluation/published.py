"""What the tutorial printed about its two networks, and what its figures really say.

Source: "CIFAR-10 classification using Keras Tutorial", whose text announces "an accuracy of
about 80%" and whose confusion matrices are copied here cell by cell (rows: true class).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cifar_core.evaluation.metrics import Interval, Share, share
from cifar_core.evaluation.predictions import Integers
from cifar_core.formats import percent

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
    short = 100 * (CLAIMED_ACCURACY - cnn6.value)
    announced = f"The tutorial's text announces about {CLAIMED_ACCURACY:.0%} of the test pictures"
    measured = (
        f"Its own confusion matrices say {cnn4.words()} for CNN-4 and {cnn6.words()} for CNN-6 "
        f"({cnn6.interval.method})."
    )
    distance = (
        f"{CLAIMED_ACCURACY:.0%} of {cnn6.total:,} would be {needed(cnn6) + cnn6.right:,} right "
        f"answers: {needed(cnn4):,} more than CNN-4 has and {needed(cnn6):,} more than CNN-6, "
        f"which is {short:.1f} percentage points short."
    )
    chance = (
        f"Chance does not explain that: with {cnn6.total:,} pictures it moves the figure by "
        f"less than one point. Nor does rounding: to the nearest ten {percent(cnn6.value)} is "
        f"{round(10 * cnn6.value) * 10}%."
    )
    caveat = (
        "CNN-4 is given with its misprint corrected; as printed it has "
        f"{np.trace(printed):,} of {printed.sum():,} pictures right "
        f"({percent(float(np.trace(printed) / printed.sum()))})."
    )
    return f"{announced} right.", measured, distance, chance, caveat


def needed(accuracy: Share) -> int:
    """Returns how many more right answers the announced 80% would need; 0 when they are there."""
    return max(0, round(CLAIMED_ACCURACY * accuracy.total) - accuracy.right)


def against_published(network: str, ours: Share, name: str) -> tuple[str, ...]:
    """Returns a run's accuracy held against what the tutorial printed, in sentences.

    Args:
        network: ``cnn4`` or ``cnn6``: the run's, and so the tutorial's matrix.
        ours: The run's accuracy on the test split.
        name: What the run is called in a sentence.

    Raises:
        KeyError: The tutorial knows no such network.
    """
    theirs = published(network).accuracy
    interval = unpaired_interval(ours, theirs)
    gain = ours.value - theirs.value
    points = 100 if gain >= 0 else -100
    ends = sorted((points * interval.low, points * interval.high))
    low, high = (f"{end:.1f}".replace("-", "−") for end in ends)
    distance = (
        f"{name} names {ours.words()} of the test pictures rightly, the tutorial's network "
        f"{theirs.words()}: {100 * abs(gain):.1f} percentage points "
        f"{'more' if gain >= 0 else 'less'} (95% interval {low} to {high}, {interval.method})."
    )
    missing = needed(ours)
    claim = (
        f"The announced {CLAIMED_ACCURACY:.0%} would need {missing:,} more right answers."
        if missing
        else f"It keeps what the tutorial's text announces: {ours.right:,} right answers are "
        f"at least {CLAIMED_ACCURACY:.0%}."
    )
    caution = (
        "The tutorial printed counts, not single answers, so the two are compared as if other "
        "pictures had been asked; that errs on the wide side."
    )
    return distance, claim, caution


def unpaired_interval(one: Share, other: Share) -> Interval:
    """Returns the 95% interval of the difference of two independent shares.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent
    proportions: comparison of eleven methods", Statistics in Medicine 17, 1998, method 10: the
    Wilson intervals of both shares, joined.
    """
    difference = one.value - other.value
    below = math.hypot(one.value - one.interval.low, other.interval.high - other.value)
    above = math.hypot(one.interval.high - one.value, other.value - other.interval.low)
    return Interval(
        max(-1.0, difference - below),
        min(1.0, difference + above),
        "Newcombe 1998, method 10 for independent shares",
    )
