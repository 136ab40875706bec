"""The parts of the Results page beside the matrix: headline, classes, confidence, advice."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cifar_core import formats
from cifar_core.charts import theme as chart_theme
from cifar_core.charts.calibration import (
    KeptSeries,
    ReliabilitySeries,
    kept_chart,
    reliability_diagram,
)
from cifar_core.evaluation import calibration, metrics
from cifar_core.evaluation.advice import Advice, advise_on_answers, advise_on_learning
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.runs.folder import State
from cifar_core.runs.manager import Run
from cifar_core.runs.results import Predictions, origin_of
from cifar_core.ui import stored
from cifar_core.ui.page import origin_line
from cifar_core.ui.tables import csv_download, file_name, plain
from cifar_core.ui.theme import is_dark

ECE_WORDS = (
    "Expected calibration error: by how much, on average over 15 groups of answers, what the "
    "network says (“90% sure”) differs from how often it is right. Below 2% is good."
)
TEMPERATURE_WORDS = (
    "One number that makes all answers milder (above 1) or sharper (below 1), fitted on the "
    "validation pictures. It changes no answer, only how sure the network says it is."
)


def headline(run: Run, figures: Evaluation | None) -> str:
    """Draws the figures that matter first: test accuracy, or what is known while it trains.

    Returns:
        Where they come from, as drawn below them; empty for a run without final figures.
    """
    with st.container(horizontal=True, gap="medium", key="headline"):
        if figures is not None:
            _final_metrics(figures)
        else:
            _running_metrics(run)
    if figures is None:
        return ""
    epoch, split = run.status.epoch, figures.split
    origin = origin_of(run, epoch=epoch, split=split, pictures=figures.pictures)
    origin_line(f"{origin}; interval: {figures.interval_method}")
    return origin


def _final_metrics(figures: Evaluation) -> None:
    share = metrics.share(figures.right, figures.pictures)
    st.metric(
        "Test accuracy",
        share.words(),
        width="content",
        help=f"{figures.right:,} of {figures.pictures:,} test pictures right. With other pictures "
        "of the same kind the figure would lie in this range 95 times of 100.",
    )
    st.metric(
        "Among its first five",
        formats.percent(figures.top5),
        width="content",
        help="How often the right class is among the five likeliest (top-5).",
    )
    st.metric(
        "With mirror image",
        formats.percent(figures.accuracy_mirrored),
        width="content",
        help="Accuracy when the answers for a picture and its mirror image are averaged.",
    )
    st.metric("Calibration error", formats.percent(figures.ece), width="content", help=ECE_WORDS)


def _running_metrics(run: Run) -> None:
    """Draws the monitored accuracy, so named, for a run that has no test figures."""
    answers = stored.latest_answers(run)
    split = run.recipe.monitored_split if run.recipe else "monitored"
    if answers is None:
        st.metric("Accuracy so far", formats.UNKNOWN, width="content")
        return
    st.metric(
        f"{split.capitalize()} accuracy, epoch {answers.epoch}",
        stored.shown_share(answers).words(),
        width="content",
        help="Measured on the pictures this run watches. The test figures come with its end.",
    )
    top5 = metrics.top_k(answers.probabilities, answers.labels, 5)
    st.metric("Among its first five", formats.percent(top5.value), width="content")
    if run.state is not State.FINISHED:
        best = run.status.best_accuracy
        label = f"Best, epoch {run.status.best_epoch}" if run.status.best_epoch else "Best"
        st.metric(label, formats.percent(best), width="content")


def class_panel(run: Run, answers: Predictions) -> None:
    """Draws the classification report and the most confused pairs in sentences."""
    left, right = st.columns([6, 5], gap="large")
    table = stored.report_of(stored.key_of(run, answers), answers)
    with left:
        st.subheader("Class by class", anchor=False)
        st.dataframe(
            table.assign(**{name: 100 * table[name] for name in ("precision", "recall", "F1")}),
            hide_index=True,
            height="content",
            column_config={
                "class": st.column_config.TextColumn("Class"),
                "precision": _share_column("Precision", "When it says this class: how often right"),
                "recall": _share_column("Recall", "Of this class: how many it recognises"),
                "F1": _share_column("F1", "The harmonic mean of the two"),
                "support": st.column_config.NumberColumn("Pictures", format="localized"),
            },
        )
        csv_download(table, f"classes-{run.id}-{answers.monitored}-{answers.epoch}", key="classes")
    with right:
        st.subheader("Most often confused", anchor=False)
        pairs = metrics.most_confused(stored.matrix_of(answers), 8)
        if not pairs:
            st.text("No class was taken for another.")
        for pair in pairs:
            sentence = pair.sentence()
            st.text(sentence[0].upper() + sentence[1:])


def confidence_panel(run: Run, answers: Predictions, figures: Evaluation | None) -> None:
    """Draws whether the probabilities can be believed, and what a threshold keeps."""
    import pandas as pd

    network = run.recipe.network if run.recipe else ""
    temperature = figures.temperature if figures else None
    kinds = [("as trained", answers.probabilities, temperature is not None)]
    if temperature is not None:
        scaled = calibration.apply_temperature(answers.probabilities, temperature)
        kinds.append((f"temperature {temperature:.2f}", scaled, False))
    errors = {
        name: calibration.expected_calibration_error(values, answers.labels)
        for name, values, _ in kinds
    }
    with st.container(horizontal=True, gap="large"):
        for name, error in errors.items():
            st.metric(
                f"Calibration error, {name}", formats.percent(error), width="content",
                help=ECE_WORDS,
            )  # fmt: skip
        if temperature is not None:
            st.metric("Temperature", f"{temperature:.2f}", width="content", help=TEMPERATURE_WORDS)
    if figures is not None and temperature is None:
        st.text("This run watched the test pictures, so no temperature could be fitted honestly.")
    bins = {name: calibration.reliability(values, answers.labels) for name, values, _ in kinds}
    kept = {
        name: metrics.kept_against_accuracy(values, answers.labels) for name, values, _ in kinds
    }
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            reliability_diagram(
                [ReliabilitySeries(name, network, bins[name], dash) for name, _, dash in kinds],
                title=_title("Does 80% sure mean 80% right?", run, answers),
                dark=is_dark(),
            ),
            theme=None,
            key="reliability",
            config=chart_theme.config(f"reliability-{run.id}"),
            alt="Reliability diagram: confidence against accuracy.",
        )
    with right:
        st.plotly_chart(
            kept_chart(
                [KeptSeries(name, network, kept[name], dash) for name, _, dash in kinds],
                title=_title("Fewer answers, better answers", run, answers),
                dark=is_dark(),
            ),
            theme=None,
            key="kept",
            config=chart_theme.config(f"kept-{run.id}"),
            alt="Share of answers kept against their accuracy.",
        )
    last = list(kinds)[-1][0]
    st.text(kept_sentence(kept[last]))
    table = pd.concat(
        pd.DataFrame([vars(row) for row in rows]).assign(answers=name)
        for name, rows in bins.items()
    )
    csv_download(table, f"reliability-{run.id}", key="reliability_csv")


def kept_sentence(curve: metrics.KeptCurve, aim: float = 0.95) -> str:
    """Returns what share of the answers can be kept to be right as often as wanted."""
    enough = np.flatnonzero(np.nan_to_num(curve.accuracy, nan=0.0) >= aim)
    if not enough.size:
        return f"No threshold makes the kept answers right {100 * aim:.0f} times of 100."
    first = int(enough[0])
    return (
        f"To be right {100 * aim:.0f} times of 100, keep only answers at least "
        f"{100 * curve.thresholds[first]:.0f}% sure: that keeps "
        f"{formats.percent(float(curve.share_kept[first]))} of them."
    )


def advice_panel(run: Run, answers: Predictions) -> None:
    """Draws what the figures suggest, each piece with the figures it comes from."""
    split = run.recipe.monitored_split if run.recipe else "monitored"
    pieces: list[Advice] = [
        *advise_on_learning(stored.learning(run), split=split),
        *advise_on_answers(
            stored.matrix_of(answers),
            answers.probabilities,
            answers.labels,
            split=answers.monitored,
        ),
    ]
    for place, piece in enumerate(pieces):
        with st.container(border=True, key=f"advice_{place}", width=720, gap="xsmall"):
            st.markdown(f"**{plain(piece.title)}**")
            st.text(piece.sentence)
            origin_line(piece.figures)


def figures_download(run: Run, figures: Evaluation | None, answers: Predictions) -> None:
    """Draws the button that saves every figure of the page as JSON."""

    def content() -> str:
        share = stored.shown_share(answers)
        shown = {
            "split": answers.monitored,
            "epoch": answers.epoch,
            "origin": answers.origin,
            "right": share.right,
            "pictures": share.total,
            "accuracy": share.value,
            "interval": [share.interval.low, share.interval.high],
            "interval_method": share.interval.method,
            "confusion_matrix": stored.matrix_of(answers).tolist(),
        }
        recipe = run.recipe.to_json() if run.recipe else None
        whole = {
            "run": run.id,
            "recipe": recipe,
            "evaluation": figures.to_json() if figures else None,
            "shown": shown,
        }
        return json.dumps(whole, indent=1)

    st.download_button(
        "Save all figures as JSON",
        content,
        file_name=f"{file_name(run.id)}-figures.json",
        mime="application/json",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        key="figures_json",
    )


def _title(text: str, run: Run, answers: Predictions) -> chart_theme.Title:
    return chart_theme.Title(text, run.name, answers.epoch, answers.monitored)


def _share_column(label: str, explanation: str) -> ColumnConfig:
    return st.column_config.NumberColumn(label, help=explanation, format="%.1f%%")
