"""CNN-4, the tutorial's network of four convolutions, layer by layer as it is printed there.

The tutorial divides the pictures by 255 before the network; here that is the network's own
first layer, so training and serving cannot disagree. Everything after it is the tutorial's,
including the two convolutions without padding ("valid").
"""

import keras
from keras import layers


def build(image_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10) -> keras.Sequential:
    """Returns CNN-4: uint8 images (batch, *image_shape) to probabilities (batch, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, (3, 3), padding="same"),  # 32 × 32 × 32
            layers.Activation("relu"),
            layers.Conv2D(32, (3, 3)),  # 30 × 30 × 32
            layers.Activation("relu"),
            layers.MaxPooling2D((2, 2)),  # 15 × 15 × 32
            layers.Dropout(0.25),
            layers.Conv2D(64, (3, 3), padding="same"),  # 15 × 15 × 64
            layers.Activation("relu"),
            layers.Conv2D(64, (3, 3)),  # 13 × 13 × 64
            layers.Activation("relu"),
            layers.MaxPooling2D((2, 2)),  # 6 × 6 × 64
            layers.Dropout(0.25),
            layers.Flatten(),  # 2304
            layers.Dense(512),
            layers.Activation("relu"),
            layers.Dropout(0.5),
            layers.Dense(classes),
            layers.Activation("softmax", dtype="float32"),
        ],
        name="cnn4",
    )
