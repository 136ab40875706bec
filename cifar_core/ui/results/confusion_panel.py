"""The confusion matrix, and the pictures behind the cell that was clicked or chosen."""

from __future__ import annotations

import functools
from typing import Final

import plotly.graph_objects as go
import streamlit as st

from cifar_core.charts.matrix import confusion_heatmap
from cifar_core.charts.theme import Title
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.metrics import Normalisation, most_confused
from cifar_core.glossary import define, explain
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui.kit import image_browser, matrix_cells
from cifar_core.ui.kit.downloads import draw_chart, table_twin
from cifar_core.ui.kit.image_browser import Cell
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import is_dark

NORMALISATIONS: Final[dict[str, Normalisation]] = {
    "Counts": "none",
    "% of true": "row",
    "% of predicted": "column",
}
"""What the cells may show, by the words on the control."""


def confusion_panel(run: Run, answers: Predictions) -> None:
    """Draws the matrix with its controls, and beside it the pictures of the chosen cell."""
    _matrix_controls()
    left, right = st.columns(2, gap="medium")
    with right:
        cell = image_browser.choose_cell()
    name = file_name("confusion", run.id, answers.monitored, "epoch", answers.epoch)
    with left:
        draw_chart(
            _matrix(run, answers, cell),
            key="matrix",
            name=name,
            alt=f"Confusion matrix of run {run.name}. The select boxes beside it open its cells.",
            on_select=functools.partial(matrix_cells.take_click, "matrix"),
        )
        st.caption("Click a cell to see its pictures; click it again to see all mistakes.")
        order = st.session_state.get("order") or "dataset"
        table = matrix_cells.as_table(results.matrix_of(answers), order)
        table_twin(table, name, key="matrix_csv")
    with right:
        served = results.as_served(run, answers)
        places = image_browser.places_in(cell, served)
        st.text(image_browser.words_for(cell, served, len(places)))
        key = image_browser.cell_name(run.id, answers, cell)
        image_browser.browse(served, places, key=key, name=f"images-{key}")


def confusion_frame(run: Run, answers: Predictions) -> None:
    """Draws the matrix of one epoch while the epochs are played: no widgets, no pictures."""
    left, right = st.columns(2, gap="medium")
    with left:
        alt = f"Confusion matrix of run {run.name}, epoch {answers.epoch}."
        draw_chart(_matrix(run, answers, Cell()), key=None, name="confusion", alt=alt)
    with right:
        share = results.shown_share(answers)
        st.metric(
            f"{answers.monitored.capitalize()} accuracy",
            share.words(),
            width="content",
            help=define("accuracy"),
        )
        for pair in most_confused(results.matrix_of(answers), 5):
            sentence = pair.sentence()
            st.text(sentence[0].upper() + sentence[1:])


def _matrix_controls() -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    row.segmented_control(
        "Cells",
        list(NORMALISATIONS),
        key="cells",
        on_change=keep_in_address("cells", list(NORMALISATIONS), "Counts"),
        required=True,
        help=f"{explain('confusion matrix')} Shown as counts, as percent of the true class (the "
        "diagonal is the recall), or as percent of the predicted class (the precision).",
    )
    orders = list(CIFAR10.class_orders)
    noted = keep_in_address("order", orders, orders[0])
    row.selectbox("Order", orders, key="order", on_change=noted, width=190)
    row.toggle(
        "Right answers",
        key="diagonal",
        on_change=keep_in_address("diagonal", (False, True), start=True),
        help="Off, the colours spread over the mistakes alone.",
    )


def _matrix(run: Run, answers: Predictions, cell: Cell) -> go.Figure:
    """Returns the matrix as the controls ask for it, the chosen cell framed."""
    state = st.session_state
    order = state.get("order") or "dataset"
    chart = confusion_heatmap(
        results.matrix_of(answers),
        by=NORMALISATIONS[state.get("cells") or "Counts"],
        show_diagonal=bool(state.get("diagonal", True)),
        order=order,
        title=Title("Confusion matrix", run.name, answers.epoch, answers.monitored),
        dark=is_dark(),
    )
    return matrix_cells.framed(chart, cell, order)
