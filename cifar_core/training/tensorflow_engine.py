"""Training on TensorFlow: the steps of a call are one compiled loop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from cifar_core.dataset.augmentation import EpochPlan, cut, pad
from cifar_core.recipes import Recipe
from cifar_core.training import network
from cifar_core.training.engine import Steps, steps_per_epoch
from cifar_core.training.fast_layers import with_fast_layers
from cifar_core.training.network import smoothed_loss

PREDICT_BATCH = 500


class TensorFlowEngine:
    """Trains one network with TensorFlow. See :class:`cifar_core.training.engine.Engine`."""

    def __init__(
        self, recipe: Recipe, images: np.ndarray, labels: np.ndarray, precision: str
    ) -> None:
        self.recipe = recipe
        self.padded = pad(images, recipe.crop_padding)
        self.image_shape = images.shape[1:]
        self.labels = labels.astype(np.int32)
        self.steps_per_epoch = steps_per_epoch(recipe, len(images))
        self.model = with_fast_layers(network.build_model(recipe, precision, images))
        self.optimizer = network.build_optimizer(recipe, self.model, self.steps_per_epoch)
        self._sources = network.seed_generators(self.model)
        self._seeds = network.dropout_seeds(recipe, len(self._sources))
        self._run = tf.function(
            self._run_steps,
            input_signature=[
                tf.TensorSpec((None, None, *self.image_shape), tf.uint8),
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((), tf.int64),
            ],
            jit_compile=False,  # XLA is 7 to 20 times slower for these convolutions on a CPU
        )
        self._ask = tf.function(
            lambda pictures: tf.nn.softmax(self.model(pictures, training=False)),
            input_signature=[tf.TensorSpec((None, *self.image_shape), tf.uint8)],
            jit_compile=False,
        )

    def train(self, plan: EpochPlan, epoch: int, first: int, last: int) -> Steps:
        """Runs the steps from ``first`` up to ``last`` of an epoch."""
        size, pictures = self.recipe.batch_size, len(plan.order)
        whole = min(last, pictures // size)  # the steps whose batch is full
        losses, right = [], []
        for begin, end in ((first, whole), (max(first, whole), last)):
            if begin >= end:
                continue
            part = slice(begin * size, min(end * size, pictures))
            images = cut(self.padded, plan, part.start, part.stop)
            labels = self.labels[plan.order[part]]
            step = epoch * self.steps_per_epoch + begin
            shape = (end - begin, -1)
            some = self._run(
                images.reshape(*shape, *self.image_shape), labels.reshape(shape), np.int64(step)
            )
            losses.append(some[0].numpy())
            right.append(some[1].numpy())
        return Steps(np.concatenate(losses), np.concatenate(right))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns probabilities (n, classes) float32 for images (n, h, w, c) uint8."""
        parts = range(0, len(images), PREDICT_BATCH)
        return np.concatenate([self._ask(images[i : i + PREDICT_BATCH]).numpy() for i in parts])

    def read(self) -> dict[str, np.ndarray]:
        """Returns every array that a checkpoint must hold."""
        named = network.variables(self.model, self.optimizer)
        return {name: variable.numpy() for name, variable in named}

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts the arrays of a checkpoint back."""
        for name, variable in network.variables(self.model, self.optimizer):
            variable.assign(arrays[name])

    def _run_steps(
        self, images: tf.Tensor, labels: tf.Tensor, first_step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The compiled loop: images (steps, batch, h, w, c), labels (steps, batch)."""
        count = tf.shape(labels)[0]
        losses = tf.TensorArray(tf.float32, size=count)
        right = tf.TensorArray(tf.int32, size=count)
        for i in tf.range(count):
            self._seed_dropout(first_step + tf.cast(i, tf.int64))
            loss, hits = self._step(images[i], labels[i])
            losses = losses.write(i, loss)
            right = right.write(i, hits)
        return losses.stack(), right.stack()

    def _seed_dropout(self, step: tf.Tensor) -> None:
        for source, seed in zip(self._sources, self._seeds, strict=True):
            source.state.assign(tf.stack([tf.constant(seed), tf.cast(step, tf.uint32)]))

    def _step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One optimizer step: images (batch, h, w, c) uint8, labels (batch,) int32."""
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            loss = smoothed_loss(labels, logits, self.recipe.label_smoothing)
        trained = self.model.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in trained])
        self.optimizer.apply(network.steered(self.recipe, self.model, gradients, trained), trained)
        answers = tf.argmax(logits, axis=1, output_type=tf.int32)
        return loss, tf.reduce_sum(tf.cast(answers == labels, tf.int32))
