"""A folder of runs whose workers pretend to train, in processes that can be killed.

Workers are the real ones (cifar_core.worker.main) around tests/runs/pretend.py. A bench
starts them as the lab does, as new interpreters, or, where hundreds are needed, forks them:
what is executed from ``main`` on, and what a signal does to it, is the same.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

from cifar_core import worker
from cifar_core.jobs.lock import Lock, is_held
from cifar_core.recipes import Recipe, recipe
from cifar_core.runs import launch, manager, reading, status_writer
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.reading import Run
from cifar_core.training import checkpoint, loop
from tests.runs import pretend
from tests.waiting import PATIENCE_SECONDS

PRETEND = Path(pretend.__file__)
LAUNCHES = ".launches"
"""One line for each forked worker that was started, to count them."""


class Bench:
    """Starts, waits for and kills pretended runs in one folder."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir

    def recipe(self, **changes: object) -> Recipe:
        settings = {"epochs": 3, "batch_size": 8, **changes}
        return recipe("standard", "cnn4", **settings)

    def start(self, token: str = "", *, device: str = "cpu", **changes: object) -> str:
        return manager.start(self.runs_dir, self.recipe(**changes), device=device, token=token)

    def read(self, run_id: str) -> Run:
        return reading.read(self.runs_dir, run_id)

    def wait(
        self, run_id: str, met: Callable[[Run], bool], seconds: float = PATIENCE_SECONDS
    ) -> Run:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.read(run_id)
            if met(run):
                return run
            time.sleep(0.005)
        raise AssertionError(f"waited {seconds} s for {run_id}, which is {run}")

    def wait_for(self, run_id: str, *states: State, seconds: float = PATIENCE_SECONDS) -> Run:
        return self.wait(run_id, lambda run: run.state in states, seconds)

    def wait_for_step(self, run_id: str, epoch: int, step: int = 1) -> Run:
        return self.wait(run_id, lambda run: (run.status.epoch, run.status.step) >= (epoch, step))

    def wait_for_release(self, run_id: str) -> Run:
        self.wait(run_id, lambda run: not is_held(run.folder.lock_path))
        return self.read(run_id)  # the one before was read while the lock may have been held

    def processes(self, run_id: str) -> list[int]:
        """The processes that work on a run: by their command line, or as a fork wrote down."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.runs_dir / run_id).encode() in words:
                found.append(int(entry.name))
        return found

    def signal(self, run_id: str, number: signal.Signals) -> None:
        for process in self.processes(run_id):
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue  # it ended a moment ago

    def kill(self, run_id: str) -> Run:
        self.signal(run_id, signal.SIGKILL)
        return self.wait_for_release(run_id)

    def end(self) -> None:
        """Kills whatever still works on a run here."""
        for run in reading.list_runs(self.runs_dir):
            if is_held(run.folder.lock_path):
                self.signal(run.id, signal.SIGCONT)
                self.signal(run.id, signal.SIGKILL)

    def digests(self, run_id: str) -> dict[str, bytes]:
        return digests(self.runs_dir / run_id)


class ForkedBench(Bench):
    """A bench whose workers are forks of this process: a hundred times as quick to start."""

    def launch(self, folder: RunFolder, lock: Lock, _device: str) -> None:
        """Stands in for cifar_core.runs.launch.launch."""
        (folder.path / ".pid.tmp").unlink(missing_ok=True)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            while not (folder.path / ".pid.tmp").exists():
                time.sleep(0.0005)
            return
        try:
            log = os.open(folder.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            with (self.runs_dir / LAUNCHES).open("a") as launches:
                launches.write(f"{folder.id}\n")
            mock.patch.object(worker, "RunFolder", note_process).start()
            inherited = os.dup(lock.descriptor)
            os.close(lock.descriptor)
            with mock.patch.dict(sys.modules, {"cifar_core.training.train": pretend.stand_in()}):
                worker.main(str(folder.path), str(inherited))
        finally:
            os._exit(0)

    def processes(self, run_id: str) -> list[int]:
        if not is_held(self.runs_dir / run_id / "lock"):
            return []  # it is gone, and its number may be another's by now
        try:
            return [int((self.runs_dir / run_id / ".pid.tmp").read_text())]
        except (OSError, ValueError):
            return []

    def launches(self) -> list[str]:
        return (self.runs_dir / LAUNCHES).read_text().split()


def note_process(path: Path) -> RunFolder:
    """Writes down which process works on a folder, for the one who is to kill it."""
    (path / ".new-pid.tmp").write_text(str(os.getpid()))
    (path / ".new-pid.tmp").rename(path / ".pid.tmp")
    return RunFolder(path)


@contextmanager
def started(runs_dir: Path, **environment: str) -> Iterator[Bench]:
    """Gives a bench whose workers are new interpreters, as in the lab."""
    bench = Bench(runs_dir)
    variables = {"PYTHONPATH": str(PRETEND.parents[2]), **environment}
    command = (str(PRETEND),)
    with (
        mock.patch.object(launch, "WORKER_COMMAND", command),
        mock.patch.dict(os.environ, variables),
    ):
        try:
            yield bench
        finally:
            bench.end()


@contextmanager
def forked(runs_dir: Path, *, speak: float = 0.02, **environment: str) -> Iterator[ForkedBench]:
    """Gives a bench whose workers are forks, twenty looks a second and more."""
    bench = ForkedBench(runs_dir)
    with (
        mock.patch.object(manager, "launch", bench.launch),
        mock.patch.object(manager, "PATIENCE_SECONDS", 0.1),
        mock.patch.object(worker, "LOOK_SECONDS", 0.005),
        mock.patch.object(loop, "CALL_SECONDS", speak),
        mock.patch.object(status_writer, "WRITE_SECONDS", speak),
        mock.patch.dict(os.environ, environment),
    ):
        try:
            yield bench
        finally:
            bench.end()


def digests(path: Path) -> dict[str, bytes]:
    """Everything that must be equal for two equal runs, whatever befell them."""
    folder = RunFolder(path)
    saved = checkpoint.load(folder.checkpoint_path)
    assert saved is not None
    rows = [
        dataclasses.replace(row, seconds=0.0, epoch_seconds=0.0, images_per_second=0.0)
        for row in folder.read_metrics()
    ]
    progress = dataclasses.replace(
        saved.progress, running_seconds=0.0, epoch_seconds=0.0, metrics_bytes=0, run=""
    )
    arrays = {name: np.asarray(array).tobytes() for name, array in saved.arrays.items()}
    return {
        **arrays,
        "progress": repr(progress).encode(),
        "metrics": repr(rows).encode(),
        "predictions": folder.predictions_path.read_bytes(),
    }
