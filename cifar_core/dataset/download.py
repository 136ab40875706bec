"""The download as a process of its own, so that a page never waits for it.

``python -m cifar_core.dataset.download <data_dir>``; see :mod:`cifar_core.jobs`. Its lock is the
one under which alone the data folder is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from cifar_core import background
from cifar_core.dataset.sources import JOB_NAME, Progress, disk_errors, prepare_locked, take_lock
from cifar_core.jobs import Job, JobStatus
from cifar_core.lock import Lock

Bytes = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True, kw_only=True)
class DownloadStatus(JobStatus):
    """What a download last said of itself; an interrupted one goes on when it starts again.

    Attributes:
        source: The source in use.
        done_bytes: Bytes of the file under way.
        total_bytes: Size of that file where known.
        refused: What was found before and not taken, with the reasons; empty if nothing.
    """

    source: str = ""
    done_bytes: Bytes = 0
    total_bytes: Bytes | None = None
    refused: str = ""

    @property
    def share(self) -> float | None:
        """How much of the file under way is there, from 0 to 1; None where unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None


JOB = Job(
    JOB_NAME,
    "cifar_core.dataset.download",
    DownloadStatus,
    {
        "finished": ("The dataset is ready.", ""),
        "failed": ("The download failed.", ""),
        "interrupted": (
            "The download was stopped. What has arrived is kept.",
            "Start it again when you like: it goes on where it stopped.",
        ),
    },
    ("The download ended without a word.", "Start it again: it goes on where it stopped."),
)


def start_download(data_dir: Path) -> None:
    """Starts the download, unless one is running: then nothing happens.

    Raises:
        DataError: The data folder cannot be written.
    """
    with disk_errors(data_dir):
        JOB.start(data_dir, [data_dir], message="Starting the download")


def stop_download(data_dir: Path) -> None:
    """Asks a running download to end; what has arrived is kept. It ends within a second.

    Raises:
        DataError: The request cannot be written.
    """
    with disk_errors(data_dir):
        JOB.stop(data_dir)


def run(data_dir: Path, work: Callable[[Callable[[Progress], None]], object]) -> int:
    """Does a preparation under its lock, which is held already; see :meth:`Job.run`."""

    def status(progress: Progress) -> DownloadStatus:
        return DownloadStatus(
            state="running",
            message=progress.message,
            source=progress.source,
            done_bytes=progress.done_bytes,
            total_bytes=progress.total_bytes,
            refused=progress.refused,
        )

    return JOB.run(data_dir, lambda report: work(lambda progress: report(status(progress))))


def main(arguments: list[str]) -> int:
    """Runs the download: the data folder, then perhaps the descriptor of an inherited lock."""
    data_dir = Path(arguments[0])
    lock = Lock.adopt(int(arguments[1])) if len(arguments) > 1 else take_lock(data_dir)
    if lock is None:
        sys.stderr.write("Another download is running.\n")
        return 1
    background.listen(JOB.stop_path(data_dir))
    with lock:
        return run(data_dir, lambda report: prepare_locked(data_dir, progress=report))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
