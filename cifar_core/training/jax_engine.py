"""Training on JAX: the steps of a call are one compiled loop over data that lies on the device.

On a GPU a whole epoch can be one such call, with nothing crossing between host and device
but two numbers per step. On a CPU the steps are called one by one: inside a compiled loop XLA
computes convolutions without its fast library, dozens of times slower.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from cifar_core.dataset.augmentation import EpochPlan, pad
from cifar_core.recipes import Recipe
from cifar_core.training import network
from cifar_core.training.engine import Steps, steps_per_epoch
from cifar_core.training.network import smoothed_loss

PREDICT_BATCH = 500

Weights = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]
"""Trainable, other, and optimizer variables of the model."""


class JaxEngine:
    """Trains one network with JAX. See :class:`cifar_core.training.engine.Engine`."""

    def __init__(
        self, recipe: Recipe, images: np.ndarray, labels: np.ndarray, precision: str
    ) -> None:
        self.recipe = recipe
        self.pictures = len(images)
        self.image_shape = images.shape[1:]
        self.steps_per_epoch = steps_per_epoch(recipe, len(images))
        self.model = network.build_model(recipe, precision, images)
        self.optimizer = network.build_optimizer(recipe, self.model, self.steps_per_epoch)
        self._images = jax.device_put(pad(images, recipe.crop_padding))
        self._labels = jax.device_put(labels.astype(np.int32))
        sources = network.seed_generators(self.model)
        places = {id(v): i for i, v in enumerate(self.model.non_trainable_variables)}
        self._seed_places = [places[id(source.state)] for source in sources]
        self._seeds = network.dropout_seeds(recipe, len(sources))
        # The weights are given up to the loop and come back from it: no copy is kept.
        self._run_one = jax.jit(self._run_step, static_argnames="size", donate_argnums=0)
        self._run_many = jax.jit(self._run_steps, static_argnames="size", donate_argnums=0)
        self._calls_singly = jax.default_backend() == "cpu"
        self._ask = jax.jit(self._answer)

    def train(self, plan: EpochPlan, epoch: int, first: int, last: int) -> Steps:
        """Runs the steps from ``first`` up to ``last`` of an epoch."""
        size = self.recipe.batch_size
        whole = min(last, self.pictures // size)  # the steps whose batch is full
        on_device = tuple(
            jax.device_put(part) for part in (plan.order, plan.rows, plan.columns, plan.flips)
        )
        losses, right = [], []
        for begin, end, batch in (
            (first, whole, size),
            (max(first, whole), last, self.pictures % size),
        ):
            if begin >= end:
                continue
            weights = self._read_weights()
            if self._calls_singly:
                for step in range(begin, end):
                    weights, loss, hits = self._run_one(weights, on_device, epoch, step, size=batch)
                    losses.append(loss[np.newaxis])
                    right.append(hits[np.newaxis])
            else:
                weights, *told = self._run_many(weights, on_device, epoch, begin, end, size=batch)
                losses.append(told[0][: end - begin])
                right.append(told[1][: end - begin])
            self._write_weights(weights)
        return Steps(np.asarray(jnp.concatenate(losses)), np.asarray(jnp.concatenate(right)))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns probabilities (n, classes) float32 for images (n, h, w, c) uint8."""
        trainable, other, _ = self._read_weights()
        answers = []
        for start in range(0, len(images), PREDICT_BATCH):
            part = images[start : start + PREDICT_BATCH]
            answers.append(np.asarray(self._ask(trainable, other, part)))
        return np.concatenate(answers)

    def read(self) -> dict[str, np.ndarray]:
        """Returns every array that a checkpoint must hold."""
        named = network.variables(self.model, self.optimizer)
        return {name: np.asarray(variable.value) for name, variable in named}

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts the arrays of a checkpoint back."""
        for name, variable in network.variables(self.model, self.optimizer):
            variable.assign(arrays[name])

    def _read_weights(self) -> Weights:
        groups = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.optimizer.variables,
        )
        trainable, other, slots = ([item.value for item in group] for group in groups)
        return trainable, other, slots

    def _write_weights(self, weights: Weights) -> None:
        groups = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.optimizer.variables,
        )
        for group, values in zip(groups, weights, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def _answer(
        self, trainable: list[jax.Array], other: list[jax.Array], images: jax.Array
    ) -> jax.Array:
        logits, _ = self.model.stateless_call(trainable, other, images, training=False)
        return jax.nn.softmax(logits)

    def _run_step(
        self,
        weights: Weights,
        plan: tuple[jax.Array, ...],
        epoch: jax.Array,
        step: jax.Array,
        *,
        size: int,
    ) -> tuple[Weights, jax.Array, jax.Array]:
        """One step of an epoch, ``size`` pictures: new weights, loss, right answers."""
        images, labels = self._gather(plan, step * self.recipe.batch_size, size)
        overall = jnp.asarray(epoch * self.steps_per_epoch + step)
        return self._step(weights, overall, images, labels)

    def _run_steps(
        self,
        weights: Weights,
        plan: tuple[jax.Array, ...],
        epoch: jax.Array,
        first: jax.Array,
        last: jax.Array,
        *,
        size: int,
    ) -> tuple[Weights, jax.Array, jax.Array]:
        """The compiled loop over steps; ``size`` pictures in each."""
        told = (jnp.zeros(self.steps_per_epoch), jnp.zeros(self.steps_per_epoch, jnp.int32))

        def body(step: jax.Array, carried: Any) -> Any:
            weights, losses, right = carried
            weights, loss, hits = self._run_step(weights, plan, epoch, step, size=size)
            place = step - first
            return weights, losses.at[place].set(loss), right.at[place].set(hits)

        return jax.lax.fori_loop(first, last, body, (weights, *told))

    def _gather(
        self, plan: tuple[jax.Array, ...], start: jax.Array, size: int
    ) -> tuple[jax.Array, jax.Array]:
        """Returns the shifted and mirrored pictures of a step, as dataset.augmentation does."""
        part = functools.partial(jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=size)
        order, rows, columns, flips = (part(item) for item in plan)

        def crop(position: jax.Array, row: jax.Array, column: jax.Array) -> jax.Array:
            corner = (position, row, column, 0)
            return jax.lax.dynamic_slice(self._images, corner, (1, *self.image_shape))[0]

        images = jax.vmap(crop)(order, rows, columns)
        images = jnp.where(flips[:, None, None, None], images[:, :, ::-1], images)
        return images, self._labels[order]

    def _step(
        self, weights: Weights, step: jax.Array, images: jax.Array, labels: jax.Array
    ) -> tuple[Weights, jax.Array, jax.Array]:
        """One optimizer step: images (batch, h, w, c) uint8, labels (batch,) int32."""
        trainable, other, slots = weights
        for place, seed in zip(self._seed_places, self._seeds, strict=True):
            other[place] = jnp.stack([jnp.uint32(seed), step.astype(jnp.uint32)])

        def loss_of(values: list[jax.Array]) -> Any:
            logits, changed = self.model.stateless_call(values, other, images, training=True)
            return smoothed_loss(labels, logits, self.recipe.label_smoothing), (logits, changed)

        (loss, (logits, other)), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable)
        gradients = network.steered(self.recipe, self.model, gradients, trainable)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        hits = (logits.argmax(axis=1) == labels).sum().astype(jnp.int32)
        return (trainable, other, slots), loss, hits
