"""The engines, by Keras backend."""

from __future__ import annotations

import os
from typing import Protocol

import keras
import numpy as np

from cifar_core.errors import RunError
from cifar_core.recipes import Recipe
from cifar_core.runs.devices import usable_cores
from cifar_core.training.engine import Engine


class KerasEngine(Engine, Protocol):
    """An engine whose network is a Keras model.

    Attributes:
        model: The network, its softmax switched off.
    """

    model: keras.Sequential


def make_engine(
    recipe: Recipe, images: np.ndarray, labels: np.ndarray, *, precision: str
) -> KerasEngine:
    """Returns the engine for the Keras backend in use.

    Args:
        recipe: The training to carry out.
        images: Training pictures (n, 32, 32, 3) uint8.
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


def cpu_threads() -> int:
    """Returns how many threads compute one operation on the CPU, for the record.

    Both backends take all cores unless a variable of the environment says otherwise.
    """
    variable = "NPROC" if keras.backend.backend() == "jax" else "TF_NUM_INTRAOP_THREADS"
    asked = os.environ.get(variable, "").strip()
    return int(asked) if asked.isdecimal() and int(asked) > 0 else usable_cores()
