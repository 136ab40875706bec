"""The part ``accuracy``: how soon a run reached what the tutorial published, from its metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.figures import first_epoch_at
from cifar_core.evaluation.published import published
from cifar_core.runs.folder import RunFolder

TUTORIAL_EPOCHS = 100
TUTORIAL_PICTURES = 50_000


def network_of(run_dir: Path) -> str:
    """Returns the network of a run.

    Raises:
        RunError: It is no folder of a run.
    """
    return RunFolder(run_dir.resolve()).read_recipe().network


def measure(run_dir: Path, tutorial_rate: float) -> dict[str, Any]:
    """Returns when a run reached the tutorial's accuracy, against 100 of its epochs.

    Args:
        run_dir: Folder of a run, finished or not.
        tutorial_rate: Training pictures per second of the tutorial's code on this machine.

    Returns:
        ``epoch``, ``seconds`` and ``ratio`` are None while the accuracy is not reached. The
        run's seconds hold everything: training, measuring the watched split, checkpoints.

    Raises:
        RunError: It is no folder of a run.
    """
    folder = RunFolder(run_dir.resolve())
    recipe = folder.read_recipe()
    target = published(recipe.network).accuracy.value
    reached = first_epoch_at(folder.read_metrics(), target, of=lambda row: row.monitored_accuracy)
    tutorial_seconds = TUTORIAL_EPOCHS * TUTORIAL_PICTURES / tutorial_rate
    return {
        "run": folder.id,
        "network": recipe.network,
        "recipe": recipe.name,
        "epochs": recipe.epochs,
        "split": recipe.monitored_split,
        "target": target,
        "epoch": reached.epoch if reached else None,
        "accuracy": reached.monitored_accuracy if reached else None,
        "seconds": reached.seconds if reached else None,
        "tutorial_seconds": tutorial_seconds,
        "ratio": tutorial_seconds / reached.seconds if reached else None,
    }
