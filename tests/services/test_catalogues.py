"""Which training images a model's neighbours are looked for among, and who computes them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cifar_core import services
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.sample import load_sample
from cifar_core.inference import neighbours
from cifar_core.inference.neighbours import Catalogue
from cifar_core.services import Model
from cifar_core.settings import PROJECT_DIR

FEATURES = np.arange(6, dtype=np.int8).reshape(3, 2)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Model:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path))
    return services.open_model(services.read_run("cnn4"))


@pytest.fixture
def full() -> Dataset:
    """A dataset that is not the sample and whose training images are others."""
    sample = load_sample()
    return dataclasses.replace(sample, train=sample.test, is_sample=False)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was ordered from a process of its own."""
    orders: list[tuple[object, ...]] = []
    monkeypatch.setattr(neighbours, "start", lambda *given: orders.append(given))
    return orders


def test_all_training_images_are_found_by_the_digest_of_the_models_network(
    model: Model, full: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = Catalogue(FEATURES, full.train.indices[:3], full.train.labels[:3], True)
    digest = services.recorded_digest(model.run)
    kept = {(tmp_path, digest, id(full.train)): whole}
    monkeypatch.setattr(
        neighbours, "open_whole", lambda where, name, split: kept.get((where, name, id(split)))
    )
    assert services.read_catalogue(model, full) is whole
    other = dataclasses.replace(model, run=services.read_run("cnn6"))
    assert services.read_catalogue(other, full) is None
    assert services.read_catalogue(model, dataclasses.replace(full, is_sample=True)) is None


def test_where_everything_is_there_all_training_images_are_ordered_and_the_sample_serves(
    model: Model, full: Dataset, started: list[tuple[object, ...]], tmp_path: Path
) -> None:
    made, sample = services.make_catalogue(model, full), load_sample()
    digest = services.recorded_digest(model.run)
    assert started == [(model.run.folder.litert_path, digest, tmp_path)]
    assert made.indices.tolist() == sample.train.indices.tolist()
    assert not made.is_whole
    image = np.asarray(sample.train.images[17])
    found = services.find_neighbours(model, made, image, count=3)
    assert len(found) == 3
    assert (found[0].index, found[0].label) == (sample.train.indices[17], sample.train.labels[17])
    similarities = [one.similarity for one in found]
    assert similarities == sorted(similarities, reverse=True)


def test_of_the_sample_and_where_nothing_may_change_nothing_is_ordered(
    model: Model,
    full: Dataset,
    started: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services.make_catalogue(model, load_sample())
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    services.make_catalogue(model, full)
    assert started == []
