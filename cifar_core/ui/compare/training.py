"""How runs learnt, side by side: curves, times, and the tutorial's figures beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from cifar_core.charts.bars import EpochTimes, epoch_time_bars
from cifar_core.charts.curves import SYMBOLS, CurveSeries, accuracy_curve, loss_curve
from cifar_core.charts.theme import Title
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import best_epoch
from cifar_core.evaluation.learning import Learning
from cifar_core.glossary import explain_found
from cifar_core.networks import NETWORKS
from cifar_core.runs.conditions import time_caveat
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui.compare.figures import seed_sentences
from cifar_core.ui.compare.table import figure_section
from cifar_core.ui.kit.downloads import draw_chart
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import csv_download
from cifar_core.ui.kit.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

TUTORIAL: Final = "tutorial"
MEASURES: Final = ("Accuracy", "Loss")
SCALES: Final = ("Epochs", "Minutes")
TRAINING_WORDS: Final = (
    "Dotted: the training images, measured during each epoch with dropout and augmentation. Both "
    "make them harder, so these curves may lie below the others."
)


def learning_panel(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Draws the tutorial's two closing charts for these runs, and the table below them."""
    st.header("The tutorial's two closing charts, drawn again", anchor=False)
    measure, by, with_training = _controls()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _curves(runs, names, measure=measure, by=by, with_training=with_training)
    with right:
        times = [
            EpochTimes(names[run.id], _network(run), _measured(results.learning(run).epoch_seconds))
            for run in runs
        ]
        draw_chart(
            epoch_time_bars(times, title="Learning time per epoch", dark=is_dark(), height=400),
            key="epoch_times",
            name="time-per-epoch",
            alt="Median time per epoch of each run; the table below holds it.",
        )
    for sentence in (*split_notes(runs, names), *filter(None, [time_caveat(runs)])):
        st.text(sentence)
    st.header("Figures side by side", anchor=False)
    figure_section(runs, names)
    for sentence in seed_sentences(runs):
        st.text(sentence)
    origin_line(
        "Test accuracy is that of the network at the end of its run; the tutorial's own recipes "
        "also watch the test pictures after every epoch. Times are those on "
        "the device; waiting in line is counted apart. Best epoch and times to a level go by the "
        "watched pictures; a dash: not measured, or not reached. Dashed lines: the tutorial's test "
        "accuracy; it published no times."
    )


def _controls() -> tuple[str, str, bool]:
    """Draws what the curves show: the measure, against what, and whether training is beside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        measure = st.segmented_control(
            "Measure", MEASURES, key="measure", required=True,
            on_change=keep_in_address("measure", MEASURES, MEASURES[0]),
        )  # fmt: skip
        by = st.segmented_control(
            "Against", SCALES, key="against", required=True,
            on_change=keep_in_address("against", SCALES, SCALES[0]),
        )  # fmt: skip
        noted = keep_in_address("training", (False, True), start=False)
        with_training = st.toggle("Training curves", key="training", on_change=noted)
    return str(measure), str(by), with_training


def _curves(
    runs: Sequence[Run], names: dict[str, str], *, measure: str, by: str, with_training: bool
) -> None:
    learnt = {run.id: results.learning(run) for run in runs}
    in_minutes = by == "Minutes"
    symbols = symbols_of(runs)
    lines = []
    for run in runs:
        if len(learnt[run.id]):
            line = _line(run, names[run.id], learnt[run.id], measure=measure, in_minutes=in_minutes)
            lines.append(dataclasses.replace(line, symbol=symbols[run.id]))
            if with_training:
                lines.append(_training_line(lines[-1], learnt[run.id], measure))
    end = max((line.x[-1] for line in lines), default=1.0)
    start = min((line.x[0] for line in lines), default=0.0)
    if measure == "Accuracy":
        lines += [_published_line(network, start, end) for network in published.BEST_EPOCHS]
    draw = accuracy_curve if measure == "Accuracy" else loss_curve
    what = "Accuracy" if measure == "Accuracy" else "Loss"
    draw_chart(
        draw(
            lines,
            title=Title(f"{what} by {'wall time' if in_minutes else 'epoch'}, best epoch marked"),
            by="minutes" if in_minutes else "epochs",
            dark=is_dark(),
            height=400,
        ),
        key="learning_curves",
        name=f"{what.lower()}-curves",
        alt=f"{what} of each run; the CSV below holds its figures.",
    )
    if with_training:
        st.caption(TRAINING_WORDS, help=explain_found(TRAINING_WORDS))
    if any(len(learning) for learning in learnt.values()):
        csv_download(
            lambda: epoch_table(runs, names),
            "learning",
            key="epochs_csv",
            label="Save every epoch as CSV",
        )


def symbols_of(runs: Sequence[Run]) -> dict[str, str]:
    """Returns what tells apart the lines of each network's runs: nothing where it has one."""
    networks = [_network(run) for run in runs]
    signs = list(SYMBOLS)
    symbols = {}
    for place, run in enumerate(runs):
        earlier = networks[:place].count(networks[place])
        is_alone = networks.count(networks[place]) == 1
        symbols[run.id] = "" if is_alone else signs[earlier % len(signs)]
    return symbols


