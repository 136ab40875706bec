"""The training loop: epochs, rows of metrics, checkpoints, stopping and resuming.

Knows no Keras: what trains is behind :class:`cifar_core.training.engine.Engine`. So the
reliability tests can put thousands of runs through this very code.
"""

from __future__ import annotations

import dataclasses
import logging
import statistics
import time
from collections.abc import Callable

import numpy as np

from cifar_core import files
from cifar_core.dataset.arrays import Split
from cifar_core.dataset.augmentation import EpochPlan, plan_epoch
from cifar_core.errors import RunError
from cifar_core.evaluation.loss import cross_entropy
from cifar_core.runs.devices import load_average
from cifar_core.runs.folder import MetricRow, RowKind, RunFolder
from cifar_core.runs.status_writer import RunStatusWriter
from cifar_core.training import checkpoint, origin
from cifar_core.training.checkpoint import Progress
from cifar_core.training.engine import Engine, steps_per_epoch
from cifar_core.training.speed import Speed

LOG = logging.getLogger(__name__)

CALL_SECONDS = 1.0
"""How long the engine works in one call, between two looks whether to stop."""

ROWS_PER_EPOCH = 10
"""How many rows of metrics are written while an epoch is under way, at most."""

StopRequested = Callable[[], bool]


class TrainingLoop:
    """Carries a run from where it stands to its last epoch.

    Args:
        writer: The run's folder and status.
        engine: Trains and asks the network.
        pictures: How many training pictures there are.
        watched: The split that is measured after every epoch.
        learning_rate: Of a step counted from the start of the run, for the record.
        begin: The progress of a run that has not begun.
        closing_rate: Seconds per image of the closing phase, where an earlier run recorded it.
    """

    def __init__(
        self,
        writer: RunStatusWriter,
        engine: Engine,
        *,
        pictures: int,
        watched: Split,
        learning_rate: Callable[[int], float],
        begin: Progress,
        closing_rate: float | None = None,
    ) -> None:
        self.writer = writer
        self.folder: RunFolder = writer.folder
        self.recipe = self.folder.read_recipe()
        self.engine = engine
        self.watched = watched
        self.pictures = pictures
        self.steps = steps_per_epoch(self.recipe, self.pictures)
        self.progress = origin.signed(begin, self.folder)
        self._learning_rate = learning_rate
        self.speed = Speed(
            self.recipe,
            steps=self.steps,
            monitored=len(watched.labels),
            closing_rate=closing_rate,
            on_cpu=writer.status.device == "cpu",
        )
        self._loads: list[float] = []
        self._since = time.monotonic()  # the moment up to which seconds have been counted

    def restore(self, saved: checkpoint.Checkpoint | None) -> None:
        """Goes on from a checkpoint; what was written after it is taken back.

        Raises:
            RunError: The checkpoint is not of this run, or a file lost its rows.
        """
        if saved is not None:
            begin = self.progress
            origin.check(saved, begin, self.engine.read())
            self.engine.write(saved.arrays)
            self.progress = dataclasses.replace(
                saved.progress,
                run=begin.run,
                recipe=begin.recipe,
                surroundings=saved.progress.surroundings or begin.surroundings,
            )
        try:
            files.cut(self.folder.metrics_path, self.progress.metrics_bytes)
            files.cut(self.folder.predictions_path, self.progress.predictions_bytes)
        except ValueError as error:
            raise RunError(
                f"A file of the run has lost rows: {error}.",
                expected="Rows that a checkpoint counts stay in their file.",
                remedy="Start the run anew; somebody or something has changed its files.",
            ) from error
        self._since = time.monotonic()
        status, progress = self.writer.status, self.progress
        begun = "goes on from its checkpoint" if saved else "begins"
        LOG.info("training %s at epoch %d, step %d", begun, progress.epoch, progress.step)
        self.writer.update(setup_seconds=status.setup_seconds + self.writer.device_seconds())
        self._report_progress(phase="training")

    def run(self, stop_request: StopRequested) -> bool:
        """Trains to the last epoch; returns False when asked to stop, everything kept."""
        while self.progress.epoch < self.recipe.epochs:
            if not self._run_epoch(stop_request):
                self._save()
                LOG.info(
                    "asked to stop at epoch %d, step %d", self.progress.epoch, self.progress.step
                )
                return False
        return True

    def _run_epoch(self, stop_request: StopRequested) -> bool:
        plan = plan_epoch(self.recipe, self.pictures, self.progress.epoch)
        row_steps = max(1, self.steps // ROWS_PER_EPOCH)
        while self.progress.step < self.steps:
            if stop_request():
                return False
            first = self.progress.step
            border = (first // row_steps + 1) * row_steps  # rows stand at the same steps always
            steps_per_call = self.speed.steps_in(CALL_SECONDS)
            last = min(first + steps_per_call, border, self.steps)
            self._advance(plan, first, last)
            if last == border and last < self.steps:
                self.folder.append_metrics([self._row("step")])
            self._report_progress()
        self._close_epoch()
        return True

    def _advance(self, plan: EpochPlan, first: int, last: int) -> None:
        """Has the engine run some steps and counts what it reports."""
        began = time.monotonic()
        done = self.engine.train(plan, self.progress.epoch, first, last)
        self.speed.add_call(time.monotonic() - began, last - first)
        if not np.isfinite(done.losses).all():
            broken = first + int(np.flatnonzero(~np.isfinite(done.losses))[0])
            raise RunError(
                f"The training diverged: the loss is not a number in epoch "
                f"{self.progress.epoch + 1}, step {broken + 1}.",
                expected="A loss that falls; the last checkpoint before it is kept.",
                remedy="Start it again with a smaller learning rate.",
            )
        size = self.recipe.batch_size
        loss_sum = self.progress.loss_sum
        for step, loss in enumerate(done.losses, first):  # one by one: no sum depends on the calls
            loss_sum += float(loss) * (min((step + 1) * size, self.pictures) - step * size)
        self.progress = dataclasses.replace(
            self._with_timing(),
            step=last,
            loss_sum=loss_sum,
            right=self.progress.right + int(done.right.sum()),
        )

    def _close_epoch(self) -> None:
        """Measures the watched split, writes the epoch's row and a checkpoint."""
        self.writer.update(phase="measuring on the watched pictures")
        began = time.monotonic()
        probabilities = self.engine.predict(self.watched.images).astype(np.float16)
        labels = self.watched.labels
        accuracy = float(np.mean(probabilities.argmax(axis=1) == labels))
        loss = cross_entropy(probabilities, labels)
        self.speed.add_measuring(time.monotonic() - began)
        files.append(self.folder.predictions_path, probabilities.tobytes(), durable=True)
        self.progress = self._with_timing()
        row = dataclasses.replace(
            self._row("epoch"),
            epoch_seconds=self.progress.epoch_seconds,
            monitored_loss=loss,
            monitored_accuracy=accuracy,
        )
        self.folder.append_metrics([row], durable=True)
        self._log(row)
        is_best = self.progress.best_accuracy is None or accuracy > self.progress.best_accuracy
        epoch = self.progress.epoch + 1
        self.progress = dataclasses.replace(
            self.progress,
            epoch=epoch,
            step=0,
            loss_sum=0.0,
            right=0,
            epoch_seconds=0.0,
            accuracy=accuracy,
            best_accuracy=accuracy if is_best else self.progress.best_accuracy,
            best_epoch=epoch if is_best else self.progress.best_epoch,
        )
        self._save()
        self._report_progress(now=True, phase="training")

    def _save(self) -> None:
        # What a checkpoint counts must be on the disk before it: a power cut may keep the
        # checkpoint and lose rows that were only appended.
        files.flush(self.folder.metrics_path)
        files.flush(self.folder.predictions_path)
        self.progress = dataclasses.replace(
            self.progress,
            metrics_bytes=self.folder.metrics_path.stat().st_size,
            predictions_bytes=self.folder.predictions_path.stat().st_size,
        )
        checkpoint.save(
            self.folder.checkpoint_path,
            checkpoint.Checkpoint(self.progress, self.engine.read()),
        )
        LOG.info("checkpoint kept: epoch %d, step %d", self.progress.epoch, self.progress.step)

    def _with_timing(self) -> Progress:
        """Returns the progress with the time since the last look counted."""
        now = time.monotonic()
        passed, self._since = now - self._since, now
        return dataclasses.replace(
            self.progress,
            epoch_seconds=self.progress.epoch_seconds + passed,
            running_seconds=self.progress.running_seconds + passed,
        )

    def _row(self, kind: RowKind) -> MetricRow:
        progress = self.progress
        seen = min(progress.step * self.recipe.batch_size, self.pictures)
        step = progress.epoch * self.steps + progress.step - 1
        return MetricRow(
            kind=kind,
            epoch=round(progress.epoch + progress.step / self.steps, 4),
            loss=progress.loss_sum / seen,
            accuracy=progress.right / seen,
            learning_rate=self._learning_rate(step),
            images_per_second=seen / progress.epoch_seconds,
            seconds=progress.running_seconds,
        )

    def _report_progress(self, *, now: bool = False, phase: str | None = None) -> None:
        """Writes into the status how far the training is and when it will end."""
        progress = self.progress
        self.writer.update(
            now=now,
            phase=phase or self.writer.status.phase,
            epoch=progress.epoch,
            step=progress.step,
            steps_per_epoch=self.steps,
            running_seconds=progress.running_seconds,
            eta_seconds=self.speed.seconds_left(progress.epoch, progress.step),
            images_per_second=self.speed.images_per_second(),
            accuracy=progress.accuracy,
            best_accuracy=progress.best_accuracy,
            best_epoch=progress.best_epoch,
        )

    def _log(self, row: MetricRow) -> None:
        """Logs the end of an epoch, and takes note of how busy the machine is."""
        load = load_average()
        if load is not None:
            self._loads.append(load)
            self.writer.update(load_median=round(statistics.median(self._loads), 2))
        LOG.info(
            "epoch %d of %d: training loss %.4f, accuracy %.4f; %s loss %.4f, accuracy %.4f; "
            "learning rate %.4g, %.1f s",
            *(round(row.epoch), self.recipe.epochs, row.loss, row.accuracy),
            *(self.recipe.monitored_split, row.monitored_loss, row.monitored_accuracy),
            *(row.learning_rate, row.epoch_seconds),
        )
