"""The download as a process of its own, so that a page never waits for it.

``python -m cifar_core.dataset.download <data_dir>``; see :mod:`cifar_core.jobs.job`. Its lock is
the one under which alone the data folder is written.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from cifar_core.dataset.sources import JOB_NAME, Progress, disk_errors, prepare_locked
from cifar_core.jobs.job import Job
from cifar_core.jobs.status import JobStatus

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
    "Starting the download",
    {
        "finished": ("The dataset is ready.", ""),
        "failed": ("The download failed.", ""),
        "interrupted": (
            "The download was stopped. What has arrived is kept.",
            "Start it again when you like: it goes on where it stopped.",
        ),
    },
    ("The download ended without a word.", "Start it again: it goes on where it stopped."),
    disk_errors,
)


def run(data_dir: Path, work: Callable[[Callable[[Progress], None]], object]) -> int:
    """Does a preparation under its lock, which is held already; see :meth:`Job.run`."""
    return JOB.run(
        data_dir,
        lambda status: work(lambda progress: status.update(**dataclasses.asdict(progress))),
    )


def main(arguments: list[str]) -> int:
    """Runs the download: the data folder, then perhaps the descriptor of an inherited lock."""
    data_dir = Path(arguments[0])
    with JOB.slot(data_dir).adopt(arguments[1:]):
        return run(data_dir, lambda report: prepare_locked(data_dir, progress=report))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
