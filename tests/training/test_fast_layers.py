"""The quick layers beside Keras' own (slow: starts TensorFlow)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

SHAPE = (64, 6, 6, 8)
SETTINGS: dict[str, Any] = {"momentum": 0.6, "epsilon": 1e-3}


def both(**settings: Any) -> tuple[Any, Any]:
    """Returns Keras' batch normalisation and ours with the same weights."""
    import keras

    from cifar_core.training.fast_layers import FusedBatchNormalization

    layers = keras.layers.BatchNormalization(**settings), FusedBatchNormalization(**settings)
    random = np.random.default_rng(3)
    for layer in layers:
        layer.build((None, *SHAPE[1:]))
    weights = [random.uniform(0.5, 2, weight.shape) for weight in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def pictures() -> np.ndarray:
    return np.random.default_rng(4).normal(1, 2, SHAPE).astype(np.float32)


@pytest.mark.parametrize("learns_scale", [False, True])
def test_fused_normalisation_makes_what_keras_own_makes(learns_scale: bool) -> None:
    keras_own, ours = both(scale=learns_scale, **SETTINGS)
    for training in (True, False):
        one = np.asarray(keras_own(pictures(), training=training))
        other = np.asarray(ours(pictures(), training=training))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("learns_scale", [False, True])
def test_fused_normalisation_has_the_gradients_of_keras_own(learns_scale: bool) -> None:
    import tensorflow as tf

    weight = tf.constant(np.random.default_rng(5).normal(size=SHAPE), tf.float32)
    found = []
    for layer in both(scale=learns_scale, **SETTINGS):
        seen = tf.constant(pictures())
        with tf.GradientTape() as tape:
            tape.watch(seen)
            made = tf.reduce_sum(weight * layer(seen, training=True) ** 2)
        wanted = [seen, *(variable.value for variable in layer.trainable_variables)]
        found.append(tape.gradient(made, wanted))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_fused_normalisation_keeps_mean_and_variance_as_keras_does() -> None:
    keras_own, ours = both(scale=False, **SETTINGS)
    for layer in (keras_own, ours):
        layer(pictures(), training=True)
    np.testing.assert_allclose(ours.moving_mean, keras_own.moving_mean, rtol=1e-5)
    values = np.prod(SHAPE[:-1])
    before = 0.6 * both(scale=False, **SETTINGS)[0].moving_variance
    bessel = np.asarray(keras_own.moving_variance - before) * values / (values - 1)
    np.testing.assert_allclose(ours.moving_variance - before, bessel, rtol=1e-3)


def test_a_normalisation_that_is_fixed_goes_by_its_moving_statistics() -> None:
    keras_own, ours = both(scale=False, **SETTINGS)
    for layer in (keras_own, ours):
        layer.trainable = False
    one, other = (np.asarray(layer(pictures(), training=True)) for layer in (keras_own, ours))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_compiled_gelu_and_its_gradient_are_those_of_the_formula(precision: str) -> None:
    import tensorflow as tf
    from scipy.stats import norm

    from cifar_core.training.fast_layers import CompiledActivation

    layer = CompiledActivation("gelu", dtype=precision)
    seen = tf.cast(tf.linspace(-6.0, 6.0, 4001), precision)[tf.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(seen)
        made = layer(seen)
    slope = tape.gradient(made, seen)
    assert made.dtype == slope.dtype == seen.dtype
    x = np.asarray(seen, np.float64)
    found = (np.asarray(value, np.float64) for value in (made, slope))
    formulas = x * norm.cdf(x), norm.cdf(x) + x * norm.pdf(x)
    for ours, formula in zip(found, formulas, strict=True):
        error = 2.0**-8 if precision == "bfloat16" else 1e-6  # the first: rounded once
        np.testing.assert_allclose(ours, formula, rtol=1.01 * error, atol=1e-6)


def test_gelu_is_compiled_and_takes_batches_of_any_size() -> None:
    import tensorflow as tf

    from cifar_core.training.fast_layers import CompiledActivation

    layer = CompiledActivation.from_config(CompiledActivation("gelu").get_config())
    asked = tf.function(layer, input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    for batch in (1, 5):
        assert asked(tf.zeros((batch, 3))).shape == (batch, 3)
    assert "_XlaMustCompile" in str(asked.get_concrete_function().graph.as_graph_def())


def test_gelu_stays_keras_own_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    from cifar_core.networks import build
    from cifar_core.training.fast_layers import CompiledActivation, with_fast_layers

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    assert CompiledActivation not in map(type, with_fast_layers(build("cnn7")).layers)


def test_bytes_drop_the_share_they_should_and_keep_the_mean() -> None:
    from cifar_core.training.fast_layers import ByteDropout

    kept = np.asarray(ByteDropout(0.3, seed=7)(np.ones((200, 1000), np.float32), training=True))
    assert (kept == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert kept.mean() == pytest.approx(1, abs=0.005)
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.7)}


def test_a_model_keeps_its_weights_and_what_is_fixed_when_its_layers_are_changed() -> None:
    from cifar_core.networks import build
    from cifar_core.training.fast_layers import (
        CompiledActivation,
        FusedBatchNormalization,
        with_fast_layers,
    )

    model = build("cnn7")
    quick = with_fast_layers(model)
    kinds = [type(layer) for layer in quick.layers]
    assert kinds.count(FusedBatchNormalization) == 6
    assert kinds.count(CompiledActivation) == 7
    assert CompiledActivation not in map(type, with_fast_layers(build("cnn4")).layers)
    assert len(quick.trainable_variables) == len(model.trainable_variables) == 13
    for one, other in zip(model.get_weights(), quick.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
