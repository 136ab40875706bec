"""Layers of Keras that compute the same on TensorFlow, and cheaper on a CPU.

Dropout: Keras draws a random number for every value that dropout may drop, in bfloat16 a slow
one, and spends a fifth of CNN-6's training on it. A byte per value is enough to decide.

Batch normalisation: Keras puts it together from a dozen operations in float32. TensorFlow has
it as one, which reads and writes bfloat16 and computes its sums in float32 all the same: a
seventh of CNN-7's training.

GELU: TensorFlow computes it as five operations in bfloat16, which together take longer than the
convolution before them. Compiled by XLA it is one loop, in float32: a sixth of CNN-7's training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("cifar_core")
class ByteDropout(keras.layers.Dropout):
    """Drops each value with probability ``rate`` and scales the others by ``1 / (1 - rate)``.

    A value is dropped when its byte is below a threshold. The threshold of a picture is
    ``floor(256 * rate + u)`` with one uniform ``u`` per picture: 256 * rate on average, so the
    probability is exactly ``rate`` though a byte alone knows only 256 steps.

    Input and output: (batch, ...) of any floating type; the batch size may be unknown.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the inputs, in training with some values dropped."""
        if not training or self.rate == 0:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int64)
        batch, values = tf.shape(inputs)[0], int(np.prod(inputs.shape[1:]))
        words = -(-values // 4)
        drawn = tf.random.stateless_uniform((batch, words), seed, None, None, tf.uint32)
        drawn = tf.reshape(tf.bitcast(drawn, tf.uint8), (batch, words * 4))[:, :values]
        # The seed is (layer, step). Layers are below 2³¹: this one's second stream is its own.
        other_seed = seed + tf.constant([2**32, 0], tf.int64)
        chance = tf.random.stateless_uniform((batch, 1), other_seed)
        threshold = tf.cast(tf.floor(256 * self.rate + chance), tf.uint8)
        kept = tf.cast(drawn >= threshold, inputs.dtype) * (1 / (1 - self.rate))
        return inputs * tf.reshape(kept, tf.shape(inputs))


@keras.saving.register_keras_serializable("cifar_core")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the last axis of (batch, height, width, channels), as one operation.

    In training a value becomes ``(value - mean) / sqrt(variance + epsilon)``, mean and variance
    those of its channel in the batch, times the scale and plus the shift that are learnt. The
    moving variance is that of all values by Bessel's estimate, n / (n - 1) times Keras' own.
    """

    def call(self, inputs: tf.Tensor, training: bool = False, mask: None = None) -> tf.Tensor:
        """Returns the inputs normalised; outside of training by the moving statistics."""
        if not training or not self.trainable:
            return super().call(inputs, training=False, mask=mask)
        channels = (inputs.shape[-1],)
        made, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.ones(channels) if self.gamma is None else self.gamma.value,
            offset=tf.zeros(channels) if self.beta is None else self.beta.value,
            mean=tf.zeros(0),
            variance=tf.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return made


@keras.saving.register_keras_serializable("cifar_core")
class CompiledActivation(keras.layers.Activation):
    """Keras' activation of that name, as one compiled loop forward and one backward, in float32.

    Input and output: (batch, ...) of any floating type.
    """

    def __init__(self, activation: str, **settings: Any) -> None:
        super().__init__(activation, **settings)
        self._compiled = tf.function(self._compute, jit_compile=True)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the inputs' activation, rounded to their type once."""
        return self._compiled(inputs)

    def _compute(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(self.activation(tf.cast(inputs, tf.float32)), inputs.dtype)


_FAST: Mapping[type, type[keras.layers.Layer]] = {
    keras.layers.Dropout: ByteDropout,
    keras.layers.BatchNormalization: FusedBatchNormalization,
}


def with_fast_layers(model: keras.Model) -> keras.Sequential:
    """Returns a model like the given one, weights included, with these layers in their places."""

    def clone(layer: keras.layers.Layer) -> Any:
        return _fast_class(layer).from_config(layer.get_config())

    cloned = keras.models.clone_model(model, clone_function=clone)
    cloned.set_weights(model.get_weights())
    return cloned


def _fast_class(layer: keras.layers.Layer) -> type[keras.layers.Layer]:
    is_gelu = getattr(layer, "activation", None) is keras.activations.gelu
    if type(layer) is keras.layers.Activation and is_gelu:  # the others are one operation already
        # On a GPU it is quick as it is, and XLA would need files of CUDA that may be missing.
        return type(layer) if tf.config.get_visible_devices("GPU") else CompiledActivation
    return _FAST.get(type(layer), type(layer))
