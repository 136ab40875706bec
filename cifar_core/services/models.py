"""Trained networks: their figures, their stored predictions, and ready to classify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core import files, settings
from cifar_core.dataset import arrays
from cifar_core.dataset.splits import divide, sample_training
from cifar_core.errors import ModelError, RunError
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.evaluation.evaluation import Evaluation, count_correct, evaluate
from cifar_core.inference import novelty, upload
from cifar_core.inference.classifier import Classifier
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.novelty import Novelty
from cifar_core.inference.room import Room
from cifar_core.named_recipes import DEFAULT_RECIPE
from cifar_core.runs import devices, digests, results
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.services.access import check_may_change
from cifar_core.services.runs import list_runs

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A trained network ready to answer; shared by all sessions and threads.

    Attributes:
        run: Its run.
        classifier: Its loaded network.
        inspector: The same network, opened up.
        temperature: Of its probabilities, or None where none was fitted.
        novelty: What “none of these” is told from; None where the run held no pictures out, or
            finished before the lab could tell.
    """

    run: Run
    classifier: Classifier
    inspector: LayerInspector
    temperature: float | None
    novelty: Novelty | None = None

    def probabilities(self, images: NDArray[np.uint8], *, flip: bool = False) -> Probabilities:
        """Returns class probabilities (n, 10) float32, calibrated where there is a temperature.

        Args:
            images: (n, 32, 32, 3) uint8.
            flip: Average with the probabilities for the flipped images.
        """
        return self.calibrate(self.classifier.classify(images, mirror=flip))

    def calibrate(self, probabilities: Probabilities) -> Probabilities:
        """Returns probabilities (n, 10) with the temperature, where there is one."""
        if self.temperature is None or not len(probabilities):
            return probabilities
        return apply_temperature(probabilities, self.temperature).astype(np.float32)


def read_evaluation(run: Run) -> Evaluation | None:
    """Returns the final figures of a run, or None while it has none."""
    return results.read_evaluation(run)


def read_predictions(run: Run, *, epoch: int | None = None) -> results.Predictions:
    """Returns what a run's network answered on its monitored split after an epoch."""
    return results.read_predictions(run, epoch=epoch)


