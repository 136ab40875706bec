"""CNN-6, the tutorial's network of six convolutions, layer by layer as it is printed there.

The tutorial divides the pictures by 255 before the network; here that is the network's own
first layer. Everything after it is the tutorial's, including the limit of 3 on the norm of
the weights that reach each unit of the first fully connected layer.
"""

import keras
from keras import constraints, layers


def build(image_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10) -> keras.Sequential:
    """Returns CNN-6: uint8 images (batch, *image_shape) to probabilities (batch, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),  # 32 × 32 × 32
            layers.Dropout(0.2),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),  # 16 × 16 × 32
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),  # 16 × 16 × 64
            layers.Dropout(0.2),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),  # 8 × 8 × 64
            layers.Conv2D(128, (3, 3), padding="same", activation="relu"),  # 8 × 8 × 128
            layers.Dropout(0.2),
            layers.Conv2D(128, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),  # 4 × 4 × 128
            layers.Flatten(),  # 2048
            layers.Dropout(0.2),
            layers.Dense(1024, activation="relu", kernel_constraint=constraints.MaxNorm(3)),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="cnn6",
    )
