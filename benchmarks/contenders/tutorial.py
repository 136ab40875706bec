"""T: the tutorial's training as it is, in Keras 3: ``fit``, float32, batches of 32.

Two things are kinder to it than the original: the learning rate is the repaired 0.01, and the
progress bar, which costs a synchronisation per batch, is off.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.contenders import Figures, Measure, Order, compete

BATCH = 32
LONGEST_PICTURES = 20_000


class EpochClock:
    """Holds how long the last epoch of a ``fit`` took, from its own beginning to its end."""

    def __init__(self, keras: Any) -> None:
        self.seconds = 0.0
        self._began = 0.0
        self.callback = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: self._start(), on_epoch_end=lambda *_: self._stop()
        )

    def _start(self) -> None:
        self._began = time.perf_counter()

    def _stop(self) -> None:
        self.seconds = time.perf_counter() - self._began


def prepare() -> tuple[Measure, Figures]:
    """Builds the tutorial's two networks and trains each for a moment."""
    import keras
    import numpy as np

    from benchmarks.compared import COMPARED
    from cifar_core import networks, settings
    from cifar_core.dataset import arrays

    train = arrays.open_full(settings.current().data_dir).train
    pictures = train.images[:LONGEST_PICTURES].astype("float32") / np.float32(255)
    answers = keras.utils.to_categorical(train.labels[:LONGEST_PICTURES], 10)
    clock = EpochClock(keras)
    models: dict[str, Any] = {}
    speeds: dict[str, float] = {}

    def fit(network: str, count: int) -> float:
        chosen = slice(0, count)
        models[network].fit(
            pictures[chosen],
            answers[chosen],
            batch_size=BATCH,
            shuffle=True,
            verbose=0,
            callbacks=[clock.callback],
        )
        return count / clock.seconds

    for name in COMPARED:
        # The same layers without the first, which divides by 255: the tutorial does so before.
        layers = networks.build(name).layers[1:]
        models[name] = keras.Sequential([keras.Input((32, 32, 3)), *layers])
        models[name].compile(
            optimizer=keras.optimizers.SGD(
                keras.optimizers.schedules.InverseTimeDecay(0.01, 1, 1e-6),
                momentum=0.9,
                nesterov=True,
            ),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        )
        fit(name, 4 * BATCH)
        speeds[name] = fit(name, 16 * BATCH)

    def measure(order: Order) -> Figures:
        network = order["network"]
        wished = int(order["seconds"] * speeds[network]) // BATCH * BATCH
        speeds[network] = fit(network, min(LONGEST_PICTURES, max(4 * BATCH, wished)))
        return {"images_per_second": speeds[network]}

    return measure, {"precision": "float32", "batch_size": BATCH}


if __name__ == "__main__":
    compete(prepare)
