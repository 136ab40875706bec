"""Judgements on runs in sentences and rows: mistakes, comparison, confidence, source, command."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cifar_core import formats
from cifar_core.errors import RecipeError
from cifar_core.evaluation import metrics
from cifar_core.evaluation.classification import SHARES
from cifar_core.evaluation.comparison import mcnemar
from cifar_core.recipes import Recipe, recipe
from cifar_core.report.subjects import Subject
from cifar_core.runs.conditions import caveat

if TYPE_CHECKING:
    import pandas as pd

PAIRS = 5
"""Most confused pairs that are named."""

KEPT_AIM = 0.95

COMMAND_SETTINGS = frozenset({"epochs", "batch_size", "learning_rate", "seed", "training_pictures"})
"""Settings that ``python -m cifar_core train`` can change."""

Row = tuple[str, tuple[object, ...]]
"""A row of a table: its name and its cells."""


def confusions(subject: Subject) -> list[str]:
    """Returns the most confused pairs of a run in sentences."""
    sentences = [pair.sentence() for pair in metrics.most_confused(subject.matrix, PAIRS)]
    return [sentence[0].upper() + sentence[1:] for sentence in sentences]


def class_rows(report: pd.DataFrame) -> list[Row]:
    """Returns the rows of a classification report; no cell where a share is undefined."""
    return [
        (
            row["class"],
            (
                *("" if np.isnan(row[share]) else f"{row[share]:.3f}" for share in SHARES),
                formats.count(row["support"]),
            ),
        )
        for row in report.to_dict("records")
    ]


def verdicts(subjects: Sequence[Subject]) -> list[str]:
    """Returns for each run and the next one whether they truly differ."""
    return [
        mcnemar(one.answers.labels, one.predicted, other.predicted).sentence(one.name, other.name)
        for one, other in itertools.pairwise(subjects)
    ]


def caveats(subjects: Sequence[Subject]) -> list[str]:
    """Returns for each run and the next one how they were trained differently, if they were."""
    return [
        f"{one.name} and {other.name}: {words[0].lower()}{words[1:]}"
        for one, other in itertools.pairwise(subjects)
        if (words := caveat(one.run, other.run))
    ]


def kept(subject: Subject) -> str:
    """Returns what coverage leaves a run correct 95 times of 100."""
    curve = metrics.kept_against_accuracy(subject.calibrated, subject.answers.labels)
    enough = np.flatnonzero(np.nan_to_num(curve.accuracy, nan=0.0) >= KEPT_AIM)
    if not enough.size:
        return f"{subject.name}: no threshold makes 95 of 100 predictions correct."
    first = int(enough[0])
    return (
        f"{subject.name}: of the predictions with at least {100 * curve.thresholds[first]:.0f}% "
        "confidence, 95 of 100 are correct; coverage: "
        f"{formats.percent(float(curve.share_kept[first]))}."
    )


def origin(subject: Subject) -> dict[str, str]:
    """Returns where every number of a run comes from, by what is told."""
    status, manifest = subject.run.status, subject.manifest
    versions = manifest.get("versions")
    known = versions if isinstance(versions, dict) else {}
    model = subject.run.folder.recorded_digest()
    return {
        "Identity": str(manifest.get("run", subject.run.id)),
        "Network": subject.title,
        "Recipe": subject.recipe.name,
        "Seed": str(subject.recipe.seed),
        "Epoch": f"{subject.answers.epoch} of {subject.recipe.epochs}",
        "Split": f"test, {subject.figures.pictures:,} images",
        "Interval": subject.figures.interval_method,
        "Monitored split": subject.recipe.monitored_split,
        "Device": subject.device,
        "Numeric precision": status.precision or formats.UNKNOWN,
        "Data digest": str(manifest.get("data_digest", formats.UNKNOWN)),
        "Model, SHA-256": str(model or formats.UNKNOWN),
        "Made with": ", ".join(f"{name} {version}" for name, version in known.items())
        or formats.UNKNOWN,
    }


def command(wanted: Recipe) -> str:
    """Returns the command that trains a recipe again; what it cannot say is named behind it."""
    start = f"python -m cifar_core train --network {wanted.network} --recipe {wanted.name}"
    try:
        named = recipe(wanted.name, wanted.network).to_json()
    except RecipeError:  # a recipe of another version of the lab
        return start
    changed = {key: value for key, value in wanted.to_json().items() if value != named[key]}
    words = [
        f"--{key.replace('_', '-')} {value}"
        for key, value in sorted(changed.items())
        if key in COMMAND_SETTINGS
    ]
    others = [f"{key}={value}" for key, value in changed.items() if key not in COMMAND_SETTINGS]
    rest = [f"  # and in recipe.json: {', '.join(others)}"] if others else []
    return " ".join([start, *words, *rest])
