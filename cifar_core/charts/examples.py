"""Single pictures as a network learns them: what it gives their true class, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.formats import percent

HEIGHT: Final = 400
BELOW_PIXELS: Final = 110
"""Room for the epochs, the axis title and the colour bar."""


MOST_TICKS: Final = 12
"""Up to so many epochs each has its number; beyond, Plotly chooses."""


def course_heatmap(
    epochs: Sequence[int],
    probabilities: NDArray[Any],
    labels: NDArray[Any],
    *,
    title: theme.Title,
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
) -> go.Figure:
    """Draws a row for each picture and a column for each epoch.

    Args:
        epochs: (e,), counted from 1.
        probabilities: (e, n, classes) for n pictures of different classes.
        labels: (n,), the true classes.
        title: What is shown and where it comes from.
        dataset: Names the classes.
        dark: Which mode.
    """
    given = [probabilities[:, place, label].tolist() for place, label in enumerate(labels)]
    names = [dataset.class_names[label] for label in labels]
    words = [
        [
            _words(epoch, answer[place], label, dataset.class_names)
            for epoch, answer in zip(epochs, probabilities, strict=True)
        ]
        for place, label in enumerate(labels.tolist())
    ]
    cells = go.Heatmap(
        z=[[round(100 * share, 1) for share in row] for row in given],
        x=list(epochs),
        y=names,
        text=words,
        hovertemplate="%{text}<extra></extra>",
        colorscale=theme.scale(theme.palette(dark).sequential),
        zmin=0,
        zmax=100,
        ygap=2,
        colorbar=theme.colour_bar("Given to the true class", dark=dark, suffix="%"),
    )
    chart = theme.figure(cells)
    chart.layout = {
        "template": {},
        "dragmode": False,
        "xaxis": {
            "title": {"text": "Epoch"},
            "showgrid": False,
            "fixedrange": True,
            "dtick": epochs[0] if len(epochs) <= MOST_TICKS else None,
        },
        "yaxis": {"showgrid": False, "fixedrange": True, "autorange": "reversed"},
    }
    theme.style(chart, title=title, dark=dark, height=HEIGHT)
    chart.layout.margin.b = BELOW_PIXELS
    return chart


def _words(epoch: int, answer: NDArray[Any], label: int, names: Sequence[str]) -> str:
    """Returns an answer in words: ``epoch 3: dog 61.2%; cat, what it is, 20.1%``."""
    said = int(answer.argmax())
    words = f"epoch {epoch}: {names[said]} {percent(float(answer[said]))}"
    if said == label:
        return f"{words}, right"
    return f"{words}; {names[label]}, what it is, {percent(float(answer[label]))}"
