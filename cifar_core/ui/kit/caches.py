"""What all sessions share because it is the same for everyone: kept within bounds.

Nothing that a visitor brings is kept here.
"""

from __future__ import annotations

import functools

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import files, services, settings
from cifar_core.dataset import ARRAY_NAMES, CIFAR10, statistics
from cifar_core.dataset.arrays import MANIFEST_NAME, Dataset, Split
from cifar_core.dataset.encoding import ArrayFacts, as_loaded
from cifar_core.dataset.sample import load_labels
from cifar_core.dataset.statistics import Statistics
from cifar_core.inference.neighbours import Catalogue
from cifar_core.inference.room import Room
from cifar_core.runs.reading import Run
from cifar_core.services import Model
from cifar_core.ui.kit.runs.results import Stamp, stamp

MOST_MODELS = 8
"""Networks kept loaded; each takes about three times its file, 15 to 30 MB."""


def open_dataset() -> Dataset:
    """Returns the dataset as :func:`cifar_core.services.open_dataset` does, opened once.

    The full set is found as soon as it is there, and gone as soon as it is not; it is checked
    when it is opened and when a file of it has changed.

    Raises:
        DataError: As the service.
    """
    folder = settings.current().data_dir / CIFAR10.name
    names = (MANIFEST_NAME, *(f"{name}.npy" for name in ARRAY_NAMES))
    return _open_dataset(tuple(stamp(folder / name) for name in names))


@st.cache_resource(max_entries=2, show_spinner=False)
def _open_dataset(stamps: tuple[Stamp, ...]) -> Dataset:  # noqa: ARG001 - they are the key
    return services.open_dataset()


@functools.cache
def decoding_room() -> Room:
    """Returns what bounds the memory that all sessions together decode in.

    Not in Streamlit's cache, which can be emptied: each new room would let as much in again.
    """
    return Room()


@st.cache_resource(
    max_entries=4,
    show_spinner="Measuring the pixels …",
    hash_funcs={Dataset: lambda dataset: dict(dataset.digests), Split: lambda split: split.name},
)
def measure(dataset: Dataset, split: Split) -> Statistics:  # noqa: ARG001 - the key
    """Returns the statistics of a split of the dataset, measured once."""
    return statistics.measure(split)


@st.cache_resource(
    max_entries=2,
    show_spinner="Measuring the pixels …",
    hash_funcs={Dataset: lambda dataset: dataset.digests["train_images"]},
)
def array_facts(dataset: Dataset) -> tuple[ArrayFacts, ...]:
    """Returns shapes, types and ranges of the dataset's arrays, read once."""
    return as_loaded(dataset)


def _served(run: Run) -> tuple[str, str, Stamp]:
    """Returns what changes with the model that a run serves, and with its temperature."""
    try:
        digest = files.sha256_of(run.folder.manifest_path)
    except OSError:
        digest = ""  # The service finds out why and says so.
    return run.id, digest, stamp(run.folder.evaluation_path)


@st.cache_resource(
    max_entries=MOST_MODELS, show_spinner="Loading the network …", hash_funcs={Run: _served}
)
def open_model(run: Run) -> Model:
    """Returns a run's model ready to answer, shared by all sessions.

    Raises:
        ModelError: A part of it is missing or not the recorded one.
    """
    return services.open_model(run, threads=settings.current().serving_threads)


def open_catalogue(model: Model, dataset: Dataset) -> Catalogue:
    """Returns the training pictures that a model compares with: all of them once computed."""
    whole = services.read_catalogue(model, dataset)
    return whole if whole is not None else _make_catalogue(model, dataset)


@st.cache_resource(
    max_entries=MOST_MODELS,
    show_spinner="Looking at training pictures …",
    hash_funcs={
        Model: lambda model: services.recorded_digest(model.run),
        Dataset: lambda dataset: dataset.is_sample,
    },
)
def _make_catalogue(model: Model, dataset: Dataset) -> Catalogue:
    return services.make_catalogue(model, dataset)


@st.cache_resource(max_entries=1, show_spinner=False)
def all_labels() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the labels of all 60,000 pictures, which ship with the lab: train, then test."""
    return load_labels()
