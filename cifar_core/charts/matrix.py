"""Confusion matrices: one, or the difference of two; every cell can be clicked.

A clicked heatmap tells Streamlit nothing, so square, fully transparent markers lie over the
cells: ``st.plotly_chart(…, on_select="rerun", selection_mode="points")`` returns the marker's
``customdata``, the true and the predicted label.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.evaluation.metrics import Normalisation, normalise
from cifar_core.evaluation.predictions import Floats, Integers, checked_matrix
from cifar_core.evaluation.words import plural, taken_for
from cifar_core.formats import percent

HEIGHT: Final = 600

_BAR_PIXELS: Final = 140
"""Room below the cells for class names, axis title and colour bar."""

_TARGET_PIXELS: Final = 12
"""Smaller than a cell on a phone: overlapping squares would answer for their neighbours. The
hover distance is unlimited instead, so the nearest centre, the cell itself, always answers."""

_BAR_TITLES: Final = {
    "none": "Pictures",
    "row": "Share of the true class",
    "column": "Share of the answers",
}


def confusion_heatmap(
    matrix: ArrayLike,
    *,
    by: Normalisation = "none",
    show_diagonal: bool = True,
    order: str = "dataset",
    title: theme.Title | str = "Confusion matrix",
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
) -> go.Figure:
    """Draws a confusion matrix with its numbers in the cells.

    Args:
        matrix: Counts (classes, classes), rows true, columns predicted.
        by: Show counts, or percent of the true (``row``) or the predicted class (``column``).
        show_diagonal: Whether right answers are coloured and numbered; without them the
            colours spread over the errors alone.
        order: An order of the dataset's classes.
        title: What is shown and where it comes from.
        dataset: Names the classes.
        dark: Which mode.

    Raises:
        KeyError: There is no such order.
        PredictionsError: The matrix is none.
    """
    labels = theme.in_order(order, dataset)
    counts = checked_matrix(matrix, dataset.classes).astype(np.int64)
    shown = normalise(counts, by) * (1 if by == "none" else 100)
    values = shown[np.ix_(labels, labels)]
    if not show_diagonal:
        np.fill_diagonal(values, np.nan)
    text = [[_cell(value, by) for value in row] for row in values]
    words = [
        [_words(counts, true, guess, by=by, dataset=dataset) for guess in labels] for true in labels
    ]
    largest = float(np.nanmax(values)) or 1.0
    colours = theme.palette(dark)
    heatmap = _heatmap(
        values,
        text,
        theme.names(labels, dataset),
        colours=colours.sequential,
        limits=(0.0, largest),
    )
    heatmap.colorbar = theme.colour_bar(
        _BAR_TITLES[by], dark=dark, suffix="" if by == "none" else "%"
    )
    chart = theme.figure(heatmap, click_targets(labels, words, dataset))
    return _dressed(chart, dataset, order=order, title=title, dark=dark)


def difference_heatmap(
    a: ArrayLike,
    b: ArrayLike,
    *,
    names: tuple[str, str] = ("A", "B"),
    order: str = "dataset",
    title: theme.Title | str = "Difference of two matrices",
    dataset: DatasetSpec = CIFAR10,
    dark: bool = False,
) -> go.Figure:
    """Draws how many more pictures of each cell the first matrix has than the second.

    Args:
        a: Counts (classes, classes) of the first model.
        b: Counts (classes, classes) of the second model on the same pictures.
        names: What the two are called.
        order: An order of the dataset's classes.
        title: What is shown and where it comes from.
        dataset: Names the classes.
        dark: Which mode.

    Raises:
        KeyError: There is no such order.
        PredictionsError: A matrix is none.
    """
    labels = theme.in_order(order, dataset)
    first, second = (checked_matrix(one, dataset.classes).astype(np.int64) for one in (a, b))
    values = (first - second)[np.ix_(labels, labels)].astype(np.float64)
    text = [[_signed(value) for value in row] for row in values]
    say = functools.partial(_difference_words, first, second, names=names, dataset=dataset)
    words = [[say(true, guess) for guess in labels] for true in labels]
    limit = float(np.abs(values).max()) or 1.0
    colours = theme.palette(dark)
    heatmap = _heatmap(
        values,
        text,
        theme.names(labels, dataset),
        colours=colours.diverging,
        limits=(-limit, limit),
    )
    heatmap.colorbar = theme.colour_bar(
        "<br>".join(
            [
                f"← more with {theme.plain(theme.short(names[1]))}",
                f"more with {theme.plain(theme.short(names[0]))} →",
            ]
        ),
        dark=dark,
    )
    chart = theme.figure(heatmap, click_targets(labels, words, dataset))
    return _dressed(chart, dataset, order=order, title=title, dark=dark)


def click_targets(
    labels: list[int], words: list[list[str]], dataset: DatasetSpec = CIFAR10
) -> go.Scatter:
    """Returns transparent squares over the cells of a matrix; they hover and are clicked.

    Args:
        labels: The classes in the order of the axes.
        words: What hovering says, by row and column in that order.
        dataset: Names the classes.

    Returns:
        A scatter of a point for each cell; ``customdata`` of each is (true label, predicted label).
        Selecting repaints nothing.
    """
    cells = [(row, column) for row in range(len(labels)) for column in range(len(labels))]
    names = theme.names(labels, dataset)
    invisible = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=[names[column] for _, column in cells],
        y=[names[row] for row, _ in cells],
        customdata=[(labels[row], labels[column]) for row, column in cells],
        mode="markers",
        marker={"symbol": "square", "size": _TARGET_PIXELS, "opacity": 0},
        selected=invisible,
        unselected=invisible,
        text=[words[row][column] for row, column in cells],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        name="cells",
    )


def _heatmap(
    values: Floats,
    text: list[list[str]],
    names: list[str],
    *,
    colours: tuple[str, ...],
    limits: tuple[float, float],
) -> go.Heatmap:
    """Returns the coloured and numbered cells; the squares above them do the talking."""
    return go.Heatmap(
        z=[
            [None if np.isnan(value) else round(float(value), 2) for value in row] for row in values
        ],
        x=names,
        y=names,
        text=text,
        texttemplate="%{text}",
        colorscale=theme.scale(colours),
        zmin=limits[0],
        zmax=limits[1],
        xgap=1,
        ygap=1,
        hoverinfo="skip",
    )


def _dressed(
    chart: go.Figure,
    dataset: DatasetSpec,
    *,
    order: str,
    title: theme.Title | str,
    dark: bool,
) -> go.Figure:
    """Names the axes, puts the first class on top, and sets groups of classes apart."""
    names = theme.names(theme.in_order(order, dataset), dataset)
    axis = {
        "categoryorder": "array",
        "categoryarray": names,
        "showgrid": False,
        "fixedrange": True,
    }
    whole = (-0.5, dataset.classes - 0.5)
    # Set at once: a chart is drawn for every epoch of a film, see theme.style.
    chart.layout = {
        "template": {},
        "dragmode": False,
        "hovermode": "closest",
        "hoverdistance": -1,
        "clickmode": "event+select",
        "xaxis": {
            **axis,
            "title": {"text": "Predicted class"},
            "range": list(whole),
            "tickangle": -40,
        },
        "yaxis": {**axis, "title": {"text": "True class"}, "range": list(whole[::-1])},
        "shapes": _borders(dataset, theme.palette(dark).muted) if order != "dataset" else [],
    }
    theme.style(chart, title=title, dark=dark, height=HEIGHT)
    chart.layout.margin.b = _BAR_PIXELS
    return chart


def _borders(dataset: DatasetSpec, colour: str) -> list[dict[str, object]]:
    """Returns the lines that set groups of classes apart."""
    line = {"type": "line", "line": {"color": colour, "width": 1.5}}
    ends = (-0.5, dataset.classes - 0.5)
    sizes = [len(group) for group in dataset.class_groups.values()]
    edges = [float(edge) - 0.5 for edge in np.cumsum(sizes[:-1])]
    return [
        {**line, f"{a}0": edge, f"{a}1": edge, f"{b}0": ends[0], f"{b}1": ends[1]}
        for edge in edges
        for a, b in ("xy", "yx")
    ]


def _cell(value: float, by: Normalisation) -> str:
    """Returns a number as a cell shows it: nothing where nothing is."""
    if np.isnan(value) or value == 0:
        return ""
    return f"{value:,.0f}" if by == "none" else f"{value:.1f}"


def _words(
    counts: Integers, true: int, predicted: int, *, by: Normalisation, dataset: DatasetSpec
) -> str:
    """Returns a cell in words, for hovering."""
    count = int(counts[true, predicted])
    total = int(counts[true].sum())
    words = taken_for(true=true, predicted=predicted, count=count, total=total, dataset=dataset)
    words = words[0].upper() + words[1:]
    answers = int(counts[:, predicted].sum())
    if by == "column" and answers:
        words += f"<br>{percent(count / answers)} of the answers “{dataset.class_names[predicted]}”"
    return words


def _signed(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−") if value else ""


def _difference_words(
    first: Integers,
    second: Integers,
    true: int,
    predicted: int,
    *,
    names: tuple[str, str],
    dataset: DatasetSpec,
) -> str:
    """Returns a cell of the difference in words, for hovering."""
    a, b = int(first[true, predicted]), int(second[true, predicted])
    verdict = (
        f"{plural(true, dataset)} recognised"
        if true == predicted
        else f"{plural(true, dataset)} taken for {plural(predicted, dataset)}"
    )
    return (
        f"{verdict[0].upper()}{verdict[1:]}<br>{theme.plain(names[0])}: {a:,}, "
        f"{theme.plain(names[1])}: {b:,} ({_signed(a - b) or 'no difference'})"
    )
