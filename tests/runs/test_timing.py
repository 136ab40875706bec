"""Times of a network's steps: measured in a process of its own, kept beside the runs."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from cifar_core import files, services
from cifar_core.errors import LabError
from cifar_core.jobs.lock import try_lock
from cifar_core.runs import timing
from cifar_core.runs.folder import RunFolder
from cifar_core.settings import PROJECT_DIR
from tests.inference.test_timing import some_timing
from tests.waiting import wait_until


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A shipped model without figures of its own."""
    models = tmp_path / "models"
    shutil.copytree(PROJECT_DIR / "models" / "cnn4", models / "cnn4")
    (models / "cnn4" / timing.SHIPPED_NAME).unlink(missing_ok=True)
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(models))
    return RunFolder(models / "cnn4")


def digest(model: RunFolder) -> str:
    return str(files.read_json(model.manifest_path)["sha256"]["model.tflite"])


def wait_until_measured(runs_dir: Path, model: RunFolder) -> timing.TimingStatus:
    wait_until(lambda: not timing.read(runs_dir, model).is_measuring)
    return timing.read(runs_dir, model)


def test_before_any_measurement_there_are_no_times(runs_dir: Path, model: RunFolder) -> None:
    assert timing.read(runs_dir, model) == timing.TimingStatus(None, False, False)


def test_a_process_of_its_own_measures_and_leaves_the_times(
    runs_dir: Path, model: RunFolder
) -> None:
    run = services.read_run("cnn4")
    with services.acting_for(services.OWNER):
        services.start_timing(run)
        services.start_timing(run)  # a second click changes nothing
    assert services.read_timing(run).is_measuring
    status = wait_until_measured(runs_dir, model)
    assert status.problem == ""
    assert status.is_here
    assert status.timing is not None
    assert status.timing.sha256 == digest(model)
    assert len(status.timing.step_ms) == len(services.open_inspector(run).ops)


def test_shipped_times_are_shown_until_there_are_own(runs_dir: Path, model: RunFolder) -> None:
    shipped = dataclasses.replace(some_timing(), sha256=digest(model))
    files.write_json(model.path / timing.SHIPPED_NAME, shipped.to_json())
    assert timing.read(runs_dir, model) == timing.TimingStatus(shipped, False, False)
    own = dataclasses.replace(shipped, device="this one")
    (runs_dir / timing.FOLDER).mkdir(parents=True)
    files.write_json(runs_dir / timing.FOLDER / "cnn4.json", own.to_json())
    assert timing.read(runs_dir, model) == timing.TimingStatus(own, True, False)


def test_times_of_another_network_are_not_shown(runs_dir: Path, model: RunFolder) -> None:
    files.write_json(model.path / timing.SHIPPED_NAME, some_timing().to_json())
    assert timing.read(runs_dir, model).timing is None


def test_a_broken_file_of_times_is_none(runs_dir: Path, model: RunFolder) -> None:
    (model.path / timing.SHIPPED_NAME).write_bytes(b"{")
    assert timing.read(runs_dir, model).timing is None


def test_a_network_that_is_not_the_recorded_one_is_not_measured(
    runs_dir: Path, model: RunFolder
) -> None:
    model.litert_path.write_bytes(b"another")
    timing.start(runs_dir, model)
    status = wait_until_measured(runs_dir, model)
    assert "is not the one that was recorded" in status.problem
    assert status.timing is None


def test_who_measures_holds_the_lock(runs_dir: Path, model: RunFolder) -> None:
    (runs_dir / timing.FOLDER).mkdir(parents=True)
    lock = try_lock(runs_dir / timing.FOLDER / "cnn4.lock")
    assert lock is not None
    with lock:
        assert timing.read(runs_dir, model).is_measuring
    assert not timing.read(runs_dir, model).is_measuring


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, model: RunFolder) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="could not be started"):
        timing.start(tmp_path / "file", model)


def test_times_are_no_run(runs_dir: Path, model: RunFolder) -> None:
    (runs_dir / timing.FOLDER).mkdir(parents=True)
    assert [run.id for run in services.list_runs()] == [model.id]


def test_where_the_lab_is_read_only_nobody_measures(
    monkeypatch: pytest.MonkeyPatch, model: RunFolder
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    run = services.read_run(model.id)
    for measure in (services.start_timing, services.measure_timing):
        with pytest.raises(services.NotAllowedError):
            measure(run)
