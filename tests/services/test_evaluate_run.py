"""A run's final figures are recomputed on the right images of the right split."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core import services
from cifar_core.dataset import arrays, splits
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.sample import load_sample
from cifar_core.dataset.splits import held_out
from cifar_core.runs import digests
from cifar_core.runs.reading import Run
from cifar_core.settings import PROJECT_DIR

HELD_OUT, TESTED, MEASURED = 200, 300, 500
"""Images held out, of the test split, and of the training images that are measured."""


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The sample in the place of the full dataset, every split of another size."""
    sample = load_sample()
    test = splits.take(sample.test, np.arange(TESTED))
    found = dataclasses.replace(sample, test=test, is_sample=False)
    monkeypatch.setattr(arrays, "open_full", lambda *_: found)
    monkeypatch.setattr(arrays, "verify", lambda _: None)
    monkeypatch.setattr(splits, "TRAINING_SAMPLE", MEASURED)
    return found


def run_with(runs_dir: Path, **changes: object) -> Run:
    """Returns a finished run of the shipped CNN-4 with other settings."""
    folder = runs_dir / "run"
    shutil.copytree(PROJECT_DIR / "models" / "cnn4", folder)
    path = folder / "recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    digests.record(folder, [path])
    return services.read_run("run")


def test_each_figure_is_counted_on_the_images_of_its_own_split(
    runs_dir: Path, dataset: Dataset
) -> None:
    run = run_with(runs_dir, validation_pictures=HELD_OUT)
    figures, stored = services.evaluate_run(run), services.read_evaluation(run)
    assert stored is not None
    classifier = services.open_classifier(run)
    learned, watched = held_out(dataset.train.labels, HELD_OUT, classes=10)
    guesses = classifier.classify(dataset.train.images).argmax(axis=1)
    is_right = guesses == dataset.train.labels
    answers = classifier.classify(dataset.test.images)
    flipped = classifier.classify(dataset.test.images, mirror=True)
    labels = dataset.test.labels
    assert (figures.split, figures.pictures) == ("test", TESTED)
    assert figures.right == (answers.argmax(axis=1) == labels).sum()
    assert figures.accuracy_mirrored == (flipped.argmax(axis=1) == labels).mean()
    assert figures.accuracy_mirrored != figures.accuracy
    assert figures.held_out == (is_right[watched].sum(), HELD_OUT)
    assert figures.training is not None
    measured, total = figures.training
    assert total == MEASURED
    assert abs(measured / total - is_right[learned].mean()) < 0.03
    assert figures.temperature == stored.temperature != 1


def test_a_run_that_watched_the_test_images_has_no_figure_of_held_out_ones(
    runs_dir: Path, dataset: Dataset
) -> None:
    run = run_with(runs_dir, monitored_split="test", validation_pictures=0)
    figures = services.evaluate_run(run)
    assert figures.held_out is None
    assert figures.training is not None
    assert figures.training[1] == MEASURED
