"""The learning rate of every step, as Keras schedules."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops, optimizers

from cifar_core.recipes import Recipe


@keras.saving.register_keras_serializable("cifar_core")
class Triangular(optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in a straight line and falls in another.

    From a fifth of the largest rate up to it and down to 7% of it (Jordan 2024, airbench94).

    Args:
        largest: The rate where the lines meet.
        rising_steps: Steps until then.
        falling_steps: Steps from there to the end.
    """

    BEGIN, END = 0.2, 0.07

    def __init__(self, largest: float, rising_steps: int, falling_steps: int) -> None:
        super().__init__()
        self.largest = largest
        self.rising_steps = rising_steps
        self.falling_steps = falling_steps

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step, a float32 scalar."""
        step = ops.cast(step, "float32")
        rising = self.BEGIN + (1 - self.BEGIN) * step / max(1, self.rising_steps)
        falling = 1 - (1 - self.END) * (step - self.rising_steps) / self.falling_steps
        return self.largest * ops.maximum(ops.minimum(rising, falling), self.END)

    def get_config(self) -> dict[str, Any]:
        """Returns what Keras rebuilds it from."""
        return {
            "largest": self.largest,
            "rising_steps": self.rising_steps,
            "falling_steps": self.falling_steps,
        }


def learning_rate_schedule(
    recipe: Recipe, steps_per_epoch: int
) -> optimizers.schedules.LearningRateSchedule:
    """Returns the schedule a recipe asks for.

    Args:
        recipe: Gives kind, largest rate, warm-up and decay.
        steps_per_epoch: Optimizer steps of one epoch.
    """
    if recipe.schedule == "inverse-time":
        # What the argument `decay` of Keras' optimizers did until version 2.
        return optimizers.schedules.InverseTimeDecay(
            recipe.learning_rate, decay_steps=1, decay_rate=recipe.decay
        )
    steps = recipe.epochs * steps_per_epoch
    warmup_steps = round(recipe.warmup * steps)
    decay_steps = max(1, steps - warmup_steps)
    if recipe.schedule == "triangular":
        return Triangular(recipe.learning_rate, warmup_steps, decay_steps)
    if warmup_steps == 0:
        return optimizers.schedules.CosineDecay(recipe.learning_rate, decay_steps)
    return optimizers.schedules.CosineDecay(
        0.0, decay_steps, warmup_target=recipe.learning_rate, warmup_steps=warmup_steps
    )
