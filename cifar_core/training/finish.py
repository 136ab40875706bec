"""The end of a run: the trained network saved, exported, measured once on the test split."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

import keras
import numpy as np

from cifar_core import files, networks
from cifar_core.dataset import arrays
from cifar_core.evaluation import calibration
from cifar_core.evaluation.evaluation import evaluate
from cifar_core.inference.classifier import Classifier
from cifar_core.recipes import Recipe
from cifar_core.runs.devices import usable_cores
from cifar_core.runs.folder import RunFolder, Status
from cifar_core.training import checkpoint
from cifar_core.training.export import export_litert


def finish(
    folder: RunFolder,
    trained: keras.Model,
    *,
    dataset: arrays.Dataset,
    watched: arrays.Split,
    status: Status,
) -> None:
    """Writes what a finished run has beyond a running one; evaluation.json is the last.

    The figures are measured with the exported network, the one that serves. This is the one
    time that a run with a validation split reads the test pictures.

    Args:
        folder: The run.
        trained: Its network as trained.
        dataset: The full dataset.
        watched: The split that was monitored.
        status: Names device and precision for the record.
    """
    recipe = folder.read_recipe()
    model = networks.build(recipe.network)
    model.set_weights(trained.get_weights())
    temporary = folder.path / f".{folder.keras_path.name}"
    model.save(temporary)
    temporary.replace(folder.keras_path)
    export_litert(model, folder.keras_path, folder.litert_path)

    classifier = Classifier(folder.litert_path, threads=usable_cores())
    temperature = None
    if recipe.monitored_split == "validation":
        answers = classifier.classify(watched.images)
        temperature = calibration.fit_temperature(answers, watched.labels)
    probabilities = classifier.classify(dataset.test.images).astype(np.float16)
    mirrored = classifier.classify(dataset.test.images, mirror=True)
    figures = evaluate(
        probabilities, mirrored, dataset.test.labels, split="test", temperature=temperature
    )
    np.save(folder.test_predictions_path, probabilities, allow_pickle=False)
    for written in (folder.keras_path, folder.litert_path, folder.test_predictions_path):
        files.flush(written)  # a power cut must not leave torn files behind the last word
    files.write_json(folder.manifest_path, _manifest(folder, recipe, dataset, status))
    checkpoint.before(folder.checkpoint_path).unlink(missing_ok=True)
    files.write_json(folder.evaluation_path, figures.to_json())


def _manifest(
    folder: RunFolder, recipe: Recipe, dataset: arrays.Dataset, status: Status
) -> dict[str, Any]:
    """Returns the origin of everything in the folder."""
    kept = (
        folder.keras_path,
        folder.litert_path,
        folder.predictions_path,
        folder.test_predictions_path,
        folder.metrics_path,
        folder.recipe_path,
    )
    packages = ("keras", keras.backend.backend(), "numpy", "ai-edge-litert")
    return {
        "run": folder.id,
        "network": recipe.network,
        "data_digest": dataset.digest,
        "data_source": dataset.source,
        "device": status.device,
        "device_name": status.device_name,
        "precision": status.precision,
        "backend": keras.backend.backend(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "sha256": {path.name: files.sha256_of(path) for path in kept},
    }
