"""Curves over epochs or minutes: accuracy, loss and learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import plotly.graph_objects as go

from cifar_core.charts import line_names, theme

_SYMBOLS_SHOWN: Final = 8
"""Symbols on one line, whatever its number of epochs."""

_MOST_LETTERS: Final = 18
"""Of a name at a line's end: on a phone it takes its room from the line."""

SYMBOLS: Final[Mapping[str, str]] = {
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "diamond": "◆",
    "cross": "✚",
    "star": "★",
}
"""What tells apart lines of one colour: Plotly's name of the symbol, and its sign in a text."""

By = Literal["epochs", "minutes"]


@dataclass(frozen=True)
class CurveSeries:
    """One line of a chart.

    Attributes:
        name: What the line is called at its end, without the split.
        network: Whose colour it has: a key of ``NETWORKS`` or ``tutorial``.
        x: Epochs or minutes; see the chart's ``by``.
        y: Shares from 0 to 1 for accuracy, any number for loss; not-a-number leaves a gap.
        split: ``train``, ``validation`` or ``test``. Training lines are dotted.
        dashed: Whether the line is published, not measured by the lab.
        best_epoch: The epoch of the best value, marked when given.
        epochs: Epoch of each point when x holds minutes; x itself when left out.
        symbol: A key of :data:`SYMBOLS` that the line carries, where several share a colour.
    """

    name: str
    network: str
    x: Sequence[float]
    y: Sequence[float]
    split: str = "validation"
    dashed: bool = False
    best_epoch: int | None = None
    epochs: Sequence[float] | None = None
    symbol: str = ""


def accuracy_curve(
    series: Sequence[CurveSeries],
    *,
    title: theme.Title | str = "Accuracy",
    by: By = "epochs",
    until: float | None = None,
    dark: bool = False,
    height: int = 380,
) -> go.Figure:
    """Draws accuracy over epochs or minutes.

    Args:
        series: The lines; y from 0 to 1.
        title: What is shown and where it comes from.
        by: What x holds.
        until: Where the x axis ends, so that a live line grows into its frame; the last
            point when left out.
        dark: Which mode.
        height: Pixels.
    """
    points = [value for line in series for value in line.y if math.isfinite(value)]
    low = 10 * math.floor(10 * min(points, default=0.0) - 0.2)
    high = 100 * max(points, default=1.0)
    splits = {line.split for line in series if line.split and not line.dashed}
    whose = f"{splits.pop().capitalize()} pictures" if len(splits) == 1 else "Pictures"
    quantity = _Quantity(
        axis=f"{whose} right",
        hover="%{y:.1f}% of the {split} pictures right",
        factor=100,
        low=float(max(0, low)),
        high=min(100.5, high + max(2.0, 0.06 * (high - low))),
        suffix="%",
    )
    chart = _curves(series, quantity, by=by, until=until, dark=dark, height=height)
    return _dressed(chart, series, title=title, dark=dark, height=height)


def loss_curve(
    series: Sequence[CurveSeries],
    *,
    title: theme.Title | str = "Loss",
    by: By = "epochs",
    until: float | None = None,
    dark: bool = False,
    height: int = 380,
) -> go.Figure:
    """Draws loss over epochs or minutes; arguments as in :func:`accuracy_curve`."""
    points = [value for line in series for value in line.y if math.isfinite(value)]
    quantity = _Quantity(
        axis="Loss (lower is better)",
        hover="loss %{y:.3f} on the {split} pictures",
        high=1.06 * max(points, default=1.0) or 1.0,
    )
    chart = _curves(series, quantity, by=by, until=until, dark=dark, height=height)
    return _dressed(chart, series, title=title, dark=dark, height=height)


def learning_rate_curve(
    series: Sequence[CurveSeries],
    *,
    title: theme.Title | str = "Learning rate",
    by: By = "epochs",
    until: float | None = None,
    dark: bool = False,
    height: int = 260,
) -> go.Figure:
    """Draws the learning rate over epochs or minutes; arguments as in :func:`accuracy_curve`."""
    points = [value for line in series for value in line.y if math.isfinite(value)]
    quantity = _Quantity(
        axis="Learning rate",
        hover="learning rate %{y:.3g}",
        high=1.08 * max(points, default=1.0) or 1.0,
    )
    chart = _curves(series, quantity, by=by, until=until, dark=dark, height=height)
    return _dressed(chart, series, title=title, dark=dark, height=height)


@dataclass(frozen=True)
class _Quantity:
    """What the y axis measures; ``{split}`` in the hover text is the line's split."""

    axis: str
    hover: str
    high: float
    low: float = 0.0
    factor: float = 1.0
    suffix: str = ""


