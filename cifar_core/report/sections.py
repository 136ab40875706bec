"""The first half of a report: the question, the answer, the pictures, the networks, the course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cifar_core import formats
from cifar_core.charts.network import network_svg
from cifar_core.dataset import CLASS_NAMES
from cifar_core.dataset.arrays import Dataset
from cifar_core.evaluation import published
from cifar_core.evaluation.learning import epoch_time
from cifar_core.evaluation.words import listed as listed_words
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import load_description
from cifar_core.report.markup import (
    chart,
    class_pictures,
    folded,
    listed,
    paragraph,
    section,
    table,
)
from cifar_core.report.subjects import Subject
from cifar_core.runs.conditions import time_caveat

QUESTION = (
    "How well can a small network learn to tell ten kinds of things apart in pictures of 32 × 32 "
    "pixels, and do six convolution layers do better than four?"
)


def answer_sentences(subjects: Sequence[Subject]) -> list[str]:
    """Returns the outcome in a sentence per run, the best one first, and the tutorial's.

    The reference comes behind them.
    """
    ranked = sorted(
        subjects, key=lambda subject: (subject.run.is_reference, -subject.accuracy.value)
    )
    sentences = [
        f"{subject.said} names {subject.accuracy.words()} of {subject.accuracy.total:,} pictures "
        f"rightly that it had never seen, after {taken(subject)} of learning."
        for subject in ranked
    ]
    printed = listed_words(
        [
            f"{published.published(network).accuracy.words()} for {NETWORKS[network].title}"
            for network in published.BEST_EPOCHS
        ]
    )
    sentences.append(f"The tutorial that this began with printed {printed}.")
    return sentences


def taken(subject: Subject) -> str:
    """Returns how long a run has trained, in words."""
    return formats.duration(subject.run.status.running_seconds)


def answer(subjects: Sequence[Subject], heights: Mapping[str, int]) -> str:
    """The outcome: sentences, the accuracies with their intervals, the table."""
    return section(
        "answer",
        "The answer",
        listed(answer_sentences(subjects)),
        chart("accuracy", alt="Accuracies with their intervals", height=heights["accuracy"]),
        result_table(subjects),
        paragraph(
            "The number after ± is half of the 95% interval: drawn so, such a range holds a "
            "network's true accuracy on pictures of this kind 95 times of 100. Guessing gives 10%.",
            "note",
        ),
    )


def result_table(subjects: Sequence[Subject]) -> str:
    """Returns the final figures of every run and what the tutorial printed."""
    rows: list[list[str]] = [
        [
            subject.name,
            subject.title,
            subject.accuracy.words(),
            formats.percent(subject.figures.top5),
            formats.percent(subject.figures.accuracy_mirrored),
            f"{subject.recipe.epochs:,}",
            taken(subject),
        ]
        for subject in subjects
    ]
    for network in published.BEST_EPOCHS:
        known = published.published(network)
        title = NETWORKS[network].title
        blank = [formats.UNKNOWN] * 4
        rows.append([f"Tutorial, {title}", title, known.accuracy.words(), *blank])
    heads = [
        "Run",
        "Network",
        "Test accuracy (95% interval)",
        "Right class among its first five",
        "Averaged with the mirror image",
        "Epochs",
        "Training time",
    ]
    return table(heads, rows, caption="Figures on the 10,000 test pictures")


def learnt_words(subjects: Sequence[Subject]) -> str:
    """Returns how many pictures were learnt from: ``45,000 of the 50,000``, ``the 50,000``."""
    counts = sorted({subject.recipe.learnt_pictures for subject in subjects})
    if counts == [50_000]:
        return "the 50,000"
    ends = " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))
    return f"{ends} of the 50,000"


def asked_words(subjects: Sequence[Subject]) -> str:
    """Returns when the test pictures were looked at."""
    watching = [subject.recipe.monitored_split == "test" for subject in subjects]
    if all(watching):
        return (
            "the 10,000 test pictures are not learnt from, but watched after every epoch, as the "
            "tutorial does"
        )
    if any(watching):
        return (
            "the 10,000 test pictures are kept aside and asked once, at the end; only the "
            "tutorial's own recipes watch them after every epoch"
        )
    return "the 10,000 test pictures are kept aside and asked once, at the end"


def data(subjects: Sequence[Subject], dataset: Dataset) -> str:
    """What the networks learn from and are judged by."""
    return section(
        "data",
        "The pictures",
        paragraph(
            "CIFAR-10 holds 60,000 colour photographs of 32 × 32 pixels, 6,000 of each of ten "
            f"classes. The networks learn from {learnt_words(subjects)} training pictures; "
            f"{asked_words(subjects)}."
        ),
        class_pictures(one_per_class(dataset)),
        paragraph(
            "One test picture of each class, each pixel a square. Source: A. Krizhevsky, Learning "
            "Multiple Layers of Features from Tiny Images, 2009. Data digest "
            f"{dataset.digest}.",
            "note",
        ),
    )


def one_per_class(dataset: Dataset) -> np.ndarray:
    """Returns the first test picture of each class, (10, 32, 32, 3) uint8."""
    labels = dataset.test.labels
    first = [int(np.flatnonzero(labels == label)[0]) for label in range(len(CLASS_NAMES))]
    return np.asarray(dataset.test.images[first])


def used_networks(subjects: Sequence[Subject]) -> list[str]:
    """Returns the networks of the runs, each once, in the lab's order."""
    used = {subject.network for subject in subjects}
    return [network for network in NETWORKS if network in used]


