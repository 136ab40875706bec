"""What one may open below a run: matrix so far, ten pictures, figures, learning rate, log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cifar_core import services
from cifar_core.charts import curves, examples, matrix
from cifar_core.charts import theme as chart_theme
from cifar_core.dataset import CLASS_NAMES
from cifar_core.evaluation.metrics import confusion, predicted_classes
from cifar_core.evaluation.predictions import Floats, Integers
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.ui import cached, stored
from cifar_core.ui.page import empty_state, guard, origin_line
from cifar_core.ui.pictures import gallery, picture_address
from cifar_core.ui.tables import csv_download, file_name
from cifar_core.ui.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

LOG_LINES = 60
LOG_BYTES = 16_000
WHOLE_LOG_BYTES = 20_000_000


def run_details(run: Run, rows: Sequence[MetricRow]) -> None:
    """Draws the details; each is prepared only while it is open.

    Args:
        run: The run.
        rows: Its metrics so far.
    """
    drawers = (
        ("Confusion matrix after the last epoch", "matrix", _matrix),
        ("Ten pictures, epoch by epoch", "pictures", _pictures),
        ("Figures of every epoch", "figures", _table),
        ("Learning rate", "rate", _learning_rate),
        ("Log", "log", _log),
    )
    for label, name, draw in drawers:
        drawer = st.expander(label, key=f"panel_open_{name}", on_change="rerun")
        if drawer.open:
            with drawer, guard():
                draw(run, rows)


def _matrix(run: Run, _rows: Sequence[MetricRow]) -> None:
    found = stored.epoch_answers(run)
    counts = confusion(found.labels, predicted_classes(found.probabilities))
    title = chart_theme.Title(
        "Which classes are taken for which",
        run=str(run.name),
        epoch=found.epoch,
        split=found.monitored,
    )
    figure = matrix.confusion_heatmap(counts, title=title, dark=is_dark())
    settings_of_chart = chart_theme.config(f"confusion-{file_name(run.id)}")
    st.plotly_chart(figure, theme=None, config=settings_of_chart, key=f"panel_matrix_{run.id}")
    origin_line(found.origin)


def _pictures(run: Run, _rows: Sequence[MetricRow]) -> None:
    """Draws one watched picture of each class, and what the network has said of it so far."""
    found = stored.epoch_answers(run)  # kept: a run that learns draws this every two seconds
    dataset = cached.open_dataset()
    pictures = dataset.test if found.split == "test" else dataset.train
    is_here = np.isin(found.indices, pictures.indices)
    of_classes = [np.flatnonzero(is_here & (found.labels == label)) for label in range(10)]
    places = [int(those[0]) for those in of_classes if len(those)]
    if not places:
        empty_state(
            "None of the watched pictures is in the sample that came with the lab.",
            "The full dataset holds them all.",
        )
        return
    epochs, answers = services.read_course(run, found, places)
    indices, labels, last = found.indices[places], found.labels[places], answers[-1]
    said = last.argmax(axis=1)
    gallery(
        pictures.images[np.searchsorted(pictures.indices, indices)],
        [f"{share:.0%} sure" for share in last.max(axis=1)],
        truths=[CLASS_NAMES[label] for label in labels],
        predictions=[CLASS_NAMES[label] for label in said],
        links=[picture_address(pictures.name, int(index)) for index in indices],
        columns=5,
    )
    figure = examples.course_heatmap(
        epochs.tolist(),
        answers,
        labels,
        title=chart_theme.Title(
            "How sure it is of the true class", run=str(run.name), split=found.monitored
        ),
        dark=is_dark(),
    )
    settings_of_chart = chart_theme.config(f"pictures-{file_name(run.id)}")
    st.plotly_chart(
        figure,
        theme=None,
        config=settings_of_chart,
        key=f"panel_pictures_{run.id}",
        alt="The probability of the true class of each picture above, epoch by epoch.",
    )
    origin_line(
        f"{found.origin}; the first of each class among them that is here, as trained; the chart "
        f"from epoch {epochs[0]} on"
    )
    csv_download(
        course_table(epochs, answers, labels), f"{run.id}-pictures", key="panel_pictures_csv"
    )


def course_table(epochs: Integers, answers: Floats, labels: Integers) -> pd.DataFrame:
    """Returns a row per epoch: the probability of each picture's true class, in percent.

    Args:
        epochs: (e,), counted from 1.
        answers: (e, n, 10) probabilities.
        labels: (n,) true classes, each once.
    """
    import pandas as pd

    given = answers[:, np.arange(len(labels)), labels]
    table = pd.DataFrame(100 * given, columns=[CLASS_NAMES[label] for label in labels])
    table.insert(0, "Epoch", epochs)
    return table


def epoch_table(rows: Sequence[MetricRow], watched: str) -> pd.DataFrame:
    """Returns one row per finished epoch, the newest first.

    Args:
        rows: The metrics so far.
        watched: The split that is measured after every epoch.
    """
    import pandas as pd

    split = watched.capitalize()
    table = pd.DataFrame(
        [
            {
                "Epoch": round(row.epoch),
                "Training accuracy": 100 * row.accuracy,
                f"{split} accuracy": _hundred(row.monitored_accuracy),
                "Training loss": row.loss,
                f"{split} loss": row.monitored_loss,
                "Learning rate": row.learning_rate,
                "Pictures per second": row.images_per_second,
                "Seconds": row.epoch_seconds,
            }
            for row in rows
            if row.kind == "epoch"
        ]
    )
    return table.iloc[::-1].reset_index(drop=True)


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _table(run: Run, rows: Sequence[MetricRow]) -> None:
    watched = run.recipe.monitored_split if run.recipe else "watched"
    table = epoch_table(rows, watched)
    if table.empty:
        empty_state("No epoch is finished yet.", "Its figures appear with its end.")
        return
    number = st.column_config.NumberColumn
    formats_of_columns = {
        "Training accuracy": "%.1f%%",
        f"{watched.capitalize()} accuracy": "%.1f%%",
        "Training loss": "%.3f",
        f"{watched.capitalize()} loss": "%.3f",
        "Learning rate": "%.4g",
        "Pictures per second": "%.0f",
        "Seconds": "%.1f",
    }
    st.dataframe(
        table,
        hide_index=True,
        height=min(36 * (len(table) + 1) + 2, 320),
        row_height=36,
        column_config={name: number(name, format=f) for name, f in formats_of_columns.items()},
        key="panel_table",
    )
    csv_download(table, f"{run.id}-epochs", key="panel_csv")


def _learning_rate(run: Run, rows: Sequence[MetricRow]) -> None:
    network = run.recipe.network if run.recipe else ""
    line = curves.CurveSeries(
        "learning rate",
        network,
        [row.epoch for row in rows],
        [row.learning_rate for row in rows],
        split="",
    )
    figure = curves.learning_rate_curve(
        [line],
        title=chart_theme.Title("Learning rate", run=str(run.name)),
        until=float(run.recipe.epochs) if run.recipe else None,
        dark=is_dark(),
    )
    settings_of_chart = chart_theme.config(f"learning-rate-{file_name(run.id)}")
    st.plotly_chart(figure, theme=None, config=settings_of_chart, key=f"panel_rate_{run.id}")


def _log(run: Run, _rows: Sequence[MetricRow]) -> None:
    lines = services.read_log(run.id, last_bytes=LOG_BYTES).splitlines()[-LOG_LINES:]
    if not lines:
        st.text("The worker has printed nothing yet.")
        return
    st.code("\n".join(lines), language=None, wrap_lines=True, height=320)
    st.download_button(
        "Save the log",
        lambda: services.read_log(run.id, last_bytes=WHOLE_LOG_BYTES).encode(),
        file_name=f"{file_name(run.id)}.log",
        mime="text/plain",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        key="panel_log",
    )
