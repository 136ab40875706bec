"""The learning rate of every step, as Keras schedules."""

from __future__ import annotations

from keras import optimizers

from cifar_core.recipes import Recipe


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
    if warmup_steps == 0:
        return optimizers.schedules.CosineDecay(recipe.learning_rate, decay_steps)
    return optimizers.schedules.CosineDecay(
        0.0, decay_steps, warmup_target=recipe.learning_rate, warmup_steps=warmup_steps
    )
