"""Precision against recall: what naming a class more freely costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.evaluation.ranking import PrecisionRecall
from cifar_core.evaluation.words import plural

_POINTS: Final = 60
"""Of each line, evenly over the recall; more would only burden the connection."""

_FAINT: Final = 0.22


def precision_chart(
    curves: Sequence[PrecisionRecall],
    *,
    chosen: int | None = None,
    title: theme.Title | str = "Precision against recall",
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
    height: int = 420,
) -> go.Figure:
    """Draws one line per class, each in the colour of its class.

    Args:
        curves: The classes.
        chosen: The one that stands out; the others become faint.
        title: What is shown and where it comes from.
        dataset: Names and colours the classes.
        dark: Which mode.
        height: Pixels.
    """
    drawn = sorted(curves, key=lambda curve: curve.label == chosen)  # the chosen one on top
    chart = theme.figure(*(_line(curve, chosen, dataset) for curve in drawn))
    chart.layout = {
        "template": {},
        "hovermode": "closest",
        "xaxis": {
            "title": {"text": "Of the class's pictures, found (recall)"},
            "range": [0, 101],
            "ticksuffix": "%",
            "dtick": 20,
        },
        "yaxis": {
            "title": {"text": "Of those so named, right (precision)"},
            "ticksuffix": "%",
            "range": [0, 102],
            "dtick": 20,
        },
        "legend": {"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top"},
    }
    return theme.style(chart, title=title, dark=dark, height=height)


def thinned(curve: PrecisionRecall, points: int = _POINTS) -> np.ndarray:
    """Returns positions (m,) of a curve, evenly over its recall, its ends among them."""
    if not len(curve.recall) or not np.isfinite(curve.recall).all():
        return np.zeros(0, np.int64)
    wanted = np.linspace(curve.recall[0], curve.recall[-1], points)
    places = np.searchsorted(curve.recall, wanted).clip(0, len(curve.recall) - 1)
    return np.unique(places)


def _line(curve: PrecisionRecall, chosen: int | None, dataset: DatasetSpec) -> go.Scatter:
    places = thinned(curve)
    name = dataset.class_names[curve.label]
    stands_out = chosen in (None, curve.label)
    return go.Scatter(
        x=np.round(100 * curve.recall[places], 2).tolist(),
        y=np.round(100 * curve.precision[places], 2).tolist(),
        customdata=np.round(100 * curve.thresholds[places], 1).tolist(),
        mode="lines",
        name=name,
        legendrank=curve.label,
        opacity=1.0 if stands_out else _FAINT,
        line={
            "color": dataset.class_colours[curve.label],
            "width": 3.5 if chosen == curve.label else 2,
        },
        hovertemplate=f"<b>{name}</b><br>Named so when at least %{{customdata}}% probable: "
        f"%{{x:.1f}}% of the {plural(curve.label, dataset)} are found,<br>%{{y:.1f}}% of the "
        "pictures so named are right<extra></extra>",
    )
