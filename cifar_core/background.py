"""Work in a process of its own, so that no page waits for it: started, heard and stopped.

The process holds a kernel lock for life: that, not a process number, tells whether it is alive.
It ends when a file appears that asks it to. What it says of itself is its own module's business.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

from cifar_core.errors import LabError, plain_text
from cifar_core.lock import Lock
from cifar_core.settings import PROJECT_DIR, child_environment

State = Literal["running", "finished", "failed", "interrupted"]

LOOK_SECONDS = 0.2


class StopAskedError(BaseException):
    """Someone asked the work to end. No Exception: nothing on the way may swallow it."""


def start(
    module: str,
    arguments: Sequence[str | Path],
    *,
    lock: Lock | None = None,
    log_path: Path | None = None,
) -> None:
    """Starts a module as a process that outlives this one.

    Args:
        module: Run as ``python -m module``.
        arguments: What it is given; paths become absolute.
        lock: The lock it lives under; its descriptor is inherited and becomes the last
            argument. So between the order and the process's last breath it is never free.
        log_path: Where what it prints goes; nowhere if not given.

    Raises:
        OSError: The process could not be started or the log not be written.
    """
    words = [str(item.absolute()) if isinstance(item, Path) else item for item in arguments]
    passed = [] if lock is None else [lock.descriptor]
    with contextlib.ExitStack() as closing:
        output = subprocess.DEVNULL
        if log_path is not None:
            output = closing.enter_context(log_path.open("wb")).fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words, *map(str, passed)],
            cwd=PROJECT_DIR,
            env=child_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=passed,
            start_new_session=True,
        )
    # Collects the exit status, so that no dead process stays in the system's table.
    threading.Thread(target=process.wait, name=f"{module} reaper", daemon=True).start()


def carry_out(
    work: Callable[[], object], end: Callable[[State, LabError | None], None], *, log_path: Path
) -> int:
    """Does the work of a process and has its end told, however it ends.

    Args:
        work: What there is to do.
        end: Is told the last state and, of a failure, the reason.
        log_path: Where what is unforeseen can be read.

    Returns:
        The exit status of the process: 0 when finished, 1 when failed or stopped.
    """
    try:
        work()
    except StopAskedError:
        end("interrupted", None)
        return 1
    except LabError as error:
        end("failed", error)
        return 1
    except Exception as error:  # noqa: BLE001  (the last place that can tell a person)
        traceback.print_exc()
        reason = LabError(
            f"Something unforeseen happened: {plain_text(error)}.",
            expected="Work without surprises.",
            remedy=f"Please report it with the log {log_path}.",
        )
        end("failed", reason)
        return 1
    end("finished", None)
    return 0


def listen(stop_path: Path) -> None:
    """Has :class:`StopAskedError` raised here as soon as a file appears or a signal asks.

    A signal also wakes work that waits for somebody silent. For the main thread of a process
    that does this work and nothing else.
    """
    signal.signal(signal.SIGTERM, _raise_stop)
    threading.Thread(target=_stop_when_asked, args=(stop_path,), daemon=True).start()


def _stop_when_asked(stop_path: Path) -> None:
    while not stop_path.exists():
        time.sleep(LOOK_SECONDS)
    stop_path.unlink(missing_ok=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: tidying up takes a moment
    raise StopAskedError
