"""Which training pictures are held out to watch a training honestly."""

from __future__ import annotations

import dataclasses

import numpy as np

from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.recipes import Recipe

SPLIT_SEED = 20_090_408
"""Start of the one shuffle that decides the held-out pictures.

It does not depend on a run's seed: all runs with the same number of held-out pictures watch
the same ones, so their validation figures can be compared.
"""


TRAINING_SAMPLE = 5_000
"""Training images that a finished network is measured on, as many as are held out by default."""


def held_out(labels: np.ndarray, images: int, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides the training pictures into those to learn from and those to watch.

    Args:
        labels: Class of each training picture, (n,) integers from 0.
        images: How many to hold out, in equal parts from each class (the first classes
            give one more where their number does not divide it).
        classes: How many classes there are.

    Returns:
        The positions to learn from and the positions held out, both ascending int64.
    """
    generator = np.random.Generator(np.random.PCG64(SPLIT_SEED))
    chosen: list[np.ndarray] = []
    for label in range(classes):
        share = images // classes + (1 if label < images % classes else 0)
        of_class = np.flatnonzero(labels == label)
        chosen.append(generator.permutation(of_class)[:share])
    held = np.sort(np.concatenate(chosen))
    learned = np.setdiff1d(np.arange(len(labels)), held, assume_unique=True)
    return learned, held


def positions(recipe: Recipe, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns which training pictures a recipe learns from and which it holds out.

    Args:
        recipe: Gives the numbers of both.
        labels: Class of each training picture, (n,) integers from 0.

    Returns:
        Both ascending int64. None are held out where the recipe watches the test pictures.
    """
    classes = recipe.spec.classes
    learned, watched = np.arange(len(labels)), np.empty(0, np.int64)
    if recipe.monitored_split == "validation":
        learned, watched = held_out(labels, recipe.validation_pictures, classes=classes)
    if recipe.training_pictures:
        _, chosen = held_out(labels[learned], recipe.training_pictures, classes=classes)
        learned = learned[chosen]
    return learned, watched


def divide(recipe: Recipe, dataset: Dataset) -> tuple[Split, Split]:
    """Returns the pictures that a recipe learns from and those that its run watches.

    The first are copied into memory where they are a part of the training pictures. What is
    watched is the test split where the recipe holds nothing out.
    """
    train = dataset.train
    to_learn, to_watch = positions(recipe, train.labels)
    learned = train if len(to_learn) == len(train.labels) else take(train, to_learn)
    watched = dataset.test if recipe.monitored_split == "test" else take(train, to_watch)
    return learned, watched


def sample_training(learned: Split) -> Split:
    """Returns :data:`TRAINING_SAMPLE` of the training images, or all where there are fewer.

    Always the same ones for the same images: what networks make of them can be compared.
    """
    chosen = np.random.Generator(np.random.PCG64(SPLIT_SEED)).permutation(len(learned.labels))
    return take(learned, np.sort(chosen[:TRAINING_SAMPLE]))


def take(split: Split, positions: np.ndarray) -> Split:
    """Returns the pictures of a split at some positions, in memory."""
    return dataclasses.replace(
        split,
        images=split.images[positions],
        labels=split.labels[positions],
        indices=split.indices[positions],
    )
