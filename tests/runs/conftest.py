"""A folder of runs whose workers pretend to train."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cifar_core.recipes import Recipe, recipe
from cifar_core.runs import launch, manager
from cifar_core.runs.folder import State
from cifar_core.runs.lock import is_held
from cifar_core.runs.manager import Run
from cifar_core.training import checkpoint

PRETEND = Path(__file__).with_name("pretend.py")


class Bench:
    """Starts, waits for and kills pretended runs in one folder."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir

    def recipe(self, **changes: object) -> Recipe:
        settings = {"epochs": 3, "batch_size": 8, **changes}
        return recipe("standard", "cnn4", **settings)

    def start(self, token: str = "", **changes: object) -> str:
        return manager.start(self.runs_dir, self.recipe(**changes), device="cpu", token=token)

    def read(self, run_id: str) -> Run:
        return manager.read(self.runs_dir, run_id)

    def wait(self, run_id: str, met: Callable[[Run], bool], seconds: float = 30) -> Run:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.read(run_id)
            if met(run):
                return run
            time.sleep(0.01)
        raise AssertionError(f"waited {seconds} s for {run_id}, which is {run}")

    def wait_for(self, run_id: str, *states: State, seconds: float = 30) -> Run:
        return self.wait(run_id, lambda run: run.state in states, seconds)

    def wait_for_step(self, run_id: str, epoch: int, step: int = 1) -> Run:
        return self.wait(run_id, lambda run: (run.status.epoch, run.status.step) >= (epoch, step))

    def processes(self, run_id: str) -> list[int]:
        """The processes that work on a run, found by their command line."""
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
            os.kill(process, number)

    def kill(self, run_id: str) -> Run:
        self.signal(run_id, signal.SIGKILL)
        return self.wait(run_id, lambda run: not is_held(run.folder.lock_path))

    def digests(self, run_id: str) -> dict[str, bytes]:
        """Everything that must be equal for two equal runs, whatever befell them."""
        run = self.read(run_id)
        saved = checkpoint.load(run.folder.checkpoint_path)
        assert saved is not None
        timeless = {"seconds": 0.0, "epoch_seconds": 0.0, "images_per_second": 0.0}
        rows = [dataclasses.replace(row, **timeless) for row in run.folder.read_metrics()]
        arrays = {name: np.asarray(array).tobytes() for name, array in saved.arrays.items()}
        return {
            **arrays,
            "metrics": repr(rows).encode(),
            "predictions": run.folder.predictions_path.read_bytes(),
        }


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(launch, "WORKER_COMMAND", (sys.executable, str(PRETEND)))
    monkeypatch.setenv("PYTHONPATH", str(PRETEND.parents[2]))
    made = Bench(tmp_path / "runs")
    yield made
    for run in manager.list_runs(made.runs_dir):
        made.signal(run.id, signal.SIGKILL)
