"""The arrays on disk and the two ways to open them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import settings
from cifar_core.dataset import CIFAR10, arrays, sample, statistics
from cifar_core.dataset.stored import StoredRows
from cifar_core.errors import DataError


def test_an_empty_data_folder_opens_the_shipped_sample(tmp_path: Path) -> None:
    assert sample.open_dataset(tmp_path / "missing").is_sample


def test_a_prepared_set_opens_unmapped_with_its_source(prepared: Path) -> None:
    dataset = sample.open_dataset(prepared)
    images: Any = dataset.train.images
    assert isinstance(images, StoredRows)  # read by rows, never mapped
    assert (dataset.source, dataset.is_sample) == ("a test", False)
    assert dataset.train.indices[[0, -1]].tolist() == [0, 49_999]
    assert dataset.digest == "82e0267fb55400d7"


def test_a_missing_full_set_is_told_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        arrays.open_full(tmp_path)
    assert str(tmp_path) in caught.value.what
    assert "python -m cifar_core data" in caught.value.remedy


def test_wrong_pictures_are_named_by_verify(prepared: Path) -> None:
    with pytest.raises(DataError, match="train_images"):
        arrays.verify(arrays.open_full(prepared))


def truncate(folder: Path) -> None:
    os.truncate(folder / "train_images.npy", 1000)


def empty(folder: Path) -> None:
    (folder / "test_labels.npy").write_bytes(b"")


def remove(folder: Path) -> None:
    (folder / "test_images.npy").unlink()


def reshape(folder: Path) -> None:
    """Another shape in a file of the recorded size."""
    path = folder / "train_labels.npy"
    np.save(path, np.zeros((25_000, 2), np.uint8))


def pickle_inside(folder: Path) -> None:
    path = folder / "test_labels.npy"
    size = path.stat().st_size
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    os.truncate(path, size)


def overwrite_header(folder: Path) -> None:
    with (folder / "test_labels.npy").open("r+b") as file:
        file.write(b"no numpy file")


def spoil_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff{")


def manifest_is_a_list(folder: Path) -> None:
    (folder / "manifest.json").write_text("[]")


def manifest_of_another_set(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["digests"]["test_images"] = "0" * 64
    path.write_text(json.dumps(manifest))


def manifest_with(**values: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        manifest_with(source=5),
        manifest_with(size_bytes=[]),
        manifest_with(size_bytes={}),
        manifest_with(size_bytes={f"{name}.npy": "many" for name in CIFAR10.digests}),
        manifest_with(digests=5),
        truncate,
        empty,
        remove,
        reshape,
        pickle_inside,
        overwrite_header,
        spoil_manifest,
        manifest_is_a_list,
        manifest_of_another_set,
    ],
)
def test_a_damaged_set_is_refused_in_words(prepared: Path, damage: Callable[[Path], None]) -> None:
    damage(prepared / "cifar10")
    with pytest.raises(DataError, match="damaged") as caught:
        sample.open_dataset(prepared)
    assert "python -m cifar_core data" in caught.value.remedy


def test_class_counts_are_the_known_ones() -> None:
    counts = statistics.class_counts()
    assert counts.shape == (len(statistics.COUNT_ROWS), 10)
    assert counts[0].tolist() == [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]
    assert counts[5].tolist() == [5000] * 10
    assert counts[6].tolist() == [1000] * 10
    assert counts[:5].sum(axis=1).tolist() == [10_000] * 5


@pytest.mark.parametrize("index", [-1, 10_000])
def test_an_impossible_picture_number_is_refused(prepared: Path, index: int) -> None:
    with pytest.raises(DataError, match="from 0 to 9,999"):
        arrays.open_full(prepared).test.picture(index)


def test_the_full_set_finds_each_picture_at_its_number(prepared: Path) -> None:
    assert arrays.open_full(prepared).train.position(49_999) == 49_999


@pytest.mark.data
def test_the_real_set_has_the_real_digests() -> None:
    dataset = arrays.open_full(settings.current().data_dir)
    assert dataset.digests == CIFAR10.digests
    arrays.verify(dataset)
