"""The learning curves of a run as still charts, to be saved: the live ones move."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from cifar_core.charts.curves import CurveSeries, accuracy_curve, loss_curve
from cifar_core.charts.theme import Title
from cifar_core.evaluation.comparison import best_epoch
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.downloads import draw_chart
from cifar_core.ui.kit.page import empty_state
from cifar_core.ui.kit.runs import results
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
