"""Work that tells how far it is while pages look: a slot with a status."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
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
        ends: The last message and what to do, by how it ended.
        lost: The same for a process that ended without a word; its log is named after it.
    """

    name: str
    module: str
    status: type[J]
    ends: Mapping[JobState, tuple[str, str]]
    lost: tuple[str, str]

    def slot(self, folder: Path) -> Slot:
        """Returns its place in a folder."""
        return Slot(folder, self.name)

    def start(self, folder: Path, arguments: Sequence[str | Path], *, message: str) -> None:
        """Starts it, unless it is being done: then nothing happens.

        Raises:
            OSError: The folder cannot be written.
        """
        slot, status = self.slot(folder), self.status(state="running", message=message)
        slot.start(
            self.module,
            arguments,
            prepare=lambda: write_json(slot.status_path, dataclasses.asdict(status), durable=False),
        )

    def read(self, folder: Path) -> J | None:
        """Returns where it stands, or None when there never was one."""
        slot = self.slot(folder)
        alive = slot.is_taken()  # asked first: one that ends now has written its end
        try:
            values = read_json(slot.status_path)
            known = {field.name for field in dataclasses.fields(self.status)}
            status = self.status(**{key: values[key] for key in known & set(values)})
        except (OSError, ValueError, TypeError):
            return None
        if status.state != "running" or alive:
            return status
        message, remedy = self.lost
        remedy = f"{remedy} Its log is {slot.log_path}."
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
        status = JobStatusWriter(slot.status_path, self.status(state="running"))
        end = slot.carry_out(lambda: work(status))
        message, remedy = self.ends[end.state]
        told = {"state": end.state, "message": message, "remedy": remedy}
        if end.reason is not None:
            why = end.reason
            told |= {"what": why.what, "expected": why.expected, "remedy": why.remedy}
        status.finish(**told)
        return end.exit_status
