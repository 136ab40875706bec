from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cifar_core.analysis import compute, projection
from cifar_core.analysis.duplicates import mirror
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import ModelError
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.runs.folder import RunFolder
from cifar_core.settings import PROJECT_DIR

CNN4 = PROJECT_DIR / "models" / "cnn4"


def part(split: Split, places: Sequence[int]) -> Split:
    chosen = np.array(places)
    return Split(split.name, split.images[chosen], split.labels[chosen], split.indices[chosen])


@pytest.fixture(scope="module")
def planted() -> Dataset:
    """Sixty training and thirty test pictures; three of these copy training pictures."""
    sample = load_sample()
    train, test = part(sample.train, range(60)), part(sample.test, range(30))
    images = np.array(test.images)
    images[4] = np.clip(train.images[10] * 0.8 + 30, 0, 255)
    images[9] = mirror(np.asarray(train.images[[20]]))[0]
    images[13] = np.roll(train.images[30], (1, 2), axis=(0, 1))
    return dataclasses.replace(sample, train=train, test=dataclasses.replace(test, images=images))


def test_planted_copies_are_found_and_nothing_else(planted: Dataset) -> None:
    inspector = LayerInspector(RunFolder(CNN4).litert_path)
    shares: list[float] = []

    def note(_message: str, share: float) -> None:
        shares.append(share)

    mirrored = mirror(np.asarray(planted.test.images))
    features = compute._features(
        inspector,
        [planted.train.images, planted.test.images, mirrored],
        note,
    )
    pairs = compute.find_pairs(planted, projection.compress(features), note)
    train, test = planted.train.indices, planted.test.indices
    assert {(pair.test, pair.train) for pair in pairs} == {
        (test[4], train[10]),
        (test[9], train[20]),
        (test[13], train[30]),
    }
    assert [pair.is_mirrored for pair in pairs if pair.test == test[9]] == [True]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


def test_a_small_dataset_is_laid_out_whole_with_its_origin(planted: Dataset) -> None:
    places = compute.analyse_sample(
        dataclasses.replace(
            planted,
            train=part(load_sample().train, evenly(load_sample().train, 4)),
            test=part(load_sample().test, evenly(load_sample().test, 4)),
        ),
        CNN4,
    )
    assert places.origin.run == "cnn4"
    assert places.origin.network_title == "CNN-4"
    assert places.origin.pictures == 80
    assert places.map_rows.tolist() == list(range(80))
    assert places.tsne.shape == (80, 2)


def evenly(split: Split, each: int) -> list[int]:
    """Returns positions of as many pictures of each class."""
    return sorted(
        int(place) for label in range(10) for place in np.flatnonzero(split.labels == label)[:each]
    )


def test_a_run_without_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no trained network"):
        compute.network_of(tmp_path)
