"""The tutorial's recipe as printed, repaired, and the lab's own: what each has reached here."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Final

from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import Spread, over_seeds, time_to_accuracy
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.recipes import Recipe
from cifar_core.runs import results
from cifar_core.runs.reading import Run
from cifar_core.services.runs import list_shipped

RECIPES: Final = ("tutorial", "tutorial-repaired", "quick", "best")
"""From the tutorial's own to the lab's longest."""


@dataclass(frozen=True)
class Evidence:
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


def list_evidence() -> list[Evidence]:
    """Returns what the shipped runs of the tutorial's networks reached, by network and recipe."""
    groups: dict[tuple[str, str], list[tuple[Run, Evaluation]]] = {}
    for run in list_shipped():
        figures = results.read_evaluation(run)
        if figures is not None:
            recipe = results.recipe_of(run)
            groups.setdefault((recipe.network, recipe.name), []).append((run, figures))
    wanted = [(network, name) for network in published.BEST_EPOCHS for name in RECIPES]
    return [_evidence(groups[key]) for key in wanted if key in groups]


def _evidence(found: list[tuple[Run, Evaluation]]) -> Evidence:
    runs = [run for run, _ in found]
    until = [_until_tutorial(run) for run in runs]
    met = [seconds for seconds in until if seconds is not None]
    return Evidence(
        recipe=results.recipe_of(runs[0]),
        accuracy=over_seeds([figures.accuracy for _, figures in found]),
        seconds=statistics.median(run.status.running_seconds for run in runs),
        tutorial_seconds=statistics.median(met) if len(met) == len(runs) else None,
        devices=tuple(sorted({run.status.device_name or run.status.device for run in runs})),
    )


def _until_tutorial(run: Run) -> float | None:
    """Returns the seconds a run took to the accuracy of the tutorial's matrix of its network."""
    learning = results.learning_of(run.folder.read_metrics())
    wanted = published.published(results.recipe_of(run).network).accuracy.value
    (met,) = time_to_accuracy(learning.accuracy, learning.seconds, [wanted])
    return met.seconds
