"""Advice in plain words, each piece derived from figures that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.evaluation.comparison import best_epoch
from cifar_core.evaluation.learning import RISE_POINTS, Learning, rise_at_the_end
from cifar_core.evaluation.metrics import most_confused, normalise
from cifar_core.evaluation.predictions import checked_matrix, checked_pair
from cifar_core.evaluation.words import plural, with_article
from cifar_core.formats import percent

GAP: Final = 0.1
"""A network that knows its training pictures this much better has learnt some by heart."""

GUESSING: Final = 0.15
"""Ten classes give 10% by guessing; below this nothing was learnt."""

MEMORISED: Final = 0.95
"""Training accuracy above which there is little left to learn from the pictures given."""

SURE: Final = 0.03
"""A mean confidence this far from the accuracy is worth a word."""

PEAK: Final = 0.01
"""A fall of this much since the best epoch is worth a word."""


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Attributes:
        title: What is the matter, a few words.
        sentence: What it means and what to do.
        figures: The figures it is derived from, in words.
    """

    title: str
    sentence: str
    figures: str


def advise_on_learning(learning: Learning, *, split: str) -> list[Advice]:
    """Returns what the course of a training suggests; nothing when nothing is remarkable.

    Args:
        learning: The figures after each epoch.
        split: What the monitored pictures are called: ``validation`` or ``test``.
    """
    accuracies = [value for value in learning.accuracy if np.isfinite(value)]
    if not accuracies:
        return []
    best = max(accuracies)
    if best < GUESSING:
        return [
            Advice(
                "It did not learn",
                "The network does hardly better than guessing. Try a smaller learning rate: "
                "a tenth of the present one is a good next step.",
                f"Best accuracy {percent(best)} of the {split} pictures; guessing gives 10.0%.",
            )
        ]
    return [*_on_fit(learning, split), *_on_length(accuracies, learning, split)]


def advise_on_answers(
    matrix: ArrayLike, probabilities: ArrayLike, labels: ArrayLike, *, split: str
) -> list[Advice]:
    """Returns what the answers of a network suggest.

    Args:
        matrix: Counts (10, 10), rows true, columns predicted.
        probabilities: (n, 10), the answers the matrix counts.
        labels: True classes (n,).
        split: What the pictures are called.

    Raises:
        PredictionsError: They do not fit together.
    """
    counts = checked_matrix(matrix)
    recalls = np.diag(normalise(counts, "row"))
    totals = counts.sum(axis=1)
    found = []
    if (totals > 0).all():
        worst = int(np.argmin(recalls))
        found.append(
            Advice(
                f"Weakest class: {plural(worst)}",
                f"Look at the {plural(worst)} it misses: what they have in common is what the "
                "network has not learnt yet.",
                f"{percent(float(recalls[worst]))} of the {plural(worst)} are recognised, "
                f"{percent(float(recalls.mean()))} of a class on average ({split} pictures).",
            )
        )
    pairs = most_confused(counts, 1)
    if pairs:
        pair = pairs[0]
        sentence = pair.sentence()
        back = int(counts[pair.predicted, pair.true])
        found.append(
            Advice(
                f"Most often confused: {plural(pair.true)} with {plural(pair.predicted)}",
                f"Telling {with_article(pair.true)} from {with_article(pair.predicted)} is where "
                "the most errors can be saved at once.",
                f"{sentence[0].upper()}{sentence[1:-1]}, and {back:,} the other way round.",
            )
        )
    return [*found, *_on_confidence(probabilities, labels, split)]


def _on_fit(learning: Learning, split: str) -> list[Advice]:
    """Says whether the network has learnt by heart, or has not learnt enough."""
    train, watched = learning.train_accuracy[-1], learning.accuracy[-1]
    if not (np.isfinite(train) and np.isfinite(watched)):
        return []
    figures = (
        f"After the last epoch {percent(train)} of the training pictures and {percent(watched)} "
        f"of the {split} pictures were right"
    )
    if train - watched > GAP:
        return [
            Advice(
                "It learns by heart (overfitting)",
                "It knows its training pictures much better than new ones. Shifted and mirrored "
                "pictures, more weight decay or fewer epochs help.",
                f"{figures}.",
            )
        ]
    if train < MEMORISED:
        return [
            Advice(
                "It has not learnt its training pictures yet (underfitting)",
                "New pictures go about as well as known ones, so there is nothing to hold back: "
                "more epochs or a larger network are the way up.",
                f"{figures} (training figures are taken with dropout and changed pictures).",
            )
        ]
    return [
        Advice(
            "A sound fit",
            "It knows its training pictures and does about as well on new ones.",
            f"{figures}.",
        )
    ]


def _on_length(accuracies: Sequence[float], learning: Learning, split: str) -> list[Advice]:
    """Says whether the training was too short or too long."""
    rise = rise_at_the_end(accuracies)
    if rise is None:
        return []
    part = max(2, len(accuracies) // 5)
    best = best_epoch(accuracies) or len(accuracies)
    if rise > RISE_POINTS:
        return [
            Advice(
                "Still rising at the end: train longer",
                "The curve has not flattened. The same recipe with more epochs should do better.",
                f"The last {part} epochs are {100 * rise:.1f} points better on average than the "
                f"{part} before them ({split} pictures).",
            )
        ]
    fall = accuracies[best - 1] - accuracies[-1]
    if fall > PEAK:
        return [
            Advice(
                "It was better before: train shorter",
                f"Its best was epoch {learning.epochs[best - 1]}; what came after made it worse.",
                f"{percent(accuracies[best - 1])} then, {percent(accuracies[-1])} at the end "
                f"({split} pictures).",
            )
        ]
    return [
        Advice(
            "Long enough",
            "The curve has flattened: more epochs of the same kind will hardly help.",
            f"The last {part} epochs changed the accuracy by {_points(rise)} ({split} pictures).",
        )
    ]


def _on_confidence(probabilities: ArrayLike, labels: ArrayLike, split: str) -> list[Advice]:
    """Says whether the network is surer, or less sure, than it may be."""
    values, true = checked_pair(probabilities, labels)
    if not len(true):
        return []
    sure = float(values.max(axis=1).mean())
    right = float((values.argmax(axis=1) == true).mean())
    figures = (
        f"On average it says {percent(sure)}, and {percent(right)} of its answers are right "
        f"({split} pictures)."
    )
    if sure - right > SURE:
        return [
            Advice(
                "Surer than it should be (over-confident)",
                "Take its percentages with a grain of salt, or calibrate them: see Confidence.",
                figures,
            )
        ]
    if right - sure > SURE:
        return [
            Advice(
                "Less sure than it could be (under-confident)",
                "It is right more often than it says; calibration repairs that: see Confidence.",
                figures,
            )
        ]
    return [
        Advice(
            "Its percentages can be taken at their word, on average",
            "What it says and how often it is right agree. That holds for pictures like these, "
            "not for photographs of something else.",
            figures,
        )
    ]


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points".replace("-", "−")
