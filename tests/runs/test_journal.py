"""What a worker says, and that it can say its last word on a full disk."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.runs.journal import Journal
from tests.torture.tap import Tap, tapped


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(RunFolder(tmp_path), Status(state=State.QUEUED))
    made.reserve()
    return made


class FullDisk(Tap):
    """Nothing new can be made or written; what has room may be overwritten."""

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.open(path, flags, mode)


def test_the_last_word_needs_no_room(journal: Journal) -> None:
    with tapped(FullDisk()):
        journal.end(State.FAILED, "The disk is full.")
    status = journal.folder.read_status()
    assert status is not None
    assert (status.state, status.reason) == (State.FAILED, "The disk is full.")
    assert [path.name for path in journal.folder.path.iterdir()] == ["status.json"]


def test_only_the_first_last_word_counts(journal: Journal) -> None:
    journal.end(State.STOPPED, "first")
    journal.end(State.FAILED, "second")
    journal.say(now=True, state=State.RUNNING)
    status = journal.folder.read_status()
    assert status is not None
    assert (status.state, status.reason) == (State.STOPPED, "first")


def test_it_speaks_once_a_second_and_at_every_new_phase(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    journal.say(phase="training", step=1)
    for step, passed in ((2, 0.1), (3, 0.5), (4, 0.5)):
        moment += passed
        journal.say(step=step)
    moment += 0.1
    journal.say(step=5)
    status = journal.folder.read_status()
    assert status is not None
    assert status.step == 4
    journal.say(step=6, phase="measuring")
    status = journal.folder.read_status()
    assert status is not None
    assert status.step == 6


def test_leftovers_of_a_killed_worker_are_removed_when_the_next_begins(tmp_path: Path) -> None:
    for name in (".checkpoint.1.tmp", ".status.json.2.tmp", ".label.json.3.tmp"):
        (tmp_path / name).touch()
    Journal(RunFolder(tmp_path), Status(state=State.QUEUED)).reserve()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".label.json.3.tmp", ".reserve"]


def test_making_a_journal_touches_nothing(tmp_path: Path) -> None:
    Journal(RunFolder(tmp_path), Status(state=State.QUEUED))
    assert list(tmp_path.iterdir()) == []


def test_two_voices_never_tear_the_status(journal: Journal) -> None:
    faults: list[object] = []

    def speak(reason: str) -> None:
        for _ in range(50):
            journal.say(now=True, reason=reason)
            if journal.folder.read_status() is None:
                faults.append(reason)

    voices = [threading.Thread(target=speak, args=("x" * n * 900,)) for n in (1, 5)]
    for voice in voices:
        voice.start()
    for voice in voices:
        voice.join()
    assert faults == []
