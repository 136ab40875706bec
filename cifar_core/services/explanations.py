"""What a person can ask about one answer: why, what it resembles, and whether it holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cifar_core import settings
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.sample import load_sample
from cifar_core.inference import explain, neighbours, stability
from cifar_core.inference.explain import Occlusion
from cifar_core.inference.neighbours import Catalogue, Neighbour
from cifar_core.inference.stability import Trial
from cifar_core.services.access import may_change
from cifar_core.services.models import Model, recorded_digest


def explain_answer(
    model: Model, pixels: NDArray[np.uint8], *, label: int | None = None
) -> Occlusion:
    """Returns what mattered in a picture, by covering its parts.

    Args:
        model: As ``open_model`` returns it.
        pixels: (32, 32, 3) uint8, what the network sees.
        label: The class to watch; by default the one that is named.
    """
    return explain.occlude(model.probabilities, pixels, label=label)


def try_changes(model: Model, pixels: NDArray[np.uint8]) -> tuple[Trial, ...]:
    """Returns what a model says of a picture (32, 32, 3) uint8 after small changes."""
    return stability.try_changes(model.probabilities, pixels)


def read_catalogue(model: Model, dataset: Dataset) -> Catalogue | None:
    """Returns all training pictures for a model to compare with, or None until that is computed.

    Args:
        model: As ``open_model`` returns it.
        dataset: The full dataset, or the sample.
    """
    if dataset.is_sample:
        return None
    digest = recorded_digest(model.run)
    return neighbours.open_whole(settings.current().data_dir, digest, dataset.train)


def make_catalogue(model: Model, dataset: Dataset) -> Catalogue:
    """Returns the training pictures of the shipped sample for a model to compare with.

    Where the full dataset is there and changes are allowed, a process of its own is started
    that computes those of all training pictures for :func:`read_catalogue`.
    """
    if dataset.is_sample:
        return neighbours.catalogue(model.inspector, dataset.train)
    if may_change():
        path, digest = model.run.folder.litert_path, recorded_digest(model.run)
        neighbours.start(path, digest, settings.current().data_dir)
    return neighbours.catalogue(model.inspector, load_sample().train)


def find_neighbours(
    model: Model, catalogue: Catalogue, pixels: NDArray[np.uint8], *, count: int = 5
) -> tuple[Neighbour, ...]:
    """Returns the training pictures a model finds most alike to a picture (32, 32, 3) uint8."""
    return catalogue.nearest(model.inspector.features(pixels[np.newaxis])[0], count)
