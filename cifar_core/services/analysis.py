"""What a person can ask about the pictures beyond their pixels: neighbours, twins, doubts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core import formats, settings
from cifar_core.analysis import compute, doubts, exhibits, process, results
from cifar_core.dataset import CIFAR10, arrays, sample
from cifar_core.errors import DataError, LabError, ModelError
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.evaluation.words import listed
from cifar_core.networks import NETWORKS
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, recipe_of
from cifar_core.services.access import check_may_change
from cifar_core.services.data import open_dataset
from cifar_core.services.models import (
    find_model,
    list_models,
    read_evaluation,
    read_predictions,
    read_test_predictions,
)
from cifar_core.services.report import validation_accuracy

AnalysisState = Literal["ready", "stale", "none"]
LOOK_SECONDS = 1.0

Unseen = Literal["test", "validation"]
"""Pictures that a network did not learn from: the test split, or those held out."""


@dataclass(frozen=True, eq=False)
class Located:
    """Places of pictures, and the dataset whose pictures they are.

    Attributes:
        dataset: The full dataset where it has been analysed, else the shipped sample.
        places: One row for each of its pictures.
    """

    dataset: arrays.Dataset
    places: results.Places


@dataclass(frozen=True, eq=False)
class DoubtfulLabels:
    """Pictures of a split whose label is doubtful, the most doubtful first.

    Attributes:
        split: ``train`` or ``test``: where ``indices`` point.
        indices: (m,) int64, official indices.
        given: (m,) int64, their labels.
        suggested: (m,) int64, the class the networks speak for.
        margins: (m,) float64, see :class:`cifar_core.analysis.doubts.Doubts`.
        pictures: How many pictures were judged.
        origin: Which networks judged them, in a line.
    """

    split: str
    indices: NDArray[np.int64]
    given: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margins: NDArray[np.float64]
    pictures: int
    origin: str

    def facts(self) -> dict[str, Any]:
        """Returns all of it as plain values under names."""
        doubts = [
            {
                "split": self.split,
                "index": int(index),
                "label": CIFAR10.class_names[given],
                "suggested": CIFAR10.class_names[suggested],
                "margin": round(float(margin), 4),
            }
            for index, given, suggested, margin in zip(
                self.indices, self.given, self.suggested, self.margins, strict=True
            )
        ]
        return {"origin": self.origin, "pictures": self.pictures, "doubts": doubts}

    def lines(self) -> list[str]:
        """Returns a line for each doubtful label."""
        return [
            f"{doubt['split']} {doubt['index']:>5}  {doubt['label']:<10} "
            f"perhaps {doubt['suggested']:<10} {doubt['margin']:+.3f}"
            for doubt in self.facts()["doubts"]
        ]


def analysis_model() -> Run:
    """Returns the network that looks at the pictures: the most accurate one that shipped.

    Held-out training pictures decide; the test pictures have no say in the choice.

    Raises:
        ModelError: There is no trained network.
    """
    models = list_models()
    shipped = [run for run in models if run.is_shipped] or models
    if not shipped:
        return find_model(None)  # says what to do
    return max(shipped, key=validation_accuracy)


def start_analysis() -> None:
    """Lets :func:`analysis_model` look at the full dataset, in a process of its own.

    Raises:
        NotAllowedError: The lab is read-only.
        DataError: The full dataset is missing, or its folder cannot be written.
        ModelError: There is no trained network.
    """
    check_may_change()
    data_dir = settings.current().data_dir
    arrays.open_full(data_dir)  # says what to do when it is missing
    run = analysis_model()
    compute.network_of(run.folder.path)
    process.JOB.start(data_dir, run.folder.path)


def stop_analysis() -> None:
    """Asks a running analysis to end."""
    check_may_change()
    process.JOB.stop(settings.current().data_dir)


def read_analysis() -> process.AnalysisStatus | None:
    """Returns how far the analysis is, or None when there has been none."""
    return process.JOB.read(settings.current().data_dir)


def wait_for_analysis(told: Callable[[str], None]) -> None:
    """Waits until the analysis ends, and tells how far it is.

    Raises:
        DataError: It failed or was stopped.
    """
    while (status := read_analysis()) is not None and status.state == "running":
        told(f"{status.message}, about {formats.duration(status.seconds_left)} to go")
        time.sleep(LOOK_SECONDS)
    if status is None:
        raise DataError("The analysis left no word.", remedy="Start it again.")
    if status.state != "finished":
        what = status.what or status.message
        raise DataError(what, expected=status.expected, remedy=status.remedy)


def analysis_state() -> AnalysisState:
    """Says whether the full dataset has been analysed by the current network and method."""
    folder = _analysis_dir()
    if folder is None:
        return "none"
    if results.is_there(folder):
        return "ready"
    return "stale" if results.others_beside(folder) else "none"


def analysis_path() -> Path | None:
    """Returns the folder of the current analysis, or None where there is none."""
    folder = _analysis_dir()
    return folder if folder is not None and results.is_there(folder) else None


def read_places() -> Located:
    """Returns where the pictures lie to a network: of the full dataset, else of the sample.

    Raises:
        DataError: What is stored is damaged.
    """
    folder = analysis_path()
    if folder is None:
        return Located(sample.load_sample(), results.read_shipped_places())
    return Located(open_dataset(), results.read_places(folder / results.PLACES_NAME))


def read_pairs() -> results.Pairs:
    """Returns the near-duplicates of the full dataset: found here, else those that shipped.

    Raises:
        DataError: What is stored is damaged.
    """
    folder = analysis_path()
    if folder is None:
        return results.read_shipped_pairs()
    return results.read_pairs(folder / results.PAIRS_NAME)


def read_exhibits() -> list[exhibits.Exhibit]:
    """Returns the closest near-duplicates with their pictures, which ship with the lab."""
    return exhibits.read_exhibits()


def judges(unseen: Unseen) -> list[Run]:
    """Returns the networks whose answers on unseen pictures can be averaged.

    The shipped ones where there are any; of the others only those that held the same pictures
    out as the first.
    """
    models = list_models()
    models = [run for run in models if run.is_shipped] or models
    if unseen == "test":
        return [run for run in models if run.folder.test_predictions_path.is_file()]
    watching = [
        run
        for run in models
        if run.recipe is not None
        and run.recipe.monitored_split == "validation"
        and run.folder.predictions_path.is_file()
    ]
    first = watching[0].recipe.validation_pictures if watching and watching[0].recipe else 0
    return [run for run in watching if run.recipe and run.recipe.validation_pictures == first]


def find_doubtful_labels(unseen: Unseen) -> DoubtfulLabels:
    """Finds labels that are probably wrong, by the answers of networks that never saw them.

    Args:
        unseen: ``test``, or ``validation`` for the training pictures that were held out. For
            the pictures a network learned from there are no such answers.

    Raises:
        ModelError: No network has answered these pictures.
        RunError: Its answers are damaged.
    """
    runs = judges(unseen)
    if not runs:
        raise ModelError(
            f"No trained network here has answered the {unseen} pictures.",
            expected="A finished run; the shipped ones are such.",
            remedy="Train a network, or put the shipped ones back into the folder models.",
        )
    answers = [_answers(run, unseen) for run in runs]
    first = answers[0]
    found = doubts.find_doubts(
        np.mean([_calibrated(run, item) for run, item in zip(runs, answers, strict=True)], axis=0),
        first.labels,
    )
    names = listed([f"{NETWORKS[recipe_of(run).network].title} (run {run.id})" for run in runs])
    return DoubtfulLabels(
        first.split,
        first.indices[found.places],
        first.labels[found.places].astype(np.int64),
        found.suggested,
        found.margins,
        found.pictures,
        f"Confident learning on the mean calibrated probabilities of {names}; "
        f"{found.pictures:,} {unseen} pictures; data {CIFAR10.digest}",
    )


def _answers(run: Run, unseen: Unseen) -> Predictions:
    return read_test_predictions(run) if unseen == "test" else read_predictions(run)


def _calibrated(run: Run, answers: Predictions) -> NDArray[np.float64]:
    figures = read_evaluation(run)
    if figures is None or figures.temperature is None:
        return answers.probabilities.astype(np.float64)
    return np.asarray(apply_temperature(answers.probabilities, figures.temperature), np.float64)


def _analysis_dir() -> Path | None:
    """Returns where the analysis by the current network lies, done or not."""
    data_dir = settings.current().data_dir
    try:
        full = arrays.open_full(data_dir)
        network = compute.network_of(analysis_model().folder.path)
    except LabError:
        return None
    return results.folder_of(data_dir, data=full.digest, network=network.sha256)
