"""First weights, in Keras' own layers (slow: starts TensorFlow)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cifar_core.dataset.sample import load_sample
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.slow

IMAGES = load_sample().train.images


def fresh(network: str, **changes: object) -> keras.Sequential:
    from cifar_core.training.network import build_model

    return build_model(recipe("standard", network, **changes), "float32", IMAGES)


def kernels(model: keras.Sequential) -> list[np.ndarray]:
    return [layer.get_weights()[0] for layer in model.layers if hasattr(layer, "kernel")]


def test_whitening_makes_patches_of_variance_one_around_zero_in_pairs_of_either_sign() -> None:
    from cifar_core.training.initialisation import FLOOR, whitening

    kernel, bias = whitening((3, 3, 3, 32), IMAGES, floor=FLOOR)
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES / 255, (3, 3), axis=(1, 2))
    patches = windows[:, ::3, ::3].transpose(0, 1, 2, 4, 5, 3).reshape(-1, 27)
    seen = patches @ kernel.reshape(27, 32) + bias
    assert np.abs(seen.mean(axis=0)).max() < 1e-3
    assert seen[:, 0].std() == pytest.approx(1, abs=0.01)
    assert (seen.std(axis=0) < 1.01).all()  # weak directions are not blown up to full strength
    assert np.abs(np.corrcoef(seen[:, :16].T) - np.eye(16)).max() < 0.01
    np.testing.assert_array_equal(seen[:, 16:], -seen[:, :16])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_signal_reaches_the_end_of_the_network_as_strong_as_it_came_in(network: str) -> None:
    model, plain = fresh(network), fresh(network, initialisation="keras")
    images = IMAGES[:200]
    spread = float(np.std(model(images)))
    assert 0.1 < spread < 3
    assert spread > 5 * float(np.std(plain(images)))


@pytest.mark.parametrize("network", NETWORKS)
def test_first_weights_follow_from_the_seed(network: str) -> None:
    once, again, other = (kernels(fresh(network, seed=seed)) for seed in (1, 1, 2))
    for position, (one, same) in enumerate(zip(once, again, strict=True)):
        np.testing.assert_array_equal(one, same)
        is_first = position == 0  # it follows from the pictures alone
        passes_all_on = network == "cnn7" and one.shape[-2] == one.shape[-1]
        assert np.array_equal(one, other[position]) == (is_first or passes_all_on)


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0])
def test_the_factor_scales_every_dropout_rate_of_the_network(factor: float) -> None:
    def rates(model: keras.Sequential) -> list[float]:
        return [layer.rate for layer in model.layers if hasattr(layer, "rate")]

    own = [0.25, 0.25, 0.5]
    assert rates(fresh("cnn4", dropout=factor)) == pytest.approx([factor * rate for rate in own])


def test_identity_passes_channels_on_as_they_are_in_the_first_filters() -> None:
    model = fresh("cnn7")
    pictures = np.random.default_rng(1).normal(size=(2, 5, 5, 64)).astype(np.float32)
    wider = model.layers[10]
    assert wider.kernel.shape == (3, 3, 64, 256)
    np.testing.assert_allclose(np.asarray(wider(pictures))[..., :64], pictures, atol=1e-6)
    others = np.asarray(wider.kernel)[..., 64:]
    assert others.std() == pytest.approx((1 / 3 / (3 * 3 * 64)) ** 0.5, rel=0.02)


def test_a_first_layer_that_is_fixed_still_gets_the_pictures_patches() -> None:
    model, plain = fresh("cnn7"), fresh("cnn7", initialisation="keras")
    kernel = np.asarray(model.layers[1].kernel)
    assert not model.layers[1].trainable
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])
    assert not np.array_equal(kernel, plain.layers[1].kernel)
