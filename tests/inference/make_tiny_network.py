"""Makes data/tiny.tflite, a small untrained network with the lab's input and output.

Beside it come data/float_input.tflite and data/five_classes.tflite, which the lab refuses, and
data/modern.tflite: other layers than the tutorial's, its weights partly in 8 bits; and
data/narrow.tflite: the layers of CNN-7, each a few filters wide; and data/residual.tflite with
branches, beside it residual.json, its description.

Run by hand with TensorFlow installed, from the project's folder:
``python tests/inference/make_tiny_network.py``. The tests only read the result. Its weights are
drawn large enough that different pictures get clearly different answers.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from cifar_core.files import write_json
from cifar_core.networks import cnn7
from cifar_core.networks.describe import describe
from cifar_core.training.export import _export

DATA_DIR = Path(__file__).parent / "data"


def build() -> keras.Sequential:
    """Returns the network: uint8 (batch, 32, 32, 3) to float32 (batch, 10)."""
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


def build_modern() -> keras.Sequential:
    """Returns a network of GELU, batch normalisation, strides and average pooling."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(24, 2, activation="gelu"),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.MaxPooling2D(),
            layers.BatchNormalization(moving_variance_initializer="ones"),
            layers.Activation("gelu"),
            layers.Conv2D(12, 3, padding="same", strides=2, activation="relu6"),
            layers.Conv2D(16, 3),
            layers.Activation("silu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
            layers.Activation("softmax"),
        ]
    )


def build_narrow() -> keras.Sequential:
    """Returns CNN-7 with few filters, its batch normalisations as if they had seen pictures."""
    widths = {24: 8, 64: 12, 256: 16}
    narrow = keras.Sequential([keras.Input((32, 32, 3), dtype="uint8")])
    for layer in cnn7.build((32, 32, 3), 10).layers:
        settings = layer.get_config()
        if isinstance(layer, layers.Conv2D):
            settings["filters"] = widths[settings["filters"]]
        narrow.add(type(layer).from_config(settings))
    return _with_statistics(narrow)


def build_residual() -> keras.Model:
    """Returns a network with branches, which none of the lab has.

    Its first block adds what it reads to what it makes of it, with the activation behind the
    sum; its second one has a convolution beside it and batch normalisation. Both of the second
    block's branches are put together once more. No two of its convolutions are alike.
    """
    image = keras.Input((32, 32, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(image)
    start = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(12, 3, padding="same", activation="relu")(start)
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.ReLU()(layers.Add(name="skip")([start, x]))
    x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    y = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(x)
    y = layers.Activation("gelu")(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(20, 3, padding="same", use_bias=False)(y))
    beside = layers.Conv2D(20, 1, strides=2, name="projection")(x)
    z = layers.Activation("relu")(layers.Add()([y, beside]))
    z = layers.GlobalAveragePooling2D()(layers.Concatenate()([z, beside]))
    answers = layers.Dense(10, activation="softmax")(z)
    return _with_statistics(keras.Model(image, answers, name="residual"))


def _with_statistics(model: keras.Model) -> keras.Model:
    """Returns a network with its batch normalisations as if they had seen images."""
    drawn = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.beta.shape
            statistics = drawn.normal(0, 0.3, shape), drawn.uniform(0.3, 2, shape)
            scale = [drawn.uniform(0.5, 2, shape)] if layer.scale else []
            layer.set_weights([*scale, drawn.normal(0, 0.3, shape), *statistics])
    return model


def build_unfit(kind: str, classes: int) -> keras.Sequential:
    """Returns a network whose input type or number of classes is not the lab's."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype=kind),
            layers.Rescaling(1 / 255),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )


if __name__ == "__main__":
    keras.utils.set_random_seed(10)
    networks = {
        "tiny": build(),
        "float_input": build_unfit("float32", 10),
        "five_classes": build_unfit("uint8", 5),
    }
    for name, network in networks.items():
        network.export(DATA_DIR / f"{name}.tflite", format="litert", verbose=False)
    _export(build_modern(), DATA_DIR / "modern.tflite")  # with 8-bit weights, as the lab does
    _export(build_narrow(), DATA_DIR / "narrow.tflite")
    residual = build_residual()
    _export(residual, DATA_DIR / "residual.tflite")
    write_json(DATA_DIR / "residual.json", describe(residual).to_json())
