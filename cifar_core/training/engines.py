"""The engines, by Keras backend."""

from __future__ import annotations

from typing import Protocol

import keras
import numpy as np

from cifar_core.errors import RunError
from cifar_core.recipes import Recipe
from cifar_core.training.engine import Engine


class KerasEngine(Engine, Protocol):
    """An engine whose network is a Keras model.

    Attributes:
        model: The network, its softmax switched off.
    """

    model: keras.Model


def make_engine(
    recipe: Recipe, images: np.ndarray, labels: np.ndarray, *, precision: str
) -> KerasEngine:
    """Returns the engine for the Keras backend in use.

    Args:
        recipe: The training to carry out.
        images: Training images (n, h, w, c) uint8.
        labels: Their classes (n,) uint8.
        precision: ``float32`` or ``bfloat16``.

    Raises:
        RunError: There is no engine for the backend.
    """
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise RunError(
            f"KERAS_BACKEND asks for {backend}.",
            expected="Trainings run on tensorflow or jax.",
            remedy="Set KERAS_BACKEND to one of them, or leave it out, and resume the run.",
        )
    if backend == "jax":
        from cifar_core.training.jax_engine import JaxEngine

        return JaxEngine(recipe, images, labels, precision)
    from cifar_core.training.tensorflow_engine import TensorFlowEngine

    return TensorFlowEngine(recipe, images, labels, precision)
