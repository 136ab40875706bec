"""K: the lab's own training: the engine with the recipe ``standard``, as a worker drives it.

Drawing the epoch's plan, shifting and mirroring of the pictures are inside; so is the return to
Python about once a second that a worker needs to hear a request to stop.
"""

from __future__ import annotations

import time

from benchmarks.contenders import Figures, Measure, Order, compete


def prepare() -> tuple[Measure, Figures]:
    """Builds an engine for each network and trains it for a moment."""
    import keras

    from benchmarks.compared import COMPARED
    from cifar_core import recipes, settings
    from cifar_core.dataset import arrays
    from cifar_core.dataset.augmentation import plan_epoch
    from cifar_core.dataset.splits import positions, take
    from cifar_core.training.engine import Engine, steps_per_epoch
    from cifar_core.training.engines import make_engine
    from cifar_core.training.loop import CALL_SECONDS
    from cifar_core.training.train import choose_precision

    class Training:
        """A training without an end, begun anew at every border of an epoch."""

        def __init__(self, recipe: recipes.Recipe, engine: Engine, pictures: int) -> None:
            self.recipe, self.engine, self.pictures = recipe, engine, pictures
            self.steps = steps_per_epoch(recipe, pictures)
            self.epoch, self.step, self.steps_per_call = 0, 0, 2
            self.plan = plan_epoch(recipe, pictures, 0)

        def go_on(self, seconds: float) -> float:
            """Trains for a while; returns pictures per second."""
            done, began = 0, time.perf_counter()
            while (passed := time.perf_counter() - began) < seconds or not done:
                if self.step == self.steps:
                    self.epoch, self.step = self.epoch + 1, 0
                    self.plan = plan_epoch(self.recipe, self.pictures, self.epoch)
                # What would reach beyond the turn is left to the next one.
                wished = max(
                    1, int(self.steps_per_call * min(1.0, (seconds - passed) / CALL_SECONDS))
                )
                last = min(self.step + wished, self.steps)
                from_, before = self.step, time.perf_counter()
                self.engine.train(self.plan, self.epoch, from_, last)
                per_step = (time.perf_counter() - before) / (last - from_)
                self.steps_per_call = max(1, int(CALL_SECONDS / per_step))
                size = self.recipe.batch_size
                done += min(last * size, self.pictures) - from_ * size
                self.step = last
            return done / (time.perf_counter() - began)

    full = arrays.open_full(settings.current().data_dir).train
    trainings, hello = {}, {}
    for name in COMPARED:
        recipe = recipes.recipe("standard", name)
        learned = take(full, positions(recipe, full.labels)[0])
        precision = choose_precision(recipe, "cpu")
        engine = make_engine(recipe, learned.images, learned.labels, precision=precision)
        trainings[name] = Training(recipe, engine, len(learned.labels))
        trainings[name].go_on(0.5)
        trainings[name].go_on(0.5)
        hello = {"precision": precision, "batch_size": recipe.batch_size, "recipe": recipe.name}

    def measure(order: Order) -> Figures:
        return {"images_per_second": trainings[order["network"]].go_on(order["seconds"])}

    return measure, {**hello, "backend": keras.backend.backend()}


if __name__ == "__main__":
    compete(prepare)
