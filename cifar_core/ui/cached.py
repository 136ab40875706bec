"""What all sessions share because it is the same for everyone: kept within bounds.

Nothing that a visitor brings is kept here.
"""

from __future__ import annotations

import streamlit as st

from cifar_core import files, services, settings
from cifar_core.dataset import statistics
from cifar_core.dataset.arrays import FULL_FOLDER, MANIFEST_NAME, Dataset, Split
from cifar_core.dataset.statistics import Statistics
from cifar_core.inference.classifier import Classifier
from cifar_core.runs.manager import Run

MOST_CLASSIFIERS = 8
"""Networks kept loaded; each takes about three times its file, 15 to 30 MB."""


def open_dataset() -> Dataset:
    """Returns the dataset as :func:`cifar_core.services.open_dataset` does, opened once.

    The full set is found as soon as it is there, and gone as soon as it is not.

    Raises:
        DataError: As the service.
    """
    data_dir = settings.current().data_dir
    try:
        stamp = (data_dir / FULL_FOLDER / MANIFEST_NAME).stat().st_mtime_ns
    except OSError:
        stamp = 0  # The service finds out why and says so.
    return _open_dataset(str(data_dir), stamp)


@st.cache_resource(max_entries=2, show_spinner=False)
def _open_dataset(data_dir: str, stamp: int) -> Dataset:  # noqa: ARG001 - they are the key
    return services.open_dataset()


def measure(dataset: Dataset, split: Split) -> Statistics:
    """Returns the statistics of a split of the dataset, measured once."""
    return _measure(dataset.digests[f"{split.name}_images"], split)


@st.cache_resource(max_entries=4, show_spinner="Measuring the pixels …")
def _measure(digest: str, _split: Split) -> Statistics:  # noqa: ARG001 - the key
    return statistics.measure(_split)


def open_classifier(run: Run) -> Classifier:
    """Returns the loaded network of a run, shared by all sessions.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    try:
        digest = str(files.read_json(run.folder.manifest_path)["sha256"]["model.tflite"])
    except (OSError, ValueError, KeyError, TypeError):
        digest = ""  # The service finds out why and says so.
    return _open_classifier(run.id, digest, run)


@st.cache_resource(max_entries=MOST_CLASSIFIERS, show_spinner="Loading the network …")
def _open_classifier(run_id: str, digest: str, _run: Run) -> Classifier:  # noqa: ARG001 - the key
    return services.open_classifier(_run, threads=settings.current().serving_threads)
