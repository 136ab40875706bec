"""Lookahead: weights that follow their own average."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

KEPT = 0.95
"""Share of the average that a step keeps, at the end of the training (airbench94)."""


@keras.saving.register_keras_serializable("cifar_core")
class LookaheadSGD(keras.optimizers.SGD):
    """Stochastic gradient descent that is set back to its own average every few steps.

    Every ``every`` steps the average moves towards the weights and the weights become the
    average. It keeps ``KEPT ** every * t ** 3`` of itself, t the part of the training that is
    over: nothing at the start, so that learning is quick, and more and more of it towards the
    end. Sources: Zhang and others 2019, "Lookahead Optimizer: k steps forward, 1 step back";
    the schedule is that of Jordan 2024, airbench94.

    Args:
        every: Steps from one look to the next.
        steps: Steps of the whole training.
        **kwargs: Of ``keras.optimizers.SGD``.
    """

    def __init__(self, *, every: int, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.every = every
        self.steps = steps
        self.averages: list[keras.Variable] = []

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the slots; the averages begin as the weights are now."""
        if self.built:
            return
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "average")
        for average, variable in zip(self.averages, variables, strict=True):
            average.assign(ops.copy(variable))  # JAX would share the one array

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Takes one step, and looks back where it is time."""
        super().update_step(gradient, variable, learning_rate)
        slot = self.averages[self._get_variable_index(variable)]
        average, now = ops.convert_to_tensor(slot), ops.convert_to_tensor(variable)
        taken = self.iterations + 1
        over = ops.cast(taken, variable.dtype) / self.steps
        moved = average + (1 - KEPT**self.every * over**3) * (now - average)
        is_time = ops.equal(taken % self.every, 0)
        self.assign(slot, ops.where(is_time, moved, average))
        self.assign(variable, ops.where(is_time, moved, now))

    def get_config(self) -> dict[str, Any]:
        """Returns what Keras rebuilds it from."""
        return {**super().get_config(), "every": self.every, "steps": self.steps}
