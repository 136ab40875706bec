"""What analyses found, read once per change and shared by all sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import services, settings
from cifar_core.analysis.duplicates import Pair
from cifar_core.analysis.exhibits import Exhibit
from cifar_core.analysis.results import PAIRS_NAME, Pairs
from cifar_core.dataset.arrays import Dataset
from cifar_core.inference.neighbours import unit
from cifar_core.services import DoubtfulLabels, Located
from cifar_core.services.analysis import Unseen
from cifar_core.ui.kit.runs import results


def located() -> Located:
    """Returns where the pictures lie to a network; see :func:`services.read_places`."""
    return _located(*_key())


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs={Located: lambda _: _key()})
def directions(found: Located) -> NDArray[np.float32]:
    """Returns the features of :func:`located`, each of length 1: (n, k) float32."""
    return unit(found.places.features)


def pairs() -> Pairs:
    """Returns the near-duplicates of the full dataset."""
    return _pairs(*_key())


@st.cache_resource(max_entries=1, show_spinner=False)
def exhibits() -> dict[Pair, Exhibit]:
    """Returns the near-duplicates that came with their pictures, by pair."""
    return {exhibit.pair: exhibit for exhibit in services.read_exhibits()}


def doubtful(unseen: Unseen) -> DoubtfulLabels:
    """Returns the labels that are probably wrong among unseen pictures.

    Raises:
        ModelError: No network has answered them.
    """
    stamps = tuple(
        (
            results.stamp(run.folder.predictions_path),
            results.stamp(run.folder.test_predictions_path),
        )
        for run in services.judges(unseen)
    )
    return _doubtful(unseen, stamps)


def rows_of(dataset: Dataset, split: str, indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the rows of pictures among all of a dataset, the train split first; -1 if missing.

    Args:
        dataset: The full dataset or the sample.
        split: ``train`` or ``test``.
        indices: (m,) official indices.
    """
    part = dataset.train if split == "train" else dataset.test
    places = np.searchsorted(part.indices, indices)
    found = np.minimum(places, len(part.indices) - 1)
    offset = 0 if split == "train" else len(dataset.train.labels)
    return np.where(part.indices[found] == indices, found + offset, -1).astype(np.int64)


def pictures_at(
    dataset: Dataset, rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Returns the pictures in rows of :func:`rows_of`: pixels, labels, splits, indices."""
    count = len(dataset.train.labels)
    pixels = np.empty((len(rows), 32, 32, 3), np.uint8)
    labels = np.empty(len(rows), np.int64)
    indices = np.empty(len(rows), np.int64)
    for part, offset, chosen in (
        (dataset.train, 0, rows < count),
        (dataset.test, count, rows >= count),
    ):
        places = rows[chosen] - offset
        pixels[chosen] = part.images[places]
        labels[chosen] = part.labels[places]
        indices[chosen] = part.indices[places]
    return pixels, labels, ["train" if row < count else "test" for row in rows], indices


def _key() -> tuple[str, results.Stamp]:
    """Returns what changes as soon as there is another analysis."""
    path = services.analysis_path()
    data_dir = str(settings.current().data_dir)
    return data_dir, results.stamp(path / PAIRS_NAME if path else Path(data_dir, "none"))


@st.cache_resource(max_entries=2, show_spinner=False)
def _located(data_dir: str, at: results.Stamp) -> Located:  # noqa: ARG001 - the key
    return services.read_places()


@st.cache_resource(max_entries=2, show_spinner=False)
def _pairs(data_dir: str, at: results.Stamp) -> Pairs:  # noqa: ARG001 - the key
    return services.read_pairs()


@st.cache_resource(max_entries=8, show_spinner=False)
def _doubtful(unseen: Unseen, stamps: tuple[object, ...]) -> DoubtfulLabels:  # noqa: ARG001
    return services.find_doubtful_labels(unseen)
