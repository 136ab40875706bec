"""A pretended training: the real worker, loop and checkpoints around a network that is none.

The engine is a linear classifier in NumPy on random pictures. It obeys the same law as the
real ones, that everything follows from (recipe, epoch, step), so what holds of stopping,
killing and going on can be tried thousands of times. tests/training proves that the real
engines obey it too.

Run as a worker: ``python tests/runs/pretend.py FOLDER LOCK``. ``PRETEND_STEP_SECONDS`` makes
each step last, ``PRETEND_CLOSE_SECONDS`` the end of each epoch; ``PRETEND_FAULT`` names an
error to raise in the second epoch, or ``deaf``: a first call that hears nothing.
``PRETEND_GATED`` lets a run finish only as many epochs as its file ``.gate.tmp`` allows.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import types
from collections.abc import Callable, Mapping
from typing import NoReturn

import numpy as np

from cifar_core import files, worker
from cifar_core.dataset.arrays import Split
from cifar_core.dataset.augmentation import EpochPlan, Stream, generator
from cifar_core.recipes import Recipe
from cifar_core.runs import status_writer
from cifar_core.training import checkpoint, loop
from cifar_core.training.engine import Steps

PICTURES = 160
WATCHED = 40


class PretendEngine:
    """A linear softmax classifier on the mean colours of quarters, trained with momentum."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        draw = generator(recipe.seed, Stream.DROPOUT)
        self.inputs = draw.normal(size=(PICTURES, 48)).astype(np.float32)
        self.labels = draw.integers(0, 10, PICTURES)
        self.weights = draw.normal(size=(48, 10)).astype(np.float32)
        self.velocity = np.zeros_like(self.weights)
        self.step_seconds = float(os.environ.get("PRETEND_STEP_SECONDS", "0"))
        self.close_seconds = float(os.environ.get("PRETEND_CLOSE_SECONDS", "0"))
        self.fault = os.environ.get("PRETEND_FAULT", "")

    def train(self, plan: EpochPlan, epoch: int, first: int, last: int) -> Steps:
        losses, right = [], []
        if self.fault == "deaf":
            time.sleep(600)
        for step in range(first, last):
            if self.step_seconds:
                time.sleep(self.step_seconds)
            if epoch == 1:
                self._fail()
            size = self.recipe.batch_size
            chosen = plan.order[step * size : (step + 1) * size]
            mask = generator(self.recipe.seed, Stream.DROPOUT, 1000 * epoch + step).random(48) > 0.2
            inputs = self.inputs[chosen] * mask.astype(np.float32)
            answers = softmax(inputs @ self.weights)
            truth = np.eye(10, dtype=np.float32)[self.labels[chosen]]
            gradient = inputs.T @ (answers - truth) / len(chosen)
            self.velocity = np.float32(0.9) * self.velocity - np.float32(0.05) * gradient
            self.weights = self.weights + self.velocity
            losses.append(float(-np.log((answers * truth).sum(axis=1) + 1e-7).mean()))
            right.append(int((answers.argmax(axis=1) == self.labels[chosen]).sum()))
        if self.fault == "nan" and epoch == 1:
            losses[-1] = float("nan")
        return Steps(np.array(losses, np.float32), np.array(right, np.int32))

    def predict(self, images: np.ndarray) -> np.ndarray:
        if self.close_seconds:
            time.sleep(self.close_seconds)
        quarters = images.reshape(len(images), 4, 8, 4, 8, 3).mean(axis=(2, 4)) / 255
        return softmax(quarters.reshape(len(images), 48).astype(np.float32) @ self.weights)

    def read(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights.copy(), "velocity": self.velocity.copy()}

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.weights, self.velocity = arrays["weights"].copy(), arrays["velocity"].copy()

    def _fail(self) -> None:
        if self.fault == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.fault == "memory":
            raise MemoryError
        if self.fault == "defect":
            raise ZeroDivisionError("a defect, made on purpose")


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def watched() -> Split:
    """Pictures to measure on, the same for every pretended run."""
    draw = np.random.default_rng(7)
    images = draw.integers(0, 256, (WATCHED, 32, 32, 3), dtype=np.uint8)
    labels = draw.integers(0, 10, WATCHED).astype(np.uint8)
    return Split("train", images, labels, np.arange(WATCHED, dtype=np.int64))


def pretend_to_train(
    writer: status_writer.RunStatusWriter, stop_request: Callable[[], bool]
) -> bool:
    """Stands in for cifar_core.training.train.train."""
    recipe = writer.folder.read_recipe()
    one = loop.TrainingLoop(
        writer,
        PretendEngine(recipe),
        pictures=PICTURES,
        watched=watched(),
        learning_rate=lambda _step: 0.05,
        begin=checkpoint.Progress(),
    )
    one.restore(checkpoint.load(writer.folder.checkpoint_path))
    if os.environ.get("PRETEND_GATED"):
        stop_request = gated(one, stop_request)
    if not one.run(stop_request):
        return False
    files.write_json(writer.folder.evaluation_path, {"pretended": True})
    return True


def gated(one: loop.TrainingLoop, stop_request: Callable[[], bool]) -> Callable[[], bool]:
    """Holds a run before each epoch that its file ``.gate.tmp`` does not allow yet."""

    def wait() -> bool:
        while True:
            if stop_request():
                return True
            try:
                allowed = (one.folder.path / ".gate.tmp").read_text()
            except OSError:
                allowed = "0"
            if allowed == "fail":
                raise MemoryError
            if one.progress.epoch < int(allowed or "0"):
                return False
            time.sleep(0.002)

    return wait


def stand_in() -> types.ModuleType:
    """Returns a module to put in place of cifar_core.training.train."""
    module = types.ModuleType("cifar_core.training.train")
    module.train = pretend_to_train  # type: ignore[attr-defined]
    return module


def main() -> NoReturn:
    """Runs the real worker with the pretended training in place of the real one."""
    loop.CALL_SECONDS = 0.02  # a pretended second: it looks and speaks fifty times as often
    status_writer.WRITE_SECONDS = 0.02
    sys.modules["cifar_core.training.train"] = stand_in()
    worker.main(*sys.argv[1:])
    sys.exit(0)


if __name__ == "__main__":
    main()
