"""Waiting for conditions, and processes that do not outlive the tests that start them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 240.0
"""Bounds what hangs. Nothing that works is near it, however busy the machine is."""

_PR_SET_PDEATHSIG = 1


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until a condition holds; fails when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds:.0f} s"
        time.sleep(0.02)


def start_mortal(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Starts a process that the kernel kills when this one dies, however it dies.

    Args:
        command: As for ``Popen``.
        **options: As for ``Popen``.
    """
    libc = ctypes.CDLL(None)  # found before the fork: the child must not load anything

    def die_with_the_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(command, preexec_fn=die_with_the_parent, **options)  # noqa: PLW1509


def await_server(url: str, process: subprocess.Popen[bytes], log_path: Path) -> None:
    """Waits until a Streamlit server is ready; kills it, and fails, where it never is."""

    def is_ready() -> bool:
        assert process.poll() is None, log_path.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=10):
                return True
        except OSError:
            return False

    try:
        wait_until(is_ready)
    except AssertionError:
        process.kill()
        process.wait()
        raise


@contextmanager
def killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kills a process at the end of the ``with``, and waits until it has gone."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()
