"""How long a run takes: forecast from runs that were measured on this machine.

Work is counted in images that pass through the network once. A training image counts three
times: the gradient takes about as long as two more passes (J. Kaplan and others, "Scaling laws
for neural language models", 2020, section 2.1).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from cifar_core.dataset.splits import TRAINING_SAMPLE
from cifar_core.errors import RunError
from cifar_core.inference.novelty import MOST_LEARNT
from cifar_core.recipes import Recipe
from cifar_core.runs.folder import MetricRow, RunFolder, State, Status

TRAINING_PASSES = 3
FEATURE_PASSES = 2
"""Reading a network's layers for “none of these” takes about twice as long as a prediction."""

MOST_READ = 200
"""So many of the newest runs are searched for one to forecast from."""


def monitored_images(recipe: Recipe) -> int:
    """Returns how many images are measured after every epoch."""
    held_out = recipe.monitored_split == "validation"
    return recipe.validation_pictures if held_out else recipe.spec.test_images


def epoch_images(recipe: Recipe) -> int:
    """Returns the work of an epoch, its measurement included, in images."""
    return TRAINING_PASSES * recipe.learnt_pictures + monitored_images(recipe)


def closing_images(recipe: Recipe) -> int:
    """Returns the work after the last epoch in images; see :mod:`cifar_core.training.finish`."""
    test = recipe.spec.test_images
    work = 3 * test  # once as they are, and once more with their mirror images
    work += min(TRAINING_SAMPLE, recipe.learnt_pictures)
    if recipe.monitored_split == "validation":
        read = min(recipe.learnt_pictures, MOST_LEARNT) + monitored_images(recipe) + test
        work += monitored_images(recipe) + FEATURE_PASSES * read
    return work


def recorded_closing_rate(runs_dir: Path, recipe: Recipe, status: Status) -> float | None:
    """Returns the seconds per image of the closing phase, from the last run that is like this.

    Like it is a finished run of the same network on the same device and number of cores.

    Args:
        runs_dir: Folder of all runs.
        recipe: Of the run that is to be forecast.
        status: Its status; device and cores are known.
    """
    found = sorted(runs_dir.glob(f"{recipe.network}-*/status.json"), key=_changed, reverse=True)
    for path in found[:MOST_READ]:
        folder = RunFolder(path.parent)
        known = folder.read_status()
        if known is None or known.state is not State.FINISHED or known.closing_seconds <= 0:
            continue
        if known.attempts > 1:  # its closing may have begun more than once
            continue
        if (known.device, known.device_name, known.cores) != (
            status.device,
            status.device_name,
            status.cores,
        ):
            continue
        try:
            return known.closing_seconds / closing_images(folder.read_recipe())
        except RunError:
            continue
    return None


def epoch_seconds(rows: Sequence[MetricRow]) -> float | None:
    """Returns how long an epoch of a run took; the first one compiles and counts if alone."""
    times = [row.epoch_seconds for row in rows if row.kind == "epoch" and row.epoch_seconds]
    return statistics.median(times[1:] or times) if times else None


def expected_seconds(
    rows: Sequence[MetricRow], measured: Recipe, status: Status, wanted: Recipe
) -> float | None:
    """Returns how long a run will take on its device, from one that was measured here.

    Args:
        rows: The metrics of a finished run.
        measured: Its recipe: same network and batch size.
        status: Its last status.
        wanted: The recipe of the run to come.

    Returns:
        Seconds, or None when the finished run holds no time of an epoch.
    """
    each = epoch_seconds(rows)
    if each is None:
        return None
    training = each * epoch_images(wanted) / epoch_images(measured) * wanted.epochs
    closing = status.closing_seconds * closing_images(wanted) / closing_images(measured)
    return training + status.setup_seconds / max(1, status.attempts) + closing


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
