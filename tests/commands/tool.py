"""The command line run as a process or in this one, and what it is run on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cifar_core import __main__ as command_line
from cifar_core import files, recipes
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, fabricate

TINY = PROJECT_DIR / "tests" / "inference" / "data" / "tiny.tflite"
PROGRAM = (sys.executable, "-m", "cifar_core")
LIMIT_SECONDS = 240
TRAIN = ("train", "--network", "cnn4")


def told(*arguments: str | bytes, **environ: str) -> tuple[int, str, str]:
    """Runs the command line as a process; returns exit status, standard output and error."""
    answer = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    return answer.returncode, answer.stdout.decode(), answer.stderr.decode()


def done(*arguments: str) -> int:
    """Runs the command line in this process; returns its exit status, of bad usage too."""
    try:
        return command_line.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def model(runs_dir: Path, run_id: str = "fake-1") -> RunFolder:
    """Writes a run that never was around the tiny untrained network of the inference tests."""
    folder = RunFolder(runs_dir / run_id)
    folder.path.mkdir(parents=True)
    files.write_json(folder.recipe_path, recipes.recipe("standard", "cnn4").to_json())
    files.write_json(folder.label_path, {"name": "", "note": "", "created_at": 1.0})
    files.write_json(folder.status_path, {"state": "finished", "epoch": 20})
    files.write_json(folder.evaluation_path, [])
    folder.litert_path.write_bytes(TINY.read_bytes())
    digests = {"model.tflite": files.sha256_of(folder.litert_path)}
    files.write_json(folder.manifest_path, {"run": run_id, "sha256": digests})
    folder.evaluation_path.unlink()
    return folder


def picture(path: Path | bytes) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes is no Path
        Image.fromarray(pixels).save(file, "PNG")


def waiting(runs_dir: Path, *, heartbeat_at: float) -> tuple[RunFolder, Lock]:
    """Fabricates a run that this process keeps alive, as a worker does."""
    folder = fabricate(runs_dir, Fake(run_id="alive-1", state=State.RUNNING, done=1))
    folder.write_status(Status(state=State.RUNNING, epoch=1, heartbeat_at=heartbeat_at))
    lock = try_lock(folder.lock_path)
    assert lock is not None
    return folder, lock
