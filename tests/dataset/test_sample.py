"""The shipped sample is real, whole and small."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core import settings
from cifar_core.dataset import CIFAR10, arrays, sample
from cifar_core.errors import DataError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sample's files, to be spoilt."""
    return Path(shutil.copytree(sample.SAMPLE_DIR, tmp_path / "sample"))


def test_the_sample_holds_a_hundred_pictures_of_each_class_and_split() -> None:
    dataset = sample.load_sample()
    for split in (dataset.train, dataset.test):
        assert np.bincount(split.labels).tolist() == [100] * 10
        assert split.images.shape == (1000, 32, 32, 3)
        assert split.images.dtype == split.labels.dtype == np.uint8


def test_each_training_batch_gives_twenty_pictures_of_each_class() -> None:
    train = sample.load_sample().train
    batches = train.indices // 10_000
    pairs = np.unique(np.stack([batches, train.labels]), axis=1, return_counts=True)[1]
    assert pairs.tolist() == [20] * 50


def test_the_pictures_have_their_recorded_digests() -> None:
    arrays.verify(sample.load_sample())


def test_the_labels_of_all_pictures_have_the_digests_of_cifar10() -> None:
    train, test = sample.load_labels()
    assert arrays.sha256(train) == CIFAR10.digests["train_labels"]
    assert arrays.sha256(test) == CIFAR10.digests["test_labels"]


def test_the_sample_takes_less_than_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in sample.SAMPLE_DIR.iterdir()) < 5_000_000


def test_a_picture_is_found_by_its_official_number() -> None:
    split = sample.load_sample().test
    index = int(split.indices[17])
    assert split.position(index) == 17
    assert np.array_equal(split.picture(index), split.images[17])


def test_a_picture_outside_the_sample_is_told_in_words() -> None:
    split = sample.load_sample().test
    missing = next(n for n in range(10_000) if n not in set(split.indices.tolist()))
    with pytest.raises(DataError) as caught:
        split.picture(missing)
    assert "not in the shipped sample" in caught.value.what
    assert "1,000 of its 10,000" in caught.value.expected
    assert "python -m cifar_core data" in caught.value.remedy


@pytest.mark.parametrize("name", ["train.webp", "test.webp", "labels.gz"])
def test_a_flipped_byte_in_the_sample_is_noticed(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        sample.load_sample(copy)


@pytest.mark.parametrize("name", ["train.webp", "test.webp", "labels.gz", "sample.json"])
def test_a_missing_file_of_the_sample_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(DataError, match=name):
        sample.load_sample(copy)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"files": 1, "arrays": 2, "indices": 3}'),
        '{"files": {"labels.gz": 5}, "arrays": {}, "indices": {}}',
        '{"files": {}, "arrays": [], "indices": {}}',
        '{"files": {}, "arrays": {}, "indices": {"train": [0.5]}}',
    ],
)
def test_an_unreadable_sheet_is_told_in_words(copy: Path, content: str) -> None:
    (copy / "sample.json").write_text(content)
    with pytest.raises(DataError, match=r"sample\.json cannot be read"):
        sample.load_sample(copy)


@pytest.mark.data
def test_the_samples_pictures_are_those_of_the_full_set() -> None:
    small = sample.load_sample()
    full = arrays.open_full(settings.current().data_dir)
    assert small.digest == full.digest
    for part, whole in ((small.train, full.train), (small.test, full.test)):
        assert np.array_equal(part.images, whole.images[part.indices])
        assert np.array_equal(part.labels, whole.labels[part.indices])


@pytest.mark.data
def test_cutting_the_sample_again_gives_the_same_files(tmp_path: Path) -> None:
    sample.write_sample(arrays.open_full(settings.current().data_dir), tmp_path)
    for path in sample.SAMPLE_DIR.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
