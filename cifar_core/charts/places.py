"""A map of pictures: each a point in the plane, in the colour of its class."""

from __future__ import annotations

from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10

HEIGHT: Final = 620

_FAINT: Final = 0.08
_SYMBOLS: Final = (0, 1, 2, 3, 5)
"""Plotly's circle, square, diamond, cross and triangle. Colour is not the only carrier: neighbours
in the order of classes differ in shape too."""

_HOLLOW: Final = 100
"""Added to a symbol's number it is an outline: a training image."""


def places_map(
    places: NDArray[np.float32],
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    words: list[str],
    *,
    is_test: NDArray[np.bool_],
    chosen: int | None = None,
    title: theme.Title | str = "Map of the pictures",
    dark: bool = False,
) -> go.Figure:
    """Draws pictures as points that can be circled; ``customdata`` of each is its row.

    Args:
        places: (m, 2).
        labels: (m,) classes.
        rows: (m,) what a selection returns.
        words: What hovering says of each.
        is_test: (m,) which are test images; they are filled, training images are outlines.
        chosen: A class to bring to the front; the others fade.
        title: What is shown and where it comes from.
        dark: Which mode.
    """
    chart = theme.figure()
    for label, name in enumerate(CIFAR10.class_names):
        own = np.flatnonzero(labels == label)
        is_faint = chosen is not None and chosen != label
        chart.add_trace(
            go.Scatter(
                x=[round(float(value), 2) for value in places[own, 0]],
                y=[round(float(value), 2) for value in places[own, 1]],
                customdata=[int(row) for row in rows[own]],
                text=[words[place] for place in own],
                mode="markers",
                name=name,
                marker={
                    "color": CIFAR10.class_colours[label],
                    "symbol": [
                        _SYMBOLS[label % len(_SYMBOLS)] + (0 if is_test[place] else _HOLLOW)
                        for place in own
                    ],
                    "size": 6,
                    "opacity": _FAINT if is_faint else 0.85,
                    "line": {"width": 0},
                },
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 0.12}},
                hovertemplate="%{text}<extra></extra>",
            )
        )
    for name, symbol in (("test image", 0), ("training image", _HOLLOW)):
        marker = {"color": theme.palette(dark).muted, "symbol": symbol, "size": 6}
        chart.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker))
    chart.update_layout(
        dragmode="lasso",
        hovermode="closest",
        legend={"orientation": "h", "y": 0, "yanchor": "top", "itemsizing": "constant"},
        newselection={"line": {"color": theme.palette(dark).ink, "width": 1.5}},
    )
    theme.style(chart, title=title, dark=dark, height=HEIGHT)
    chart.update_xaxes(visible=False)
    return chart.update_yaxes(visible=False)
