"""Whole runs on real pictures, by the real worker and the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import services, settings
from cifar_core.recipes import Recipe, recipe
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.training import checkpoint
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.data]

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "cifar_core", "train", "--network", "cnn6")


def short(**changes: Any) -> Recipe:
    """Three epochs on a few real pictures: seconds instead of minutes, the same code."""
    few = {"epochs": 3, "training_pictures": 2000, "validation_pictures": 100, "batch_size": 64}
    return recipe("standard", "cnn4", **{**few, **changes})


def wait(run_id: str, *states: State, seconds: float = 500) -> Run:
    wait_until(lambda: services.read_run(run_id).state in states, seconds=seconds)
    return services.read_run(run_id)


def wait_for_step(run_id: str, epoch: int) -> None:
    """Waits until a run is in the middle of an epoch."""

    def is_there() -> bool:
        run = services.read_run(run_id)
        assert run.state.is_alive, run
        return (run.status.epoch, run.status.step) > (epoch, 0)

    wait_until(is_there, seconds=500)


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


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run on TensorFlow that nobody disturbed; the tests only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_LAB_RUNS", str(tmp_path_factory.mktemp("finished")))
        patch.delenv("KERAS_BACKEND", raising=False)
        run_id = services.start_run(short())
        yield wait(run_id, State.FINISHED)


def kill_and_resume(run_id: str, *epochs: int) -> Run:
    """Kills a run in the middle of these epochs, counted from 0, and lets it finish."""
    for epoch in epochs:
        wait_for_step(run_id, epoch)
        os.kill(process_of(run_id), signal.SIGKILL)
        wait(run_id, State.INTERRUPTED)
        services.resume_run(run_id)
    return wait(run_id, State.FINISHED)


def expect_equal(first: Run, second: Run) -> None:
    assert weights(first) == weights(second)
    for name in ("predictions", "test_predictions.npy"):
        assert (first.folder.path / name).read_bytes() == (second.folder.path / name).read_bytes()


def test_a_real_run_killed_and_resumed_three_times_equals_an_undisturbed_one(
    finished: Run,
) -> None:
    disturbed = kill_and_resume(services.start_run(short()), 0, 1, 2)
    assert disturbed.status.attempts == 4
    expect_equal(disturbed, finished)


def test_a_run_on_jax_killed_and_resumed_equals_an_undisturbed_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    wanted = short(training_pictures=400, precision="float32")  # bfloat16 crawls in JAX here
    disturbed = kill_and_resume(services.start_run(wanted), 1)  # a checkpoint lies there by then
    assert disturbed.status.attempts == 2
    expect_equal(disturbed, wait(services.start_run(wanted), State.FINISHED))


def test_a_finished_run_has_everything_and_agrees_with_itself(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_RUNS", str(finished.folder.path.parent))
    run = services.read_run(finished.id)
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
    novelty = services.open_model(run).novelty
    assert novelty is not None
    assert 0 <= novelty.false_alarm_rate <= 1


def test_the_command_line_trains_and_ends_with_figures() -> None:
    answer = subprocess.run(
        [*COMMAND, "--json", "--epochs", "1", "--training-pictures", "500"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
    )
    facts = json.loads(answer.stdout)
    assert facts["state"] == "finished"
    assert facts["evaluation"]["pictures"] == 10_000
    assert np.sum(facts["evaluation"]["confusion_matrix"]) == 10_000
