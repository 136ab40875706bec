"""How a run learnt: its figures after every epoch, and what they say of time and course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

RISE_POINTS: Final = 0.005
"""A mean gain of half a point over the last epochs counts as still rising."""


@dataclass(frozen=True)
class Learning:
    """The figures of a run after each epoch; all sequences are equally long.

    Attributes:
        epochs: Counted from 1, ascending.
        train_accuracy: Share of training pictures right, dropout and augmentation active.
        train_loss: Loss on the same.
        accuracy: Share of the monitored pictures right; not-a-number where not measured.
        loss: Cross-entropy on the monitored pictures; likewise.
        seconds: Time on the device until the end of the epoch, waiting left out.
        epoch_seconds: Time of the epoch itself; not-a-number where not measured.
    """

    epochs: tuple[int, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    train_loss: tuple[float, ...] = ()
    accuracy: tuple[float, ...] = ()
    loss: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    epoch_seconds: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)


@dataclass(frozen=True)
class EpochTime:
    """How long an epoch takes.

    Attributes:
        median_seconds: Half of the epochs took less.
        low_seconds: A quarter of them took less.
        high_seconds: A quarter of them took more.
    """

    median_seconds: float
    low_seconds: float
    high_seconds: float


def epoch_time(epoch_seconds: Sequence[float]) -> EpochTime | None:
    """Returns median and quartiles of the time per epoch, or None when none was measured."""
    measured = np.asarray(epoch_seconds, np.float64)
    measured = measured[np.isfinite(measured)]
    if not measured.size:
        return None
    low, median, high = np.percentile(measured, (25, 50, 75))
    return EpochTime(float(median), float(low), float(high))


def rise_at_the_end(accuracies: Sequence[float]) -> float | None:
    """Returns what the last fifth of the epochs gained over the fifth before it.

    Args:
        accuracies: One per epoch, from 0 to 1.

    Returns:
        The difference of the two means, or None with fewer than five epochs.
    """
    if len(accuracies) < 5:
        return None
    part = max(2, len(accuracies) // 5)
    values = np.asarray(accuracies, np.float64)
    gain = float(np.mean(values[-part:]) - np.mean(values[-2 * part : -part]))
    return gain if np.isfinite(gain) else None
