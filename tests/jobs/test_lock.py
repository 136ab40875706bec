"""Kernel locks: held exactly as long as a process has them."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cifar_core.jobs.lock import Lock, is_held, try_lock
from tests.waiting import wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def take(path: Path) -> Lock:
    lock = try_lock(path)
    assert lock is not None
    return lock


def test_a_lock_is_held_until_it_is_released(path: Path) -> None:
    with take(path):
        assert is_held(path)
        assert try_lock(path) is None
    assert not is_held(path)


def test_a_missing_file_is_not_held_and_not_made_by_looking(path: Path) -> None:
    assert not is_held(path)
    assert not path.exists()


def test_a_lock_outlives_the_starter_that_hands_it_on(path: Path) -> None:
    with take(path) as lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[lock.descriptor])
    assert is_held(path)
    child.kill()
    child.wait()
    assert not is_held(path)


def test_kill_9_frees_the_lock_at_once(path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cifar_core.jobs.lock import try_lock;"
        "lock = try_lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd()) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert is_held(path)
        child.send_signal(signal.SIGKILL)
    assert not is_held(path)


def test_what_a_worker_starts_does_not_inherit_its_lock(path: Path) -> None:
    lock = take(path)
    os.set_inheritable(lock.descriptor, True)  # as it arrives in a worker
    adopted = Lock.adopt(lock.descriptor)
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    adopted.release()
    try:
        wait_until(lambda: not is_held(path), seconds=30)  # the child sleeps for 60
    finally:
        child.kill()
        child.wait()


def test_lookers_never_keep_a_starter_from_the_lock(path: Path) -> None:
    path.touch()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            assert is_held(path) in (True, False)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            lock = try_lock(path, patience_seconds=5)
            assert lock is not None
            lock.release()
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_two_lookers_do_not_take_each_other_for_a_worker(path: Path) -> None:
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert not is_held(path)
    os.close(descriptor)


@pytest.mark.parametrize(
    ("number", "held"),
    [(errno.ENOENT, False), (errno.ELOOP, False), (errno.EMFILE, True), (errno.EACCES, True)],
)
def test_nobody_is_called_dead_where_it_cannot_be_known(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, held: bool
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    assert is_held(path) is held


def test_a_lock_knows_whether_its_file_was_replaced(path: Path) -> None:
    with take(path) as lock:
        assert lock.is_on(path)
        path.rename(path.with_name("moved"))
        assert not lock.is_on(path)
        path.touch()
        assert not lock.is_on(path)
