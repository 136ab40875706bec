"""The analysis lives in its own process; its lock tells whether it is alive."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from cifar_core import services
from cifar_core.analysis import process
from cifar_core.dataset.store import Arrays, write_full
from cifar_core.errors import DataError, LabError
from cifar_core.services import NotAllowedError
from cifar_core.settings import PROJECT_DIR
from tests.waiting import wait_until

CNN4 = PROJECT_DIR / "models" / "cnn4"


@pytest.fixture(scope="module")
def blank_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset of the right form whose pictures are black."""
    folder = tmp_path_factory.mktemp("blank")
    labels = (np.arange(50_000) % 10).astype(np.uint8)
    black = np.zeros((50_000, 32, 32, 3), np.uint8)
    write_full(folder, Arrays(black, labels, black[:10_000], labels[:10_000]), "nothing")
    return folder


@pytest.fixture
def data_dir(blank_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "cnn4").symlink_to(CNN4)  # the quickest of the three
    monkeypatch.setenv("CIFAR_LAB_DATA", str(blank_dir))
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    return blank_dir


def test_a_started_analysis_reports_and_stops_when_asked(data_dir: Path) -> None:
    services.start_analysis()
    services.start_analysis()  # a second start changes nothing
    wait_until(lambda: (s := services.read_analysis()) and s.message.startswith("Looking at"))
    services.stop_analysis()
    wait_until(lambda: (s := services.read_analysis()) and s.state != "running")
    status = services.read_analysis()
    assert status is not None
    assert (status.state, status.message) == ("interrupted", "The analysis was stopped.")
    wait_until(lambda: try_free(data_dir))
    assert services.analysis_state() == "none"


def try_free(data_dir: Path) -> bool:
    lock = process.JOB.slot(data_dir).take()
    if lock is None:
        return False
    lock.release()
    return True


def test_a_status_without_a_living_process_is_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "analysis.json").write_text(json.dumps({"state": "running", "share": 0.4}))
    status = process.JOB.read(tmp_path)
    assert status is not None
    assert status.state == "interrupted"
    assert "analysis.log" in status.remedy


@pytest.mark.parametrize("content", ["", "[]", '{"state": 1', "null"])
def test_a_damaged_status_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "analysis.json").write_text(content)
    assert process.JOB.read(tmp_path) is None


def test_a_held_lock_keeps_a_second_analysis_from_starting(tmp_path: Path) -> None:
    lock = process.JOB.slot(tmp_path).take()
    assert lock is not None
    with lock, pytest.raises(SystemExit, match="Another process"):
        process.main([str(tmp_path), str(CNN4)])


def fail_with(error: BaseException) -> Callable[[object], NoReturn]:
    def work(report: object) -> NoReturn:
        raise error

    return work


def test_a_foreseen_failure_keeps_its_three_answers(tmp_path: Path) -> None:
    error = LabError("What.", expected="Expected.", remedy="Remedy.")
    assert process.run(tmp_path, fail_with(error)) == 1
    status = process.JOB.read(tmp_path)
    assert status is not None
    assert (status.state, status.what, status.remedy) == ("failed", "What.", "Remedy.")


def test_an_unforeseen_failure_is_told_with_its_log(tmp_path: Path) -> None:
    assert process.run(tmp_path, fail_with(ZeroDivisionError("by zero"))) == 1
    status = process.JOB.read(tmp_path)
    assert status is not None
    assert "by zero" in status.what
    assert "analysis.log" in status.remedy


def test_the_end_says_that_it_is_done(tmp_path: Path) -> None:
    assert process.run(tmp_path, lambda report: report("half", 0.5)) == 0
    status = process.JOB.read(tmp_path)
    assert status is not None
    assert (status.state, status.message) == ("finished", "The pictures have been analysed.")


def test_the_time_left_follows_from_the_time_taken() -> None:
    status = process.AnalysisStatus(state="running", share=0.25, seconds=30)
    assert status.seconds_left == pytest.approx(90)
    assert process.AnalysisStatus(state="running").seconds_left is None


def test_without_the_full_dataset_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="not in"):
        services.start_analysis()


def test_a_read_only_lab_starts_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    for change in (services.start_analysis, services.stop_analysis):
        with pytest.raises(NotAllowedError):
            change()


def test_a_killed_analysis_can_be_started_again(data_dir: Path) -> None:
    services.start_analysis()
    wait_until(lambda: (s := services.read_analysis()) and s.message.startswith("Looking at"))
    found = [
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and is_analysis_of(path, data_dir)
    ]
    for number in found:
        os.kill(number, signal.SIGKILL)
    wait_until(lambda: (s := services.read_analysis()) and s.state == "interrupted")
    services.start_analysis()
    status = services.read_analysis()
    assert status is not None
    assert status.state == "running"
    services.stop_analysis()
    wait_until(lambda: try_free(data_dir))


def is_analysis_of(path: Path, data_dir: Path) -> bool:
    try:
        words = (path / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"cifar_core.analysis.process" in words and str(data_dir).encode() in words
