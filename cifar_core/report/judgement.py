"""The second half of a report: mistakes, comparison, confidence, limits, origin, repeating."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cifar_core import formats
from cifar_core.dataset import CLASS_NAMES
from cifar_core.dataset.arrays import Split
from cifar_core.errors import RecipeError
from cifar_core.evaluation import classification, metrics
from cifar_core.evaluation.comparison import mcnemar
from cifar_core.recipes import Recipe, recipe
from cifar_core.report.markup import (
    chart,
    folded,
    gallery,
    listed,
    paragraph,
    safe,
    section,
    table,
)
from cifar_core.report.subjects import Subject, right_examples, wrong_examples
from cifar_core.runs.conditions import caveat

if TYPE_CHECKING:
    import pandas as pd

PAIRS = 5
"""Most confused pairs that are named."""

KEPT_AIM = 0.95

COMMAND_SETTINGS = frozenset({"epochs", "batch_size", "learning_rate", "seed", "training_pictures"})
"""Settings that ``python -m cifar_core train`` can change."""


def mistakes(subjects: Sequence[Subject], test: Split, heights: Mapping[str, int]) -> str:
    """Where each network fails: its matrix, its most confused pairs, its pictures."""
    parts = [
        paragraph(
            "A row is what the pictures show, a column what the network took them for. Right "
            "answers are left out, so that the colours spread over the mistakes."
        )
    ]
    for place, subject in enumerate(subjects):
        name = f"matrix-{place}"
        parts += [
            f"<h3>{safe(subject.name)}</h3>",
            chart(name, alt=f"Confusion matrix of {subject.name}", height=heights[name]),
            listed(confusions(subject)),
            folded("The matrix as a table, right answers included", matrix_table(subject)),
            folded("Classification report: precision, recall and F1", class_table(subject)),
            "<h4>Right, and most sure of it</h4>",
            gallery(right_examples(subject, test)),
            "<h4>Wrong, and most sure of it</h4>",
            gallery(wrong_examples(subject, test)),
        ]
    return section("mistakes", "Right and wrong", *parts)


def confusions(subject: Subject, count: int = PAIRS) -> list[str]:
    """Returns the most confused pairs of a run in sentences."""
    sentences = [pair.sentence() for pair in metrics.most_confused(subject.matrix, count)]
    return [sentence[0].upper() + sentence[1:] for sentence in sentences]


def matrix_table(subject: Subject) -> str:
    """Returns the confusion matrix in counts."""
    rows = [
        [name, *(f"{int(cell):,}" for cell in row)]
        for name, row in zip(CLASS_NAMES, subject.matrix, strict=True)
    ]
    heads = ["Shows ↓ taken for →", *CLASS_NAMES]
    return table(heads, rows, caption=f"Confusion matrix of {subject.name}, test pictures")


def class_table(subject: Subject) -> str:
    """Returns the classification report, its averages at the foot as scikit-learn prints them."""
    report = classification.class_report(subject.matrix)
    heads = ["Class", "Precision", "Recall", "F1", "Support"]
    caption = f"Classification report of {subject.name}, test pictures"
    return table(
        heads,
        _report_rows(report),
        foot=_report_rows(classification.averages(report)),
        caption=caption,
    )


def _report_rows(report: pd.DataFrame) -> list[list[str]]:
    return [
        [
            row["class"],
            *("" if np.isnan(row[name]) else f"{row[name]:.3f}" for name in classification.SHARES),
            f"{row['support']:,}",
        ]
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


def comparison(subjects: Sequence[Subject]) -> str:
    """Whether the runs truly differ; empty for a single one."""
    if len(subjects) < 2:
        return ""
    return section(
        "comparison",
        "Is the difference real?",
        listed([*verdicts(subjects), *caveats(subjects)]),
        paragraph(
            "Both networks answered the same test pictures. Only those on which one is right and "
            "the other wrong tell them apart. Interval: Newcombe 1998, method 10. Other seeds "
            "give other networks: that spread is not in this figure.",
            "note",
        ),
    )


def confidence(subjects: Sequence[Subject], heights: Mapping[str, int]) -> str:
    """Whether the networks' percentages can be believed."""
    rows = []
    for subject in subjects:
        figures = subject.figures
        has_none = figures.temperature is None
        rows.append(
            [
                subject.name,
                formats.percent(figures.ece),
                formats.UNKNOWN if has_none else f"{figures.temperature:.2f}",
                formats.percent(figures.ece_calibrated),
            ]
        )
    heads = ["Run", "Calibration error as trained", "Temperature", "Calibration error, calibrated"]
    return section(
        "confidence",
        "How sure can one be?",
        paragraph(
            "A network says how probable it holds its answer. On the dashed diagonal it would be "
            "right exactly as often as it says. The calibration error is the mean distance from "
            "it over 15 groups of answers. The temperature that mends it is fitted on validation "
            "pictures, never on the test pictures."
        ),
        chart("reliability", alt="Confidence against accuracy", height=heights["reliability"]),
        table(heads, rows, caption="Calibration on the test pictures"),
        listed([kept(subject) for subject in subjects]),
    )


