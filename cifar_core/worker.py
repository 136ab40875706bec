"""The worker: an own process that carries out one run, from the queue to its last figure.

Started by :mod:`cifar_core.runs.launch` as ``python -m cifar_core.worker FOLDER LOCK``,
where LOCK is the open file that holds the run's kernel lock. While it waits it has
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
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from cifar_core.errors import LabError, plain_text
from cifar_core.jobs.end import End, carry_out
from cifar_core.jobs.lock import Lock
from cifar_core.jobs.process import step_away
from cifar_core.jobs.stop import StopRequest
from cifar_core.runs import surroundings
from cifar_core.runs.device_queue import DeviceQueue
from cifar_core.runs.devices import load_average, usable_cores
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.status_writer import RunStatusWriter

LOG = logging.getLogger("cifar_core.worker")  # as a process its name is __main__

LOOK_SECONDS = 0.25

INSIST_SECONDS = 6.0
"""A request to stop that was not followed for so long is carried out without the training."""

STATES: Mapping[str, State] = {
    "finished": State.FINISHED,
    "failed": State.FAILED,
    "interrupted": State.STOPPED,
}

_NO_ROOM = re.compile(
    r"cannot allocate memory|failed to map segment|can't start new thread|bad_alloc", re.IGNORECASE
)
"""What the system and C++ say where the address space is too small."""


def main(path: str, descriptor: str) -> None:
    """Steps away from the process that started this one, then works.

    Args:
        path: The run's folder.
        descriptor: The open file with its lock.
    """
    lock = Lock.adopt(int(descriptor))
    step_away()  # before anything heavy is imported
    folder = RunFolder(Path(path))
    status = folder.read_status()
    if status is None:
        sys.exit(f"{folder.status_path} cannot be read")
    stop_request = StopRequest(folder.request_path)
    stop_request.listen()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start_log()
    writer = RunStatusWriter(folder, status)
    threading.Thread(target=watch, args=(writer, stop_request, lock), daemon=True).start()
    try:
        use_own_temporary_folder(folder)
        work(writer, stop_request)
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


def watch(writer: RunStatusWriter, stop_request: StopRequest, lock: Lock) -> NoReturn:
    """Ends the process when a request to stop is not followed: compiling, say, hears nothing.

    Also when somebody has removed the run's folder: without the lock file everybody takes
    this worker for dead and may start another. The process may be killed at any moment
    without harm, so it may also end itself.
    """
    asked_at: float | None = None
    while True:
        time.sleep(LOOK_SECONDS)
        if not lock.is_on(writer.folder.lock_path):
            os._exit(1)  # its temporary folder went with the run's
        if not stop_request():
            asked_at = None
        elif asked_at is None:
            asked_at = time.monotonic()
        elif time.monotonic() - asked_at > INSIST_SECONDS:
            break
    try:
        busy = f" while it was {writer.status.phase}" if writer.status.phase else ""
        remedy = "Resume it: it goes on from its last checkpoint."
        _finish(writer, _stopped(f"Stopped as asked{busy}.", remedy))
        writer.folder.request_path.unlink(missing_ok=True)
    finally:
        shutil.rmtree(writer.folder.temporary_path, ignore_errors=True)
        os._exit(0)


def work(writer: RunStatusWriter, stop_request: StopRequest) -> None:
    """Waits for the device, trains, and ends the run with a named reason in every case."""
    folder = writer.folder
    queue = DeviceQueue(folder.path.parent, writer.status.device)
    with contextlib.ExitStack() as leaving:
        leaving.callback(folder.request_path.unlink, missing_ok=True)
        leaving.callback(queue.leave, folder.id)

        def carry_out_in_turn() -> End:
            writer.reserve()
            if _wait(writer, queue, stop_request, leaving):
                end = _carry_out(writer, stop_request)
            else:
                end = _stopped("Stopped while it waited in line.", "Resume it any time.")
            _finish(writer, end)
            return end

        # Where the last word could not be written, the one that says so counts.
        _finish(writer, carry_out(carry_out_in_turn, explain))


def _carry_out(writer: RunStatusWriter, stop_request: StopRequest) -> End:
    """Carries the run out on this machine; its device is held."""
    _begin(writer)
    _settle(writer)
    from cifar_core.training.train import train

    if train(writer, stop_request):
        return End("finished")
    return _stopped("Stopped as asked; everything is kept.", "Resume it.")


def _stopped(what: str, remedy: str) -> End:
    return End("interrupted", LabError(what, remedy=remedy))


def _finish(writer: RunStatusWriter, end: End) -> None:
    """Writes the last status of a run."""
    why = end.reason or LabError("")
    reason = " ".join(filter(None, (why.what, why.expected)))
    writer.finish(state=STATES[end.state], reason=reason, remedy=why.remedy)


def _begin(writer: RunStatusWriter) -> None:
    """Says that the run has its device and trains from now on, and on what machine."""
    writer.start_clock()
    writer.update(
        now=True,
        state=State.RUNNING,
        phase="starting Keras",
        started_at=time.time(),
        cores=usable_cores(),
        load_at_start=load_average(),
        load_median=None,
    )


def _settle(writer: RunStatusWriter) -> None:
    """Makes this process's environment that of the run, before what computes is imported."""
    folder = writer.folder
    stray = surroundings.clear(os.environ, folder.temporary_path / "keras")
    if stray:
        LOG.info("%s", surroundings.told(stray))
    from cifar_core.training import checkpoint

    saved = checkpoint.load(folder.checkpoint_path)
    recorded = saved.progress.surroundings if saved else {}
    if saved and not recorded:
        recorded = surroundings.from_threads(writer.status.threads)
    surroundings.settle(os.environ, recorded)


