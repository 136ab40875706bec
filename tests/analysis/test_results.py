from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from cifar_core.analysis import results
from cifar_core.analysis.duplicates import Pair
from cifar_core.analysis.exhibits import read_exhibits
from cifar_core.analysis.results import METHOD, Origin, Pairs, Places
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import open_full
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import DataError
from cifar_core.files import read_json
from cifar_core.settings import PROJECT_DIR, current

ORIGIN = Origin("data", "cnn4", "a" * 64, "CNN-4", 6, "2026-11-27")


def some_places() -> Places:
    generator = np.random.default_rng(0)
    return Places(
        ORIGIN,
        generator.normal(size=(6, 3)).astype(np.float32),
        np.array([1, 4], np.int64),
        generator.normal(size=(2, 2)).astype(np.float32),
        generator.normal(size=(2, 2)).astype(np.float32),
    )


def test_places_and_pairs_survive_being_written(tmp_path: Path) -> None:
    folder = results.folder_of(tmp_path, data="data", network="a" * 64)
    pairs = Pairs(ORIGIN, (Pair(1, 2, 0.9, 0.95, is_mirrored=False),))
    assert not results.is_there(folder)
    results.write_results(folder, some_places(), pairs)
    assert results.is_there(folder)
    assert results.read_pairs(folder / results.PAIRS_NAME) == pairs
    read = results.read_places(folder / results.PLACES_NAME)
    assert read.origin == ORIGIN
    np.testing.assert_allclose(read.features, some_places().features, atol=2e-3)
    assert read.map_rows.tolist() == [1, 4]


def test_another_network_data_or_method_has_another_folder(tmp_path: Path) -> None:
    first = results.folder_of(tmp_path, data="data", network="a" * 64)
    first.mkdir(parents=True)
    other = results.folder_of(tmp_path, data="data", network="b" * 64)
    assert first != other
    assert results.others_beside(other)
    assert not results.others_beside(first)
    assert first.name.endswith(f"-{METHOD}")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"{}"])
def test_a_damaged_analysis_is_told_in_three_answers(tmp_path: Path, content: bytes) -> None:
    for name, read in (("places.npz", results.read_places), ("pairs.json", results.read_pairs)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read") as caught:
            read(tmp_path / name)
        assert "analyse the pictures again" in caught.value.remedy


def test_a_map_of_pictures_that_are_not_there_is_refused(tmp_path: Path) -> None:
    wrong = dataclasses.replace(some_places(), map_rows=np.array([1, 6], np.int64))
    results.write_places(tmp_path / "places.npz", wrong)
    with pytest.raises(DataError, match="not there"):
        results.read_places(tmp_path / "places.npz")


def test_what_ships_fits_the_sample_the_dataset_and_a_shipped_network() -> None:
    places, pairs = results.read_shipped_places(), results.read_shipped_pairs()
    assert places.fits(load_sample())
    assert len(places.map_rows) == 2000
    for origin in (places.origin, pairs.origin):
        manifest = read_json(PROJECT_DIR / "models" / origin.run / "manifest.json")
        assert manifest["sha256"]["model.tflite"] == origin.network
        assert origin.data == CIFAR10.digest
        assert origin.method == METHOD
    assert all(
        0 <= p.test < CIFAR10.test_images and 0 <= p.train < CIFAR10.train_images
        for p in pairs.pairs
    )


@pytest.mark.data
def test_the_pictures_that_ship_are_those_of_the_closest_pairs() -> None:
    full = open_full(current().data_dir)
    exhibits = read_exhibits()
    assert [item.pair for item in exhibits[:3]] == list(results.read_shipped_pairs().pairs[:3])
    for item in exhibits:
        assert (item.test == full.test.picture(item.pair.test)).all()
        assert (item.train == full.train.picture(item.pair.train)).all()


def test_what_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in results.SHIPPED_DIR.iterdir()) < 500_000


def test_shipped_pairs_are_sorted_and_none_comes_twice() -> None:
    pairs = results.read_shipped_pairs().pairs
    assert len({(p.test, p.train) for p in pairs}) == len(pairs) > 100
    assert [p.detail for p in pairs] == sorted((p.detail for p in pairs), reverse=True)


def test_the_files_are_json_and_plain_arrays(tmp_path: Path) -> None:
    results.write_pairs(tmp_path / "pairs.json", Pairs(ORIGIN, ()))
    assert json.loads((tmp_path / "pairs.json").read_text())["pairs"] == []
