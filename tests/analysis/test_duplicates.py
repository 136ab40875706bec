from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.analysis.duplicates import (
    LEAST_DETAIL,
    Pair,
    candidates,
    compare_detail,
    mirror,
    thumbnails,
)
from cifar_core.dataset.sample import load_sample

Pictures = NDArray[np.uint8]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return np.asarray(load_sample().test.images[:40])


def brighter(pictures: Pictures) -> Pictures:
    return np.asarray(np.clip(pictures * 0.7 + 40, 0, 255), np.uint8)


def moved(pictures: Pictures) -> Pictures:
    return np.roll(pictures, (2, -1), axis=(1, 2))


def recompressed(pictures: Pictures) -> Pictures:
    noise = np.random.default_rng(0).normal(0, 4, pictures.shape)
    return np.asarray(np.clip(pictures + noise, 0, 255), np.uint8)


@pytest.mark.parametrize("change", [brighter, moved, recompressed])
def test_a_changed_copy_is_recognised(pictures: Pictures, change) -> None:  # type: ignore[no-untyped-def]
    agreement = compare_detail(pictures, change(pictures))
    assert np.median(agreement) > 0.85
    assert (agreement >= LEAST_DETAIL).mean() >= 0.9


def test_other_pictures_do_not_agree(pictures: Pictures) -> None:
    assert compare_detail(pictures, np.roll(pictures, 1, axis=0)).max() < LEAST_DETAIL


def test_a_shared_horizon_makes_no_duplicate() -> None:
    generator = np.random.default_rng(1)
    two = np.full((2, 32, 32, 3), 150, np.int64)
    two[:, 16:] = 60  # the sea
    two += generator.integers(-6, 7, two.shape)
    two[0, 12:16, 6:14] = 220
    two[1, 13:16, 20:26] = 20
    ships = two.astype(np.uint8)
    assert compare_detail(ships[:1], ships[1:])[0] < LEAST_DETAIL


def test_a_blank_picture_agrees_with_nothing(pictures: Pictures) -> None:
    blank = np.full((1, 32, 32, 3), 128, np.uint8)
    assert abs(float(compare_detail(blank, pictures[:1])[0])) < 0.01


def test_the_thumbnail_of_a_copy_is_the_nearest(pictures: Pictures) -> None:
    found = candidates(thumbnails(brighter(pictures)), thumbnails(pictures), least=0.75)
    assert {(n, n) for n in range(len(pictures))} <= found


def test_mirroring_twice_changes_nothing(pictures: Pictures) -> None:
    assert (mirror(mirror(pictures)) == pictures).all()


def test_a_pair_survives_being_written() -> None:
    pair = Pair(7, 49_999, 0.912, 0.88, is_mirrored=True)
    assert Pair.from_json(pair.to_json()) == pair
