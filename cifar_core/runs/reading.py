"""What stands in a folder of runs: found, read, concluded and listed. Nothing is changed here."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.jobs.lock import is_held
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.contents import is_run
from cifar_core.runs.folder import Label, RunFolder, State, Status
from cifar_core.settings import STALLED_AFTER_SECONDS

IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True)
class Run:
    """A run as a reader sees it.

    Attributes:
        folder: Its folder.
        state: Where it stands, concluded from its status and its lock.
        recipe: What it carries out; None when its recipe cannot be read.
        status: The worker's last word.
        label: Its name and note.
        is_shipped: Whether it came with the lab.
    """

    folder: RunFolder
    state: State
    recipe: Recipe | None
    status: Status
    label: Label
    is_shipped: bool = False

    @property
    def id(self) -> str:
        """The run's identity."""
        return self.folder.id

    @property
    def name(self) -> str:
        """What people call it; until they do, network, recipe and the end of its identity."""
        if self.label.name or self.recipe is None:
            return self.label.name or self.folder.id
        title = NETWORKS[self.recipe.network].title
        return f"{title} {self.recipe.name} {self.folder.id.rpartition('-')[2][:4]}"

    @property
    def is_reference(self) -> bool:
        """Whether it trains the reference, which stands beside the tutorial's networks."""
        return self.recipe is not None and NETWORKS[self.recipe.network].is_reference

    @property
    def reason(self) -> str:
        """Why it is in its state, in a sentence; empty when there is nothing to explain."""
        if self.state is State.INTERRUPTED:
            return _interruption(self.status)
        if self.state is State.STALLED:
            quiet = abs(time.time() - self.status.heartbeat_at)
            return f"Its process is there but has said nothing for {quiet:.0f} seconds."
        return self.status.reason

    @property
    def remedy(self) -> str:
        """What to do next, in a sentence; empty when there is nothing to do."""
        if self.state is State.INTERRUPTED:
            return "Resume it: it goes on from its last checkpoint."
        if self.state is State.STALLED:
            return "Wait, or stop it and resume; its last checkpoint is safe."
        return self.status.remedy


def find(runs_dir: Path, run_id: str) -> RunFolder:
    """Returns the folder of a run.

    Raises:
        RunError: There is no such run.
    """
    if not IDENTITY.fullmatch(run_id) or not is_run(runs_dir / run_id):
        raise unknown(run_id)
    return RunFolder(runs_dir / run_id)


def read(runs_dir: Path, run_id: str, *, is_shipped: bool = False) -> Run:
    """Returns a run as it stands now.

    Raises:
        RunError: There is no such run.
    """
    return observe(find(runs_dir, run_id), is_shipped=is_shipped)


def list_runs(runs_dir: Path, *, is_shipped: bool = False) -> list[Run]:
    """Returns every run in a folder, the newest first; a broken one is listed as it is."""
    try:
        names = [entry.name for entry in runs_dir.iterdir() if IDENTITY.fullmatch(entry.name)]
    except OSError:
        return []
    folders = (RunFolder(runs_dir / name) for name in names)
    return newest_first(
        observe(item, is_shipped=is_shipped) for item in folders if is_run(item.path)
    )


@dataclass(frozen=True)
class Unlisted:
    """Folders among the runs that no list of runs shows; names in order.

    Attributes:
        misnamed: Runs whose folder got a name that is none for a run, as copying gives it.
        foreign: Folders that are no runs.
    """

    misnamed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def find_unlisted(runs_dir: Path, *, known: Container[str] = ()) -> Unlisted:
    """Returns the folders that :func:`list_runs` leaves out; hidden ones are the lab's own.

    Args:
        runs_dir: Folder of all runs.
        known: Names of which somebody has just seen that they are listed.
    """
    try:
        with os.scandir(runs_dir) as entries:
            names = sorted(
                item.name
                for item in entries
                if item.name not in known and item.name[0] != "." and item.is_dir()
            )
    except OSError:
        return Unlisted()
    runs = {name for name in names if is_run(runs_dir / name)}
    return Unlisted(
        tuple(name for name in names if name in runs and not IDENTITY.fullmatch(name)),
        tuple(name for name in names if name not in runs),
    )


def newest_first(runs: Iterable[Run]) -> list[Run]:
    """Returns runs in the order of every list: the newest first."""
    return sorted(runs, key=lambda run: (-run.label.created_at, run.id))


def observe(folder: RunFolder, *, is_shipped: bool = False) -> Run:
    """Concludes where a run stands from its files and its lock."""
    # The lock is looked at before the status is read: a worker writes its last status and
    # then lets go, so a free lock with a status "running" is proof that it died.
    alive = not is_shipped and is_held(folder.lock_path)
    status = folder.read_status()
    while not alive and not is_shipped and (status is None or status.state.is_alive):
        # It seems dead; but it may have been resumed between the two looks.
        alive, before, status = is_held(folder.lock_path), status, folder.read_status()
        if status == before:
            break
    try:
        recipe = folder.read_recipe()
    except RunError:
        recipe = None
    if status is None:
        # Torn by a power cut, or a stranger's: all that is known is whether a process lives.
        state = State.RUNNING if alive else State.INTERRUPTED
        status = Status(state=state, heartbeat_at=time.time())
    state = status.state
    if is_shipped or (folder.evaluation_path.exists() and not alive):
        state = State.FINISHED
    elif state in (State.QUEUED, State.RUNNING) and not alive:
        state = State.INTERRUPTED
    elif alive and state.is_alive and _is_silent(status):
        state = State.STALLED
    return Run(folder, state, recipe, status, folder.read_label(), is_shipped)


def boot_id() -> str:
    """Identifies the machine's start, empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def unknown(run_id: str) -> RunError:
    """Returns the refusal of a run that is not there."""
    return RunError(
        f"There is no run “{run_id[:80]}”.",
        expected="A run is named as in the list of runs.",
        remedy="Choose one from the list; it may have been deleted.",
    )


def _is_silent(status: Status) -> bool:
    # A heartbeat from the future is silence too: the clock was set back since.
    return abs(time.time() - status.heartbeat_at) > STALLED_AFTER_SECONDS


def _interruption(status: Status) -> str:
    if status.boot and status.boot != boot_id():
        return "The machine was restarted while it ran."
    if status.state is State.QUEUED:
        return "Its process ended while it waited in line."
    return "Its process ended without a word: killed by a person, or by the system."
