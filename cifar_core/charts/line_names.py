"""The names of lines, written at their ends instead of in a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from cifar_core.charts import theme

MOST: Final = 8
"""More lines than this are named in a legend; names at their ends would not fit."""

HEIGHT_PIXELS: Final = 17
"""Height a name needs, so that two do not lie on each other."""

_FRAME_PIXELS: Final = 110
"""What title and axis take from a chart's height, roughly."""


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends, and what it is called there.

    Attributes:
        x: In units of the axis.
        y: Likewise.
        name: Any text.
        network: Whose colour it has.
    """

    x: float
    y: float
    name: str
    network: str


def write_names(
    chart: go.Figure,
    ends: Sequence[LineEnd],
    *,
    span: float,
    column: float | None = None,
    dark: bool = False,
    height: int,
) -> None:
    """Writes each line's name at its end, names pushed apart where they would overlap.

    Args:
        chart: Gets the names.
        ends: Of the lines.
        span: What the y axis shows, from its lowest to its highest value.
        column: Where all names begin; None for each at the end of its own line.
        dark: Which mode.
        height: Of the chart in pixels.
    """
    pixels = max(height - _FRAME_PIXELS, 60) / span
    rising = sorted(ends, key=lambda end: end.y)
    heights = spread([end.y * pixels for end in rising], HEIGHT_PIXELS)
    for end, wanted in zip(rising, heights, strict=True):
        chart.add_annotation(
            x=end.x if column is None else column,
            y=end.y,
            text=theme.plain(end.name),
            showarrow=False,
            xanchor="left",
            xshift=9,
            yshift=round(wanted - end.y * pixels),
            font={"color": theme.network_colour(end.network, dark=dark), "size": 12},
        )


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Returns rising heights moved apart to at least a gap, around where they were."""
    groups: list[tuple[float, int]] = []  # (sum of the heights it would have at its foot, size)
    for height in heights:
        total, size = height, 1
        while groups and groups[-1][0] / groups[-1][1] + gap * groups[-1][1] > total / size:
            before, members = groups.pop()
            total, size = before + total - gap * members * size, members + size
        groups.append((total, size))
    return [total / size + gap * place for total, size in groups for place in range(size)]
