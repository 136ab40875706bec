"""The analysis as a process of its own, so that a page never waits for it.

``python -m cifar_core.analysis.process <data_dir> <run_dir>``; see :mod:`cifar_core.jobs.job`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cifar_core.analysis.compute import Report, analyse
from cifar_core.dataset.sources import disk_errors
from cifar_core.decoding import Share, Time
from cifar_core.jobs.job import Job
from cifar_core.jobs.status import JobStatus, JobStatusWriter

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
    "Starting the analysis",
    {
        "finished": ("The pictures have been analysed.", ""),
        "failed": ("The analysis failed.", ""),
        "interrupted": ("The analysis was stopped.", "Start it again when you like."),
    },
    ("The analysis ended without a word.", "Start it again."),
    disk_errors,
)


def run(data_dir: Path, work: Callable[[Report], object]) -> int:
    """Does an analysis under its lock, which is held already; see :meth:`Job.run`."""
    began = time.monotonic()

    def analysed(status: JobStatusWriter[AnalysisStatus]) -> object:
        return work(
            lambda message, share: status.update(
                message=message, share=share, seconds=time.monotonic() - began
            )
        )

    return JOB.run(data_dir, analysed)


def main(arguments: list[str]) -> int:
    """Runs the analysis: data folder, run's folder, perhaps the descriptor of a held lock."""
    data_dir, run_dir = Path(arguments[0]), Path(arguments[1])
    os.nice(NICENESS)
    with JOB.slot(data_dir).adopt(arguments[2:]):
        return run(data_dir, lambda report: analyse(data_dir, run_dir, report))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
