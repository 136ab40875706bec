"""The parts that every engine trains with: model, optimizer, seeds, in Keras' neutral form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from cifar_core import networks
from cifar_core.dataset.augmentation import Stream, generator
from cifar_core.recipes import Recipe
from cifar_core.training.initialisation import initialise
from cifar_core.training.lookahead import LookaheadSGD
from cifar_core.training.schedule import learning_rate_schedule


def build_model(recipe: Recipe, precision: str, images: np.ndarray) -> keras.Model:
    """Builds the network of a recipe with the first weights that its seed gives.

    The softmax at the end is switched off: training works on logits, which keeps the loss
    exact where a probability would round to 0. What is saved is built anew, with its softmax.

    Args:
        recipe: Gives network, seed, first weights and dropout.
        precision: ``float32`` or ``bfloat16``; the weights stay float32 in both.
        images: Training images (n, h, w, c) uint8, to which first weights may suit.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    model = networks.build(recipe.network, recipe.spec, policy=policy)
    model.layers[-1].activation = keras.activations.linear
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate *= recipe.dropout
    initialise(model, recipe, images)
    return model


def seed_generators(model: keras.Model) -> list[keras.random.SeedGenerator]:
    """Returns the sources of randomness inside a model (dropout), in the order of layers."""
    found = (getattr(layer, "seed_generator", None) for layer in model.layers)
    return [item for item in found if item is not None]


def dropout_seeds(recipe: Recipe, count: int) -> np.ndarray:
    """Returns the first half of each dropout layer's seed, (count,) uint32.

    The second half is the step counted from the start of the run, so the masks of a step
    depend on nothing but (seed, layer, step).
    """
    bits = generator(recipe.seed, Stream.DROPOUT).integers(0, 2**31, size=count)
    return bits.astype(np.uint32)


def steered(
    recipe: Recipe, model: keras.Model, gradients: Sequence[Any], values: Sequence[Any]
) -> list[Any]:
    """Returns the gradients as the optimizer shall see them.

    A kernel's gets its weight decay. Any other's (a bias, a shift) is multiplied by the recipe's
    ``bias_rate``, which with gradient descent gives it a learning rate of its own.

    Args:
        recipe: Gives both numbers.
        model: Names what it trains.
        gradients: Tensors, one for each of the model's trainable variables.
        values: What these variables hold, in the same order.
    """
    seen = []
    for gradient, value, variable in zip(gradients, values, model.trainable_variables, strict=True):
        if variable.name == "kernel":
            decay = recipe.weight_decay
            seen.append(gradient + decay * value if decay else gradient)
        else:
            rate = recipe.bias_rate
            seen.append(gradient if rate == 1 else gradient * rate)
    return seen


def variables(
    model: keras.Model, optimizer: keras.optimizers.Optimizer
) -> Iterator[tuple[str, keras.Variable]]:
    """Names everything that a checkpoint must hold, in a stable order.

    The seeds of dropout are left out: they follow from the recipe and the step.
    """
    seeds = {id(source.state) for source in seed_generators(model)}
    kept = [variable for variable in model.variables if id(variable) not in seeds]
    for group, members in (("model", kept), ("optimizer", optimizer.variables)):
        for position, variable in enumerate(members):
            yield f"{group}/{position:03d}", variable


def build_optimizer(
    recipe: Recipe, model: keras.Model, steps_per_epoch: int
) -> keras.optimizers.SGD:
    """Builds the optimizer of a recipe, its slots made as they are before the first step."""
    settings: dict[str, Any] = {
        "learning_rate": learning_rate_schedule(recipe, steps_per_epoch),
        "momentum": recipe.momentum,
        "nesterov": recipe.nesterov,
    }
    optimizer: keras.optimizers.SGD
    if recipe.lookahead:
        steps = recipe.epochs * steps_per_epoch
        optimizer = LookaheadSGD(every=recipe.lookahead, steps=steps, **settings)
    else:
        optimizer = keras.optimizers.SGD(**settings)
    optimizer.build(model.trainable_variables)
    return optimizer


def smoothed_loss(labels: Any, logits: Any, smoothing: float) -> Any:
    """Mean cross-entropy of logits (batch, classes) against labels (batch,), targets smoothed.

    Tensors are those of the Keras backend in use; the result is a float32 scalar.
    """
    classes = logits.shape[-1]
    targets = keras.ops.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    return keras.ops.mean(keras.losses.categorical_crossentropy(targets, logits, from_logits=True))
