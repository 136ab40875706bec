"""The tutorial's recipe as printed, repaired, and the lab's own: what each has reached here."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import Spread, over_seeds
from cifar_core.recipes import Recipe
from cifar_core.runs import results
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.services.runs import list_runs

RECIPES: Final = ("tutorial", "tutorial-repaired", "quick", "best")
"""From the tutorial's own to the lab's longest."""


@dataclass(frozen=True)
class Reached:
    """What a recipe has reached with one of the tutorial's networks, in runs shipped with the lab.

    Attributes:
        recipe: Of the first of the runs; the others differ in their seed.
        accuracy: Share of the test pictures named rightly, after the last epoch, over the runs.
        seconds: Median time of a run on its device.
        tutorial_seconds: Median time until the watched pictures were first named as often as the
            tutorial's matrix says, counted to the end of that epoch; None where a run never did.
        devices: The machines they ran on, by their own names.
    """

    recipe: Recipe
    accuracy: Spread
    seconds: float
    tutorial_seconds: float | None
    devices: tuple[str, ...]


def list_reached() -> list[Reached]:
    """Returns what the shipped runs of the tutorial's networks reached, by network and recipe."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in list_runs():
        if run.is_shipped and run.recipe is not None and run.state is State.FINISHED:
            groups.setdefault((run.recipe.network, run.recipe.name), []).append(run)
    wanted = [(network, name) for network in published.BEST_EPOCHS for name in RECIPES]
    return [_reached(groups[key]) for key in wanted if key in groups]


def _reached(runs: list[Run]) -> Reached:
    first = results.recipe_of(runs[0])
    figures = [found for run in runs if (found := results.read_evaluation(run)) is not None]
    until = [_until_tutorial(run) for run in runs]
    met = [seconds for seconds in until if seconds is not None]
    return Reached(
        recipe=first,
        accuracy=over_seeds([item.accuracy for item in figures]),
        seconds=statistics.median(run.status.running_seconds for run in runs),
        tutorial_seconds=statistics.median(met) if len(met) == len(runs) else None,
        devices=tuple(sorted({run.status.device_name or run.status.device for run in runs})),
    )


def _until_tutorial(run: Run) -> float | None:
    """Returns the seconds a run took to the accuracy of the tutorial's matrix of its network."""
    learning = results.learning_of(run.folder.read_metrics())
    wanted = published.published(results.recipe_of(run).network).accuracy.value
    pairs: Mapping[float, float] = dict(zip(learning.seconds, learning.accuracy, strict=True))
    return next((seconds for seconds, share in pairs.items() if share >= wanted), None)
