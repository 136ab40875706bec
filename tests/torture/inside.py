"""Runs carried out inside this process: the real worker's ``work``, without a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from cifar_core import files, worker
from cifar_core.jobs.lock import try_lock
from cifar_core.recipes import recipe
from cifar_core.runs import manager, status_writer
from cifar_core.runs.device_queue import DeviceQueue
from cifar_core.runs.folder import RunFolder, Status
from cifar_core.training import loop
from tests.runs import pretend


def prepare(path: Path, *, epochs: int = 3, identity: str = "tortured") -> RunFolder:
    """Makes the folder of a run as the manager does.

    One identity for all: copies are the same run, and equal runs have equal checkpoints.
    """
    folder = RunFolder(path)
    path.mkdir(parents=True)
    made = recipe("standard", "cnn4", epochs=epochs, batch_size=16)
    files.write_json(folder.recipe_path, made.to_json())
    files.write_whole(folder.identity_path, f"{identity}\n".encode())
    return folder


def undertake(folder: RunFolder, stop_request: Callable[[], bool] = lambda: False) -> Status:
    """Carries a run on until it ends, and returns its last word.

    It speaks at every step and looks whether to stop before each, so that two equal runs make
    equal operations.

    Raises:
        OSError: Not even the last word could be written.
    """
    with (
        mock.patch.dict(sys.modules, {"cifar_core.training.train": pretend.stand_in()}),
        mock.patch.object(loop, "CALL_SECONDS", 0.0),
        mock.patch.object(status_writer, "WRITE_SECONDS", 0.0),
        mock.patch("traceback.print_exc"),
        mock.patch.dict(os.environ),  # a worker chooses its variables, in a process of its own
    ):
        lock = try_lock(folder.lock_path)
        assert lock is not None
        with lock:
            folder.request_path.unlink(missing_ok=True)
            manager._queue(folder, "cpu", folder.read_status())
            status = folder.read_status()
            assert status is not None
            DeviceQueue(folder.path.parent, "cpu").enqueue(folder.id, status.queued_at)
            writer = status_writer.RunStatusWriter(folder, status)
            worker.work(writer, stop_request)  # type: ignore[arg-type]
            return writer.status


def stop_at(epoch: int, step: int, folder: RunFolder) -> Callable[[], bool]:
    """Returns a request to stop that comes when the run says it has reached a step."""

    def is_reached() -> bool:
        status = folder.read_status()
        return status is not None and (status.epoch, status.step) == (epoch, step)

    return is_reached
