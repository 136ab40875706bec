"""Work that tells how far it is while pages look: a slot with a status."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from cifar_core.files import read_json, write_json
from cifar_core.jobs.slot import Slot
from cifar_core.jobs.status import J, JobState, JobStatusWriter


@dataclass(frozen=True)
class Job(Generic[J]):
    """A kind of work that one process at a time does in a folder.

    Attributes:
        name: Of its slot.
        module: Run as ``python -m module``; its last argument is the descriptor of its lock.
        status: The kind of status it writes.
        opening: The first message.
        ends: The last message and what to do, by how it ended.
        lost: The same for a process that ended without a word; its log is named after it.
        refuse: Puts into words what the system refuses in a folder.
    """

    name: str
    module: str
    status: type[J]
    opening: str
    ends: Mapping[JobState, tuple[str, str]]
    lost: tuple[str, str]
    refuse: Callable[[Path], AbstractContextManager[None]]

    def slot(self, folder: Path) -> Slot:
        """Returns its place in a folder."""
        return Slot(folder, self.name)

    def start(self, folder: Path, *arguments: Path) -> None:
        """Starts it with a folder and more, unless it is being done: then nothing happens.

        Raises:
            LabError: The folder cannot be written.
        """
        slot = self.slot(folder)
        status = dataclasses.asdict(self.status(state="running", message=self.opening))
        with self.refuse(folder):
            slot.start(
                self.module,
                [folder, *arguments],
                prepare=lambda: write_json(slot.path("json"), status, durable=False),
            )

    def stop(self, folder: Path) -> None:
        """Asks it to end; it does within a second or two.

        Raises:
            LabError: The request cannot be written.
        """
        with self.refuse(folder):
            self.slot(folder).stop()

    def read(self, folder: Path) -> J | None:
        """Returns where it stands, or None when there never was one."""
        slot = self.slot(folder)
        alive = slot.is_taken()  # asked first: one that ends now has written its end
        try:
            status = read_json(slot.path("json"), self.status)
        except (OSError, ValueError):
            return None
        if status.state != "running" or alive:
            return status
        message, remedy = self.lost
        remedy = f"{remedy} Its log is {slot.path('log')}."
        return dataclasses.replace(status, state="interrupted", message=message, remedy=remedy)

    def run(self, folder: Path, work: Callable[[JobStatusWriter[J]], object]) -> int:
        """Does it and keeps its status up to date; the lock is held already.

        Args:
            folder: Where its files are.
            work: Does it; is given the status to update.

        Returns:
            The exit status of the process: 0 when finished, 1 when failed or stopped.
        """
        slot = self.slot(folder)
        status = JobStatusWriter(slot.path("json"), self.status(state="running"))
        end = slot.carry_out(lambda: work(status))
        message, remedy = self.ends[end.state]
        why = {} if end.reason is None else vars(end.reason)
        status.finish(**{"state": end.state, "message": message, "remedy": remedy, **why})
        return end.exit_status
