"""Conditions of two runs: whether they were trained alike, beside a comparison of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from cifar_core.evaluation.words import listed
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.reading import Run

_NOT_CONDITIONS = frozenset({"network", "seed"})
"""What a comparison is of: two networks, or two seeds."""

_COUNTED = frozenset({"name", "epochs", "training_pictures", "validation_pictures"})
"""Settings that are named with both values; the others are counted."""


def unlike_conditions(first: Run, second: Run) -> list[str]:
    """Returns in which conditions two runs differ besides network and seed, in a few words each.

    Args:
        first: One run; its value is named first.
        second: The other.
    """
    a, b = first.recipe, second.recipe
    if a is None or b is None:
        return []
    found = []
    if a.name != b.name:
        found.append(f"recipe {_title(a)} against {_title(b)}")
    if first.status.epoch != second.status.epoch:
        found.append(f"{first.status.epoch:,} against {second.status.epoch:,} epochs")
    if a.learnt_pictures != b.learnt_pictures:
        found.append(f"{a.learnt_pictures:,} against {b.learnt_pictures:,} training images")
    theirs = dataclasses.asdict(b)
    others = [
        key
        for key, value in dataclasses.asdict(a).items()
        if key not in _NOT_CONDITIONS | _COUNTED and value != theirs[key]
    ]
    if others:
        named = len(others) <= 2
        words = listed([key.replace("_", " ") for key in others])
        found.append(words if named else f"{len(others)} other settings")
    return found


def caveat(first: Run, second: Run) -> str:
    """Returns what a verdict on two runs is not: one on their networks alone, or on them at all.

    Returns:
        One sentence; empty where the runs were trained alike.
    """
    found = unlike_conditions(first, second)
    if not found:
        return ""
    assert first.recipe is not None
    assert second.recipe is not None
    if first.recipe.network == second.recipe.network:
        title = NETWORKS[first.recipe.network].title
        return f"Both are {title}: they differ in how they were trained ({listed(found)})."
    return (
        f"They were not trained alike ({listed(found)}): the difference is not that of the "
        "networks alone."
    )


def time_caveat(runs: Sequence[Run]) -> str:
    """Returns that times of these runs are not like for like, where machines or cores differ.

    Returns:
        One sentence that names each machine; empty where all ran on the same, as far as known.
    """
    machines: dict[str, list[str]] = {}
    for run in runs:
        title = NETWORKS[run.recipe.network].title if run.recipe else run.name
        machines.setdefault(_machine(run), []).append(title)
    if len(machines) < 2:
        return ""
    named = [f"{listed(list(dict.fromkeys(who)))} on {where}" for where, who in machines.items()]
    return f"These times cannot be compared directly: {'; '.join(named)}."


def _machine(run: Run) -> str:
    """Returns what a run computed with, as far as it was recorded."""
    status = run.status
    name = status.device_name or status.device
    if not status.cores:
        return f"{name}, cores not recorded"
    return f"{name}, {status.cores} core{'s' if status.cores > 1 else ''}"


def _title(recipe: Recipe) -> str:
    named = NAMED_RECIPES.get(recipe.name)
    return f"“{named.title if named else recipe.name}”"
