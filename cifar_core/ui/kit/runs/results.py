"""What runs have written, read once per change of a file and shared by all sessions.

A file is known by its path, size and time: what a running worker appends is seen at once, what
nobody touched is not read again. Evaluations and lists of runs are small and always read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cifar_core import services, settings
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
Key = tuple[str | int, ...]
"""Several stamps and words: what tells one state of several files from another."""


def list_runs() -> list[Run]:
    """Returns the lab's own runs as they stand now; the ended ones are read when they change."""
    return _runs_watch(str(settings.current().runs_dir)).look()


@st.cache_resource(max_entries=4, show_spinner=False)
def _runs_watch(runs_dir: str) -> RunsWatch:  # noqa: ARG001 - the key
    return services.watch_runs()


def metric_rows(run: Run) -> Sequence[MetricRow]:
    """Returns the metrics of a run so far; only what was added since is read."""
    return _metrics_watch(str(run.folder.path), run).read()


@st.cache_resource(max_entries=20, show_spinner=False)
def _metrics_watch(path: str, _run: Run) -> MetricsWatch:  # noqa: ARG001 - the key
    return services.watch_metrics(_run)


def learning(run: Run) -> Learning:
    """Returns the figures of a run after each of its epochs so far."""
    return _learning(stamp(run.folder.metrics_path), run)


@st.cache_data(max_entries=200, show_spinner=False)
def _learning(at: Stamp, _run: Run) -> Learning:  # noqa: ARG001 - the key
    return learning_of(services.read_metrics(_run.id))


def test_answers(run: Run) -> Predictions:
    """Returns what the finished network answered on the test pictures.

    Raises:
        RunError: It has not, or the file is damaged.
    """
    return _test_answers(stamp(run.folder.test_predictions_path), run.status.epoch, run.name, run)


@st.cache_data(max_entries=60, show_spinner=False)
def _test_answers(at: Stamp, epoch: int, name: str, _run: Run) -> Predictions:  # noqa: ARG001
    return services.read_test_predictions(_run)


def epoch_answers(run: Run, epoch: int | None = None) -> Predictions:
    """Returns what the network answered on its monitored pictures after an epoch.

    Args:
        run: The run.
        epoch: Counted from 1; the last one by default.

    Raises:
        RunError: It has no predictions of that epoch.
    """
    at = (*stamp(run.folder.predictions_path), *stamp(run.folder.manifest_path), run.name)
    return _epoch_answers(at, epoch, run)


@st.cache_data(max_entries=300, show_spinner=False)
def _epoch_answers(at: Key, epoch: int | None, _run: Run) -> Predictions:  # noqa: ARG001
    return services.read_predictions(_run, epoch=epoch)


def answers_every(run: Run) -> int:
    """Returns after how many epochs each there are predictions: 1 but for some that shipped."""
    return _answers_every(stamp(run.folder.manifest_path), run)


@st.cache_data(max_entries=200, show_spinner=False)
def _answers_every(at: Stamp, _run: Run) -> int:  # noqa: ARG001 - the key
    return results.answers_every(_run)


def last_epoch(run: Run) -> int:
    """Returns the last epoch of which there are predictions; 0 when there are none."""
    answers = latest_answers(run)
    return answers.epoch if answers is not None else 0


def matrix_of(answers: Predictions) -> Integers:
    """Returns the confusion matrix (10, 10) of answers."""
    return metrics.confusion(answers.labels, answers.probabilities.argmax(axis=1))


@st.cache_data(max_entries=60, show_spinner="Counting …")
def report_of(key: str, _answers: Predictions) -> pd.DataFrame:  # noqa: ARG001 - the key
    """Returns the classification report of answers, see :func:`classification.class_report`.

    Args:
        key: Names the answers; see :func:`key_of`.
        _answers: The answers.
    """
    return class_report(matrix_of(_answers))


def key_of(run: Run, answers: Predictions) -> str:
    """Returns a name for answers that is another one as soon as they are other answers."""
    path = (
        run.folder.test_predictions_path
        if answers.monitored == "test" and answers.split == "test"
        else run.folder.predictions_path
    )
    return f"{stamp(path)} {stamp(run.folder.predictions_path)} {answers.origin}"


def stamp(path: Path) -> Stamp:
    """Returns what tells one state of a file from another: path, size and time."""
    try:
        state = path.stat()
    except OSError:
        return str(path), -1, 0
    return str(path), state.st_size, state.st_mtime_ns


def final_answers(run: Run) -> Predictions | None:
    """Returns the answers on the test pictures, or None where the run has none.

    Raises:
        ChangedError: They are not those that the run wrote.
    """
    try:
        return test_answers(run)
    except ChangedError:
        raise
    except RunError:
        return None


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
    try:
        return epoch_answers(run)
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
