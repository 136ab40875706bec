"""The parts of the Results page beside the matrix: headline, classes, confidence, advice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cifar_core import formats, services
from cifar_core.charts import theme as chart_theme
from cifar_core.charts.precision import precision_chart
from cifar_core.dataset import CLASS_NAMES
from cifar_core.evaluation import metrics
from cifar_core.evaluation.advice import Advice, Course, advise_on_answers, advise_on_learning
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.ranking import PrecisionRecall, precision_recall
from cifar_core.evaluation.words import plural, with_article
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, origin_of
from cifar_core.ui import stored
from cifar_core.ui.confidence_panel import AS_TRAINED, ECE_WORDS
from cifar_core.ui.page import origin_line
from cifar_core.ui.saving import draw_chart
from cifar_core.ui.tables import csv_download, plain
from cifar_core.ui.theme import is_dark

ALL_CLASSES: Final = "all classes"
AVERAGE: Final = "average precision"


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
        help=f"{figures.right:,} of {figures.pictures:,} test pictures right. Such a range "
        "holds the true accuracy on pictures of this kind 95 times of 100.",
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
    as_trained = formats.percent(figures.ece)
    if figures.ece_calibrated is None:
        st.metric(f"Calibration error, {AS_TRAINED}", as_trained, width="content", help=ECE_WORDS)
        return
    st.metric(
        "Calibration error",
        formats.percent(figures.ece_calibrated),
        width="content",
        help=f"{ECE_WORDS} Measured with the temperature applied, as Classify does; {AS_TRAINED} "
        f"it is {as_trained}.",
    )


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
    """Draws the classification report, the most confused pairs, and precision against recall."""
    left, right = st.columns([6, 5], gap="large")
    areas = precision_recall(answers.probabilities, answers.labels)
    name = f"{run.id}-{answers.monitored}-{answers.epoch}"
    with left:
        st.header("Class by class", anchor=False)
        _report(run, answers, areas, name)
    with right:
        st.header("Most often confused", anchor=False)
        pairs = metrics.most_confused(stored.matrix_of(answers), 8)
        if not pairs:
            st.text("No class was taken for another.")
        for pair in pairs:
            sentence = pair.sentence()
            st.text(sentence[0].upper() + sentence[1:])
    chosen = st.selectbox(
        "Highlighted", [ALL_CLASSES, *CLASS_NAMES], key="class", bind="query-params", width=190
    )
    label = CLASS_NAMES.index(chosen) if chosen in CLASS_NAMES else None
    draw_chart(
        precision_chart(
            areas,
            chosen=label,
            title=_title("Precision against recall", run, answers),
            dark=is_dark(),
        ),
        key="precision",
        name=f"precision-{name}",
        alt="Precision against recall of each class; the table above holds their areas.",
    )
    if label is not None:
        st.text(area_sentence(areas[label]))


def area_sentence(curve: PrecisionRecall) -> str:
    """Returns what the area below a curve means, in words."""
    return (
        f"Ranked by how probable the network holds {with_article(curve.label)}, pictures of "
        f"{plural(curve.label)} come first with an average precision of "
        f"{formats.percent(curve.average_precision)}; 100% would be without a mistake."
    )


def _report(run: Run, answers: Predictions, areas: Sequence[PrecisionRecall], name: str) -> None:
    """Draws the classification report with its CSV."""
    table = stored.report_of(stored.key_of(run, answers), answers)
    table = table.assign(**{AVERAGE: [area.average_precision for area in areas]})
    shares = ("precision", "recall", "F1", AVERAGE)
    st.dataframe(
        table.assign(**{column: 100 * table[column] for column in shares}),
        hide_index=True,
        height="content",
        column_config={
            "class": st.column_config.TextColumn("Class"),
            "precision": _share_column("Precision", "When it says this class: how often right"),
            "recall": _share_column("Recall", "Of this class: how many it recognises"),
            "F1": _share_column("F1", "The harmonic mean of the two"),
            AVERAGE: _share_column("Area", "Average precision: the area below its line below"),
            "support": st.column_config.NumberColumn("Pictures", format="localized"),
        },
    )
    csv_download(table, f"classes-{name}", key="classes")


def advice_panel(run: Run, answers: Predictions) -> None:
    """Draws what the figures suggest, each piece with the figures it comes from."""
    pieces: list[Advice] = [
        *advise_on_learning(stored.learning(run), course_of(run, services.read_evaluation(run))),
        *advise_on_answers(
            stored.matrix_of(answers),
            answers.probabilities,
            answers.labels,
            split=answers.monitored,
        ),
    ]
    for piece in pieces:
        with st.container(border=True, key=f"advice_{piece.kind}", width=720, gap="xsmall"):
            st.markdown(f"**{plain(piece.title)}**")
            st.text(piece.sentence)
            origin_line(piece.figures)


def course_of(run: Run, figures: Evaluation | None) -> Course:
    """Returns what decides which advice on a run is true.

    Args:
        run: The run.
        figures: Its final figures, if it has them.
    """
    recipe = run.recipe
    course = Course(
        split=recipe.monitored_split if recipe else "monitored",
        is_whole=recipe is not None and run.status.epoch >= recipe.epochs,
        anneals=recipe is not None and recipe.anneals,
    )
    if figures is None or figures.training is None:
        return course
    # Without a validation split the test images are the only ones it was not trained on.
    held_out = figures.held_out or (figures.right, figures.pictures)
    return dataclasses.replace(
        course,
        training=figures.training[0] / figures.training[1],
        held_out=held_out[0] / held_out[1],
        held_out_split="validation" if figures.held_out else figures.split,
    )


def _title(text: str, run: Run, answers: Predictions) -> chart_theme.Title:
    return chart_theme.Title(text, run.name, answers.epoch, answers.monitored)


def _share_column(label: str, explanation: str) -> ColumnConfig:
    return st.column_config.NumberColumn(label, help=explanation, format="%.1f%%")
