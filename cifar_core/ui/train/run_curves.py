"""The learning curves of a run as still charts, to be saved: the live ones move."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from cifar_core.charts.curves import SYMBOLS, CurveSeries, accuracy_curve, loss_curve
from cifar_core.charts.theme import Title
from cifar_core.evaluation.comparison import best_epoch
from cifar_core.evaluation.learning import Learning
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.downloads import draw_chart
from cifar_core.ui.kit.page import empty_state, guard
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.runs.picker import short_names
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import is_dark


def curves_to_save(run: Run, _rows: Sequence[MetricRow]) -> None:
    """Draws accuracy and loss after every epoch, of the training images and the monitored ones."""
    learnt = results.learning(run)
    if not len(learnt):
        empty_state("No epoch is finished yet.", "The curves appear with its end.")
        return
    best = best_epoch(learnt.accuracy)
    split = run.recipe.monitored_split if run.recipe else "validation"
    measures = {
        "Accuracy": (accuracy_curve, learnt.accuracy, learnt.train_accuracy),
        "Loss": (loss_curve, learnt.loss, learnt.train_loss),
    }
    for place, (measure, (draw, values, training)) in zip(
        st.columns(2, gap="medium"), measures.items(), strict=True
    ):
        monitored = CurveSeries(
            split,
            run.recipe.network if run.recipe else "",
            [float(epoch) for epoch in learnt.epochs],
            values,
            split=split,
            best_epoch=learnt.epochs[best - 1] if best and measure == "Accuracy" else None,
        )
        lines = [
            dataclasses.replace(
                monitored, name="training", y=training, split="train", best_epoch=None
            ),
            monitored,
        ]
        with place:
            draw_chart(
                draw(lines, title=Title(f"{measure} by epoch", run=str(run.name)), dark=is_dark()),
                key=f"panel_{measure.lower()}_still_{run.id}",
                name=file_name(measure.lower(), "by-epoch", run.id),
                alt=f"{measure} by epoch; “Figures of every epoch” holds its values.",
            )


def curves_together(runs: Sequence[Run]) -> None:
    """Draws accuracy and loss after every epoch of several runs, a line for each.

    Args:
        runs: Two or more; those without a finished epoch have no line and are named.
    """
    names = short_names(runs)
    learnt = {}
    for run in runs:
        with guard():
            learnt[run.id] = results.learning(run)
    begun = [run for run in runs if len(learnt.get(run.id, ()))]
    waiting = [names[run.id] for run in runs if run not in begun]
    if waiting:
        st.text(f"No finished epoch yet: {', '.join(waiting)}.")
    if not begun:
        return
    draws = {"accuracy": accuracy_curve, "loss": loss_curve}
    for place, (measure, draw) in zip(st.columns(2, gap="medium"), draws.items(), strict=True):
        lines = [
            _monitored_line(run, names[run.id], learnt[run.id], measure=measure, place=number)
            for number, run in enumerate(begun)
        ]
        with place:
            draw_chart(
                draw(lines, title=Title(f"{measure.capitalize()} by epoch"), dark=is_dark()),
                key=f"together_{measure}",
                name=file_name(measure, "by-epoch", *(run.id for run in begun[:3])),
                alt=f"{measure.capitalize()} by epoch of the ticked runs.",
            )


def _monitored_line(
    run: Run, name: str, learnt: Learning, *, measure: str, place: int
) -> CurveSeries:
    """Returns the line of a run; its symbol tells it from others of the same network."""
    symbols = list(SYMBOLS)
    return CurveSeries(
        name,
        run.recipe.network if run.recipe else "",
        [float(epoch) for epoch in learnt.epochs],
        getattr(learnt, measure),
        split=run.recipe.monitored_split if run.recipe else "validation",
        symbol=symbols[place % len(symbols)],
    )
