"""Advice on a training, derived from its curves and from accuracies that may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cifar_core.evaluation.advice import Advice
from cifar_core.evaluation.comparison import best_epoch
from cifar_core.evaluation.learning import RISE_POINTS, Learning, rise_at_the_end
from cifar_core.formats import percent

GAP: Final = 0.1
"""A network that does this much better on its training images has overfitted them."""

SMALL_GAP: Final = 0.03
"""Below this it does about as well on new images."""

GUESSING: Final = 0.15
"""Ten classes give 10% by guessing; below this nothing was learned."""

KNOWN: Final = 0.985
"""Training accuracy above which there is nothing left to learn from the images given."""

UNDERFIT: Final = 0.9
"""Training accuracy below which the network does not fit even the images it has seen."""

PEAK: Final = 0.01
"""A fall of this much since the best epoch is worth a word."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What must be known of a run before its curves may be judged.

    Attributes:
        split: What the monitored images are called: ``validation`` or ``test``.
        is_whole: Whether the run has reached its last epoch.
        anneals: Whether the schedule lets the learning rate fall towards the last epoch: the
            curve then rises and flattens there by design, whatever the length.
        training: Accuracy of the finished network on training images, without augmentation and
            dropout; None where it was not measured. What is counted *during* training has both
            and must not be compared with clean images.
        held_out: Accuracy of the same network on images it was not trained on.
        held_out_split: What those are called.
    """

    split: str
    is_whole: bool = False
    anneals: bool = False
    training: float | None = None
    held_out: float | None = None
    held_out_split: str = "validation"


def advise_on_learning(learning: Learning, course: Course) -> list[Advice]:
    """Returns what a training suggests; nothing where nothing may be said.

    Args:
        learning: The figures after each epoch.
        course: What else decides which sentences are true.
    """
    measured = [
        (epoch, value)
        for epoch, value in zip(learning.epochs, learning.accuracy, strict=True)
        if np.isfinite(value)
    ]
    if not measured:
        return []
    epochs, accuracies = zip(*measured, strict=True)
    best = max(accuracies)
    if best < GUESSING:
        return [
            Advice(
                "no-learning",
                "It did not learn",
                "The network does hardly better than guessing. Try a smaller learning rate: "
                "a tenth of the present one is a good next step.",
                f"Best accuracy {percent(best)} of the {course.split} images; guessing gives "
                "10.0%.",
            )
        ]
    return [*_on_fit(learning, course), *_on_length(accuracies, epochs, course)]


_FITS: Final[Mapping[str, tuple[str, str]]] = {
    "overfitting": (
        "It learns by heart (overfitting)",
        (
            "It knows its training images much better than new ones. Random crops and flips, more "
            "weight decay or fewer epochs help."
        ),
    ),
    "by-heart": (
        "It knows its training images by heart",
        (
            "There is nothing left to learn from them, so more epochs will not help. Stronger "
            "augmentation or more weight decay may; a larger network alone will not."
        ),
    ),
    "underfitting": (
        "It does not fit its training images yet (underfitting)",
        (
            "It misses many of the images it has seen. More epochs, less regularisation or a "
            "larger network are the way up."
        ),
    ),
    "gap": (
        "It fits its training images better than new ones",
        (
            "Such a gap is usual. Stronger augmentation narrows it; whether accuracy on new images "
            "rises with it, only another run tells."
        ),
    ),
    "sound-fit": (
        "A sound fit",
        "It does about as well on new images as on those it knows.",
    ),
}
"""By kind: title and sentence."""


def _fit_kind(training: float, held_out: float) -> str:
    """Returns what the accuracies of one network on known and on new images say of its fit."""
    gap = training - held_out
    if gap > GAP:
        return "overfitting"
    if training >= KNOWN and gap > SMALL_GAP:
        return "by-heart"
    if training < UNDERFIT:
        return "underfitting"
    return "gap" if gap > SMALL_GAP else "sound-fit"


def _on_fit(learning: Learning, course: Course) -> list[Advice]:
    """Says whether the network has overfitted or underfitted, from like quantities alone."""
    if course.training is None or course.held_out is None:
        return _on_overfitting_so_far(learning, course.split)
    kind = _fit_kind(course.training, course.held_out)
    figures = (
        f"Without augmentation and dropout {percent(course.training)} of the training images and "
        f"{percent(course.held_out)} of the {course.held_out_split} images are correct."
    )
    return [Advice(kind, *_FITS[kind], figures)]


def _on_overfitting_so_far(learning: Learning, split: str) -> list[Advice]:
    """Says so where even the accuracy under dropout and augmentation is far ahead.

    Both lower it, so the true gap is at least as large; nothing follows from a small one.
    """
    train, monitored = learning.train_accuracy[-1], learning.accuracy[-1]
    if not (np.isfinite(train) and np.isfinite(monitored)) or train - monitored <= GAP:
        return []
    figures = (
        f"After the last epoch {percent(train)} of the training images, counted during training, "
        f"and {percent(monitored)} of the {split} images were correct."
    )
    return [Advice("overfitting", *_FITS["overfitting"], figures)]


def _on_length(accuracies: Sequence[float], epochs: Sequence[int], course: Course) -> list[Advice]:
    """Says whether the training was too short or too long, where its curve can tell."""
    rise = rise_at_the_end(accuracies)
    if rise is None:
        return []
    best = best_epoch(accuracies) or len(accuracies)
    if accuracies[best - 1] - accuracies[-1] > PEAK:
        return [
            Advice(
                "fell",
                "It was better before",
                f"Its best was epoch {epochs[best - 1]}; what came after made it worse. "
                "Fewer epochs, or a smaller learning rate at the end, may keep the best.",
                f"{percent(accuracies[best - 1])} then, {percent(accuracies[-1])} at the end "
                f"({course.split} images).",
            )
        ]
    if course.anneals:
        return _on_schedule(accuracies, course) if course.is_whole else []
    part = max(2, len(accuracies) // 5)
    return _on_flatness(rise, part, course.split, is_best_late=best > len(accuracies) - part)


def _on_flatness(rise: float, part: int, split: str, *, is_best_late: bool) -> list[Advice]:
    """Says whether a curve under a steady learning rate still rises."""
    if rise <= RISE_POINTS:
        return [
            Advice(
                "flat",
                "Long enough",
                "The curve has flattened: more epochs of the same kind will hardly help.",
                f"The last {part} epochs are {_points(rise)} on average against the {part} before "
                f"them ({split} images).",
            )
        ]
    if not is_best_late:
        return []
    return [
        Advice(
            "rising",
            "Still rising at the end: train longer",
            "The curve has not flattened. The same recipe with more epochs should do better.",
            f"The last {part} epochs are {100 * rise:.1f} points better on average than the {part} "
            f"before them ({split} images).",
        )
    ]


def _on_schedule(accuracies: Sequence[float], course: Course) -> list[Advice]:
    """Says what the end of an annealed run does not tell."""
    last = max(2, len(accuracies) // 20)
    change = accuracies[-1] - accuracies[-1 - last] if len(accuracies) > last else 0.0
    return [
        Advice(
            "scheduled",
            "It ran to the end of its schedule",
            "Its learning rate fell towards the end, which lifts and settles the curve by design. "
            "Whether a longer run would do better, only a longer run tells.",
            f"The last {last} epochs changed the accuracy by {_points(change)} "
            f"({course.split} images).",
        )
    ]


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points".replace("-", "−")
