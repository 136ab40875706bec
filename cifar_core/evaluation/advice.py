"""Advice in plain words, each piece derived from figures that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.evaluation.metrics import most_confused, normalise
from cifar_core.evaluation.predictions import checked_matrix, checked_pair
from cifar_core.evaluation.words import plural, with_article
from cifar_core.formats import percent

SURE: Final = 0.03
"""A mean confidence this far from the accuracy is worth a word."""


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Attributes:
        kind: What is concluded: ``no-learning``, ``overfitting``, ``by-heart``, ``underfitting``,
            ``gap``, ``sound-fit``, ``fell``, ``scheduled``, ``rising``, ``flat``,
            ``weakest-class``, ``confusion``, ``over-confident``, ``under-confident`` or
            ``calibrated``.
        title: What is the matter, a few words.
        sentence: What it means and what to do.
        figures: The figures it is derived from, in words.
    """

    kind: str
    title: str
    sentence: str
    figures: str


def advise_on_answers(
    matrix: ArrayLike,
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    split: str,
    dataset: DatasetSpec = CIFAR10,
) -> list[Advice]:
    """Returns what the answers of a network suggest.

    Args:
        matrix: Counts (classes, classes), rows true, columns predicted.
        probabilities: (n, classes), the answers the matrix counts.
        labels: True classes (n,).
        split: What the pictures are called.
        dataset: Names the classes.

    Raises:
        PredictionsError: They do not fit together.
    """
    counts = checked_matrix(matrix)
    recalls = np.diag(normalise(counts, "row"))
    totals = counts.sum(axis=1)
    found = []
    if (totals > 0).all():
        worst = int(np.argmin(recalls))
        many = plural(worst, dataset)
        found.append(
            Advice(
                "weakest-class",
                f"Weakest class: {many}",
                f"Look at the {many} it misses: what they have in common is what the "
                "network has not learned yet.",
                f"{percent(float(recalls[worst]))} of the {many} are recognised, "
                f"{percent(float(recalls.mean()))} of a class on average ({split} images).",
            )
        )
    found += _on_confusion(counts, dataset)
    return [*found, *_on_confidence(probabilities, labels, split)]


def _on_confusion(counts: NDArray[Any], dataset: DatasetSpec) -> list[Advice]:
    """Names the pair of classes that are confused most often, if there is one."""
    pairs = most_confused(counts, 1)
    if not pairs:
        return []
    pair = pairs[0]
    sentence = pair.sentence(dataset)
    back = int(counts[pair.predicted, pair.true])
    (trues, guesses), (true, guess) = (
        (words(pair.true, dataset), words(pair.predicted, dataset))
        for words in (plural, with_article)
    )
    return [
        Advice(
            "confusion",
            f"Most often confused: {trues} with {guesses}",
            f"Telling {true} from {guess} is where the most errors can be saved at once.",
            f"{sentence[0].upper()}{sentence[1:-1]}, and {back:,} the other way round.",
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
        f"({split} images)."
    )
    if sure - right > SURE:
        return [
            Advice(
                "over-confident",
                "Surer than it should be (over-confident)",
                "Take its percentages with a grain of salt, or calibrate them: see Confidence.",
                figures,
            )
        ]
    if right - sure > SURE:
        return [
            Advice(
                "under-confident",
                "Less sure than it could be (under-confident)",
                "It is right more often than it says; calibration repairs that: see Confidence.",
                figures,
            )
        ]
    return [
        Advice(
            "calibrated",
            "Its percentages can be taken at their word, on average",
            "What it says and how often it is right agree. That holds for pictures like these, "
            "not for photographs of something else.",
            figures,
        )
    ]
