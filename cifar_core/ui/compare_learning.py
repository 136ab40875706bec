"""How runs learnt, side by side: curves, times, and the tutorial's figures beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.charts.bars import EpochTimes, epoch_time_bars
from cifar_core.charts.curves import CurveSeries, accuracy_curve, loss_curve
from cifar_core.charts.theme import Title, config
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import LEVELS, best_epoch, over_seeds, time_to_accuracy
from cifar_core.evaluation.learning import Learning, epoch_time
from cifar_core.networks import NETWORKS
from cifar_core.runs.manager import Run
from cifar_core.ui import stored
from cifar_core.ui.page import origin_line
from cifar_core.ui.run_words import network_title, recipe_title, waiting_seconds
from cifar_core.ui.tables import csv_download
from cifar_core.ui.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

TUTORIAL: Final = "tutorial"


def learning_panel(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Draws the tutorial's two closing charts for these runs, and the table below them."""
    st.subheader("The tutorial's two closing charts, drawn again", anchor=False)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        measure = st.segmented_control(
            "Measure", ["Accuracy", "Loss"], default="Accuracy", key="measure", required=True,
            bind="query-params",
        )  # fmt: skip
        by = st.segmented_control(
            "Against", ["Epochs", "Minutes"], default="Epochs", key="against", required=True,
            bind="query-params",
        )  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    with left:
        _curves(runs, names, measure=str(measure), by=str(by))
    with right:
        times = [
            EpochTimes(names[run.id], _network(run), _measured(stored.learning(run).epoch_seconds))
            for run in runs
        ]
        st.plotly_chart(
            epoch_time_bars(times, title="Learning time per epoch", dark=is_dark(), height=400),
            theme=None,
            key="epoch_times",
            config=config("time-per-epoch"),
            alt="Median time per epoch of each run.",
        )
    for sentence in split_notes(runs, names):
        st.text(sentence)
    st.subheader("Figures side by side", anchor=False)
    table = figure_table(runs, names)
    figures = {
        name: st.column_config.TextColumn(name, alignment="right") for name in table.columns[1:]
    }
    st.dataframe(table, hide_index=True, height="content", column_config=figures)
    csv_download(table, "comparison", key="comparison_csv")
    for sentence in seed_sentences(runs):
        st.text(sentence)
    origin_line(
        "Accuracy on the test pictures is measured once, at the end of a run. Times are those on "
        "the device; waiting in line is counted apart. The tutorial published no times."
    )


def _curves(runs: Sequence[Run], names: dict[str, str], *, measure: str, by: str) -> None:
    learnt = {run.id: stored.learning(run) for run in runs}
    in_minutes = by == "Minutes"
    lines = [
        _line(run, names[run.id], learnt[run.id], measure=measure, in_minutes=in_minutes)
        for run in runs
        if len(learnt[run.id])
    ]
    end = max((line.x[-1] for line in lines), default=1.0)
    start = min((line.x[0] for line in lines), default=0.0)
    if measure == "Accuracy":
        lines += [_published_line(network, start, end) for network in published.BEST_EPOCHS]
    draw = accuracy_curve if measure == "Accuracy" else loss_curve
    what = "Accuracy" if measure == "Accuracy" else "Loss"
    st.plotly_chart(
        draw(
            lines,
            title=Title(f"{what} by {'wall time' if in_minutes else 'epoch'}, best epoch marked"),
            by="minutes" if in_minutes else "epochs",
            dark=is_dark(),
            height=400,
        ),
        theme=None,
        key="learning_curves",
        config=config(f"{what.lower()}-curves"),
        alt=f"{what} of each run; the table below holds its figures.",
    )


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
        listed = "; ".join(f"{names[run_id]}: {what}" for run_id, what in watched.items())
        notes.append(
            f"These curves were measured on different pictures ({listed}). Compare their shape, "
            "and the test accuracies in the table."
        )
    silent = [names[run.id] for run in runs if not len(stored.learning(run))]
    if silent:
        notes.append(f"Not in the charts, for no epoch is finished: {', '.join(silent)}.")
    digests = {stored.data_digest(run) for run in runs} - {""}
    if len(digests) > 1:
        notes.append(
            "These runs were trained on different data: digests " + ", ".join(sorted(digests)) + "."
        )
    return notes


def figure_table(runs: Sequence[Run], names: dict[str, str]) -> pd.DataFrame:
    """Returns one row per figure, one column per run, and the tutorial's two columns."""
    import pandas as pd

    table = pd.DataFrame({"": _labels()})
    for run in runs:
        table[names[run.id]] = _run_column(run)
    for network in published.BEST_EPOCHS:
        known = published.published(network)
        first, last = known.best_epochs
        blank = [formats.UNKNOWN] * (4 + len(LEVELS))
        table[f"Tutorial {NETWORKS[network].title}"] = [
            NETWORKS[network].title, "Tutorial, as printed", known.accuracy.words(),
            formats.UNKNOWN, f"between {first} and {last}", *blank,
        ]  # fmt: skip
    return table


def _labels() -> list[str]:
    return [
        "Network",
        "Recipe",
        "Test accuracy, 95% interval",
        "Best watched accuracy",
        "Best epoch",
        "Time per epoch, median",
        "… middle half of the epochs",
        "Training in all",
        "Waited in line",
        *(f"Time to {level:.0%}" for level in LEVELS),
    ]


def _run_column(run: Run) -> list[str]:
    learnt = stored.learning(run)
    best = best_epoch(learnt.accuracy)
    answers = stored.final_answers(run)
    took = epoch_time(learnt.epoch_seconds)
    reached = time_to_accuracy(learnt.accuracy, learnt.seconds)
    return [
        network_title(run.recipe),
        recipe_title(run.recipe),
        stored.shown_share(answers).words() if answers else "not measured yet",
        formats.percent(learnt.accuracy[best - 1]) if best else formats.UNKNOWN,
        f"{learnt.epochs[best - 1]} of {learnt.epochs[-1]}" if best else formats.UNKNOWN,
        formats.duration(took.median_seconds if took else None),
        f"{formats.duration(took.low_seconds)} to {formats.duration(took.high_seconds)}"
        if took
        else formats.UNKNOWN,
        formats.duration(learnt.seconds[-1] if len(learnt) else None),
        formats.duration(waiting_seconds(run)),
        *(formats.duration(level.seconds) if level.epoch else "not reached" for level in reached),
    ]


def seed_sentences(runs: Sequence[Run]) -> list[str]:
    """Returns mean and deviation for runs that differ in nothing but their seed."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.recipe is not None:
            recipe = run.recipe.to_json()
            recipe.pop("seed")
            groups.setdefault(f"{recipe} {stored.data_digest(run)}", []).append(run)
    sentences = []
    for group in groups.values():
        answers = [stored.final_answers(run) for run in group]
        shares = [stored.shown_share(item).value for item in answers if item is not None]
        seeds = {run.recipe.seed for run in group if run.recipe}
        if len(shares) > 1 and len(seeds) == len(group):
            title = f"{network_title(group[0].recipe)}, {recipe_title(group[0].recipe)}"
            sentences.append(f"{title}, over seeds: {over_seeds(shares).words()} (test pictures).")
    return sentences


def _network(run: Run) -> str:
    return run.recipe.network if run.recipe else ""


def _measured(values: Sequence[float]) -> list[float]:
    return [value for value in values if np.isfinite(value)]
