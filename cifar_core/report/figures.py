"""The charts of a report, by name; each is drawn once and shown wherever it is named."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cifar_core.charts.bars import EpochTimes, epoch_time_bars
from cifar_core.charts.calibration import ReliabilitySeries, reliability_diagram
from cifar_core.charts.curves import CurveSeries, accuracy_curve
from cifar_core.charts.intervals import NamedShare, interval_chart
from cifar_core.charts.matrix import confusion_heatmap
from cifar_core.charts.theme import Title
from cifar_core.evaluation import calibration, published
from cifar_core.evaluation.comparison import best_epoch
from cifar_core.networks import NETWORKS
from cifar_core.report.subjects import Subject

TUTORIAL = "tutorial"


def draw(subjects: Sequence[Subject]) -> dict[str, go.Figure]:
    """Returns every chart of the report, by name."""
    charts = {
        "accuracy": accuracies(subjects),
        "learning": learning(subjects),
        "times": times(subjects),
        "reliability": reliability(subjects),
    }
    for place, subject in enumerate(subjects):
        charts[f"matrix-{place}"] = matrix(subject)
    return charts


def heights(charts: dict[str, go.Figure]) -> dict[str, int]:
    """Returns how many pixels each chart takes."""
    return {name: int(chart.layout.height) for name, chart in charts.items()}


def accuracies(subjects: Sequence[Subject]) -> go.Figure:
    """Draws the accuracies of the runs with their intervals, and the tutorial's below them."""
    rows = [NamedShare(subject.name, subject.network, subject.accuracy) for subject in subjects]
    return interval_chart([*rows, *tutorial_rows()])


def tutorial_rows() -> list[NamedShare]:
    """Returns the tutorial's published accuracies, the misprint corrected."""
    return [
        NamedShare(
            f"Tutorial, {NETWORKS[network].title}",
            TUTORIAL,
            published.published(network).accuracy,
        )
        for network in published.BEST_EPOCHS
    ]


def learning(subjects: Sequence[Subject]) -> go.Figure:
    """Draws the accuracy on the monitored split after each epoch, and the tutorial's levels."""
    lines = []
    for subject in subjects:
        learnt = subject.learning
        best = best_epoch(learnt.accuracy)
        line = CurveSeries(
            subject.name,
            subject.network,
            [float(epoch) for epoch in learnt.epochs],
            learnt.accuracy,
            split=subject.recipe.monitored_split,
            best_epoch=None if best is None else learnt.epochs[best - 1],
        )
        training = learnt.train_accuracy
        lines += [line, dataclasses.replace(line, y=training, split="train", best_epoch=None)]
    last = max((line.x[-1] for line in lines if len(line.x)), default=1.0)
    for row in tutorial_rows():
        level = [row.share.value, row.share.value]
        lines.append(CurveSeries(row.name, TUTORIAL, [1.0, last], level, split="test", dashed=True))
    return accuracy_curve(lines, title=Title("Accuracy after each epoch, best epoch marked"))


def times(subjects: Sequence[Subject]) -> go.Figure:
    """Draws how long an epoch took."""
    return epoch_time_bars(
        [
            EpochTimes(
                subject.name,
                subject.network,
                [value for value in subject.learning.epoch_seconds if np.isfinite(value)],
            )
            for subject in subjects
        ],
        title="Training time per epoch",
    )


def matrix(subject: Subject) -> go.Figure:
    """Draws the mistakes of a run, class by class."""
    title = Title("Wrong predictions by class", subject.name, subject.answers.epoch, "test")
    chart = confusion_heatmap(subject.matrix, show_diagonal=False, title=title)
    # Hovering asks the squares that lie over the cells; here nothing answers a click.
    return chart.update_layout(clickmode="none")


def reliability(subjects: Sequence[Subject]) -> go.Figure:
    """Draws how often predictions of each confidence are correct, as trained and calibrated."""
    series = []
    for subject in subjects:
        labels = subject.answers.labels
        raw = calibration.reliability(subject.answers.probabilities, labels)
        has_temperature = subject.figures.temperature is not None
        series.append(
            ReliabilitySeries(f"{subject.name}, as trained", subject.network, raw, has_temperature)
        )
        if has_temperature:
            bins = calibration.reliability(subject.calibrated, labels)
            series.append(ReliabilitySeries(f"{subject.name}, calibrated", subject.network, bins))
    chart = reliability_diagram(series, title=Title("Does 80% confidence mean 80% accuracy?"))
    rows = -(-len(series) // 2)  # of the legend, which stands between title and plot
    return chart.update_layout(margin_t=chart.layout.margin.t + 22 * (rows - 1))


def to_json(charts: dict[str, go.Figure]) -> str:
    r"""Returns the charts as JSON that may stand inside a script element.

    Every ``<``, ``>`` and ``&`` is spelt ``\u003c`` and so on: nothing in it can end the element.
    """
    whole = "{" + ",".join(f'"{name}":{chart.to_json()}' for name, chart in charts.items()) + "}"
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", whole)
