"""Whether probabilities mean what they say: reliability, and what a threshold keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cifar_core.charts import theme
from cifar_core.evaluation.calibration import ReliabilityBin
from cifar_core.evaluation.metrics import KeptCurve


@dataclass(frozen=True)
class ReliabilitySeries:
    """One model's reliability.

    Attributes:
        name: What the line is called, such as ``CNN-4, temperature 1.3``.
        network: Whose colour it has.
        bins: From :func:`cifar_core.evaluation.calibration.reliability`.
        dashed: Whether the line is the second of one network, such as before the temperature.
    """

    name: str
    network: str
    bins: Sequence[ReliabilityBin]
    dashed: bool = False


@dataclass(frozen=True)
class KeptSeries:
    """One model's answers as a threshold rises.

    Attributes:
        name: What the line is called.
        network: Whose colour it has.
        curve: From :func:`cifar_core.evaluation.metrics.kept_against_accuracy`.
        dashed: Whether the line is the second of one network.
    """

    name: str
    network: str
    curve: KeptCurve
    dashed: bool = False


def reliability_diagram(
    series: Sequence[ReliabilitySeries],
    *,
    title: theme.Title | str = "Does 80% sure mean 80% right?",
    dark: bool = False,
    height: int = 420,
) -> go.Figure:
    """Draws how often answers of each confidence are right; the diagonal is the ideal.

    Args:
        series: The models. A point is a bin, its area the answers in it.
        title: What is shown and where it comes from.
        dark: Which mode.
        height: Pixels.
    """
    colours = theme.palette(dark)
    chart = theme.figure(
        go.Scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            line={"color": colours.muted, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for line in series:
        chart.add_trace(_reliability(line, dark=dark))
    chart.add_annotation(
        x=10,
        y=12,
        text="ideal",
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        font={"color": colours.muted, "size": 12},
    )
    chart.update_xaxes(title_text="How sure the model says it is")
    chart.update_yaxes(title_text="How often it is right")
    for update in (chart.update_xaxes, chart.update_yaxes):
        update(range=[0, 104], dtick=20, ticksuffix="%")
    return _dressed(chart, len(series), title=title, dark=dark, height=height)


def kept_chart(
    series: Sequence[KeptSeries],
    *,
    title: theme.Title | str = "Fewer answers, better answers",
    dark: bool = False,
    height: int = 420,
) -> go.Figure:
    """Draws the accuracy of the answers kept against how many are kept.

    Args:
        series: The models.
        title: What is shown and where it comes from.
        dark: Which mode.
        height: Pixels.
    """
    chart = theme.figure(*(_kept(line, dark=dark) for line in series))
    chart.update_xaxes(title_text="Answers kept", range=[0, 101], dtick=20, ticksuffix="%")
    chart.update_yaxes(title_text="Of these, right", ticksuffix="%")
    return _dressed(chart, len(series), title=title, dark=dark, height=height)


def _reliability(line: ReliabilitySeries, *, dark: bool) -> go.Scatter:
    """Returns one model's bins as a line whose points grow with their answers."""
    colour = theme.network_colour(line.network, dark=dark)
    rows = [
        (row, row.confidence, row.accuracy)
        for row in line.bins
        if row.confidence is not None and row.accuracy is not None
    ]
    most = max((row.count for row, _, _ in rows), default=1)
    return go.Scatter(
        x=[round(100 * confidence, 2) for _, confidence, _ in rows],
        y=[round(100 * accuracy, 2) for _, _, accuracy in rows],
        mode="lines+markers",
        name=theme.plain(line.name),
        line={"color": colour, "width": 2, "dash": "dot" if line.dashed else "solid"},
        marker={
            "color": theme.palette(dark).background if line.dashed else colour,
            "opacity": 1,
            "size": [round(6 + 14 * math.sqrt(row.count / most), 1) for row, _, _ in rows],
            "line": {
                "color": colour if line.dashed else theme.palette(dark).background,
                "width": 1.5,
            },
        },
        text=[
            f"{row.count:,} answers between {100 * row.low:.0f}% and {100 * row.high:.0f}% sure"
            for row, _, _ in rows
        ],
        hovertemplate=f"<b>{theme.plain(line.name)}</b><br>%{{text}}<br>on average %{{x:.1f}}% "
        "sure, %{y:.1f}% of them right<extra></extra>",
    )


def _kept(line: KeptSeries, *, dark: bool) -> go.Scatter:
    """Returns one model's line, from all answers kept on the right to hardly any."""
    curve = line.curve
    points = [
        (round(100 * float(kept), 2), round(100 * float(right), 2), round(100 * float(threshold)))
        for threshold, kept, right in zip(
            curve.thresholds, curve.share_kept, curve.accuracy, strict=True
        )
        if kept > 0
    ]
    return go.Scatter(
        x=[kept for kept, _, _ in points],
        y=[right for _, right, _ in points],
        customdata=[threshold for _, _, threshold in points],
        mode="lines",
        name=theme.plain(line.name),
        line={
            "color": theme.network_colour(line.network, dark=dark),
            "width": 2.5,
            "dash": "dot" if line.dashed else "solid",
        },
        hovertemplate=f"<b>{theme.plain(line.name)}</b><br>Answers at least %{{customdata}}% "
        "sure: %{x:.1f}% are kept,<br>%{y:.1f}% of these are right<extra></extra>",
    )


def _dressed(
    chart: go.Figure, lines: int, *, title: theme.Title | str, dark: bool, height: int
) -> go.Figure:
    """Gives the chart its look, and a legend below the plot when there is a choice."""
    chart.update_layout(showlegend=lines > 1, hovermode="closest")
    theme.style(chart, title=title, dark=dark, height=height)
    chart.update_layout(margin_r=26)
    if lines > 1:
        chart.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top"})
    return chart
