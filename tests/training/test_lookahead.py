"""The average that a training is set back to (slow: starts TensorFlow)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def test_the_weights_go_to_their_average_at_the_right_steps_and_by_the_right_share() -> None:
    import keras

    from cifar_core.training.lookahead import KEPT, LookaheadSGD

    every, steps, rate = 3, 12, 0.1
    weight = keras.Variable(np.array([2.0, -1.0], np.float32))
    optimizer = LookaheadSGD(every=every, steps=steps, learning_rate=rate)
    optimizer.build([weight])
    expected = average = np.array([2.0, -1.0])
    random = np.random.default_rng(1)
    for step in range(1, steps + 1):
        gradient = random.normal(size=2)
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weight])
        expected = expected - rate * gradient
        if step % every == 0:
            kept = KEPT**every * (step / steps) ** 3
            expected = average = kept * average + (1 - kept) * expected
        np.testing.assert_allclose(np.asarray(weight), expected, rtol=1e-5)


def test_without_steps_to_look_back_at_it_is_plain_gradient_descent() -> None:
    import keras

    from cifar_core.training.lookahead import LookaheadSGD

    weights = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
    settings: dict[str, Any] = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}
    plain = keras.optimizers.SGD(**settings)
    looking = LookaheadSGD(every=21, steps=100, **settings)
    for optimizer, weight in zip((plain, looking), weights, strict=True):
        optimizer.build([weight])
        for step in range(20):
            optimizer.apply([keras.ops.full((3,), 0.1 * step)], [weight])
    one, other = (np.asarray(weight) for weight in weights)
    np.testing.assert_allclose(one, other, rtol=1e-5)
