"""The analysis as a process of its own, so that a page never waits for it.

``python -m cifar_core.analysis.process <data_dir> <run_dir>``; see :mod:`cifar_core.jobs`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cifar_core import background
from cifar_core.analysis.compute import Progress, analyse
from cifar_core.dataset.sources import disk_errors
from cifar_core.decoding import Share, Time
from cifar_core.jobs import Job, JobStatus, take_lock
from cifar_core.lock import Lock

NICENESS = 5
"""Trainings and pages come first."""


@dataclass(frozen=True, kw_only=True)
class AnalysisStatus(JobStatus):
    """What an analysis last said of itself.

    Attributes:
        share: How much of the whole is done, from 0 to 1.
        seconds: How long it has been at it.
    """

    share: Share = 0.0
    seconds: Time = 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take yet, as far as that can be told."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0.02 else None


JOB = Job(
    "analysis",
    "cifar_core.analysis.process",
    AnalysisStatus,
    {
        "finished": ("The pictures have been analysed.", ""),
        "failed": ("The analysis failed.", ""),
        "interrupted": ("The analysis was stopped.", "Start it again when you like."),
    },
    ("The analysis ended without a word.", "Start it again."),
)


def start_analysis(data_dir: Path, run_dir: Path) -> None:
    """Starts the analysis by a run's network, unless one is running: then nothing happens.

    Raises:
        DataError: The data folder cannot be written.
    """
    with disk_errors(data_dir):
        JOB.start(data_dir, [data_dir, run_dir], message="Starting the analysis")


def stop_analysis(data_dir: Path) -> None:
    """Asks a running analysis to end.

    Raises:
        DataError: The request cannot be written.
    """
    with disk_errors(data_dir):
        JOB.stop(data_dir)


def run(data_dir: Path, work: Callable[[Callable[[Progress], None]], object]) -> int:
    """Does an analysis under its lock, which is held already; see :meth:`Job.run`."""
    began = time.monotonic()

    def status(progress: Progress) -> AnalysisStatus:
        seconds = time.monotonic() - began
        return AnalysisStatus(
            state="running", message=progress.message, share=progress.share, seconds=seconds
        )

    return JOB.run(data_dir, lambda report: work(lambda progress: report(status(progress))))


def main(arguments: list[str]) -> int:
    """Runs the analysis: data folder, run's folder, perhaps the descriptor of a held lock."""
    data_dir, run_dir = Path(arguments[0]), Path(arguments[1])
    lock = Lock.adopt(int(arguments[2])) if len(arguments) > 2 else take_lock(data_dir, JOB.name)
    if lock is None:
        sys.stderr.write("Another analysis is running.\n")
        return 1
    os.nice(NICENESS)
    background.listen(JOB.stop_path(data_dir))
    with lock:
        return run(data_dir, lambda report: analyse(data_dir, run_dir, report))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
