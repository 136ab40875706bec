"""Whole runs on real pictures, by the real worker and the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import files, recipes, services, settings
from cifar_core.jobs.lock import is_held
from cifar_core.recipes import Recipe, recipe
from cifar_core.runs import forecast
from cifar_core.runs.devices import usable_cores
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


def wait_for_release(run: Run) -> None:
    """Waits until the process of a run has gone; its state is known a moment before."""
    wait_until(lambda: not is_held(run.folder.lock_path))


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


@pytest.mark.full
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


def test_all_the_time_of_a_run_on_its_device_is_counted(finished: Run) -> None:
    status = finished.status
    assert status.ended_at is not None
    assert status.started_at is not None
    assert status.device_seconds == pytest.approx(status.ended_at - status.started_at, rel=0.05)
    assert status.setup_seconds > 0
    assert status.closing_seconds > 0


def test_the_next_run_forecasts_its_closing_phase_from_this_one(finished: Run) -> None:
    assert finished.recipe is not None
    rate = forecast.recorded_closing_rate(
        finished.folder.path.parent, finished.recipe, finished.status
    )
    assert rate is not None
    expected = rate * forecast.closing_images(finished.recipe)
    assert expected == pytest.approx(finished.status.closing_seconds)


def test_a_run_records_what_it_was_computed_with(finished: Run) -> None:
    manifest = files.read_json(finished.folder.manifest_path)
    status = finished.status
    assert manifest["cores"] == status.cores == usable_cores()
    assert manifest["threads"] == status.threads == usable_cores()
    assert manifest["load_at_start"] == status.load_at_start
    assert manifest["load_median"] == status.load_median


def test_the_log_tells_the_run_from_its_device_to_its_test_accuracy(finished: Run) -> None:
    printed = finished.folder.log_path.read_text(errors="replace")
    told = re.findall(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO (.*)$", printed, re.MULTILINE)
    log = "\n".join(told)
    assert finished.status.device_name in log
    assert files.read_json(finished.folder.manifest_path)["data_digest"] in log
    (written,) = re.findall(r"^recipe (.*)$", log, re.MULTILINE)
    assert recipes.from_json(json.loads(written)) == finished.recipe
    evaluation = services.read_evaluation(finished)
    assert evaluation is not None
    assert f"test accuracy {evaluation.accuracy:.4f}" in log
    at = [log.index(word) for word in ("waits for", "got cpu", "epoch 3 of 3", "exporting")]
    assert at == sorted(at)
    assert told[-1].startswith("finished")


def test_a_run_leaves_nothing_in_the_system_s_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    system.mkdir()
    monkeypatch.setenv("TMPDIR", str(system))
    run_id = services.start_run(short(epochs=1, training_pictures=200))
    wait_for_step(run_id, 0)
    own = services.read_run(run_id).folder.temporary_path
    assert list(own.glob("__autograph_generated_file*.py"))  # here they go
    os.kill(process_of(run_id), signal.SIGKILL)
    wait(run_id, State.INTERRUPTED)
    services.resume_run(run_id)
    run = wait(run_id, State.FINISHED)
    wait_for_release(run)
    assert not own.exists()
    assert list(system.iterdir()) == []
