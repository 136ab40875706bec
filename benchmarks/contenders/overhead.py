"""A run's training loop on a real engine, with everything that is not training counted.

See :mod:`benchmarks.overhead`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.contenders import Figures, Measure, Order, compete


def prepare() -> tuple[Measure, Figures]:
    """Opens the pictures."""
    import keras

    from cifar_core import files, recipes, settings
    from cifar_core.dataset import arrays
    from cifar_core.dataset.augmentation import EpochPlan, plan_epoch
    from cifar_core.dataset.splits import positions, take
    from cifar_core.jobs.stop import StopRequest
    from cifar_core.runs.folder import RunFolder, State, Status
    from cifar_core.runs.status_writer import RunStatusWriter
    from cifar_core.training.checkpoint import Progress
    from cifar_core.training.engine import Engine, Steps
    from cifar_core.training.engines import make_engine
    from cifar_core.training.loop import TrainingLoop
    from cifar_core.training.train import choose_precision

    class TimedEngine:
        """Passes everything on and counts the seconds of training and asking."""

        def __init__(self, engine: Engine) -> None:
            self.engine, self.seconds = engine, 0.0
            self.read, self.write = engine.read, engine.write

        def train(self, plan: EpochPlan, epoch: int, first: int, last: int) -> Steps:
            began = time.perf_counter()
            try:
                return self.engine.train(plan, epoch, first, last)
            finally:
                self.seconds += time.perf_counter() - began

        def predict(self, images: Any) -> Any:
            began = time.perf_counter()
            try:
                return self.engine.predict(images)
            finally:
                self.seconds += time.perf_counter() - began

    full = arrays.open_full(settings.current().data_dir).train

    def measure(order: Order) -> Figures:
        recipe = recipes.recipe("standard", order["network"], epochs=order["epochs"])
        to_learn, to_watch = positions(recipe, full.labels)
        learned, watched = take(full, to_learn[: order["pictures"]]), take(full, to_watch)
        precision = choose_precision(recipe, "cpu")
        timed = TimedEngine(
            make_engine(recipe, learned.images, learned.labels, precision=precision)
        )
        pictures = len(learned.labels)
        timed.train(plan_epoch(recipe, pictures, 0), 0, 0, 2)  # compiles
        timed.predict(watched.images[:500])
        shares, epoch_seconds = [], []
        # Where the lab's own runs lie: another disk may be faster.
        runs_dir = settings.current().runs_dir
        runs_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runs_dir, prefix=".bench-") as path:
            folder = RunFolder(Path(path))
            files.write_json(folder.recipe_path, recipe.to_json())
            stop_request = StopRequest(folder.request_path)  # as the worker's own
            loop = TrainingLoop(
                RunStatusWriter(folder, Status(state=State.RUNNING)),
                timed,
                pictures=pictures,
                watched=watched,
                learning_rate=lambda step: 0.05,  # noqa: ARG005
                begin=Progress(precision=precision, backend=keras.backend.backend()),
            )
            loop.restore(None)
            seen = {"epoch": 0, "began": time.perf_counter(), "inside": 0.0}
            timed.seconds = 0.0

            def look() -> bool:
                if loop.progress.epoch > seen["epoch"]:
                    close()
                return stop_request()

            def close() -> None:
                now = time.perf_counter()
                whole = now - seen["began"]
                epoch_seconds.append(whole)
                shares.append(1 - (timed.seconds - seen["inside"]) / whole)
                seen.update(epoch=seen["epoch"] + 1, began=now, inside=timed.seconds)

            loop.run(look)
            close()
        return {"shares": shares, "epoch_seconds": epoch_seconds}

    return measure, {}


if __name__ == "__main__":
    compete(prepare)
