"""Whose checkpoint it is: a run goes on as the run that began, or says why it cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from cifar_core import files
from cifar_core.errors import RunError
from cifar_core.runs.folder import RunFolder
from cifar_core.training.checkpoint import Checkpoint, Progress


def signed(progress: Progress, folder: RunFolder) -> Progress:
    """Returns the progress of a run with the run's identity and recipe written into it."""
    recipe = files.read_json(folder.recipe_path, dict[str, Any])
    return dataclasses.replace(progress, run=folder.read_identity(), recipe=recipe)


def check(saved: Checkpoint, begin: Progress, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuses a checkpoint that is not of the run that would go on from it.

    What a checkpoint of an earlier version does not record is not compared.

    Args:
        saved: The checkpoint.
        begin: The run as it would begin: its backend, identity and recipe.
        arrays: What a checkpoint of its network holds.

    Raises:
        RunError: It is of another run, recipe, backend or network.
    """
    written = saved.progress
    if written.run and written.run != begin.run:
        raise RunError(
            f"The checkpoint is of another run, “{written.run[:200]}”.",
            expected=f"A run goes on from its own checkpoint; this is “{begin.run}”.",
            remedy="Put this run's own checkpoint back, or start a new run.",
        )
    if written.recipe and written.recipe != begin.recipe:
        raise RunError(
            "The recipe has changed since the run began: "
            f"{_changes(written.recipe, begin.recipe)}.",
            expected="A run goes on with the recipe it began with.",
            remedy="Put the old values back into recipe.json, or start a new run with the new.",
        )
    if written.backend != begin.backend:
        raise RunError(
            f"The run was trained with {written.backend}, and this is {begin.backend}.",
            expected="A run goes on with the backend it began with.",
            remedy=f"Set KERAS_BACKEND={written.backend} and resume it.",
        )
    if _forms(saved.arrays) != _forms(arrays):
        raise RunError(
            "The checkpoint is of another network: its arrays do not fit.",
            expected="A checkpoint of the network that recipe.json names.",
            remedy="Put this run's own checkpoint and recipe.json back, or start a new run.",
        )


def _forms(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    return {name: (np.shape(array), np.asarray(array).dtype) for name, array in arrays.items()}


def _changes(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Returns which settings differ, each with the value then and now."""
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    texts = [f"{key} was {before.get(key)!r} and is {now.get(key)!r}" for key in keys[:5]]
    return ", ".join(text[:200] for text in texts)
