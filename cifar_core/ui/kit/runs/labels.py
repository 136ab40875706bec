"""Runs in words: names, states, progress, times and machines."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cifar_core import formats
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs import forecast
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import MetricRow, State
from cifar_core.runs.reading import Run

STATE_WORDS: Final[Mapping[State, str]] = {
    State.QUEUED: "◌ Waiting",
    State.RUNNING: "● Training",
    State.FINISHED: "✓ Finished",
    State.STOPPED: "■ Stopped",
    State.FAILED: "× Failed",
    State.INTERRUPTED: "! Interrupted",
    State.STALLED: "… Silent",
}
"""Each state with a sign of its own, so that no colour is needed to tell them apart."""

RESUMABLE: Final = frozenset({State.STOPPED, State.FAILED, State.INTERRUPTED})


def state_words(run: Run, ahead: int | None = None) -> str:
    """Returns the state of a run, and for a waiting one its place in line.

    Args:
        run: The run.
        ahead: How many runs have its device before it, where known.
    """
    words = STATE_WORDS[run.state]
    if run.state.is_alive and run.folder.request_path.exists():
        return f"{words}, stopping"
    if run.state is not State.QUEUED or ahead is None:
        return words
    return f"{words}, {ahead} before it" if ahead else f"{words}, next"


def network_title(recipe: Recipe | None) -> str:
    """Returns the network's name on the pages; a dash for a recipe that cannot be read."""
    return NETWORKS[recipe.network].title if recipe else formats.UNKNOWN


def recipe_title(recipe: Recipe | None) -> str:
    """Returns the recipe's name on the pages."""
    if recipe is None:
        return "cannot be read"
    named = NAMED_RECIPES.get(recipe.name)
    return named.title if named else recipe.name


def machine_words(run: Run) -> str:
    """Returns the device's own name, or what it was asked for by: ``CPU``, ``GPU:0``."""
    return str(run.status.device_name or run.status.device.upper()).strip()


def epoch_words(run: Run) -> str:
    """Returns how many epochs are done, such as ``12 of 20``."""
    total = f"{run.recipe.epochs:,}" if run.recipe else "?"
    return f"{run.status.epoch:,} of {total}"


def share_done(run: Run) -> float:
    """Returns how much of its training a run has done, from 0 to 1, steps counted."""
    if run.recipe is None:
        return 0.0
    steps = run.status.steps_per_epoch
    done = run.status.epoch + (run.status.step / steps if steps else 0.0)
    share = done / run.recipe.epochs
    return min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0


def waiting_seconds(run: Run, *, now: float | None = None) -> float:
    """Returns the time a run has spent in line, the present wait included."""
    waited = run.status.waiting_seconds
    if run.state is State.QUEUED:
        waited += max(0.0, (now or time.time()) - run.status.queued_at)
    return waited


def time_words(seconds: float | None) -> str:
    """Returns a time that is counted while one looks: whole seconds, a dash for none at all."""
    if seconds is not None and 0.5 <= seconds < 10:
        return f"{seconds:.0f} s"
    return formats.duration(seconds) if seconds and seconds >= 10 else formats.UNKNOWN


def whole_seconds(seconds: float | None) -> int | None:
    """Returns a time for a table that sorts by it; None where :func:`time_words` has a dash."""
    return round(seconds) if seconds and math.isfinite(seconds) and seconds >= 0.5 else None


def run_row(run: Run, ahead: int | None = None) -> dict[str, Any]:
    """Returns a run as a row of the list; one whose files are damaged still has a row.

    Args:
        run: The run.
        ahead: As in :func:`state_words`.
    """
    name = str(run.name)
    try:
        status = run.status
        return {
            "Run": name,
            "State": state_words(run, ahead),
            "Network": network_title(run.recipe),
            "Recipe": recipe_title(run.recipe),
            "Epoch": int(status.epoch),
            "Epochs": run.recipe.epochs if run.recipe else None,
            "Accuracy": None if status.accuracy is None else float(status.accuracy),
            "Training": whole_seconds(status.device_seconds),
            "Waited": whole_seconds(waiting_seconds(run)),
            "Time left": whole_seconds(status.eta_seconds) if run.state.is_alive else None,
            "Device": str(status.device),
        }
    except (TypeError, ValueError, OverflowError, OSError):
        return {"Run": name, "State": STATE_WORDS[run.state], "Recipe": "status cannot be read"}


