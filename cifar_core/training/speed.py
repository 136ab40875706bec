"""The measured speed of a run, and the time to its end that follows from it."""

from __future__ import annotations

import math
import statistics
from collections import deque

from cifar_core.recipes import Recipe
from cifar_core.runs.forecast import TRAINING_PASSES, closing_images

SPEEDS_NEEDED, SPEEDS_KEPT = 3, 20
"""Calls that a forecast is made from, at least and at most; their median counts."""


class Speed:
    """What the engine's calls and the measurements after epochs took in this attempt.

    Args:
        recipe: What the run carries out.
        steps: Steps of an epoch.
        monitored: How many images are measured after every epoch.
        closing_rate: Seconds per image of the closing phase, where an earlier run recorded it.
        on_cpu: Whether the run trains on the CPU, where the closing phase always takes place.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        steps: int,
        monitored: int,
        closing_rate: float | None,
        on_cpu: bool,
    ) -> None:
        self._recipe = recipe
        self._steps = steps
        self._monitored = monitored
        self._closing_rate = closing_rate
        self._on_cpu = on_cpu
        self._is_compiled = False
        self._step_seconds: deque[float] = deque(maxlen=SPEEDS_KEPT)
        self._measuring_seconds: float | None = None

    def add_call(self, seconds: float, steps: int) -> None:
        """Takes note of a call; the first one compiles and tells nothing about the next ones."""
        if self._is_compiled:
            self._step_seconds.append(max(seconds, 1e-9) / steps)
        self._is_compiled = True

    def add_measuring(self, seconds: float) -> None:
        """Takes note of how long the monitored images took."""
        self._measuring_seconds = seconds

    def steps_in(self, seconds: float) -> int:
        """Returns how many steps take about so long, at least one."""
        if not self._step_seconds:
            return 1
        return max(1, math.floor(seconds / self._step_seconds[-1]))

    def images_per_second(self) -> float | None:
        """Returns how many training images a second takes, lately; None until known."""
        return self._recipe.batch_size / self._step_seconds[-1] if self._step_seconds else None

    def seconds_left(self, epoch: int, step: int) -> float | None:
        """Returns the expected time to the end of the run; None until its speed is known.

        Args:
            epoch: Completed epochs.
            step: Steps done in the epoch under way.
        """
        if len(self._step_seconds) < SPEEDS_NEEDED:
            return None
        step_seconds = statistics.median(self._step_seconds)
        measuring = self._measuring(step_seconds)
        epochs = self._recipe.epochs - epoch
        training = (epochs * self._steps - step) * step_seconds + epochs * measuring
        return training + (self.closing_seconds() or 0.0) or None

    def closing_seconds(self) -> float | None:
        """Returns the expected time after the last epoch, or None where nothing tells it."""
        rate = self._closing_rate
        if rate is None and self._on_cpu and self._step_seconds:
            rate = self._measuring(statistics.median(self._step_seconds)) / self._monitored
        return None if rate is None else rate * closing_images(self._recipe)

    def _measuring(self, step_seconds: float) -> float:
        """Returns how long the monitored images take: as measured, else from a step's time."""
        if self._measuring_seconds is not None:
            return self._measuring_seconds
        return step_seconds / self._recipe.batch_size / TRAINING_PASSES * self._monitored
