"""Makes data/tiny.tflite: a small untrained network with the lab's input and output.

Run by hand with TensorFlow installed, from the project's folder:
``python tests/inference/make_tiny_network.py``. The tests only read the result. Its weights are
drawn large enough that different pictures get clearly different answers.
"""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

PATH = Path(__file__).parent / "data" / "tiny.tflite"


def build() -> keras.Sequential:
    """Returns the network: uint8 (batch, 32, 32, 3) to float32 (batch, 10)."""
    keras.utils.set_random_seed(10)
    wide = keras.initializers.VarianceScaling(2.0)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype="uint8"),
            layers.Rescaling(1 / 64, offset=-2),
            layers.Conv2D(8, 3, strides=2, activation="relu", kernel_initializer=wide),
            layers.Conv2D(16, 3, strides=2, activation="relu", kernel_initializer=wide),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer=wide),
            layers.Activation("softmax"),
        ]
    )


if __name__ == "__main__":
    build().export(PATH, format="litert", verbose=False)
    print(PATH.name, PATH.stat().st_size, "bytes")
