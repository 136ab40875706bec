"""Bars: the probabilities of a picture, counts per training batch, time per epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.evaluation.predictions import checked_probabilities
from cifar_core.evaluation.words import counted
from cifar_core.formats import duration, percent

LARGEST_FIRST: Final = "largest first"


@dataclass(frozen=True)
class EpochTimes:
    """How long the epochs of a run took.

    Attributes:
        name: What the bar is called.
        network: Whose colour it has.
        seconds: One number per epoch, without waiting.
    """

    name: str
    network: str
    seconds: Sequence[float]


def probability_bars(
    probabilities: ArrayLike,
    *,
    order: str = LARGEST_FIRST,
    title: theme.Title | str = "How probable each class is",
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
    height: int = 360,
) -> go.Figure:
    """Draws the probabilities of one image.

    Args:
        probabilities: (classes,), summing to 1.
        order: :data:`LARGEST_FIRST` or an order of the dataset's classes.
        title: What is shown and where it comes from.
        dataset: Names and colours the classes.
        dark: Which mode.
        height: Pixels.

    Raises:
        KeyError: There is no such order.
        PredictionsError: These are no probabilities.
    """
    values = checked_probabilities(np.asarray(probabilities)[None, ...], dataset.classes)[0]
    if order == LARGEST_FIRST:
        labels = [int(label) for label in np.argsort(-values, kind="stable")]
    else:
        labels = theme.in_order(order, dataset)
    chart = theme.figure(
        go.Bar(
            x=[round(100 * float(values[label]), 3) for label in labels],
            y=theme.names(labels, dataset),
            orientation="h",
            marker={
                "color": [dataset.class_colours[label] for label in labels],
                "cornerradius": 3,
            },
            text=[percent(float(values[label])) for label in labels],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    chart.update_layout(bargap=0.3, showlegend=False, dragmode=False)
    # Beyond 100% there is room for the longest bar's label, also with three charts side by side.
    chart.update_xaxes(range=[0, 138], dtick=50, tickangle=0, ticksuffix="%", fixedrange=True)
    chart.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True)
    theme.style(chart, title=title, dark=dark, height=height)
    return chart.update_yaxes(tickfont={"size": 13, "color": theme.palette(dark).ink})


def batch_count_bars(
    counts: ArrayLike,
    *,
    order: str = "dataset",
    title: theme.Title | str = "Pictures above or below an even share",
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
    height: int = 340,
) -> go.Figure:
    """Draws how far each batch is from holding its classes evenly, one panel per batch.

    Args:
        counts: Images (batches, classes) of each class in each batch.
        order: An order of the dataset's classes.
        title: What is shown and where it comes from.
        dataset: Names and colours the classes.
        dark: Which mode.
        height: Pixels.

    Raises:
        KeyError: There is no such order.
        ValueError: There is not a count for each class of each batch.
    """
    values = np.asarray(counts)
    if values.ndim != 2 or values.shape[1] != dataset.classes or len(values) == 0:
        wanted = f"(batches, {dataset.classes})"
        raise ValueError(f"Counts have the shape {wanted}, not {values.shape}.")
    labels = theme.in_order(order, dataset)
    even = values.sum(axis=1) / dataset.classes
    reach = 1.15 * float(np.abs(values - even[:, None]).max()) or 1.0
    step = max(1, 10 * int(0.08 * reach) or int(0.8 * reach))
    chart = theme.figure()
    width = 1 / len(values)
    for place, row in enumerate(values):
        number = "" if place == 0 else str(place + 1)
        chart.add_trace(_batch(row, labels, batch=place + 1, axis=f"x{number}", dataset=dataset))
        chart.layout[f"xaxis{number}"] = {
            "domain": [place * width, (place + 0.88) * width],
            "range": [-reach, reach],
            "title": {"text": f"Batch {place + 1}"},
            "tickvals": [-step, step],
            "ticktext": ["", f"+{step}"],  # on a phone there is no room for both
            "tickangle": 0,
            "fixedrange": True,
        }
        chart.add_shape(
            type="line", x0=0, x1=0, y0=0, y1=1, xref=f"x{number}", yref="paper",
            line={"color": theme.palette(dark).muted, "width": 1},
        )  # fmt: skip
    chart.update_layout(bargap=0.3, showlegend=False, dragmode=False)
    chart.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True)
    return theme.style(chart, title=title, dark=dark, height=height)


def _batch(
    row: np.ndarray, labels: list[int], *, batch: int, axis: str, dataset: DatasetSpec
) -> go.Bar:
    """Returns one batch's bars, left and right of its even share."""
    even = float(row.sum()) / dataset.classes
    words = [
        f"Batch {batch}: {counted(int(row[label]), label, dataset)},<br>"
        f"{_compared(float(row[label]) - even)} its even share of {even:,.0f}"
        for label in labels
    ]
    return go.Bar(
        x=[round(float(row[label]) - even, 2) for label in labels],
        y=theme.names(labels, dataset),
        xaxis=axis,
        orientation="h",
        marker={"color": [dataset.class_colours[label] for label in labels], "cornerradius": 2},
        hovertext=words,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def epoch_time_bars(
    runs: Sequence[EpochTimes],
    *,
    title: theme.Title | str = "Time per epoch",
    dark: bool = False,
    height: int | None = None,
) -> go.Figure:
    """Draws the median time of an epoch, with the range of the middle half of the epochs.

    The tutorial's closing chart. Runs without a finished epoch are left out.

    Args:
        runs: The runs, in the order of their bars.
        title: What is shown and where it comes from.
        dark: Which mode.
        height: Pixels; grows with the number of runs when left out.
    """
    timed = [run for run in runs if len(run.seconds)]
    quartiles = [np.percentile(np.asarray(run.seconds, float), (25, 50, 75)) for run in timed]
    chart = theme.figure(
        go.Bar(
            x=[round(float(middle), 3) for _, middle, _ in quartiles],
            y=[theme.plain(run.name) for run in timed],
            orientation="h",
            width=0.55,
            marker={
                "color": [theme.network_colour(run.network, dark=dark) for run in timed],
                "cornerradius": 3,
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [round(float(high - middle), 3) for _, middle, high in quartiles],
                "arrayminus": [round(float(middle - low), 3) for low, middle, _ in quartiles],
                "color": theme.palette(dark).ink,
                "thickness": 1.5,
                "width": 5,
            },
            hovertext=[
                f"{theme.plain(run.name)}: half of the {len(run.seconds)} epochs took between "
                f"{duration(float(low))} and {duration(float(high))},<br>the median is "
                f"{duration(float(middle))}"
                for run, (low, middle, high) in zip(timed, quartiles, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    for run, (_, middle, high) in zip(timed, quartiles, strict=True):
        chart.add_annotation(
            x=float(high), y=theme.plain(run.name), text=duration(float(middle)),
            showarrow=False, xanchor="left", xshift=8,
        )  # fmt: skip
    chart.update_layout(showlegend=False, dragmode=False)
    # Beyond the slowest run there is room for its time.
    reach = 1.7 * max((float(high) for _, _, high in quartiles), default=1.0)
    chart.update_xaxes(title_text="Seconds per epoch", range=[0, reach], fixedrange=True)
    chart.update_yaxes(
        autorange="reversed",
        showgrid=False,
        fixedrange=True,
        tickvals=[theme.plain(run.name) for run in timed],
        ticktext=[theme.plain(theme.short(run.name)) for run in timed],
    )
    theme.style(chart, title=title, dark=dark, height=height or 130 + 52 * max(len(timed), 1))
    return chart.update_yaxes(tickfont={"size": 13, "color": theme.palette(dark).ink})


def _compared(difference: float) -> str:
    if abs(difference) < 0.5:
        return "exactly"
    return f"{abs(difference):,.0f} {'above' if difference > 0 else 'below'}"
