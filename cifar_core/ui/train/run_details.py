"""What one may open below a run: matrix so far, ten pictures, figures, learning rate, log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cifar_core import services
from cifar_core.charts import curves, examples, matrix
from cifar_core.charts import theme as chart_theme
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.metrics import confusion, predicted_classes
from cifar_core.evaluation.predictions import Floats, Integers
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.ui.kit import caches, matrix_cells
from cifar_core.ui.kit.downloads import chart_format, draw_chart
from cifar_core.ui.kit.images import gallery, picture_address
from cifar_core.ui.kit.page import empty_state, guard, origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.tables import csv_download, file_name, share_column
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.train.run_curves import curves_to_save

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
        ("Learning curves to save", "curves", curves_to_save),
        ("Learning rate", "rate", _learning_rate),
        ("Log", "log", _log),
    )
    for label, name, draw in drawers:
        drawer = st.expander(label, key=f"panel_open_{name}", on_change="rerun")
        if drawer.open:
            with drawer, guard():
                draw(run, rows)
    chart_format()


def _matrix(run: Run, _rows: Sequence[MetricRow]) -> None:
    found = results.epoch_answers(run)
    counts = confusion(found.labels, predicted_classes(found.probabilities), CIFAR10.classes)
    title = chart_theme.Title(
        "Which classes are taken for which",
        run=str(run.name),
        epoch=found.epoch,
        split=found.monitored,
    )
    figure = matrix.confusion_heatmap(counts, title=title, dark=is_dark())
    name = file_name("confusion", run.id, found.monitored, "epoch", found.epoch)
    draw_chart(
        figure,
        key=f"panel_matrix_{run.id}",
        name=name,
        alt=f"Confusion matrix after epoch {found.epoch}; the CSV below holds its counts.",
    )
    csv_download(matrix_cells.as_table(counts), name, key="panel_matrix_csv")
    origin_line(found.origin)


def _pictures(run: Run, _rows: Sequence[MetricRow]) -> None:
    """Draws one watched picture of each class, and what the network has said of it so far."""
    found = results.epoch_answers(run)  # kept: a run that learns draws this every two seconds
    dataset = caches.open_dataset()
    pictures = dataset.test if found.split == "test" else dataset.train
    is_here = np.isin(found.indices, pictures.indices)
    of_classes = [
        np.flatnonzero(is_here & (found.labels == label)) for label in range(CIFAR10.classes)
    ]
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
        truths=[CIFAR10.class_names[label] for label in labels],
        predictions=[CIFAR10.class_names[label] for label in said],
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
    draw_chart(
        figure,
        key=f"panel_pictures_{run.id}",
        name=file_name("images", run.id),
        alt="The probability of the true class of each picture above, epoch by epoch.",
    )
    origin_line(
        f"{found.origin}; the first of each class among them that is here, as trained; the chart "
        f"from epoch {epochs[0]} on"
    )
    csv_download(
        course_table(epochs, answers, labels), file_name(run.id, "images"), key="panel_pictures_csv"
    )


def course_table(epochs: Integers, answers: Floats, labels: Integers) -> pd.DataFrame:
    """Returns a row per epoch: the probability of each picture's true class.

    Args:
        epochs: (e,), counted from 1.
        answers: (e, n, 10) probabilities.
        labels: (n,) true classes, each once.
    """
    import pandas as pd

    given = answers[:, np.arange(len(labels)), labels]
    table = pd.DataFrame(given, columns=[CIFAR10.class_names[label] for label in labels])
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
                "Training accuracy": row.accuracy,
                f"{split} accuracy": row.monitored_accuracy,
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


def _table(run: Run, rows: Sequence[MetricRow]) -> None:
    watched = run.recipe.monitored_split if run.recipe else "watched"
    table = epoch_table(rows, watched)
    if table.empty:
        empty_state("No epoch is finished yet.", "Its figures appear with its end.")
        return
    number = st.column_config.NumberColumn
    shares = ("Training accuracy", f"{watched.capitalize()} accuracy")
    formats_of_columns = {
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
        column_config={
            **{name: number(name, format=f) for name, f in formats_of_columns.items()},
            **{name: share_column(name) for name in shares},
        },
        key="panel_table",
    )
    csv_download(table, file_name(run.id, "epochs"), key="panel_csv")


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
    name = file_name("learning-rate", run.id)
    draw_chart(
        figure,
        key=f"panel_rate_{run.id}",
        name=name,
        alt="The learning rate by epoch; the CSV below holds its values.",
    )
    csv_download(lambda: rate_table(rows), name, key="panel_rate_csv")


def rate_table(rows: Sequence[MetricRow]) -> pd.DataFrame:
    """Returns the learning rate wherever it was written down, in the order of the training."""
    import pandas as pd

    return pd.DataFrame(
        {
            "epoch": [row.epoch for row in rows],
            "learning rate": [row.learning_rate for row in rows],
        }
    )


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