def _curves(
    series: Sequence[CurveSeries],
    quantity: _Quantity,
    *,
    by: By,
    until: float | None,
    dark: bool,
    height: int,
) -> go.Figure:
    """Draws the lines, their best epochs and their names; leaves the dress to the theme."""
    drawn = [line for line in series if any(math.isfinite(value) for value in line.y)]
    labelled = len(drawn) <= line_names.MOST
    chart = theme.figure()
    for line in drawn:
        chart.add_trace(_line(line, quantity, by=by, dark=dark, legend=not labelled))
        if line.best_epoch is not None:
            chart.add_trace(_best(line, quantity, dark=dark))
    ends = [value for line in drawn for value in line.x]
    last = until if until is not None else max(ends, default=1.0)
    first = min([*ends, last])
    if last > first:
        chart.update_xaxes(range=[first, last])
    chart.update_xaxes(title_text="Epoch" if by == "epochs" else "Minutes of training")
    if by == "epochs":
        chart.update_xaxes(dtick=1 if last - first <= 12 else None)
    chart.update_yaxes(
        title_text=quantity.axis, ticksuffix=quantity.suffix, range=[quantity.low, quantity.high]
    )
    chart.update_layout(hovermode="closest", showlegend=not labelled)
    if not drawn:
        chart.add_annotation(
            text="Nothing measured yet",
            showarrow=False,
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
            font={"color": theme.palette(dark).muted},
        )
    elif labelled:
        # The names stand in one column, except beside a line that is still growing.
        several = _has_several_splits(drawn)
        line_names.write_names(
            chart,
            [_end(line, quantity, with_split=several) for line in drawn],
            span=quantity.high - quantity.low,
            column=None if until is not None else last,
            dark=dark,
            height=height,
        )
    return chart


def _line(
    line: CurveSeries, quantity: _Quantity, *, by: By, dark: bool, legend: bool
) -> go.Scatter:
    """Returns one line; hovering it says a sentence."""
    hover = quantity.hover.replace("{split}", line.split)
    when = "Epoch %{x}" if by == "epochs" else "After %{x:.1f} minutes"
    if by == "minutes" and line.epochs is not None:
        when = "Epoch %{customdata}, after %{x:.1f} minutes"
    one_point = sum(math.isfinite(value) for value in line.y) == 1
    colour = theme.network_colour(line.network, dark=dark)
    symbol = {"symbol": line.symbol, "maxdisplayed": _SYMBOLS_SHOWN} if line.symbol else {}
    return go.Scatter(
        x=[round(value, 3) for value in line.x],
        y=_values(line, quantity),
        customdata=None if by == "epochs" or line.epochs is None else list(line.epochs),
        name=theme.plain(_full_name(line)),
        mode="markers" if one_point else "lines+markers" if line.symbol else "lines",
        line={
            "color": colour,
            "width": 1.75 if line.split == "train" else 2.5,
            "dash": "dash" if line.dashed else "dot" if line.split == "train" else "solid",
        },
        marker={"color": colour, "size": 7, **symbol},
        hovertemplate=f"<b>{theme.plain(_full_name(line))}</b><br>{when}: {hover}<extra></extra>",
        showlegend=legend,
    )


def _best(line: CurveSeries, quantity: _Quantity, *, dark: bool) -> go.Scatter:
    """Returns the mark of a line's best epoch: a ring on the line, with its number above."""
    colour = theme.network_colour(line.network, dark=dark)
    epochs = list(line.epochs if line.epochs is not None else line.x)
    places = [place for place, epoch in enumerate(epochs) if epoch == line.best_epoch]
    hover = quantity.hover.replace("{split}", line.split)
    return go.Scatter(
        x=[line.x[place] for place in places],
        y=[_values(line, quantity)[place] for place in places],
        mode="markers",
        marker={
            "size": 11,
            "color": theme.palette(dark).background,
            "line": {"color": colour, "width": 2.5},
        },
        name=f"{theme.plain(_full_name(line))}, best epoch",
        hovertemplate=f"<b>{theme.plain(_full_name(line))}</b><br>Best epoch, "
        f"{line.best_epoch}: {hover}<extra></extra>",
        cliponaxis=False,
        showlegend=False,
    )


def _end(line: CurveSeries, quantity: _Quantity, *, with_split: bool) -> line_names.LineEnd:
    """Returns where a line ends, with what it is called there."""
    values = _values(line, quantity)
    place = max(place for place, value in enumerate(values) if value is not None)
    name = _label(line, with_split=with_split)
    return line_names.LineEnd(float(line.x[place]), float(values[place] or 0), name, line.network)


def _dressed(
    chart: go.Figure,
    series: Sequence[CurveSeries],
    *,
    title: theme.Title | str,
    dark: bool,
    height: int,
) -> go.Figure:
    """Gives the chart its look, and the room that the names at the line ends need."""
    theme.style(chart, title=title, dark=dark, height=height)
    if chart.layout.showlegend:
        chart.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top"})
    elif series:
        several = _has_several_splits(series)
        longest = max(len(_label(line, with_split=several)) for line in series)
        chart.update_layout(margin_r=20 + 7 * longest)
    return chart


def _values(line: CurveSeries, quantity: _Quantity) -> list[float | None]:
    scaled = (value * quantity.factor for value in line.y)
    return [round(value, 5) if math.isfinite(value) else None for value in scaled]


def _has_several_splits(series: Sequence[CurveSeries]) -> bool:
    """Returns whether the names must say on what the lab measured; published lines say it."""
    return len({line.split for line in series if not line.dashed}) > 1


def _full_name(line: CurveSeries) -> str:
    """Returns a line's name in its legend and its hover text."""
    signed = f"{SYMBOLS[line.symbol]} {line.name}" if line.symbol else line.name
    return f"{signed}, {line.split}" if line.split else signed


def _label(line: CurveSeries, *, with_split: bool) -> str:
    """Returns a line's name at its end."""
    name = theme.short(line.name, _MOST_LETTERS)
    signed = f"{SYMBOLS[line.symbol]} {name}" if line.symbol else name
    return f"{signed}, {line.split}" if with_split and line.split else signed
