"""What a report is about: finished runs with their figures, answers and origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cifar_core.dataset.arrays import Split
from cifar_core.errors import RunError
from cifar_core.evaluation import metrics
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.learning import Learning
from cifar_core.evaluation.predictions import Floats, Integers
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs import results
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions

MOST_RUNS: Final = 6
"""More runs make a report nobody reads."""

EXAMPLES: Final = 10


@dataclass(frozen=True, eq=False)
class Subject:
    """One finished run of a report.

    Attributes:
        run: The run.
        recipe: What it carried out.
        name: What it is called in the report; no other run of the report is called so.
        figures: Its final figures.
        answers: What its network answered on the test pictures.
        learning: Its figures after each epoch.
        manifest: Digests, versions and device, as its worker wrote them.
    """

    run: Run
    recipe: Recipe
    name: str
    figures: Evaluation
    answers: Predictions
    learning: Learning
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """Short name of its network."""
        return self.recipe.network

    @property
    def title(self) -> str:
        """Name of its network on the pages."""
        return NETWORKS[self.recipe.network].title

    @property
    def said(self) -> str:
        """Its name where runs are listed, the reference marked as one."""
        return f"{self.name} (the reference)" if self.run.is_reference else self.name

    @property
    def recipe_title(self) -> str:
        """What its recipe is called."""
        named = NAMED_RECIPES.get(self.recipe.name)
        return named.title if named else self.recipe.name

    @property
    def device(self) -> str:
        """What it was trained on."""
        return self.run.status.device_name or self.run.status.device

    @property
    def accuracy(self) -> metrics.Share:
        """Its test accuracy with the interval."""
        return metrics.share(self.figures.right, self.figures.pictures)

    @property
    def predicted(self) -> Integers:
        """The classes it named, (n,)."""
        return metrics.predicted_classes(self.answers.probabilities)

    @property
    def matrix(self) -> Integers:
        """Its confusion matrix on the test images, (classes, classes)."""
        return metrics.confusion(self.answers.labels, self.predicted, self.recipe.spec.classes)

    @property
    def calibrated(self) -> Floats:
        """Its probabilities with its temperature applied, where it has one; (n, classes)."""
        if self.figures.temperature is None:
            return np.asarray(self.answers.probabilities, np.float64)
        return apply_temperature(self.answers.probabilities, self.figures.temperature)


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures that a network answered, with what it said.

    Attributes:
        images: (n, 32, 32, 3) uint8.
        truths: True classes (n,).
        guesses: Named classes (n,).
        sure: How probable it held its answer (n,), calibrated where possible.
    """

    images: np.ndarray
    truths: Integers
    guesses: Integers
    sure: Floats


def gather(runs: Sequence[Run]) -> list[Subject]:
    """Reads everything a report tells of its runs.

    Raises:
        RunError: There is no run, there are too many, or one has no final figures.
    """
    if not 1 <= len(runs) <= MOST_RUNS:
        raise RunError(
            f"A report cannot be made of {len(runs)} runs.",
            expected=f"One to {MOST_RUNS} finished runs.",
            remedy="Choose fewer." if runs else "Choose at least one.",
        )
    names = _unique_names(runs)
    return [_subject(run, name) for run, name in zip(runs, names, strict=True)]


def _subject(run: Run, name: str) -> Subject:
    figures = results.read_evaluation(run)
    if figures is None:
        raise RunError(
            f"Run “{run.name}” has no final figures yet: it is {run.state}.",
            expected="A report is made of finished runs.",
            remedy="Wait until it is finished, or choose another run.",
        )
    return Subject(
        run=run,
        recipe=results.recipe_of(run),
        name=name,
        figures=figures,
        answers=results.read_test_predictions(run),
        learning=results.learning_of(run.folder.read_metrics()),
        manifest=results.read_manifest(run),
    )


def _unique_names(runs: Sequence[Run]) -> list[str]:
    """Returns a name per run: its own, and with the end of its id where two share one."""
    wanted = [
        run.label.name or (NETWORKS[run.recipe.network].title if run.recipe else run.id)
        for run in runs
    ]
    wanted = [name.removesuffix(", shipped") for name in wanted]
    return [
        name if wanted.count(name) == 1 else f"{name} {run.id.rsplit('-', 1)[-1]}"
        for run, name in zip(runs, wanted, strict=True)
    ]


def best_of(subjects: Sequence[Subject]) -> Subject:
    """Returns the most accurate run; the reference stands in for none of the others."""
    return max(subjects, key=lambda subject: (not subject.run.is_reference, subject.accuracy.value))


def right_examples(subject: Subject, test: Split) -> Examples:
    """Returns of each class the picture that was rightly named most surely."""
    sure = subject.calibrated.max(axis=1)
    is_right = (subject.predicted == subject.answers.labels) & _is_here(subject, test)
    chosen = []
    for label in range(test.spec.classes):
        places = np.flatnonzero(is_right & (subject.answers.labels == label))
        if len(places):
            chosen.append(int(places[np.argmax(sure[places])]))
    return _examples(subject, test, np.array(chosen, np.int64), sure)


def wrong_examples(subject: Subject, test: Split) -> Examples:
    """Returns the pictures that were wrongly named most surely."""
    sure = subject.calibrated.max(axis=1)
    places = np.flatnonzero((subject.predicted != subject.answers.labels) & _is_here(subject, test))
    chosen = places[np.argsort(-sure[places], kind="stable")[:EXAMPLES]]
    return _examples(subject, test, chosen, sure)


def _is_here(subject: Subject, test: Split) -> np.ndarray:
    """Returns which answered pictures there are to show: the sample holds a tenth of them."""
    return np.isin(subject.answers.indices, test.indices)


def _examples(subject: Subject, test: Split, places: Integers, sure: Floats) -> Examples:
    at = np.searchsorted(test.indices, subject.answers.indices[places])
    return Examples(
        images=np.asarray(test.images[at]),
        truths=subject.answers.labels[places].astype(np.int64),
        guesses=subject.predicted[places],
        sure=sure[places],
    )
