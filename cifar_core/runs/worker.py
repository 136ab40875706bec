"""The worker: an own process that carries out one run, from the line to its last figure.

Started by :mod:`cifar_core.runs.launch` as ``python -m cifar_core.runs.worker FOLDER LOCK``,
where LOCK is the open file that holds the run's kernel lock. While it waits in line it has
imported neither TensorFlow nor NumPy.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cifar_core.errors import LabError, plain_text
from cifar_core.jobs.lock import Lock
from cifar_core.runs import surroundings
from cifar_core.runs.devices import load_average, usable_cores
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.journal import Journal
from cifar_core.runs.line import Line

LOG = logging.getLogger("cifar_core.runs.worker")  # as a process its name is __main__

LOOK_SECONDS = 0.25

INSIST_SECONDS = 6.0
"""A wish to stop that was not followed for so long is carried out without the training."""


_NO_ROOM = re.compile(
    r"cannot allocate memory|failed to map segment|can't start new thread|bad_alloc", re.IGNORECASE
)
"""What the system and C++ say where the address space is too small."""


class Wish:
    """Whether somebody wants the worker to stop: a request in the folder, or a signal."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._signalled = False

    def __call__(self) -> bool:
        """Says whether to stop now."""
        return self._signalled or self._folder.request_path.exists()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Takes a termination signal, such as a shutdown of the machine, as a wish to stop."""
        self._signalled = True


def main(path: str, descriptor: str) -> None:
    """Steps away from the process that started this one, then works.

    Args:
        path: The run's folder.
        descriptor: The open file with its lock.
    """
    lock = Lock.adopt(int(descriptor))
    if os.fork():  # before anything heavy is imported; the starter sees its child end at once
        os._exit(0)
    folder = RunFolder(Path(path))
    status = folder.read_status()
    if status is None:
        sys.exit(f"{folder.status_path} cannot be read")
    wish = Wish(folder)
    signal.signal(signal.SIGTERM, wish.on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # see launch
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start_log()
    journal = Journal(folder, status)
    threading.Thread(target=watch, args=(journal, wish, lock), daemon=True).start()
    try:
        use_own_temporary_folder(folder)
        work(journal, wish)
    finally:
        shutil.rmtree(folder.temporary_path, ignore_errors=True)
        lock.release()


def start_log() -> None:
    """Has what the lab's own modules log printed, with its moment in UTC."""
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logger = logging.getLogger("cifar_core")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def use_own_temporary_folder(folder: RunFolder) -> None:
    """Gives this process and its children a temporary folder inside the run's own.

    TensorFlow leaves a file for each function that it compiles and removes them only when the
    process ends by itself. A killed worker's go when the run is resumed or deleted.
    """
    shutil.rmtree(folder.temporary_path, ignore_errors=True)
    with contextlib.suppress(OSError):  # a full disk is named by what the run itself writes
        folder.temporary_path.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder.temporary_path)


def watch(journal: Journal, wish: Wish, lock: Lock) -> NoReturn:
    """Ends the process when a wish to stop is not followed: compiling, say, hears nothing.

    Also when somebody has removed the run's folder: without the lock file everybody takes
    this worker for dead and may start another. The process may be killed at any moment
    without harm, so it may also end itself.
    """
    asked_at: float | None = None
    while True:
        time.sleep(LOOK_SECONDS)
        if not lock.is_on(journal.folder.lock_path):
            os._exit(1)  # its temporary folder went with the run's
        if not wish():
            asked_at = None
        elif asked_at is None:
            asked_at = time.monotonic()
        elif time.monotonic() - asked_at > INSIST_SECONDS:
            break
    try:
        busy = f" while it was {journal.status.phase}" if journal.status.phase else ""
        journal.end(
            State.STOPPED,
            f"Stopped as asked{busy}.",
            "Resume it: it goes on from its last checkpoint.",
        )
        journal.folder.request_path.unlink(missing_ok=True)
    finally:
        shutil.rmtree(journal.folder.temporary_path, ignore_errors=True)
        os._exit(0)


