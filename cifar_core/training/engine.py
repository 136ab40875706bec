"""What an engine is: the compiled heart of a training on one backend.

An engine runs many optimizer steps in one call, without returning to Python in between. Which
pictures a step sees, how they are shifted, the masks of dropout and the learning rate follow
from (recipe, epoch, step) alone, so the steps per call change nothing but how often
the caller hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cifar_core.dataset.augmentation import EpochPlan
from cifar_core.recipes import Recipe


@dataclass(frozen=True)
class Steps:
    """What a call reports of its steps.

    Attributes:
        losses: Mean loss of each step's pictures, (steps,) float32.
        right: Pictures answered rightly in each step, (steps,) int32.
    """

    losses: np.ndarray
    right: np.ndarray


class Engine(Protocol):
    """Trains and asks one network."""

    def train(self, plan: EpochPlan, epoch: int, first: int, last: int) -> Steps:
        """Runs the steps from ``first`` up to ``last`` of an epoch."""
        ...

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns probabilities (n, classes) float32 for images (n, h, w, c) uint8."""
        ...

    def read(self) -> dict[str, np.ndarray]:
        """Returns every array that a checkpoint must hold."""
        ...

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts the arrays of a checkpoint back."""
        ...


def steps_per_epoch(recipe: Recipe, pictures: int) -> int:
    """Returns the steps of an epoch; the last one may have fewer pictures."""
    return -(-pictures // recipe.batch_size)
