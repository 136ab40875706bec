"""How a worker is started: the one place that knows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from cifar_core import files, settings
from cifar_core.errors import RunError, plain_text
from cifar_core.jobs import process
from cifar_core.jobs.lock import Lock
from cifar_core.runs.folder import RunFolder

WORKER_COMMAND: tuple[str, ...] = ("-m", "cifar_core.worker")
START_SECONDS = 60.0


def launch(folder: RunFolder, lock: Lock, device: str) -> None:
    """Starts the worker of a run and returns as soon as it stands on its own.

    Args:
        folder: The run, complete with recipe and status.
        lock: The run's lock, held; the worker inherits it.
        device: What the worker may see: ``cpu``, ``gpu:0`` …

    Raises:
        RunError: No worker could be started.
    """
    try:
        process.start(
            [*WORKER_COMMAND, folder.path],
            lock=lock,
            log_path=folder.log_path,
            keep_log=True,
            environment=worker_environment(os.environ, device),
            answer_seconds=START_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError(
            f"The worker of run “{folder.id}” could not be started ({error}).",
            expected="A worker answers within a minute.",
            remedy=f"Its last words: {_last_words(folder)}",
        ) from error


def _last_words(folder: RunFolder) -> str:
    """Returns the end of what the worker printed."""
    try:
        text = files.read_bytes(folder.log_path).decode(errors="replace")
        return plain_text(text)[-300:] or "none."
    except OSError:
        return "none."


def worker_environment(environ: Mapping[str, str], device: str) -> dict[str, str]:
    """Returns the environment a worker starts with: it decides what the worker can see."""
    env = settings.child_environment(environ)
    kind, _, index = device.partition(":")
    # "-1" hides every GPU from TensorFlow and JAX; an empty value would not on all of them.
    env["CUDA_VISIBLE_DEVICES"] = index if kind == "gpu" else "-1"
    env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the numbers of nvidia-smi, not CUDA's own
    # The worker has another working folder: a relative path would mean another one there.
    env["CIFAR_LAB_DATA"] = str(settings.current(environ).data_dir)
    if kind == "cpu":
        env["JAX_PLATFORMS"] = "cpu"
    env.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    env.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # failures arrive as exceptions
    env["PYTHONUNBUFFERED"] = "1"
    return env
