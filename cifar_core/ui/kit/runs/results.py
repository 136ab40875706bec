"""What runs have written, read once per change of a file and shared by all sessions.

A file is known by its path, size and time: what a running worker appends is seen at once, what
nobody touched is not read again. Evaluations and lists of runs are small and always read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cifar_core import services, settings
from cifar_core.dataset import CIFAR10
from cifar_core.errors import RunError
from cifar_core.evaluation import metrics
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.evaluation.classification import class_report
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.learning import Learning
from cifar_core.evaluation.predictions import Integers
from cifar_core.runs import results
from cifar_core.runs.digests import ChangedError
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, learning_of
from cifar_core.runs.watch import MetricsWatch, RunsWatch

if TYPE_CHECKING:
    import pandas as pd

Stamp = tuple[str, int, int]


def stamp(path: Path) -> Stamp:
    """Returns what tells one state of a file from another: path, size and time."""
    try:
        state = path.stat()
    except OSError:
        return str(path), -1, 0
    return str(path), state.st_size, state.st_mtime_ns


def list_runs() -> list[Run]:
    """Returns the lab's own runs as they stand now; the ended ones are read when they change."""
    return _runs_watch(str(settings.current().runs_dir)).look()


@st.cache_resource(max_entries=4, show_spinner=False)
def _runs_watch(runs_dir: str) -> RunsWatch:  # noqa: ARG001 - the key
    return services.watch_runs()


def metric_rows(run: Run) -> Sequence[MetricRow]:
    """Returns the metrics of a run so far; only what was added since is read."""
    return _metrics_watch(run).read()


@st.cache_resource(
    max_entries=20, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder.path)}
)
def _metrics_watch(run: Run) -> MetricsWatch:
    return services.watch_metrics(run)


@st.cache_data(
    max_entries=200,
    show_spinner=False,
    hash_funcs={Run: lambda run: stamp(run.folder.metrics_path)},
)
def learning(run: Run) -> Learning:
    """Returns the figures of a run after each of its epochs so far."""
    return learning_of(services.read_metrics(run.id))


@st.cache_data(
    max_entries=60,
    show_spinner=False,
    hash_funcs={
        Run: lambda run: (stamp(run.folder.test_predictions_path), run.status.epoch, run.name)
    },
)
def test_answers(run: Run) -> Predictions:
    """Returns what the finished network answered on the test pictures.

    Raises:
        RunError: It has not, or the file is damaged.
    """
    return services.read_test_predictions(run)


@st.cache_data(
    max_entries=300,
    show_spinner=False,
    hash_funcs={
        Run: lambda run: (
            *(stamp(run.folder.predictions_path), stamp(run.folder.manifest_path)),
            run.name,
        )
    },
)
def epoch_answers(run: Run, epoch: int | None = None) -> Predictions:
    """Returns what the network answered on its monitored pictures after an epoch.

    Args:
        run: The run.
        epoch: Counted from 1; the last one by default.

    Raises:
        RunError: It has no predictions of that epoch.
    """
    return services.read_predictions(run, epoch=epoch)


@st.cache_data(
    max_entries=200,
    show_spinner=False,
    hash_funcs={Run: lambda run: stamp(run.folder.manifest_path)},
)
def answers_every(run: Run) -> int:
    """Returns after how many epochs each there are predictions: 1 but for some that shipped."""
    return results.answers_every(run)


def last_epoch(run: Run) -> int:
    """Returns the last epoch of which there are predictions; 0 when there are none."""
    answers = latest_answers(run)
    return answers.epoch if answers is not None else 0


def matrix_of(answers: Predictions) -> Integers:
    """Returns the confusion matrix (10, 10) of answers."""
    return metrics.confusion(answers.labels, answers.probabilities.argmax(axis=1), CIFAR10.classes)


@st.cache_data(
    max_entries=60,
    show_spinner="Counting …",
    hash_funcs={
        Run: lambda run: tuple(
            map(stamp, (run.folder.test_predictions_path, run.folder.predictions_path))
        ),
        Predictions: lambda answers: (answers.origin, answers.split, answers.monitored),
    },
)
def report_of(run: Run, answers: Predictions) -> pd.DataFrame:  # noqa: ARG001 - the key
    """Returns the :func:`classification.class_report` of a run's answers."""
    return class_report(matrix_of(answers), CIFAR10.class_names)


def final_answers(run: Run) -> Predictions | None:
    """Returns the answers on the test pictures, or None where the run has none.

    Raises:
        ChangedError: They are not those that the run wrote.
    """
    return _unless_missing(test_answers, run)


def fitted_temperature(run: Run, answers: Predictions, figures: Evaluation | None) -> float | None:
    """Returns the temperature that belongs to these answers.

    It was fitted to the final network: what an earlier epoch said has none.
    """
    is_final = figures is not None and answers.epoch == run.status.epoch
    return figures.temperature if figures is not None and is_final else None


def as_served(run: Run, answers: Predictions) -> Predictions:
    """Returns the answers as Classify gives them: calibrated, where a temperature was fitted."""
    try:
        temperature = fitted_temperature(run, answers, services.read_evaluation(run))
    except ChangedError:
        raise
    except RunError:  # the page says so at its top
        temperature = None
    if temperature is None:
        return answers
    calibrated = apply_temperature(answers.probabilities, temperature).astype(np.float32)
    return dataclasses.replace(answers, probabilities=calibrated, temperature=temperature)


def latest_answers(run: Run) -> Predictions | None:
    """Returns the answers after the last epoch so far, or None where the run has none.

    Raises:
        ChangedError: They are not those that the run wrote.
    """
    return _unless_missing(epoch_answers, run)


def _unless_missing(read: Callable[[Run], Predictions], run: Run) -> Predictions | None:
    try:
        return read(run)
    except ChangedError:
        raise
    except RunError:
        return None


def shown_share(answers: Predictions) -> metrics.Share:
    """Returns the accuracy of answers with its interval."""
    return metrics.share(
        int(np.count_nonzero(answers.probabilities.argmax(axis=1) == answers.labels)),
        len(answers.labels),
    )
