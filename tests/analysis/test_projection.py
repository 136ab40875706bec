from __future__ import annotations

import numpy as np
import pytest

from cifar_core.analysis.neighbours import nearest
from cifar_core.analysis.projection import choose_evenly, compress, plane_tsne
from cifar_core.inference.neighbours import unit


def test_compressed_features_keep_the_directions_of_greatest_difference() -> None:
    from sklearn.decomposition import PCA

    features = np.random.default_rng(0).normal(size=(300, 12)) * np.arange(12, 0, -1)
    ours = compress(features.astype(np.float32), size=4)
    theirs = PCA(4, svd_solver="full").fit_transform(features)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)


def test_compressing_twice_gives_the_same() -> None:
    features = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float16)
    assert (compress(features, size=3) == compress(features, size=3)).all()


def test_the_map_keeps_two_groups_apart_and_is_the_same_each_time() -> None:
    generator = np.random.default_rng(2)
    groups = np.concatenate([generator.normal(0, 1, (30, 5)), generator.normal(40, 1, (30, 5))])
    first = plane_tsne(groups.astype(np.float32))
    assert (first == plane_tsne(groups.astype(np.float32))).all()
    centres = first[:30].mean(axis=0), first[30:].mean(axis=0)
    spread = np.linalg.norm(first[:30] - centres[0], axis=1).max()
    assert np.linalg.norm(centres[0] - centres[1]) > spread


def test_as_many_of_each_class_are_chosen() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 30)
    chosen = choose_evenly(labels, 100, classes=10)
    assert np.bincount(labels[chosen]).tolist() == [10] * 10
    assert (chosen == choose_evenly(labels, 100, classes=10)).all()


def test_the_nearest_are_found_in_order_and_never_the_picture_itself() -> None:
    angles = np.radians([0, 10, 80, 5, 180])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows, alike = nearest(features, 0, among=np.arange(5), count=3)
    assert rows.tolist() == [3, 1, 2]
    assert alike[0] == pytest.approx(np.cos(np.radians(5)), abs=1e-6)


def test_the_nearest_are_looked_for_only_among_the_given_rows() -> None:
    features = unit(np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32))
    rows, _ = nearest(features, 2, among=np.array([2, 7, 9]), count=10)
    assert sorted(rows.tolist()) == [7, 9]
