"""The download lives in its own process, and its lock tells whether it is alive."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cifar_core import settings
from cifar_core.dataset import CIFAR10, download, sample, sources
from cifar_core.errors import DataError
from cifar_core.jobs import status as status_module
from tests.waiting import wait_until


def state(data_dir: Path) -> str | None:
    """State of the download in a data folder."""
    status = download.JOB.read(data_dir)
    return status.state if status else None


@pytest.fixture
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder on a machine without copies, npm or a network."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"


@pytest.fixture
def waiting(lonely: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder on a machine whose network takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{silent.getsockname()[1]}")
        yield lonely
        download.JOB.stop(lonely)
        wait_until(lambda: not download.JOB.slot(lonely).is_taken())


def test_nothing_is_said_where_nothing_was_started(tmp_path: Path) -> None:
    assert download.JOB.read(tmp_path / "missing") is None


def test_without_any_source_the_download_fails_and_names_each(lonely: Path) -> None:
    download.JOB.start(lonely)
    wait_until(lambda: state(lonely) != "running")
    status = download.JOB.read(lonely)
    assert status is not None
    assert status.state == "failed"
    for words in ("Hugging Face", "npm is not on this machine", "official archive"):
        assert words in status.what
    assert "cifar-10-python.tar.gz" in status.remedy


def test_a_started_download_runs_at_once(waiting: Path) -> None:
    download.JOB.start(waiting)
    assert state(waiting) == "running"
    assert download.JOB.slot(waiting).is_taken()


def test_a_second_start_changes_nothing(waiting: Path) -> None:
    download.JOB.start(waiting)
    wait_until(lambda: (status := download.JOB.read(waiting)) and status.source)
    before = (waiting / "download.json").stat().st_mtime_ns
    download.JOB.start(waiting)
    assert (waiting / "download.json").stat().st_mtime_ns == before


def test_a_preparation_waits_for_no_download_and_says_so(waiting: Path) -> None:
    download.JOB.start(waiting)
    with pytest.raises(DataError, match="already fetching"):
        sources.prepare(waiting, progress=lambda _: None, sources=[])


def test_a_stopped_download_ends_and_can_go_on(waiting: Path) -> None:
    download.JOB.start(waiting)
    wait_until(lambda: (status := download.JOB.read(waiting)) and status.source)
    download.JOB.stop(waiting)
    wait_until(lambda: not download.JOB.slot(waiting).is_taken())
    status = download.JOB.read(waiting)
    assert status is not None
    assert (status.state, "stopped" in status.message) == ("interrupted", True)
    download.JOB.start(waiting)
    assert state(waiting) == "running"


def test_stopping_nothing_leaves_nothing_behind(tmp_path: Path) -> None:
    download.JOB.stop(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_download_is_interrupted(waiting: Path) -> None:
    lock = download.JOB.slot(waiting).take()
    assert lock is not None
    held = lock.descriptor
    command = [sys.executable, "-m", "cifar_core.dataset.download", str(waiting), str(held)]
    with lock:
        process = subprocess.Popen(command, cwd=settings.PROJECT_DIR, pass_fds=(held,))
    try:
        wait_until(lambda: (status := download.JOB.read(waiting)) and status.source)
        assert state(waiting) == "running"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    status = download.JOB.read(waiting)
    assert status is not None
    assert status.state == "interrupted"
    assert "download.log" in status.remedy


def test_a_download_started_by_hand_respects_the_lock(tmp_path: Path) -> None:
    lock = download.JOB.slot(tmp_path).take()
    assert lock is not None
    with lock, pytest.raises(SystemExit, match="Another process"):
        download.main([str(tmp_path)])


@pytest.mark.parametrize("content", ["", "[]", '{"source": "x"}', '{"state": 1', "\x00"])
def test_an_unreadable_status_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "download.json").write_text(content)
    assert download.JOB.read(tmp_path) is None


def test_a_status_from_a_later_version_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "download.json").write_text(json.dumps({"state": "finished", "new": 1}))
    assert state(tmp_path) == "finished"


def test_a_data_folder_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DataError, match="there is a file of that name"):
        download.JOB.start(tmp_path / "data")


def test_the_error_reaches_the_reader_in_three_parts(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise DataError("It broke.", expected="It holds.", remedy="Mend it.")

    assert download.run(tmp_path, fail) == 1
    status = download.JOB.read(tmp_path)
    assert status is not None
    told = (status.state, status.what, status.expected, status.remedy)
    assert told == ("failed", "It broke.", "It holds.", "Mend it.")


def test_a_defect_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("by zero")

    assert download.run(tmp_path, fail) == 1
    status = download.JOB.read(tmp_path)
    assert status is not None
    assert "by zero" in status.what
    assert "Traceback" not in f"{status}"
    assert "Traceback" in capsys.readouterr().err


def test_progress_is_written_at_most_four_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    monkeypatch.setattr(status_module, "write_json", lambda _, value, **__: written.append(value))

    def work(report: Callable[[sources.Progress], None]) -> None:
        for done in range(1000):
            report(sources.Progress("a mirror", done, 1000, "Downloading"))

    started = time.monotonic()
    download.run(tmp_path, work)
    assert len(written) <= 2 + 4 * (time.monotonic() - started)
    assert written[-1]["state"] == "finished"
    assert written[-1]["done_bytes"] == 999


def test_on_a_full_disk_the_end_is_written_over_the_old_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "download.json").write_text('{"state": "running"}')
    monkeypatch.setattr(status_module, "write_json", full)

    def fail(_: object) -> None:
        with sources.disk_errors(tmp_path):
            full()

    download.run(tmp_path, fail)
    status = download.JOB.read(tmp_path)
    assert status is not None
    assert (status.state, "the disk is full" in status.what) == ("failed", True)


@pytest.mark.parametrize(("done", "total", "share"), [(5, 10, 0.5), (5, None, None), (9, 3, 1.0)])
def test_the_share_is_known_where_the_total_is(
    done: int, total: int | None, share: float | None
) -> None:
    status = download.DownloadStatus(state="running", done_bytes=done, total_bytes=total)
    assert status.share == share


@pytest.mark.data
def test_a_download_finishes_at_once_where_the_dataset_is(lonely: Path) -> None:
    real = settings.current().data_dir / CIFAR10.name
    shutil.copytree(real, lonely / CIFAR10.name)
    download.JOB.start(lonely)
    wait_until(lambda: state(lonely) != "running")
    assert state(lonely) == "finished"
    assert not sample.open_dataset(lonely).is_sample