def epoch_table(runs: Sequence[Run], names: dict[str, str]) -> pd.DataFrame:
    """Returns a row per run and epoch: what the curves are drawn from."""
    import pandas as pd

    rows = []
    for run in runs:
        learnt = results.learning(run)
        for place, epoch in enumerate(learnt.epochs):
            rows.append(
                {
                    "run": names[run.id],
                    "epoch": epoch,
                    "split": run.recipe.monitored_split if run.recipe else "",
                    "accuracy": learnt.accuracy[place],
                    "loss": learnt.loss[place],
                    "train_accuracy": learnt.train_accuracy[place],
                    "train_loss": learnt.train_loss[place],
                    "seconds": learnt.seconds[place],
                    "epoch_seconds": learnt.epoch_seconds[place],
                }
            )
    return pd.DataFrame(rows)


def _line(run: Run, name: str, learnt: Learning, *, measure: str, in_minutes: bool) -> CurveSeries:
    values = learnt.accuracy if measure == "Accuracy" else learnt.loss
    better = values if measure == "Accuracy" else [-value for value in values]
    best = best_epoch(better)
    split = run.recipe.monitored_split if run.recipe else "validation"
    epochs = [float(epoch) for epoch in learnt.epochs]
    return CurveSeries(
        name,
        _network(run),
        [second / 60 for second in learnt.seconds] if in_minutes else epochs,
        values,
        split=split,
        best_epoch=None if best is None else learnt.epochs[best - 1],
        epochs=epochs if in_minutes else None,
    )


def _training_line(line: CurveSeries, learnt: Learning, measure: str) -> CurveSeries:
    """Returns the curve of the training images that belongs to a run's curve."""
    values = learnt.train_accuracy if measure == "Accuracy" else learnt.train_loss
    return dataclasses.replace(line, y=values, split="train", best_epoch=None)


def _published_line(network: str, start: float, end: float) -> CurveSeries:
    """Returns the accuracy the tutorial reached, as a level: it printed no curve's numbers."""
    accuracy = published.published(network).accuracy.value
    title = f"Tutorial {NETWORKS[network].title}"
    return CurveSeries(
        title, TUTORIAL, [start, end], [accuracy, accuracy], split="test", dashed=True
    )


def split_notes(runs: Sequence[Run], names: dict[str, str]) -> list[str]:
    """Returns what must be said before these curves are compared; often nothing."""
    watched = {
        run.id: f"{run.recipe.validation_pictures:,} validation pictures"
        if run.recipe.monitored_split == "validation"
        else "the test pictures"
        for run in runs
        if run.recipe is not None
    }
    notes = []
    if len(set(watched.values())) > 1:
        listed = "; ".join(
            f"{what}: {', '.join(names[run_id] for run_id in watched if watched[run_id] == what)}"
            for what in dict.fromkeys(watched.values())
        )
        notes.append(
            f"These curves were measured on different pictures ({listed}). Compare their shape, "
            "and the test accuracies in the table."
        )
    silent = [names[run.id] for run in runs if not len(results.learning(run))]
    if silent:
        notes.append(f"Not in the charts, for no epoch is finished: {', '.join(silent)}.")
    digests = {data_digest(run) for run in runs} - {""}
    if len(digests) > 1:
        notes.append(
            "These runs were trained on different data: digests " + ", ".join(sorted(digests)) + "."
        )
    return notes


def _network(run: Run) -> str:
    return run.recipe.network if run.recipe else ""


def _measured(values: Sequence[float]) -> list[float]:
    return [value for value in values if np.isfinite(value)]
