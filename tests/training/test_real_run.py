"""Whole runs on real pictures, by the real worker and the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import services, settings
from cifar_core.recipes import Recipe, recipe
from cifar_core.runs.folder import State
from cifar_core.runs.manager import Run
from cifar_core.training import checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.data, pytest.mark.timeout(600)]

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "cifar_core", "train", "--network", "cnn6")


def short(**changes: Any) -> Recipe:
    """Three epochs on a few real pictures: seconds instead of minutes, the same code."""
    few = {"epochs": 3, "training_pictures": 3000, "validation_pictures": 500}
    return recipe("standard", "cnn4", **{**few, **changes})


def wait(run_id: str, *states: State, seconds: float = 300) -> Run:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = services.read_run(run_id)
        if run.state in states:
            return run
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {run_id}: {run}")


def wait_for_step(run_id: str, epoch: int) -> None:
    """Waits until a run is in the middle of an epoch."""
    deadline = time.monotonic() + 300
    while True:
        run = services.read_run(run_id)
        if (run.status.epoch, run.status.step) > (epoch, 0):
            return
        assert run.state.is_alive, run
        assert time.monotonic() < deadline, run
        time.sleep(0.02)


def weights(run: Run) -> dict[str, bytes]:
    saved = checkpoint.load(run.folder.checkpoint_path)
    assert saved is not None
    return {name: np.asarray(array).tobytes() for name, array in saved.arrays.items()}


def process_of(run_id: str) -> int:
    path = str(settings.current().runs_dir / run_id).encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if path in (entry / "cmdline").read_bytes().split(b"\0"):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError("no process works on the run")


@pytest.mark.parametrize(("backend", "pictures"), [("tensorflow", 3000), ("jax", 400)])
def test_a_real_run_killed_and_resumed_three_times_equals_an_undisturbed_one(
    monkeypatch: pytest.MonkeyPatch, backend: str, pictures: int
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    wanted = short(training_pictures=pictures, validation_pictures=100, batch_size=64)
    disturbed = services.start_run(wanted)
    for epoch in range(3):
        wait_for_step(disturbed, epoch)
        os.kill(process_of(disturbed), signal.SIGKILL)
        wait(disturbed, State.INTERRUPTED)
        services.resume_run(disturbed)
    undisturbed = services.start_run(wanted)
    first, second = (wait(item, State.FINISHED) for item in (disturbed, undisturbed))
    assert first.status.attempts == 4
    assert weights(first) == weights(second)
    for name in ("predictions", "test_predictions.npy"):
        assert (first.folder.path / name).read_bytes() == (second.folder.path / name).read_bytes()


def test_a_finished_run_has_everything_and_agrees_with_itself() -> None:
    run = wait(services.start_run(short()), State.FINISHED)
    stored = services.read_evaluation(run)
    assert stored is not None
    assert stored.pictures == 10_000
    assert services.evaluate_run(run).confusion_matrix == stored.confusion_matrix
    monitored = services.read_predictions(run)
    right = float(np.mean(monitored.probabilities.argmax(axis=1) == monitored.labels))
    assert right == pytest.approx(run.status.accuracy)
    answers = services.read_test_predictions(run)
    assert int((answers.probabilities.argmax(axis=1) == answers.labels).sum()) == stored.right
    for path in (run.folder.keras_path, run.folder.network_path, run.folder.manifest_path):
        assert path.stat().st_size > 0


def test_the_command_line_trains_and_ends_with_figures() -> None:
    answer = subprocess.run(
        [*COMMAND, "--json", "--epochs", "1", "--training-pictures", "2000"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
    )
    facts = json.loads(answer.stdout)
    assert facts["state"] == "finished"
    assert facts["evaluation"]["pictures"] == 10_000
    assert np.sum(facts["evaluation"]["confusion_matrix"]) == 10_000
