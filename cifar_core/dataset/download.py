"""The download as a process of its own, so that a page never waits for it.

``python -m cifar_core.dataset.download <data_dir>`` holds a kernel lock for life: that, not a
process number, tells whether it is alive. It says how far it is in ``download.json`` and ends
when ``download.stop`` appears.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

from cifar_core.dataset.sources import (
    Progress,
    disk_errors,
    is_locked,
    prepare_locked,
    take_lock,
)
from cifar_core.errors import LabError
from cifar_core.files import read_json, write_json
from cifar_core.settings import PROJECT_DIR

State = Literal["running", "finished", "failed", "interrupted"]

STATUS_NAME = "download.json"
STOP_NAME = "download.stop"
LOG_NAME = "download.log"
WRITES_PER_SECOND = 4


@dataclass(frozen=True, kw_only=True)
class DownloadStatus:
    """What a download last said of itself.

    Attributes:
        state: ``interrupted``: it was stopped, or its process is gone; it can be started
            again and goes on.
        source: The source in use.
        done_bytes: Bytes of the file under way.
        total_bytes: Size of that file where known.
        message: What is being done, in words.
        what: Of a failure: what happened; empty otherwise.
        expected: Of a failure: what was expected.
        remedy: Of a failure or interruption: what to do.
        updated_at: When this was written, in seconds since 1970.
    """

    state: State
    source: str = ""
    done_bytes: int = 0
    total_bytes: int | None = None
    message: str = ""
    what: str = ""
    expected: str = ""
    remedy: str = ""
    updated_at: float = 0.0

    @property
    def share(self) -> float | None:
        """How much of the file under way is there, from 0 to 1; None where unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None


class _StopAskedError(BaseException):
    """Someone asked the download to end. No Exception: no source may swallow it."""


def start_download(data_dir: Path) -> None:
    """Starts the download, unless one is running: then nothing happens.

    The lock is taken here and inherited by the new process, so between the order and the
    process's last breath it is never free, and two can never run.

    Raises:
        DataError: The data folder cannot be written.
    """
    lock = take_lock(data_dir)
    if lock is None:
        return
    try:
        with disk_errors(data_dir):
            (data_dir / STOP_NAME).unlink(missing_ok=True)
            _write(data_dir, DownloadStatus(state="running", message="Starting the download"))
            log = os.open(data_dir / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(data_dir.absolute()), str(lock)],
                cwd=PROJECT_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
            )
        finally:
            os.close(log)
    finally:
        os.close(lock)
    # Collects the exit status, so that no dead process stays in the system's table.
    threading.Thread(target=process.wait, name="download-reaper", daemon=True).start()


def read_download(data_dir: Path) -> DownloadStatus | None:
    """Returns where the download stands, or None when there never was one."""
    alive = is_locked(data_dir)  # asked first: a download that ends now has written its end
    try:
        values = read_json(data_dir / STATUS_NAME)
        known = {field.name for field in dataclasses.fields(DownloadStatus)}
        status = DownloadStatus(**{key: values[key] for key in known & set(values)})
    except (OSError, ValueError, TypeError):
        return None
    if status.state != "running" or alive:
        return status
    return dataclasses.replace(
        status,
        state="interrupted",
        message="The download ended without a word.",
        remedy=f"Start it again: it goes on where it stopped. Its log is {data_dir / LOG_NAME}.",
    )


def stop_download(data_dir: Path) -> None:
    """Asks a running download to end; what has arrived is kept. It ends within a second.

    Raises:
        DataError: The request cannot be written.
    """
    if is_locked(data_dir):
        with disk_errors(data_dir):
            (data_dir / STOP_NAME).touch()


def run(data_dir: Path, work: Callable[[Callable[[Progress], None]], object]) -> int:
    """Does a preparation and keeps ``download.json`` up to date; the lock is held already.

    Args:
        data_dir: The data folder.
        work: Does the preparation; is given whom to tell about its progress.

    Returns:
        The exit status of the process: 0 when finished, 1 when failed or stopped.
    """
    reporter = _Reporter(data_dir)
    try:
        work(reporter.report)
    except _StopAskedError:
        reporter.end(
            "interrupted",
            "The download was stopped. What has arrived is kept.",
            remedy="Start it again when you like: it goes on where it stopped.",
        )
        return 1
    except LabError as error:
        reporter.end(
            "failed",
            "The download failed.",
            what=error.what,
            expected=error.expected,
            remedy=error.remedy,
        )
        return 1
    except Exception as error:  # noqa: BLE001  (the last place that can tell a person)
        traceback.print_exc()
        reporter.end(
            "failed",
            "The download failed.",
            what=f"Something unforeseen happened: {error}.",
            expected="A download without surprises.",
            remedy=f"Please report it with the log {data_dir / LOG_NAME}.",
        )
        return 1
    reporter.end("finished", "The dataset is ready.")
    return 0


class _Reporter:
    """Writes the status, but not more often than anyone looks."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._last = DownloadStatus(state="running")
        self._written_at = 0.0

    def report(self, progress: Progress) -> None:
        before = self._last
        self._last = DownloadStatus(
            state="running",
            source=progress.source,
            done_bytes=progress.done_bytes,
            total_bytes=progress.total_bytes,
            message=progress.message,
        )
        now = time.monotonic()
        if progress.message != before.message or now - self._written_at >= 1 / WRITES_PER_SECOND:
            self._written_at = now
            _try_write(self._data_dir, self._last)

    def end(
        self, state: State, message: str, *, what: str = "", expected: str = "", remedy: str = ""
    ) -> None:
        last = dataclasses.replace(
            self._last, state=state, message=message, what=what, expected=expected, remedy=remedy
        )
        _try_write(self._data_dir, last)


def _write(data_dir: Path, status: DownloadStatus) -> None:
    write_json(data_dir / STATUS_NAME, _stamped(status), durable=False)


def _stamped(status: DownloadStatus) -> dict[str, object]:
    return dataclasses.asdict(dataclasses.replace(status, updated_at=time.time()))


def _try_write(data_dir: Path, status: DownloadStatus) -> None:
    """Writes the status; a full disk must not stop a download that has room elsewhere.

    When no second file fits beside the old one, the old one is written over.
    """
    try:
        _write(data_dir, status)
    except OSError:
        try:
            (data_dir / STATUS_NAME).write_text(json.dumps(_stamped(status)), encoding="utf-8")
        except OSError:
            traceback.print_exc()


def _stop_when_asked(data_dir: Path) -> None:
    """Ends this process's work by a signal as soon as the request appears.

    A signal also wakes a download that waits for a silent mirror.
    """
    while not (data_dir / STOP_NAME).exists():
        time.sleep(0.2)
    (data_dir / STOP_NAME).unlink(missing_ok=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: tidying up takes a moment
    raise _StopAskedError


def main(arguments: list[str]) -> int:
    """Runs the download: the data folder, then perhaps the descriptor of an inherited lock."""
    data_dir = Path(arguments[0])
    if len(arguments) > 1:
        os.set_inheritable(int(arguments[1]), False)
    elif take_lock(data_dir) is None:
        sys.stderr.write("Another download is running.\n")
        return 1
    signal.signal(signal.SIGTERM, _raise_stop)
    threading.Thread(target=_stop_when_asked, args=(data_dir,), daemon=True).start()
    return run(data_dir, lambda report: prepare_locked(data_dir, progress=report))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