def device_words(device: Device, runs: Sequence[Run] = ()) -> str:
    """Returns a device with its memory, its load and who uses it, in one line."""
    parts = [f"{device.id.upper()} – {device.name}"]
    if device.cores:
        parts.append(f"{device.cores} cores" if device.cores > 1 else "1 core")
    parts += load_words(device)
    on_it = [run.state for run in runs if run.state.is_alive and run.status.device == device.id]
    waiting = on_it.count(State.QUEUED)
    if len(on_it) > waiting:
        parts.append("training now")
    if waiting:
        parts.append(f"{waiting} waiting")
    return " · ".join(parts)


def load_words(device: Device) -> list[str]:
    """Returns load and memory of a device, as far as they are known."""
    words = []
    if device.load is not None:
        words.append(f"load {device.load:.0%}")
    if device.memory_bytes is not None and device.used_bytes is not None:
        used, total = device.used_bytes, device.memory_bytes
        words.append(f"{formats.data_size(used)} of {formats.data_size(total)} memory in use")
    return words


def _roughly(seconds: float) -> str:
    """Returns an expected time no finer than it is known: minutes from two minutes on."""
    return f"{seconds / 60:.0f} min" if 120 <= seconds < 3600 else formats.duration(seconds)


def expected_words(
    rows: Sequence[MetricRow], run: Run, wanted: Recipe, *, runs: int = 1
) -> str | None:
    """Says how long runs will take, from one that was measured here.

    Args:
        rows: The metrics of that finished run.
        run: The finished run: same network, batch size and device.
        wanted: The recipe of the runs to come.
        runs: How many there will be, one after another.

    Returns:
        A sentence, or None when the run holds no time of an epoch.
    """
    measured, each = run.recipe, forecast.epoch_seconds(rows)
    if measured is None or each is None:
        return None
    whole = forecast.expected_seconds(rows, measured, run.status, wanted)
    images = f"{measured.learnt_pictures:,} training images"
    words = f"an epoch of {images} took {formats.duration(each)} here in run “{run.name}”"
    if wanted.learnt_pictures != measured.learnt_pictures:
        words += f", and this one has {wanted.learnt_pictures:,}"
    return f"Roughly {_roughly((whole or 0.0) * runs)}: {words}."


def time_parts(run: Run) -> str:
    """Returns what the time of a run on its device was spent on."""
    status = run.status
    parts = (
        ("setting up", status.setup_seconds),
        ("training", status.running_seconds),
        ("export and test figures", status.closing_seconds),
    )
    known = [f"{name} {time_words(seconds)}" for name, seconds in parts if seconds]
    return f"Time on the device so far: {', '.join(known)}." if known else "Time on the device."


def compute_words(run: Run) -> list[str]:
    """Returns cores, threads and load of a run, as far as they were recorded."""
    status, words = run.status, []
    if status.cores:
        words.append(f"{status.cores} cores" if status.cores > 1 else "1 core")
    if status.threads:
        words.append(f"{status.threads} threads" if status.threads > 1 else "1 thread")
    if status.load_at_start is not None:
        during = "" if status.load_median is None else f", {status.load_median:.1f} during training"
        words.append(f"load {status.load_at_start:.1f} before{during}")
    return words


def model_labels(models: Sequence[Run]) -> dict[str, str]:
    """Returns what each model is called on the page, by the run's identity, no two alike.

    The network's title alone where that tells it from the others, else with the run's name and,
    if that is not enough, its identity. Plain text: a run's name comes from a person.
    """
    labels = {
        run.id: network_title(run.recipe) if run.recipe else "Unknown network" for run in models
    }
    for additions in (
        {run.id: f"“{run.name}”" for run in models},
        {run.id: f"({run.id})" for run in models},
    ):
        seen = Counter(labels.values())
        for run_id, label in labels.items():
            if seen[label] > 1:
                labels[run_id] = f"{label} {additions[run_id]}"
    return labels
