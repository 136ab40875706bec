"""The first process of a container: runs the server, collects what ends, and stops all in order.

``python -m cifar_core.container COMMAND …`` ends with the command's status. Trainings outlive
their starters and become children of the first process: without it those that ended would stay
as zombies, and ``docker stop`` would kill the others. At a SIGTERM it tells every child, waits
until each training has written its checkpoint, and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
"""The request's number in <linux/prctl.h>."""

LOOK_SECONDS = 0.1

GRACE_SECONDS = 25.0
"""So long the children have to end. A training that hears nothing ends itself after six."""


def main(command: Sequence[str]) -> int:
    """Runs a command as the container's first process; returns its exit status, 0 if stopped."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    with contextlib.suppress(OSError, AttributeError):  # no Linux
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # where it is not the first
    server = subprocess.Popen(command)
    while not asked and server.returncode is None:
        collect(server)
        time.sleep(LOOK_SECONDS)
    status = server.returncode
    stop_children(server)
    return 0 if status is None else status


def stop_children(server: subprocess.Popen[bytes]) -> None:
    """Tells every child to end, those that come meanwhile too; kills what has not ended in time."""
    deadline, told = time.monotonic() + GRACE_SECONDS, set[int]()
    while (living := children()) and time.monotonic() < deadline:
        for child in living - told:
            os.kill(child, signal.SIGTERM)  # a child's number is its own until it is collected
        told |= living
        time.sleep(LOOK_SECONDS)
        collect(server)
    for child in children():
        os.kill(child, signal.SIGKILL)


def children() -> set[int]:
    """Returns this process's children, zombies too."""
    own = os.getpid()
    return {int(child) for child in Path(f"/proc/{own}/task/{own}/children").read_text().split()}


def collect(server: subprocess.Popen[bytes]) -> None:
    """Takes every child that has ended from the table of processes; waits for none."""
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                return
            if ended == server.pid:
                server.returncode = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