def work(journal: Journal, wish: Wish) -> None:
    """Waits for the device, trains, and ends the run with a named reason in every case."""
    folder, status = journal.folder, journal.status
    line = Line(folder.path.parent, status.device)
    came = time.monotonic()
    device_lock = None
    try:
        journal.reserve()
        LOG.info("run %s, attempt %d, waits for %s", folder.id, status.attempts, status.device)
        device_lock = _wait(journal, line, wish)
        waited = status.waiting_seconds + time.monotonic() - came
        journal.say(waiting_seconds=waited)
        if device_lock is None:
            journal.end(State.STOPPED, "Stopped while it waited in line.", "Resume it any time.")
            return
        LOG.info("got %s after %.1f s in line", status.device, waited - status.waiting_seconds)
        _begin(journal)
        _settle(journal)
        from cifar_core.training.train import train

        finished = train(journal, wish)
        if finished:
            journal.end(State.FINISHED)
        else:
            journal.end(State.STOPPED, "Stopped as asked; everything is kept.", "Resume it.")
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run must say it
        try:
            journal.end(State.FAILED, *_explain(error))
        finally:
            with contextlib.suppress(OSError):  # the log is on the same full disk
                traceback.print_exc()
    finally:
        line.leave(folder.id)
        folder.request_path.unlink(missing_ok=True)
        if device_lock is not None:
            device_lock.release()


def _begin(journal: Journal) -> None:
    """Says that the run has its device and trains from now on, and on what machine."""
    journal.start_clock()
    journal.say(
        now=True,
        state=State.RUNNING,
        phase="starting Keras",
        started_at=time.time(),
        cores=usable_cores(),
        load_at_start=load_average(),
        load_median=None,
    )


def _settle(journal: Journal) -> None:
    """Makes this process's environment that of the run, before what computes is imported."""
    folder = journal.folder
    stray = surroundings.clear(os.environ, folder.temporary_path / "keras")
    if stray:
        LOG.info("%s", surroundings.told(stray))
    from cifar_core.training import checkpoint

    saved = checkpoint.load(folder.checkpoint_path)
    recorded = saved.progress.surroundings if saved else {}
    if saved and not recorded:
        recorded = surroundings.from_threads(journal.status.threads)
    surroundings.settle(os.environ, recorded)


def _wait(journal: Journal, line: Line, wish: Wish) -> Lock | None:
    """Waits for the run's turn; returns the device's lock, or None when asked to stop."""
    while not wish():
        lock = line.take_turn(journal.folder.id)
        if lock is not None:
            line.leave(journal.folder.id)
            return lock
        journal.say(phase="waiting in line")
        time.sleep(LOOK_SECONDS)
    return None


def _explain(error: BaseException) -> tuple[str, str]:
    """Returns what happened and what to do, in two sentences."""
    if isinstance(error, LabError):
        return " ".join(filter(None, (error.what, error.expected))), error.remedy
    if isinstance(error, ModuleNotFoundError):
        return (
            f"A package that the training needs is not installed: {error.name}.",
            "Install it (see the README: the second backend, GPUs), then resume the run.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "The disk is full; the last checkpoint is safe.",
            "Make room, then resume the run.",
        )
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"The run's folder cannot be written ({error.strerror}).",
            "Correct its permissions, then resume the run.",
        )
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return (
            "A file of the run may not become as large as it must (a limit of the system).",
            "Raise the limit (ulimit -f) or use another file system, then resume the run.",
        )
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return (
            "The memory of the device was not enough.",
            "Start it again with a smaller batch size, or close what else uses the memory.",
        )
    return (
        f"Something unforeseen happened: {type(error).__name__}: {plain_text(error)[:300]}",
        "Read the log of the run; resuming goes on from the last checkpoint.",
    )


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: named by a backend, or where there is no room for its code."""
    name, text = type(error).__name__, str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, ImportError | RuntimeError | OSError) and _NO_ROOM.search(text):
        return True
    return name == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in text


if __name__ == "__main__":
    main(*sys.argv[1:])
