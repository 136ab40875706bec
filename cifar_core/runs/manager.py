"""What can be done with runs: start, stop, resume, move, rename, delete.

The manager only writes into a run's folder what nobody else does (recipe, label, request and
the status ``queued``) and never waits for a worker. It keeps no memory: the folders are all
there is, so any number of servers and command lines may work on the same runs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cifar_core import files
from cifar_core.errors import RunError
from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.recipes import Recipe
from cifar_core.runs import contents, refusals, surroundings
from cifar_core.runs.device_queue import DeviceQueue
from cifar_core.runs.folder import (
    MAX_NAME_CHARACTERS,
    MAX_NOTE_CHARACTERS,
    Label,
    RunFolder,
    State,
    Status,
)
from cifar_core.runs.launch import launch
from cifar_core.runs.reading import Run, boot_id, find, read, unknown

PATIENCE_SECONDS = 1.0
"""Readers that look whether a run lives hold its lock for microseconds; wait that out."""

MOVE_SECONDS = 10.0

ABANDONED_SECONDS = 3600.0
"""A folder that was being prepared so long ago belongs to a starter that was killed."""


def start(runs_dir: Path, recipe: Recipe, *, device: str, token: str = "", name: str = "") -> str:
    """Puts a new run into the queue of its device.

    Args:
        runs_dir: Folder of all runs, made on first use.
        recipe: What to carry out.
        device: ``cpu``, ``gpu:0`` …
        token: Names this one start. A start repeated with the same token (a double click)
            gives the run that stands; an empty token is a new start each time.
        name: What to call it.

    Returns:
        The run's identity.

    Raises:
        RunError: The folder cannot be written or no worker could be started.
    """
    _check_device(device)
    surroundings.check_backend(os.environ)
    key = hashlib.sha256(token.encode()).hexdigest()[:12] if token else secrets.token_hex(6)
    folder = RunFolder(runs_dir / f"{recipe.network}-{recipe.name}-{key}")
    label = Label(_clean(name, MAX_NAME_CHARACTERS), "", time.time())
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        _sweep(runs_dir)
        fresh = RunFolder(runs_dir / f".new-{secrets.token_hex(8)}")
        fresh.path.mkdir()
        try:
            files.write_json(fresh.recipe_path, recipe.to_json())
            files.write_whole(fresh.identity_path, f"{folder.id}\n".encode())
            fresh.write_label(label)
            lock = try_lock(fresh.lock_path)
            assert lock is not None, "a folder nobody knows is locked by nobody"
            with lock:
                _queue(fresh, device, None)
                try:
                    fresh.path.rename(folder.path)  # fails when it stands: exactly one wins
                except OSError:
                    if folder.recipe_path.exists():
                        return folder.id
                    raise
                try:
                    files.flush_folder(runs_dir)
                    _launch(runs_dir, folder, lock, device)
                except (RunError, OSError):
                    folder.path.rename(fresh.path)  # no run: the next try is a new one
                    raise
        finally:
            shutil.rmtree(fresh.path, ignore_errors=True)
    except OSError as error:
        raise refusals.unwritable(runs_dir, error) from error
    return folder.id


def resume(runs_dir: Path, run_id: str, *, device: str | None = None) -> None:
    """Puts a run that is not finished back into the queue; it goes on from its last checkpoint.

    Args:
        runs_dir: Folder of all runs.
        run_id: The run.
        device: Another device than before, if given.

    Raises:
        RunError: It is alive, finished, unknown or cannot be started.
    """
    folder = find(runs_dir, run_id)
    if device is not None:
        _check_device(device)
    surroundings.check_backend(os.environ)
    folder.read_recipe()  # a run whose recipe is lost cannot go on: says so
    with _owned(folder, "resumed") as lock:
        # First of all: a request left over from the life before must go, one that comes
        # from now on must stay.
        folder.request_path.unlink(missing_ok=True)
        if folder.evaluation_path.exists():
            raise RunError(
                f"Run “{run_id}” is finished.",
                expected="Only a run that is not finished can go on.",
                remedy="Start a new run with the same settings and more epochs.",
            )
        before = folder.read_status()
        chosen = device or (before.device if before else "cpu")
        _queue(folder, chosen, before)
        _launch(runs_dir, folder, lock, chosen)


def stop(runs_dir: Path, run_id: str) -> None:
    """Asks a run to stop and keep everything; it does so within seconds.

    Raises:
        RunError: It is unknown, no process works on it, or its folder cannot be written.
    """
    folder = find(runs_dir, run_id)
    status = folder.read_status()
    has_ended = status is not None and not status.state.is_alive
    if has_ended or not is_held(folder.lock_path):
        raise RunError(
            f"Run “{run_id}” is not running.",
            expected="Only a run that runs or waits can be stopped.",
            remedy="Nothing needs to be done.",
        )
    try:
        folder.request_path.touch()  # an empty file: there is room for it on a full disk too
    except OSError as error:
        raise refusals.unwritable(runs_dir, error) from error


def move(runs_dir: Path, run_id: str, device: str) -> None:
    """Puts a waiting run into the queue of another device.

    Raises:
        RunError: It is unknown or not waiting.
    """
    _check_device(device)
    run = read(runs_dir, run_id)
    if run.state is not State.QUEUED:
        raise RunError(
            f"Run “{run_id}” is {run.state}.",
            expected="Only a waiting run can be moved to another device.",
            remedy="Stop it, then resume it on the other device.",
        )
    stop(runs_dir, run_id)
    deadline = time.monotonic() + MOVE_SECONDS
    while is_held(run.folder.lock_path):
        if time.monotonic() > deadline:
            raise refusals.busy(run_id, "moved")
        time.sleep(0.05)
    resume(runs_dir, run_id, device=device)


def relabel(
    runs_dir: Path, run_id: str, *, name: str | None = None, note: str | None = None
) -> None:
    """Changes what people call a run, or their note on it; None keeps what is there.

    Raises:
        RunError: It is unknown, a link to a folder elsewhere, or cannot be written.
    """
    folder = find(runs_dir, run_id)
    if folder.path.is_symlink():
        raise refusals.linked(run_id)
    label = folder.read_label()
    if name is not None:
        label = dataclasses.replace(label, name=_clean(name, MAX_NAME_CHARACTERS))
    if note is not None:
        lines = (_clean(line, MAX_NOTE_CHARACTERS) for line in note.strip().splitlines())
        label = dataclasses.replace(label, note="\n".join(lines)[:MAX_NOTE_CHARACTERS])
    try:
        folder.write_label(label)
    except OSError as error:
        raise refusals.unwritable(runs_dir, error) from error


def delete(runs_dir: Path, run_id: str) -> list[str]:
    """Removes a run: everything that the lab wrote into its folder.

    Returns:
        The names in its folder that somebody else wrote; they stay, and the folder with them.

    Raises:
        RunError: It is unknown, or a process works on it.
    """
    folder = find(runs_dir, run_id)
    with _owned(folder, "deleted"):
        return contents.remove(folder.path, runs_dir / f".deleted-{secrets.token_hex(8)}")


def position(runs_dir: Path, run: Run) -> int:
    """Returns how many runs will have the device before a waiting one, the present one too."""
    waiting = DeviceQueue(runs_dir, run.status.device).waiting()
    ahead = waiting.index(run.id) if run.id in waiting else len(waiting)
    return ahead + int(is_held(DeviceQueue(runs_dir, run.status.device).lock_path))


def _queue(folder: RunFolder, device: str, before: Status | None) -> None:
    """Writes the status of a run that joins the queue, keeping what it has reached."""
    now = time.time()
    status = before or Status(state=State.QUEUED)
    folder.write_status(
        dataclasses.replace(
            status,
            state=State.QUEUED,
            device=device,
            phase="",
            queued_at=now,
            heartbeat_at=now,
            started_at=None,
            ended_at=None,
            eta_seconds=None,
            images_per_second=None,
            reason="",
            remedy="",
            boot=boot_id(),
            attempts=status.attempts + 1,
        ),
        durable=True,
    )


def _launch(runs_dir: Path, folder: RunFolder, lock: Lock, device: str) -> None:
    status = folder.read_status()
    assert status is not None, "it was written a moment ago"
    DeviceQueue(runs_dir, device).enqueue(folder.id, status.queued_at)
    launch(folder, lock, device)


@contextmanager
def _owned(folder: RunFolder, verb: str) -> Iterator[Lock]:
    """Holds a run's lock, so that nobody starts, resumes or deletes it meanwhile.

    What the system refuses meanwhile becomes a :class:`RunError`.
    """
    try:
        lock = try_lock(folder.lock_path, patience_seconds=PATIENCE_SECONDS)
        if lock is None:
            raise refusals.busy(folder.id, verb)
        with lock:
            if not lock.is_on(folder.lock_path):  # deleted while we waited for the lock
                raise unknown(folder.id)
            yield lock
    except OSError as error:
        if not folder.path.is_dir():
            raise unknown(folder.id) from error
        raise refusals.unwritable(folder.path.parent, error) from error


def _sweep(runs_dir: Path) -> None:
    """Removes what killed starters and deleters have left; nobody can see or use it."""
    for left in runs_dir.glob(".deleted-*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in runs_dir.glob(".new-*"):
        try:
            is_abandoned = time.time() - left.stat().st_mtime > ABANDONED_SECONDS
        except FileNotFoundError:
            continue  # its starter has just given it its name
        if is_abandoned:
            shutil.rmtree(left, ignore_errors=True)


def _check_device(device: str) -> None:
    """Refuses what cannot be a device, before it becomes the name of a folder."""
    if not re.fullmatch(r"cpu|gpu:(0|[1-9][0-9]{0,2})", device):
        raise RunError(
            f"There is no device “{device[:80]}”.",
            expected="A device is called cpu, gpu:0, gpu:1 and so on.",
            remedy="Choose one from the list of devices.",
        )


def _clean(text: str, limit: int) -> str:
    """Returns text for one line: no control characters, no line breaks, not too long."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:limit]
