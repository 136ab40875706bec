"""How a worker is started: the one place that knows.

Today a worker is a new interpreter on this machine. A cluster's job service would be asked
here, with the run's folder on shared storage.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import BinaryIO

from cifar_core import files, settings
from cifar_core.errors import RunError, plain_text
from cifar_core.jobs.lock import Lock
from cifar_core.runs.folder import RunFolder
from cifar_core.settings import PROJECT_DIR

WORKER_COMMAND = (sys.executable, "-m", "cifar_core.runs.worker")
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
    arguments = [str(folder.path.absolute()), str(lock.descriptor)]
    # Inherited: a stop that comes while the worker still starts waits until it can be heard.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with _open_log(folder) as log:
            subprocess.run(
                [*WORKER_COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT_DIR,
                env=worker_environment(os.environ, device),
                pass_fds=[lock.descriptor],
                start_new_session=True,
                timeout=START_SECONDS,
                check=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError(
            f"The worker of run “{folder.id}” could not be started ({error}).",
            expected="A worker answers within a minute.",
            remedy=f"Its last words: {_last_words(folder)}",
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _open_log(folder: RunFolder) -> BinaryIO:
    """Opens a run's log to add to it; a pipe in its place is not waited for.

    Raises:
        OSError: It cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(folder.log_path, flags, 0o644), "ab")


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
