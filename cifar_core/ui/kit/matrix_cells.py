"""A cell of a matrix on a page: framed where it is chosen, and taken over from a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from cifar_core.charts.theme import in_order, palette
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.predictions import Integers
from cifar_core.ui.kit import image_browser
from cifar_core.ui.kit.image_browser import Cell
from cifar_core.ui.kit.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

WHOLE: Final = (-0.5, 9.5)


def framed(chart: go.Figure, cell: Cell, order: str) -> go.Figure:
    """Returns a matrix with the chosen cell, row or column in a frame.

    Args:
        chart: From cifar_core.charts.matrix.
        cell: What is chosen.
        order: The order of its classes, a key of its dataset's class orders.
    """
    if cell.true is None and cell.predicted is None:
        return chart
    labels = in_order(order)
    x = WHOLE if cell.predicted is None else _around(labels.index(cell.predicted))
    y = WHOLE if cell.true is None else _around(labels.index(cell.true))
    line = {"color": palette(is_dark()).ink, "width": 2.5}
    chart.add_shape(type="rect", x0=x[0], x1=x[1], y0=y[0], y1=y[1], line=line)
    return chart


def take_click(key: str) -> None:
    """Takes over a click on a matrix; a click on the chosen cell lets it go.

    Args:
        key: Identity of the chart that was clicked.
    """
    points = st.session_state[key].selection.points
    if not points:
        image_browser.set_cell(Cell())
        return
    true, predicted = (int(label) for label in points[0]["customdata"][:2])
    now = (st.session_state.get("true"), st.session_state.get("predicted"))
    same = now == (CIFAR10.class_names[true], CIFAR10.class_names[predicted])
    image_browser.set_cell(Cell() if same else Cell(true, predicted))


def as_table(matrix: Integers | Any, order: str = "dataset") -> pd.DataFrame:
    """Returns a matrix (10, 10) as a table: a row per true class, a column per predicted one.

    Args:
        matrix: In the order of the dataset.
        order: The order of the table's classes, a key of its dataset's class orders.
    """
    import pandas as pd

    labels = in_order(order)
    names = [CIFAR10.class_names[label] for label in labels]
    counts = np.asarray(matrix)[np.ix_(labels, labels)]
    table = pd.DataFrame(counts, columns=[f"taken for {name}" for name in names])
    table.insert(0, "shows", names)
    return table


def _around(place: int) -> tuple[float, float]:
    return place - 0.5, place + 0.5
