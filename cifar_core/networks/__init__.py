"""The networks of the lab, by name.

Importing this module does not import Keras: the web process reads names and colours here.
:func:`build` imports Keras and returns the real model.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cifar_core.dataset.spec import CIFAR10, DatasetSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """An architecture the lab can train.

    Attributes:
        name: Short name, also the module under ``cifar_core.networks``.
        title: Name on the pages.
        summary: One sentence for a person who is not a programmer.
        is_reference: Whether it is none of the tutorial's: it stands beside them to measure
            them by, and no question is answered by it in their place.
    """

    name: str
    title: str
    summary: str
    is_reference: bool = False

    @property
    def marked_title(self) -> str:
        """Its title where it stands among others, the reference marked as one."""
        return f"{self.title}, the reference" if self.is_reference else self.title


NETWORKS: Mapping[str, Network] = {
    network.name: network
    for network in (
        Network(
            "cnn4",
            "CNN-4",
            "The tutorial's first network: four convolutions in two blocks, then two fully "
            "connected layers.",
        ),
        Network(
            "cnn6",
            "CNN-6",
            "The tutorial's second network: six convolutions in three blocks, then two fully "
            "connected layers.",
        ),
        Network(
            "cnn7",
            "CNN-7",
            "The reference, not the tutorial's: seven convolutions with what ten years of "
            "practice have added, such as batch normalisation.",
            is_reference=True,
        ),
    )
}


def build(name: str, dataset: DatasetSpec = CIFAR10, *, policy: str = "float32") -> keras.Model:
    """Builds a network with fresh weights.

    Args:
        name: A key of :data:`NETWORKS`.
        dataset: Gives the shape of the images and the number of classes.
        policy: Keras dtype policy of its layers: ``float32`` or ``mixed_bfloat16``.

    Returns:
        A Keras model from uint8 images (batch, height, width, channels) to float32
        probabilities (batch, classes).

    Raises:
        KeyError: There is no such network.
    """
    import keras

    module = importlib.import_module(f"cifar_core.networks.{NETWORKS[name].name}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return module.build(dataset.image_shape, dataset.classes)
    finally:
        keras.config.set_dtype_policy(before)
