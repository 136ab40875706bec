"""What a worker says, and that it can say its last word on a full disk."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.runs.status_writer import RunStatusWriter
from tests.torture.tap import Tap, tapped


@pytest.fixture
def writer(tmp_path: Path) -> RunStatusWriter:
    made = RunStatusWriter(RunFolder(tmp_path), Status(state=State.QUEUED))
    made.reserve()
    return made


class FullDisk(Tap):
    """Nothing new can be made or written; what has room may be overwritten."""

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.open(path, flags, mode)


def test_the_last_word_needs_no_room(writer: RunStatusWriter) -> None:
    with tapped(FullDisk()):
        writer.finish(state=State.FAILED, reason="The disk is full.")
    status = writer.folder.read_status()
    assert status is not None
    assert (status.state, status.reason) == (State.FAILED, "The disk is full.")
    assert [path.name for path in writer.folder.path.iterdir()] == ["status.json"]


def test_only_the_first_last_word_counts(writer: RunStatusWriter) -> None:
    writer.finish(state=State.STOPPED, reason="first")
    writer.finish(state=State.FAILED, reason="second")
    writer.update(now=True, state=State.RUNNING)
    status = writer.folder.read_status()
    assert status is not None
    assert (status.state, status.reason) == (State.STOPPED, "first")


def test_it_writes_once_a_second_and_at_every_new_phase(
    writer: RunStatusWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    writer.update(phase="training", step=1)
    for step, passed in ((2, 0.1), (3, 0.5), (4, 0.5)):
        moment += passed
        writer.update(step=step)
    moment += 0.1
    writer.update(step=5)
    status = writer.folder.read_status()
    assert status is not None
    assert status.step == 4
    writer.update(step=6, phase="measuring")
    status = writer.folder.read_status()
    assert status is not None
    assert status.step == 6


def test_leftovers_of_a_killed_worker_are_removed_when_the_next_begins(tmp_path: Path) -> None:
    for name in (".checkpoint.1.tmp", ".status.json.2.tmp", ".label.json.3.tmp"):
        (tmp_path / name).touch()
    RunStatusWriter(RunFolder(tmp_path), Status(state=State.QUEUED)).reserve()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".label.json.3.tmp", ".reserve"]


def test_making_a_writer_touches_nothing(tmp_path: Path) -> None:
    RunStatusWriter(RunFolder(tmp_path), Status(state=State.QUEUED))
    assert list(tmp_path.iterdir()) == []


def test_two_threads_never_tear_the_status(writer: RunStatusWriter) -> None:
    faults: list[object] = []

    def speak(reason: str) -> None:
        for _ in range(50):
            writer.update(now=True, reason=reason)
            if writer.folder.read_status() is None:
                faults.append(reason)

    threads = [threading.Thread(target=speak, args=("x" * n * 900,)) for n in (1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