def kept(subject: Subject) -> str:
    """Returns what share of a run's answers can be kept to be right 95 times of 100."""
    curve = metrics.kept_against_accuracy(subject.calibrated, subject.answers.labels)
    enough = np.flatnonzero(np.nan_to_num(curve.accuracy, nan=0.0) >= KEPT_AIM)
    if not enough.size:
        return f"{subject.name}: no threshold makes it right 95 times of 100."
    first = int(enough[0])
    return (
        f"{subject.name} is right 95 times of 100 if only answers at least "
        f"{100 * curve.thresholds[first]:.0f}% sure are kept: "
        f"{formats.percent(float(curve.share_kept[first]))} of them."
    )


def limit_sentences(subjects: Sequence[Subject]) -> list[str]:
    """Returns what these figures do not say."""
    sentences = [
        (
            "The networks know ten classes and must name one of them whatever a picture shows. How "
            "sure they say they are does not tell the unknown from the known."
        ),
        (
            "They have seen pictures of 32 × 32 pixels only. Photographs made smaller differ from "
            "them, and the accuracy on them is another one."
        ),
        (
            "3.25% of the test pictures have a near twin among the training pictures or the other "
            "test pictures (Barz and Denzler, ciFAIR, 2020), and about 0.5% of the test labels "
            "are wrong (Northcutt, Athalye and Mueller, 2021)."
        ),
        "Each run is one seed. Another seed gives another network with another accuracy.",
    ]
    watched = [subject.name for subject in subjects if subject.recipe.monitored_split == "test"]
    if watched:
        sentences.append(
            f"{', '.join(watched)}: this recipe watches the test pictures while it learns, as the "
            "tutorial does. An epoch chosen by them looks better than it is."
        )
    return sentences


def limits(subjects: Sequence[Subject]) -> str:
    """What these figures do not say."""
    return section("limits", "Limits", listed(limit_sentences(subjects)))


def origin(subjects: Sequence[Subject]) -> str:
    """Where every number comes from."""
    names = ["Run", *(subject.name for subject in subjects)]
    columns = [_origin(subject) for subject in subjects]
    rows = [[label, *(column[label] for column in columns)] for label in columns[0]]
    return section(
        "origin",
        "Where the numbers come from",
        table(names, rows, caption="Origin of every number in this report"),
        paragraph(
            "The tutorial's figures are counted from the confusion matrices it printed, one "
            "misprinted cell of CNN-4 corrected (horses: 673 instead of 637).",
            "note",
        ),
    )


def _origin(subject: Subject) -> dict[str, str]:
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
        "Split": f"test, {subject.figures.pictures:,} pictures",
        "Interval": subject.figures.interval_method,
        "Watched while learning": subject.recipe.monitored_split,
        "Device": status.device_name or status.device,
        "Computed in": status.precision or formats.UNKNOWN,
        "Data digest": str(manifest.get("data_digest", formats.UNKNOWN)),
        "Model, SHA-256": str(model or formats.UNKNOWN),
        "Made with": ", ".join(f"{name} {version}" for name, version in known.items())
        or formats.UNKNOWN,
    }


def again(subjects: Sequence[Subject]) -> str:
    """How to repeat the runs."""
    parts = [
        paragraph("With CIFAR-10 Lab installed, each of these commands trains a run again:"),
        *(f"<pre><code>{safe(command(subject.recipe))}</code></pre>" for subject in subjects),
        paragraph(
            "With the same code of the lab, on the same machine, backend and versions, on a CPU, "
            "the result is the same to the bit. Elsewhere it differs a little, as between two "
            "seeds."
        ),
    ]
    settings = [subject.recipe.to_json() for subject in subjects]
    rows = [
        [key.replace("_", " "), *(str(values.get(key, "")) for values in settings)]
        for key in settings[0]
    ]
    heads = ["Setting", *(subject.name for subject in subjects)]
    parts.append(folded("Every setting", table(heads, rows, caption="Settings of the runs")))
    return section("again", "How to repeat it", *parts)


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
