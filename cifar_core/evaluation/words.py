"""Classes and predictions in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.formats import percent


def plural(label: int, dataset: DatasetSpec = CIFAR10) -> str:
    """Returns the plural of a class: ``cats``, ``deer``."""
    name = dataset.class_names[label]
    return name if name == "deer" else f"{name}s"


def with_article(label: int, dataset: DatasetSpec = CIFAR10) -> str:
    """Returns a class with its article: ``a cat``, ``an airplane``."""
    name = dataset.class_names[label]
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def counted(count: int, label: int, dataset: DatasetSpec = CIFAR10) -> str:
    """Returns a number of pictures of a class: ``1 cat``, ``1,000 cats``."""
    return f"{count:,} {dataset.class_names[label] if count == 1 else plural(label, dataset)}"


def listed(parts: Sequence[str]) -> str:
    """Returns words as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def taken_for(
    *, true: int, predicted: int, count: int, total: int, dataset: DatasetSpec = CIFAR10
) -> str:
    """Returns one cell of a confusion matrix in words, without a full stop.

    Args:
        true: Class the pictures show.
        predicted: Class they were taken for; the true one when they were recognised.
        count: Pictures in the cell.
        total: Pictures of the true class.
        dataset: Names the classes.
    """
    if total == 0:
        return f"no pictures of {plural(true, dataset)}"
    were = "was" if count <= 1 else "were"
    of = f"{f'{count:,}' if count else 'none'} of {counted(total, true, dataset)}"
    if true == predicted:
        verdict = "recognised"
    else:
        named = with_article if count <= 1 else plural
        verdict = f"taken for {named(predicted, dataset)}"
    share = f" ({percent(count / total)})" if count else ""
    return f"{of} {were} {verdict}{share}"


def prediction_sentence(
    model: str, probabilities: NDArray[np.float32], dataset: DatasetSpec = CIFAR10
) -> str:
    """Returns a model's prediction in a sentence.

    Args:
        model: What the model is called.
        probabilities: (classes,), summing to 1.
        dataset: Names the classes.
    """
    first, second = (int(label) for label in np.argsort(-probabilities, kind="stable")[:2])
    return (
        f"{model} takes this for {with_article(first, dataset)}, "
        f"{percent(float(probabilities[first]))}; second: {dataset.class_names[second]}, "
        f"{percent(float(probabilities[second]))}."
    )


def disagreement(answers: Mapping[str, NDArray[np.float32]], dataset: DatasetSpec = CIFAR10) -> str:
    """Says in a sentence that models see different classes; empty where they agree.

    Args:
        answers: Probabilities (classes,) by what the models are called.
        dataset: Names the classes.
    """
    seen = {model: int(np.argmax(values)) for model, values in answers.items()}
    if len(set(seen.values())) < 2:
        return ""
    says = listed([f"{model} says {dataset.class_names[label]}" for model, label in seen.items()])
    return f"The models disagree: {says}. At least one of them is wrong."
