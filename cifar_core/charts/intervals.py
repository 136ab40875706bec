"""Accuracies side by side, each with its interval: what overlaps may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cifar_core.charts import theme
from cifar_core.evaluation.metrics import Share


@dataclass(frozen=True)
class NamedShare:
    """One accuracy of the chart.

    Attributes:
        name: What the line is called.
        network: Whose colour it has; ``tutorial`` for published figures.
        share: The accuracy with its interval.
    """

    name: str
    network: str
    share: Share


def interval_chart(
    rows: Sequence[NamedShare],
    *,
    title: theme.Title | str = "Test accuracy, with its 95% interval",
    dark: bool = False,
    height: int | None = None,
) -> go.Figure:
    """Draws each accuracy as a point on the line of its interval, the first one on top.

    Args:
        rows: The accuracies.
        title: What is shown and where it comes from.
        dark: Which mode.
        height: Pixels; grows with the number of rows when left out.
    """
    colours = theme.palette(dark)
    chart = theme.figure(*(_row(row, dark=dark) for row in rows))
    low = min((row.share.interval.low for row in rows), default=0.0)
    high = max((row.share.interval.high for row in rows), default=1.0)
    room = max(2.0, 20 * (high - low))  # half of a label on a narrow screen
    chart.update_layout(showlegend=False, dragmode=False, hovermode="closest")
    chart.update_xaxes(
        title_text="Test pictures named rightly",
        range=[max(0.0, 100 * low - room), min(106.0, 100 * high + room)],
        ticksuffix="%",
        nticks=7,
        fixedrange=True,
    )
    names = [theme.plain(row.name) for row in rows]
    chart.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], showgrid=False, fixedrange=True
    )
    theme.style(chart, title=title, dark=dark, height=height or 130 + 46 * max(len(rows), 1))
    return chart.update_yaxes(tickfont={"size": 13, "color": colours.ink})


def _row(row: NamedShare, *, dark: bool) -> go.Scatter:
    """Returns one accuracy: a square and a dashed line for what was published, else a dot."""
    share, is_published = row.share, row.network == "tutorial"
    colour = theme.network_colour(row.network, dark=dark)
    value = round(100 * share.value, 2)
    return go.Scatter(
        x=[value],
        y=[theme.plain(row.name)],
        mode="markers+text",
        marker={"color": colour, "size": 12, "symbol": "square" if is_published else "circle"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [round(100 * share.interval.high - value, 3)],
            "arrayminus": [round(value - 100 * share.interval.low, 3)],
            "color": colour,
            "thickness": 2.5,
            "width": 6,
        },
        text=[share.words()],
        textposition="top center",
        textfont={"color": theme.palette(dark).ink, "size": 13},
        cliponaxis=False,
        hovertext=[
            (
                f"<b>{theme.plain(row.name)}</b><br>{share.right:,} of {share.total:,} "
                f"test pictures right: {share.words()}<br>{share.interval.method}"
            )
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
