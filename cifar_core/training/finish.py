"""The end of a run: the trained network saved, exported, measured once on the test split."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cifar_core import files, networks
from cifar_core.dataset import arrays, splits
from cifar_core.evaluation import calibration
from cifar_core.evaluation.evaluation import Evaluation, count_correct, evaluate
from cifar_core.inference import novelty
from cifar_core.inference.classifier import Classifier
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.recipes import Recipe
from cifar_core.runs.devices import usable_cores
from cifar_core.runs.folder import RunFolder, Status
from cifar_core.training import checkpoint
from cifar_core.training.export import export_litert

LOG = logging.getLogger(__name__)


def finish(
    folder: RunFolder,
    trained: keras.Model,
    *,
    dataset: arrays.Dataset,
    learned: arrays.Split,
    watched: arrays.Split,
    status: Status,
    report_phase: Callable[[str], None],
) -> None:
    """Writes what a finished run has beyond a running one; evaluation.json is the last.

    The figures are measured with the exported network, the one that serves. This is the one
    time that a run with a validation split reads the test pictures: to measure, never to choose.

    Args:
        folder: The run.
        trained: Its network as trained.
        dataset: The full dataset.
        learned: The pictures it was trained on.
        watched: The split that was monitored.
        status: Names device and precision for the record.
        report_phase: Is told what is being done, over and over while it lasts.
    """
    recipe = folder.read_recipe()
    model = networks.build(recipe.network, recipe.spec)
    model.set_weights(trained.get_weights())
    report_phase("exporting the network")
    _save(model, folder)
    classifier = Classifier(folder.litert_path, recipe.spec, threads=usable_cores())
    temperature = held_out = None
    if recipe.monitored_split == "validation":
        report_phase("fitting the temperature")
        answers = classifier.classify(watched.images)
        temperature = calibration.fit_temperature(answers, watched.labels)
        held_out = count_correct(answers, watched.labels)
        _write_novelty(folder, learned, watched, dataset.test, report_phase=report_phase)
    report_phase("measuring on training images")
    sample = splits.sample_training(learned)
    training = count_correct(classifier.classify(sample.images), sample.labels)
    probabilities, mirrored = _predict_test(classifier, dataset.test.images, report_phase)
    figures = evaluate(
        probabilities,
        mirrored,
        dataset.test.labels,
        split="test",
        temperature=temperature,
        training=training,
        held_out=held_out,
    )
    LOG.info(
        "test accuracy %.4f, with test-time augmentation %.4f; temperature %s",
        *(figures.accuracy, figures.accuracy_mirrored, figures.temperature),
    )
    np.save(folder.test_predictions_path, probabilities, allow_pickle=False)
    _seal(folder, _manifest(folder, recipe, dataset, status), figures)


def _predict_test(
    classifier: Classifier, images: NDArray[np.uint8], report_phase: Callable[[str], None]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Returns predictions (n, 10) of the test images, and averaged with those of the flipped."""
    report_phase("measuring on the test images")
    probabilities = classifier.classify(images).astype(np.float16)
    report_phase("measuring on the flipped test images")
    return probabilities, classifier.classify(images, mirror=True)


def _seal(folder: RunFolder, manifest: dict[str, Any], figures: Evaluation) -> None:
    """Writes manifest and evaluation; a power cut leaves no torn file behind the last word."""
    for written in (folder.keras_path, folder.litert_path, folder.test_predictions_path):
        files.flush(written)
    last = files.to_json(figures.to_json())
    manifest["sha256"][folder.evaluation_path.name] = hashlib.sha256(last).hexdigest()
    folder.write_manifest(manifest)
    checkpoint.before(folder.checkpoint_path).unlink(missing_ok=True)
    files.write_whole(folder.evaluation_path, last)


def _write_novelty(
    folder: RunFolder,
    learned: arrays.Split,
    watched: arrays.Split,
    test: arrays.Split,
    *,
    report_phase: Callable[[str], None],
) -> None:
    """Writes what “none of these” needs; the test pictures only measure its false alarms."""

    def tell() -> None:  # this takes half a minute, and a silent worker would count as stalled
        report_phase("setting the threshold of “none of these”")

    inspector = LayerInspector(folder.litert_path, threads=usable_cores())
    made = novelty.fit(
        inspector, learnt=learned.images, labels=learned.labels, held_out=watched.images, tell=tell
    )
    made = novelty.measure(made, inspector, test.images, tell)
    files.write_whole(folder.novelty_path, made.to_bytes())


def _save(model: keras.Model, folder: RunFolder) -> None:
    """Saves the network in both forms; each stands whole or not at all."""
    unfinished = folder.path / ".finishing"
    shutil.rmtree(unfinished, ignore_errors=True)  # of a worker that was killed here
    unfinished.mkdir()
    made = (unfinished / folder.keras_path.name, unfinished / folder.litert_path.name)
    model.save(made[0])
    export_litert(model, *made)
    for path in made:
        path.replace(folder.path / path.name)
    unfinished.rmdir()


def _version(package: str) -> str:
    """Returns a package's version, also when another distribution brings it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # tensorflow-cpu brings tensorflow
        return str(getattr(sys.modules.get(package), "__version__", "unknown"))


def _manifest(
    folder: RunFolder, recipe: Recipe, dataset: arrays.Dataset, status: Status
) -> dict[str, Any]:
    """Returns the origin of everything in the folder."""
    kept: tuple[Path, ...] = (
        folder.keras_path,
        folder.litert_path,
        folder.predictions_path,
        folder.test_predictions_path,
        folder.metrics_path,
        folder.recipe_path,
    )
    if folder.novelty_path.is_file():
        kept = (*kept, folder.novelty_path)
    saved = checkpoint.load(folder.checkpoint_path)
    packages = ("keras", keras.backend.backend(), "numpy", "ai-edge-litert")
    return {
        "run": folder.id,
        "network": recipe.network,
        "data_digest": dataset.digest,
        "data_source": dataset.source,
        "device": status.device,
        "device_name": status.device_name,
        "precision": status.precision,
        "cores": status.cores,
        "threads": status.threads,
        "surroundings": dict(saved.progress.surroundings) if saved else {},
        "caution": status.caution,
        "load_at_start": status.load_at_start,
        "load_median": status.load_median,
        "backend": keras.backend.backend(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
        "sha256": {path.name: files.sha256_of(path) for path in kept},
    }
