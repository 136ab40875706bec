"""The mistakes of two runs: both matrices, their difference, and the pictures behind a cell."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from cifar_core.charts.matrix import confusion_heatmap, difference_heatmap
from cifar_core.charts.theme import Title, in_order, short
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.predictions import Integers
from cifar_core.runs.results import Predictions
from cifar_core.ui.compare.run_pair import Pair, said
from cifar_core.ui.kit import image_browser, matrix_cells
from cifar_core.ui.kit.downloads import draw_chart, table_twin
from cifar_core.ui.kit.image_browser import Cell
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import file_name, plain
from cifar_core.ui.kit.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd


SIDES: Final = ("first", "second")


def matrix_panel(pair: Pair) -> None:
    """Draws both matrices, their difference, and the pictures both put into the chosen cell."""
    orders = list(CIFAR10.class_orders)
    order = st.selectbox(
        "Order",
        orders,
        key="matrix_order",
        on_change=keep_in_address("matrix_order", orders, orders[0]),
        width=190,
    )
    order = order or "dataset"
    cell = image_browser.cell_now()
    matrices = results.matrix_of(pair.a), results.matrix_of(pair.b)
    most = max(_most_confused(matrix) for matrix in matrices)
    sides = zip(
        st.columns(2, gap="medium"), (pair.a, pair.b), (pair.name_a, pair.name_b), strict=True
    )
    for place, (column, answers, name) in enumerate(sides):
        with column:
            chart = _mistakes(matrices[place], answers, name, order=order)
            chart.data[0].zmax = most  # One scale for both: the same colour is the same count.
            _draw(chart, cell, order, key=f"matrix_{place}", name=file_name("confusion", name))
    left, right = st.columns(2, gap="medium")
    with left:
        _draw(
            difference_heatmap(
                *matrices, names=(pair.name_a, pair.name_b), order=order, dark=is_dark(),
                title=difference_title(pair.name_a, pair.name_b, pair.a.monitored),
            ),
            cell, order, key="matrix_difference", name="confusion-difference",
        )  # fmt: skip
    with right:
        _pictures(pair)
    names = (pair.name_a, pair.name_b)
    table = cells_table(*matrices, names=names, order=order)
    name = file_name("confusions", pair.run_a.id, pair.run_b.id)
    table_twin(table, name, key="matrices_csv")
    origin_line(f"{pair.a.origin} · {pair.b.origin}")


def difference_title(a: str, b: str, split: str) -> Title:
    """Returns the title of a difference of two matrices."""
    return Title("Their difference", f"{short(a, 16)} minus {short(b, 16)}", None, split)


def cells_table(
    first: Integers, second: Integers, *, names: tuple[str, str], order: str = "dataset"
) -> pd.DataFrame:
    """Returns a row for each of the hundred cells: both counts and their difference.

    Args:
        first: (10, 10).
        second: Likewise.
        names: What the two are called.
        order: The order of the classes, a key of CIFAR10.class_orders.
    """
    import pandas as pd

    labels = in_order(order)
    first, second = (matrix[np.ix_(labels, labels)] for matrix in (first, second))
    ordered = [CIFAR10.class_names[label] for label in labels]
    pairs = [(true, guess) for true in ordered for guess in ordered]
    return pd.DataFrame(
        {
            "shows": [true for true, _ in pairs],
            "taken for": [guess for _, guess in pairs],
            names[0]: first.ravel(),
            names[1]: second.ravel(),
            "difference": (first - second).ravel(),
        }
    )


def _mistakes(matrix: Integers, answers: Predictions, name: str, *, order: str) -> go.Figure:
    title = Title("Mistakes", short(name, 18), answers.epoch, answers.monitored)
    return confusion_heatmap(matrix, show_diagonal=False, order=order, title=title, dark=is_dark())


def _draw(chart: go.Figure, cell: Cell, order: str, *, key: str, name: str) -> None:
    draw_chart(
        matrix_cells.framed(chart, cell, order),
        key=key,
        name=name,
        alt=f"Matrix {name}. The select boxes below open its cells.",
        on_select=functools.partial(matrix_cells.take_click, key),
    )


def _pictures(pair: Pair) -> None:
    """Draws the choice of a cell, and the pictures that either run put into it."""
    st.caption("Click a cell of any of the three, or choose it here.")
    cell = image_browser.choose_cell()
    both = results.as_served(pair.run_a, pair.a), results.as_served(pair.run_b, pair.b)
    places = [image_browser.places_in(cell, answers) for answers in both]
    st.text(
        _shared_sentence(len(places[0]), len(places[1]), len(np.intersect1d(places[0], places[1])))
    )
    side = st.segmented_control(
        "Pictures of",
        SIDES,
        format_func={
            SIDES[0]: plain(pair.name_a),  # these options are Markdown
            SIDES[1]: plain(pair.name_b),
        }.__getitem__,
        key="side",
        on_change=keep_in_address("side", SIDES, SIDES[0]),
        required=True,
    )
    place = SIDES.index(side)
    run, name = ((pair.run_a, pair.name_a), (pair.run_b, pair.name_b))[place]
    answers = both[place]
    words = image_browser.words_for(cell, answers, len(places[place]))
    st.text(f"{said(run, name)}: {words}")
    key = image_browser.cell_name(run.id, answers, cell)
    image_browser.browse(answers, places[place], key=key, name=f"images-{key}")


def _shared_sentence(first: int, second: int, both: int) -> str:
    if not both:
        return "No picture is in this cell for both."
    return f"{both:,} pictures are in this cell for both ({first:,} and {second:,} for each)."


def _most_confused(matrix: Integers) -> int:
    """Returns the largest count of a matrix off its diagonal, at least 1."""
    return max(1, int((matrix - np.diag(np.diag(matrix))).max()))
