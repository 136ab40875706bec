"""CNN-7, the reference: what ten years of practice add to the tutorial's networks.

Seven convolutions in the manner of airbench94 (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on
a single GPU", arXiv 2404.00498, section 3). What it has and the tutorial's networks have not:

- a first convolution of 2 × 2 whose weights are the pictures' own patches and stay fixed;
- batch normalisation (Ioffe and Szegedy 2015) without a learned scale, so the learned shift
  alone decides how many units answer;
- GELU (Hendrycks and Gimpel 2016) in the place of ReLU;
- no dropout and one fully connected layer, whose input is scaled down so that it starts calm.
"""

import keras
from keras import layers


def build(image_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10) -> keras.Sequential:
    """Returns CNN-7: uint8 images (batch, *image_shape) to probabilities (batch, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(24, (2, 2), trainable=False),  # 31 × 31 × 24
            layers.Activation("gelu"),
            *_block(64),  # 15 × 15 × 64
            *_block(256),  # 7 × 7 × 256
            *_block(256),  # 3 × 3 × 256
            layers.GlobalMaxPooling2D(),  # 256
            layers.Rescaling(1 / 9),
            layers.Dense(classes, use_bias=False, activation="softmax", dtype="float32"),
        ],
        name="cnn7",
    )


def _block(filters: int) -> list[layers.Layer]:
    """Returns two convolutions with a pooling behind the first."""
    return [
        layers.Conv2D(filters, (3, 3), padding="same", use_bias=False),
        layers.MaxPooling2D((2, 2)),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False),
        layers.Activation("gelu"),
        layers.Conv2D(filters, (3, 3), padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False),
        layers.Activation("gelu"),
    ]
