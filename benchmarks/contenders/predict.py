"""Keras answering with ``model.predict``. It also exports the networks that the lab serves."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.contenders import Figures, Measure, Order, clock, compete, rate

MANY = 1000


def prepare() -> tuple[Measure, Figures]:
    """Builds both networks, exports them into BENCH_FOLDER, and asks each one once."""
    import numpy as np

    from benchmarks.compared import COMPARED
    from cifar_core import networks, settings
    from cifar_core.dataset import arrays
    from cifar_core.training.export import export_litert

    folder = Path(os.environ["BENCH_FOLDER"])
    pictures = np.asarray(arrays.open_full(settings.current().data_dir).test.images)
    models = {}
    for name in COMPARED:
        models[name] = networks.build(name)
        export_litert(models[name], folder / f"{name}.keras", folder / f"{name}.tflite")
        models[name].predict(pictures[:1], verbose=0)
        models[name].predict(pictures[:256], verbose=0)

    def measure(order: Order) -> Figures:
        model = models[order["network"]]
        single = clock(lambda: model.predict(pictures[:1], verbose=0), order["seconds"])
        many = pictures[: min(MANY, order["split"])]
        per_second = rate(len(many), lambda: model.predict(many, verbose=0), 0)
        return {"single_seconds": single, "many_images_per_second": per_second}

    return measure, {}


if __name__ == "__main__":
    compete(prepare)
