"""A process of the lab: a new interpreter that outlives the process that starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cifar_core.jobs.lock import Lock
from cifar_core.settings import PROJECT_DIR, child_environment


def start(
    command: Sequence[str | Path],
    *,
    lock: Lock,
    log_path: Path,
    keep_log: bool = False,
    environment: Mapping[str, str] | None = None,
    answer_seconds: float | None = None,
) -> None:
    """Starts an interpreter under a lock.

    Args:
        command: What Python is given (``-m``, a module, its arguments); paths become absolute.
        lock: The lock it lives under; its descriptor is inherited and becomes the last
            argument. So between the order and the process's last breath it is never free.
        log_path: Where what it prints goes.
        keep_log: Add to a log that is there.
        environment: Its variables; by default this process's and what finds the lab's modules.
        answer_seconds: Wait so long until it has stepped away (:func:`step_away`): then it
            stands, and is nobody's child.

    Raises:
        OSError: The process could not be started or the log not be written.
        SubprocessError: It failed before it stepped away, or did not in time.
    """
    words = [str(item.absolute()) if isinstance(item, Path) else item for item in command]
    # A pipe in the log's place is not waited for.
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    log = os.open(log_path, flags | (os.O_APPEND if keep_log else os.O_TRUNC), 0o644)
    # Inherited: a stop that comes while the process still starts waits until it can be heard.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = subprocess.Popen(
            [sys.executable, *words, str(lock.descriptor)],
            cwd=PROJECT_DIR,
            env=child_environment(os.environ) if environment is None else environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.descriptor],
            start_new_session=True,
        )
        if answer_seconds is None:
            # Collects the exit status, so that no dead process stays in the system's table.
            threading.Thread(target=process.wait, name="reaper", daemon=True).start()
        else:
            _wait_for_answer(process, answer_seconds)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(log)


def _wait_for_answer(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        status = process.wait(seconds)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if status:
        raise subprocess.CalledProcessError(status, process.args)


def step_away() -> None:
    """Lets the starter's child end, and goes on as nobody's child: the answer to the starter."""
    if os.fork():
        os._exit(0)