def _wait(
    writer: RunStatusWriter,
    queue: DeviceQueue,
    stop_request: StopRequest,
    leaving: contextlib.ExitStack,
) -> bool:
    """Waits for the run's turn and holds the device until it leaves; False when asked to stop."""
    run_id, status, began = writer.folder.id, writer.status, time.monotonic()
    LOG.info("run %s, attempt %d, waits for %s", run_id, status.attempts, status.device)
    lock = None
    while lock is None and not stop_request():
        lock = queue.try_acquire(run_id)
        if lock is None:
            writer.update(phase="waiting in line")
            time.sleep(LOOK_SECONDS)
        else:
            leaving.enter_context(lock)
            queue.leave(run_id)
    waited = time.monotonic() - began
    writer.update(waiting_seconds=status.waiting_seconds + waited)
    if lock is not None:
        LOG.info("got %s after %.1f s in line", status.device, waited)
    return lock is not None


def explain(error: BaseException) -> LabError:
    """Puts into words what ended a run: what happened, and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    what = f"Something unforeseen happened: {type(error).__name__}: {plain_text(error)[:300]}"
    remedy = "Read the log of the run; resuming goes on from the last checkpoint."
    if isinstance(error, ModuleNotFoundError):
        what = f"A package that the training needs is not installed: {error.name}."
        remedy = "Install it (see the README: the second backend, GPUs), then resume the run."
    elif number in (errno.ENOSPC, errno.EDQUOT):
        what = "The disk is full; the last checkpoint is safe."
        remedy = "Make room, then resume the run."
    elif number in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = f"The run's folder cannot be written ({os.strerror(number)})."
        remedy = "Correct its permissions, then resume the run."
    elif number == errno.EFBIG:
        what = "A file of the run may not become as large as it must (a limit of the system)."
        remedy = "Raise the limit (ulimit -f) or use another file system, then resume the run."
    elif isinstance(error, MemoryError) or _is_out_of_memory(error):
        what = "The memory of the device was not enough."
        remedy = "Start it again with a smaller batch size, or close what else uses the memory."
    return LabError(what, remedy=remedy)


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
