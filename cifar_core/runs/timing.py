"""How long the steps of a run's network take on this machine: measured in a process of its own.

``python -m cifar_core.runs.timing`` holds a kernel lock while it measures and writes the figures
when it is done; a page only reads them. They lie in ``.timings`` in the runs' folder, because a
shipped run's own folder need not be writable. A shipped run brings figures of the machine it was
measured on (timing.json), which are shown until this machine has its own.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cifar_core import files
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import RunError, reason
from cifar_core.inference.classifier import read_model
from cifar_core.inference.timing import Timing, measure
from cifar_core.jobs.slot import Slot
from cifar_core.runs.devices import list_devices
from cifar_core.runs.folder import RunFolder

FOLDER = ".timings"
SHIPPED_NAME = "timing.json"


@dataclass(frozen=True)
class TimingStatus:
    """What is known of a network's times.

    Attributes:
        timing: The newest figures: of this machine, else those that were shipped; or None.
        is_here: Whether they were measured on this machine.
        is_measuring: Whether a process measures just now.
        problem: Why the last measurement failed, in a sentence; empty otherwise.
    """

    timing: Timing | None
    is_here: bool
    is_measuring: bool
    problem: str = ""


def read(runs_dir: Path, folder: RunFolder) -> TimingStatus:
    """Returns the figures of a run's network.

    Figures of another file than the run's model.tflite are none of it.

    Args:
        runs_dir: Folder of all runs.
        folder: The run's own folder.
    """
    slot = _slot(runs_dir, folder)
    measuring = slot.is_taken()  # asked first: what has ended by now has written its end
    digest = folder.recorded_digest()
    own = _load(slot.path("json"), digest)
    timing = own or _load(folder.path / SHIPPED_NAME, digest)
    problem = "" if measuring else _words(slot.path("problem"))
    return TimingStatus(timing, own is not None, measuring, problem)


def start(runs_dir: Path, folder: RunFolder) -> None:
    """Starts to measure in a process of its own, unless one does already.

    Raises:
        RunError: The folder cannot be written, or no process could be started.
    """
    slot = _slot(runs_dir, folder)
    try:
        slot.start(
            __spec__.name,
            [runs_dir, folder.path],
            prepare=lambda: slot.path("problem").unlink(missing_ok=True),
        )
    except OSError as error:
        raise RunError(
            f"The measurement could not be started ({error}).",
            expected=f"A folder that can be written: {slot.folder}.",
            remedy="Make room or give the lab the right to write there, then try again.",
        ) from error


def measure_run(runs_dir: Path, folder: RunFolder) -> Timing:
    """Measures a run's network in this process, keeps the figures and returns them.

    Raises:
        LabError: The network cannot be read, measured, or the figures cannot be written.
    """
    slot = _slot(runs_dir, folder)
    digest = folder.recorded_digest()
    content = read_model(folder.litert_path, digest)
    try:
        timing = measure(
            content, load_sample().test.images[0], device=list_devices()[0].name, sha256=digest
        )
        slot.folder.mkdir(parents=True, exist_ok=True)
        files.write_json(slot.path("json"), timing.to_json())
    except (OSError, ValueError, RuntimeError) as error:
        raise RunError(
            f"The network of “{folder.id}” could not be measured ({reason(error)}).",
            expected="A finished run whose model.tflite LiteRT can run step by step.",
            remedy="Choose another run, or train this one again.",
        ) from error
    return timing


def _slot(runs_dir: Path, folder: RunFolder) -> Slot:
    """Where a run's network is measured; its status is the figures."""
    return Slot(runs_dir / FOLDER, folder.id)


def _load(path: Path, digest: str) -> Timing | None:
    try:
        timing = files.read_json(path, Timing)
    except (OSError, ValueError):
        return None
    return timing if timing.sha256 == digest else None


def _words(path: Path) -> str:
    try:
        return files.read_bytes(path, most=1_000_000).decode(errors="replace")[:500]
    except OSError:
        return ""


def main(arguments: list[str]) -> int:
    """Measures: the runs' folder, the run's, perhaps the descriptor of the inherited lock."""
    runs_dir, folder = Path(arguments[0]), RunFolder(Path(arguments[1]))
    slot = _slot(runs_dir, folder)
    os.nice(5)  # a page or a training beside it comes first; processor time stays what it is
    with slot.adopt(arguments[2:]):
        end = slot.carry_out(lambda: measure_run(runs_dir, folder))
        if end.reason is not None:
            slot.path("problem").write_text(end.reason.what, encoding="utf-8")
    return end.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
