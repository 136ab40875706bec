"""The recipes that the lab offers by name: their settings, lengths and reasons, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe the lab offers by name.

    Attributes:
        name: Its name in files and on the command line.
        title: Its name on the pages.
        reason: What it is for and why it is as it is, in words for the pages.
        settings: What differs from the defaults of :class:`cifar_core.recipes.Recipe`.
        own: What a network has of its own, by network: at least its ``epochs``.
    """

    name: str
    title: str
    reason: str
    settings: Mapping[str, Any]
    own: Mapping[str, Mapping[str, Any]]


_MODERN: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "schedule": "cosine",
    "warmup": 0.1,
    "initialisation": "whitening",
    "label_smoothing": 0.1,
    "flips": "alternating",
}

_AIRBENCH: Mapping[str, Any] = {
    # Jordan 2024, airbench94: there the loss is a sum over pictures, here it is their mean.
    "batch_size": 256,
    "learning_rate": 0.375,
    "schedule": "triangular",
    "warmup": 0.23,
    "momentum": 0.85,
    "weight_decay": 0.00133,
    "bias_rate": 64.0,
    "lookahead": 5,
    "initialisation": "identity",
    "dropout": 1.0,
    "label_smoothing": 0.2,
    "crop_padding": 2,
}
"""What CNN-7 has of its own in every recipe of the lab's."""

_TUTORIAL: Mapping[str, Any] = {
    "batch_size": 32,
    "learning_rate": 0.1,
    "schedule": "inverse-time",
    "decay": 1e-6,
    "monitored_split": "test",
    "validation_pictures": 0,
    "precision": "float32",
}

NAMED_RECIPES: Mapping[str, NamedRecipe] = {
    item.name: item
    for item in (
        NamedRecipe(
            "standard",
            "Standard",
            "A sound start: first weights that suit the pictures, a learning rate that warms up "
            "and decays, shifted and mirrored pictures, 5,000 training pictures held out to "
            "watch progress honestly.",
            {"crop_padding": 4, "weight_decay": 5e-4, **_MODERN},
            {
                "cnn4": {"epochs": 20},
                "cnn6": {"epochs": 20},
                "cnn7": {**_AIRBENCH, "epochs": 8},
            },
        ),
        NamedRecipe(
            "quick",
            "Quick",
            "80% and more with CNN-4 or CNN-6 in minutes: the standard recipe with smaller "
            "shifts, two fifths of the network's dropout and no weight decay, because so short "
            "a training leaves a small network no time to learn pictures by heart. CNN-7 learns "
            "as with the standard recipe, only half as long.",
            {"crop_padding": 2, "dropout": 0.4, **_MODERN},
            {
                "cnn4": {"epochs": 12},
                "cnn6": {"epochs": 8},
                "cnn7": {**_AIRBENCH, "epochs": 4},
            },
        ),
        NamedRecipe(
            "best",
            "Best",
            "The standard recipe for as long as it pays: how the shipped models were trained.",
            {"crop_padding": 4, "weight_decay": 5e-4, **_MODERN},
            {
                "cnn4": {"epochs": 240},
                "cnn6": {"epochs": 120},
                "cnn7": {**_AIRBENCH, "crop_padding": 4, "epochs": 20},
            },
        ),
        NamedRecipe(
            "tutorial",
            "Tutorial, as printed",
            "The tutorial's settings to the letter: learning rate 0.1, momentum 0.9, "
            "Nesterov, decay 1e-6, batches of 32, 100 epochs, watched on the test pictures. "
            "In today's Keras it does not learn.",
            _TUTORIAL,
            {"cnn4": {"epochs": 100}, "cnn6": {"epochs": 100}, "cnn7": {"epochs": 100}},
        ),
        NamedRecipe(
            "tutorial-repaired",
            "Tutorial, repaired",
            "The tutorial with one change, a learning rate of 0.01, and it learns.",
            {**_TUTORIAL, "learning_rate": 0.01},
            {"cnn4": {"epochs": 100}, "cnn6": {"epochs": 100}, "cnn7": {"epochs": 100}},
        ),
    )
}

DEFAULT_RECIPE = "standard"