def networks(subjects: Sequence[Subject]) -> str:
    """What the networks are made of."""
    parts, rows = [], []
    for name in used_networks(subjects):
        described = load_description(name)
        convolutions = sum(row.kind == "Conv2D" for row in described.rows)
        rows.append(
            [
                described.title,
                convolutions,
                f"{described.parameters:,}",
                f"{described.macs / 1e6:,.1f} million",
            ]
        )
        parts += [
            f"<h3>{NETWORKS[name].marked_title}</h3>",
            paragraph(NETWORKS[name].summary),
            (
                f'<div class="wide drawing" tabindex="0" role="region" aria-label="Drawing of '
                f'{NETWORKS[name].title}">{network_svg(described)}</div>'
            ),
        ]
    heads = ["Network", "Convolution layers", "Parameters", "Multiply-adds per picture"]
    return section(
        "networks", "The networks", table(heads, rows, caption="Size of the networks"), *parts
    )


def course(subjects: Sequence[Subject], heights: Mapping[str, int]) -> str:
    """How the runs learnt, and how long it took."""
    rows = []
    for subject in subjects:
        took = epoch_time(subject.learning.epoch_seconds)
        rows.append(
            [
                subject.name,
                recipe_title(subject),
                formats.duration(took.median_seconds if took else None),
                taken(subject),
                subject.run.status.device_name or subject.run.status.device,
            ]
        )
    heads = ["Run", "Recipe", "Time per epoch, median", "Training in all", "Trained on"]
    unlike = time_caveat([subject.run for subject in subjects])
    return section(
        "learning",
        "How they learnt",
        paragraph(
            "After each round through the training pictures, an epoch, a network is asked about "
            "pictures it does not learn from. Dotted: the accuracy on the training images, "
            "measured during the epoch with dropout and augmentation, which make them harder."
        ),
        chart("learning", alt="Accuracy after each epoch", height=heights["learning"]),
        chart("times", alt="Time per epoch", height=heights["times"]),
        table(heads, rows, caption="Learning times"),
        paragraph(unlike) if unlike else "",
        folded("Accuracy after each epoch, as a table", epoch_table(subjects)),
    )


def epoch_table(subjects: Sequence[Subject]) -> str:
    """Returns the accuracy of every run after every epoch."""
    columns = [
        dict(zip(subject.learning.epochs, shares, strict=True))
        for subject in subjects
        for shares in (subject.learning.accuracy, subject.learning.train_accuracy)
    ]
    epochs = sorted({epoch for column in columns for epoch in column})
    heads = [
        "Epoch",
        *(
            f"{subject.name}, {split}"
            for subject in subjects
            for split in (subject.recipe.monitored_split, "training")
        ),
    ]
    rows = [
        [str(epoch), *(formats.percent(column.get(epoch)) for column in columns)]
        for epoch in epochs
    ]
    return table(heads, rows, caption="Accuracy of every epoch")


def recipe_title(subject: Subject) -> str:
    """Returns what the recipe of a run is called."""
    named = NAMED_RECIPES.get(subject.recipe.name)
    return named.title if named else subject.recipe.name
