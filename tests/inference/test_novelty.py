from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.dataset.sample import load_sample
from cifar_core.errors import ModelError
from cifar_core.inference import novelty
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.novelty import WEIGHTS, Novelty
from cifar_core.settings import PROJECT_DIR

CNN4 = PROJECT_DIR / "models" / "cnn4" / "model.tflite"


@pytest.fixture(scope="module")
def inspector() -> LayerInspector:
    return LayerInspector(CNN4)


@pytest.fixture(scope="module")
def fitted(inspector: LayerInspector) -> Novelty:
    train = load_sample().train
    return novelty.fit(
        inspector,
        learnt=train.images[::2],
        labels=train.labels[::2],
        held_out=train.images[1::2],
    )


def noise(count: int) -> NDArray[np.uint8]:
    shape = (count, 32, 32, 3)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def test_the_energy_is_minus_the_logarithm_of_the_summed_exponentials() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0]], np.float32)
    by_hand = [-np.log(np.exp(1) + np.exp(2) + np.exp(3)), -1000.0]
    np.testing.assert_allclose(novelty.energy(logits), by_hand, rtol=1e-12)


def test_the_relative_distance_is_that_to_the_nearest_class_less_that_to_the_whole() -> None:
    points = np.array([[2.0, 0.0], [0.0, 3.0]], np.float32)
    means = np.array([[1.0, 0.0], [0.0, -1.0]], np.float32)
    within = np.diag([2.0, 1.0]).astype(np.float32)
    by_hand = [min(4 * 1, 4 * 4 + 1) - 4, min(4 * 1 + 9, 16) - 9]
    np.testing.assert_allclose(novelty.relative_distance(points, means, within), by_hand)


def test_the_distances_equal_mahalanobis_by_the_inverse_covariance() -> None:
    generator = np.random.default_rng(3)
    mixed = generator.normal(size=(400, 6)) @ generator.normal(size=(6, 6))
    values = mixed.astype(np.float32)
    mean, directions = novelty.directions(values)
    found = np.square((values - mean) @ directions.astype(np.float32)).sum(axis=1)
    centred = values.astype(np.float64) - values.mean(axis=0)
    inverse = np.linalg.inv(np.cov(centred.T))
    by_hand = np.einsum("ij,jk,ik->i", centred, inverse, centred)
    assert np.corrcoef(found, by_hand)[0, 1] > 0.99
    np.testing.assert_allclose(np.median(found), np.median(by_hand), rtol=0.1)


def test_a_network_that_sees_nothing_of_a_picture_has_finite_directions_and_classes() -> None:
    labels = (np.arange(200) % 10).astype(np.uint8)
    constant = np.full((200, 6), 0.25, np.float32)
    mean, directions = novelty.directions(constant)
    assert np.isfinite(directions).all()
    scaled = (constant - mean) @ directions.astype(np.float32)
    class_means, within = novelty.classes(scaled, labels, 10)
    assert np.isfinite(novelty.relative_distance(scaled, class_means, within)).all()


def test_the_score_is_the_weighted_sum_of_standardised_signs(
    inspector: LayerInspector, fitted: Novelty
) -> None:
    pictures = load_sample().test.images[:20]
    signs = fitted.signs(inspector, pictures)
    by_hand = sum(
        weight * (signs[:, place] - fitted.centres[place]) / fitted.scales[place]
        for place, weight in enumerate(WEIGHTS)
    )
    np.testing.assert_allclose(fitted.score(inspector, pictures), by_hand, rtol=1e-9)


def test_the_threshold_leaves_one_in_twenty_held_out_pictures_above(
    inspector: LayerInspector, fitted: Novelty
) -> None:
    held_out = load_sample().train.images[1::2]
    assert (fitted.score(inspector, held_out) > fitted.threshold).mean() == pytest.approx(0.05)


def test_noise_is_perhaps_none_of_the_ten_and_a_usual_picture_is_not(
    inspector: LayerInspector, fitted: Novelty
) -> None:
    assert all(verdict.verdict for verdict in fitted.judge(inspector, noise(8)))
    usual = fitted.judge(inspector, load_sample().test.images[:100])
    assert sum(verdict.verdict for verdict in usual) < 20


def test_a_verdict_says_how_many_held_out_pictures_are_less_strange(
    inspector: LayerInspector, fitted: Novelty
) -> None:
    held_out = load_sample().train.images[1::2]
    verdicts = fitted.judge(inspector, held_out)
    shares = [verdict.stranger_than for verdict in verdicts if verdict.stranger_than is not None]
    assert min(shares) == pytest.approx(0, abs=1e-6)
    assert max(shares) == pytest.approx(1, abs=1e-6)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.01)


def test_the_false_alarms_are_counted_on_the_pictures_given_and_change_nothing_else(
    inspector: LayerInspector, fitted: Novelty
) -> None:
    test = load_sample().test.images[:200]
    measured = novelty.measure(fitted, inspector, test)
    assert measured.false_alarm_rate == (fitted.score(inspector, test) > fitted.threshold).mean()
    assert measured.threshold == fitted.threshold
    assert fitted.judge(inspector, test[:1])[0].false_alarm_rate is None


def test_long_work_gives_signs_of_life_and_the_same_figures(
    inspector: LayerInspector, fitted: Novelty, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs_of_life: list[int] = []
    test = load_sample().test.images[:200]
    whole = fitted.score(inspector, test)
    monkeypatch.setattr(novelty, "PART", 64)
    in_parts = fitted.score(inspector, test, lambda: signs_of_life.append(1))
    np.testing.assert_allclose(in_parts, whole, rtol=1e-6)
    assert len(signs_of_life) == 4


def test_what_is_written_is_read_again_and_says_the_same(
    inspector: LayerInspector, fitted: Novelty, tmp_path: Path
) -> None:
    content = fitted.to_bytes()
    (tmp_path / "novelty.npz").write_bytes(content)
    again = novelty.read(tmp_path / "novelty.npz", hashlib.sha256(content).hexdigest())
    pictures = load_sample().test.images[:5]
    assert again.judge(inspector, pictures) == fitted.judge(inspector, pictures)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"something else"])
def test_a_file_that_is_no_such_file_is_refused_in_sentences(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "novelty.npz").write_bytes(content)
    with pytest.raises(ModelError, match="none of these"):
        novelty.read(tmp_path / "novelty.npz", hashlib.sha256(content).hexdigest())


def test_a_changed_file_is_refused(fitted: Novelty, tmp_path: Path) -> None:
    content = fitted.to_bytes()
    changed = dataclasses.replace(fitted, threshold=1e9).to_bytes()
    (tmp_path / "novelty.npz").write_bytes(changed)
    with pytest.raises(ModelError, match="not the file that was recorded"):
        novelty.read(tmp_path / "novelty.npz", hashlib.sha256(content).hexdigest())