def read_course(
    run: Run, answers: results.Predictions, places: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a run's network answered for some watched pictures, epoch by epoch."""
    return results.read_course(run, answers, places)


def read_test_predictions(run: Run) -> results.Predictions:
    """Returns what a finished run's network answered on the test pictures."""
    return results.read_test_predictions(run)


def evaluate_run(run: Run) -> Evaluation:
    """Recomputes the final figures of a finished run from its weights, on the test pictures.

    Raises:
        RunError: The run has no trained network.
        DataError: The full dataset is missing.
    """
    dataset = arrays.open_full(settings.current().data_dir, results.spec_of(run))
    arrays.verify(dataset)
    stored = read_evaluation(run)
    classifier = open_classifier(run, threads=None)
    recipe = results.recipe_of(run)
    learned, monitored = divide(recipe, dataset)
    sample = sample_training(learned)
    has_validation = recipe.monitored_split == "validation"
    return evaluate(
        classifier.classify(dataset.test.images).astype(np.float16),  # as the run keeps them
        classifier.classify(dataset.test.images, mirror=True),
        dataset.test.labels,
        split="test",
        temperature=stored.temperature if stored else None,
        training=count_correct(classifier.classify(sample.images), sample.labels),
        held_out=count_correct(classifier.classify(monitored.images), monitored.labels)
        if has_validation
        else None,
    )


def list_models() -> list[Run]:
    """Returns the finished runs that can classify: shipped ones first, then the newest."""
    usable = [
        run
        for run in list_runs()
        if run.state is State.FINISHED and run.recipe and run.folder.litert_path.is_file()
    ]
    return sorted(usable, key=lambda run: not run.is_shipped)


def models_to_ask() -> list[Run]:
    """Returns the models in the order in which a picture is put to them: the best known first.

    That is the reference where it came with the lab; all others stand behind it as in
    :func:`list_models`.
    """
    return sorted(list_models(), key=lambda run: not (run.is_shipped and run.is_reference))


def find_model(name: str | None) -> Run:
    """Returns the model that a name means: a run, or the first model of a network.

    Args:
        name: A run's identity, a network's name, or None for the first of
            :func:`models_to_ask`.

    Raises:
        ModelError: There is no trained network yet, or none of that name.
    """
    models = models_to_ask()
    for run in models:
        if name is None or name == run.id or name == results.recipe_of(run).network:
            return run
    raise ModelError(
        f"There is no trained network “{name}”." if name else "There is no trained network yet.",
        expected="Known models: " + (", ".join(run.id for run in models) or "none") + ".",
        remedy="Train one: python -m cifar_core train --network cnn4",
    )


def open_classifier(run: Run, *, threads: int | None = 1) -> Classifier:
    """Loads the trained network of a run, its digest checked.

    Args:
        run: A finished or shipped run.
        threads: Threads to use; None for as many as there are cores.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    return Classifier(
        run.folder.litert_path,
        results.spec_of(run),
        threads=threads or devices.usable_cores(),
        sha256=recorded_digest(run),
    )


def open_inspector(run: Run, *, threads: int | None = 1) -> LayerInspector:
    """Opens up the trained network of a run, its digest checked: every step and its weights.

    Args:
        run: A finished or shipped run.
        threads: Threads to use; None for as many as there are cores.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    return LayerInspector(
        run.folder.litert_path,
        threads=threads or devices.usable_cores(),
        sha256=recorded_digest(run),
    )


def recorded_digest(run: Run) -> str:
    """Returns the SHA-256 that a run's manifest records for its served network.

    Raises:
        ModelError: The run has no trained network.
    """
    digest = run.folder.recorded_digest()
    if not digest:
        raise ModelError(
            f"Run “{run.name}” has no trained network to classify with.",
            expected="A finished run with its manifest.",
            remedy="Choose a finished run.",
        )
    return digest


def read_picture(data: bytes, name: str, room: Room | None = None) -> upload.Picture:
    """Reads an uploaded file as a picture.

    Args:
        data: The whole file.
        name: Its name, from anywhere.
        room: What bounds the pixels that several threads decode at once.

    Raises:
        PictureError: It is none, or it is too large.
    """
    return upload.read_picture(data, name, room)


def open_model(run: Run, *, threads: int | None = 1) -> Model:
    """Loads everything that a model answers with, digests checked.

    Args:
        run: A finished or shipped run.
        threads: Threads to use; None for as many as there are cores.

    Raises:
        ModelError: A part of it is missing or not the recorded one.
    """
    figures = read_evaluation(run)
    return Model(
        run,
        open_classifier(run, threads=threads),
        open_inspector(run, threads=threads),
        figures.temperature if figures else None,
        _read_novelty(run),
    )


def fit_novelty(run: Run) -> Novelty:
    """Makes again what “none of these” needs for a finished run, as its end would have.

    The threshold comes from the pictures that the run held out; the test pictures measure its
    false alarms.

    Raises:
        RunError: The run has no trained network, or held no pictures out.
        DataError: The full dataset is missing.
    """
    check_may_change()
    dataset = arrays.open_full(settings.current().data_dir, results.spec_of(run))
    arrays.verify(dataset)
    recipe = results.recipe_of(run)
    if recipe.monitored_split != "validation":
        raise RunError(
            f"Run “{run.name}” held no pictures out.",
            expected="The threshold of “none of these” is set on pictures that were held out.",
            remedy=f"Train with a recipe that does, as {DEFAULT_RECIPE}.",
        )
    learned, watched = divide(recipe, dataset)
    inspector = open_inspector(run, threads=None)
    made = novelty.fit(
        inspector, learnt=learned.images, labels=learned.labels, held_out=watched.images
    )
    made = novelty.measure(made, inspector, dataset.test.images)
    files.write_whole(run.folder.novelty_path, made.to_bytes())
    digests.record(run.folder.path, [run.folder.novelty_path])
    return made


def _read_novelty(run: Run) -> Novelty | None:
    """Returns what a run's manifest records for “none of these”, or None where it has nothing."""
    path = run.folder.novelty_path
    recorded = run.folder.read_manifest().get("sha256", {}).get(path.name)
    return novelty.read(path, str(recorded)) if recorded else None
