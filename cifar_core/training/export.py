"""The LiteRT export: the one thing of a training that only TensorFlow can do.

A worker on another backend runs this module as a process of its own, with
``KERAS_BACKEND=tensorflow``: ``python -m cifar_core.training.export model.keras model.tflite``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras

from cifar_core.settings import child_environment


def export_litert(model: keras.Model, keras_path: Path, litert_path: Path) -> None:
    """Writes a model for serving: uint8 (n, h, w, c) to float32 probabilities (n, classes).

    Args:
        model: The trained model, in float32.
        keras_path: Where the same model is saved in Keras' own form.
        litert_path: Where to write; the name must end in .tflite.

    Raises:
        subprocess.CalledProcessError: Another backend trained, and the export by TensorFlow
            in a process of its own failed (TensorFlow may be missing).
    """
    if keras.backend.backend() == "tensorflow":
        _export(model, litert_path)
    else:
        command = [sys.executable, "-m", "cifar_core.training.export"]
        env = {
            **child_environment(os.environ),
            "KERAS_BACKEND": "tensorflow",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        subprocess.run([*command, str(keras_path), str(litert_path)], env=env, check=True)


def _export(model: keras.Model, path: Path) -> None:
    """Exports with 8-bit weights and float32 activations quantised on the fly.

    A quarter of the size and, on a CPU, three times as fast as float32; docs/performance.md
    says what it costs in accuracy.
    """
    import tensorflow as tf

    optimizations = [tf.lite.Optimize.DEFAULT]
    model.export(path, format="litert", verbose=False, optimizations=optimizations)


if __name__ == "__main__":
    source, target = sys.argv[1:]
    _export(keras.models.load_model(source, compile=False), Path(target))
