"""Refusals about runs that are said in several places, each in three answers."""

from __future__ import annotations

from pathlib import Path

from cifar_core.errors import RunError, reason


def busy(run_id: str, verb: str) -> RunError:
    """Returns the refusal of what only a run without a process allows."""
    return RunError(
        f"A process works on run “{run_id}”.",
        expected=f"A run can be {verb} when it is not running and not waiting.",
        remedy="Stop it first.",
    )


def unwritable(runs_dir: Path, error: OSError) -> RunError:
    """Returns the refusal of what the system refused to write."""
    return RunError(
        f"The folder of the runs cannot be written: {error.strerror or error}.",
        expected=f"{runs_dir} is a folder with free space that this user may write.",
        remedy="Make room or correct the permissions, or set CIFAR_LAB_RUNS to another folder.",
    )


def unreadable(name: str, path: Path, error: Exception) -> RunError:
    """Returns the refusal of predictions that cannot be read or are none."""
    return RunError(
        f"The predictions of run “{name}” ({path.name}) cannot be read: {reason(error)}",
        expected="Ten probabilities for each image, as the run wrote them.",
        remedy="Look again in a moment, restore the file from a copy, or train the run again.",
    )


def linked(run_id: str) -> RunError:
    """Returns the refusal to write through a link."""
    return RunError(
        f"Run “{run_id}” is a link to a folder elsewhere.",
        expected="Only what lies in the folder of the runs is changed.",
        remedy="Copy the folder here in place of the link, or rename the run where it is.",
    )
