"""The lab answering through :class:`cifar_core.inference.classifier.Classifier` (LiteRT).

Single pictures and batches are asked as the web process does, with one thread; the whole test
split as ``services.evaluate_run`` does, with every core.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.contenders import Figures, Measure, Order, clock, compete, rate

BATCH = 32


def prepare() -> tuple[Measure, Figures]:
    """Loads the networks found in BENCH_FOLDER; needs neither Keras nor TensorFlow."""
    import numpy as np

    from benchmarks.compared import COMPARED
    from cifar_core import settings
    from cifar_core.dataset import arrays
    from cifar_core.inference.classifier import Classifier
    from cifar_core.runs.devices import usable_cores

    folder = Path(os.environ["BENCH_FOLDER"])
    pictures = np.asarray(arrays.open_full(settings.current().data_dir).test.images)
    threads = settings.current().serving_threads
    paths = {name: folder / f"{name}.tflite" for name in COMPARED}
    serving = {name: Classifier(path, threads=threads) for name, path in paths.items()}
    whole = {name: Classifier(path, threads=usable_cores()) for name, path in paths.items()}
    for classifier in (*serving.values(), *whole.values()):
        classifier.classify(pictures[:256])

    def measure(order: Order) -> Figures:
        name, seconds = order["network"], order["seconds"]
        ask = serving[name].classify
        split = clock(lambda: whole[name].classify(pictures[: order["split"]]), 0, least=1)
        return {
            "single_seconds": clock(lambda: ask(pictures[:1]), seconds / 2),
            "batch_images_per_second": rate(BATCH, lambda: ask(pictures[:BATCH]), seconds / 2),
            "split_seconds": split[0],
        }

    return measure, {"threads": threads, "threads_for_split": usable_cores(), "batch": BATCH}


if __name__ == "__main__":
    compete(prepare)
