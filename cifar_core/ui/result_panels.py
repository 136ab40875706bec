"""The parts of the Results page beside the matrix: headline, classes, confidence, advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from cifar_core import formats
from cifar_core.charts import theme as chart_theme
from cifar_core.charts.precision import precision_chart, thinned
from cifar_core.dataset import CLASS_NAMES
from cifar_core.evaluation import metrics
from cifar_core.evaluation.advice import Advice, advise_on_answers, advise_on_learning
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
from cifar_core.ui.tables import csv_download, file_name, plain, share_column
from cifar_core.ui.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

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
    left, right = st.columns([7, 4], gap="large")
    areas = precision_recall(answers.probabilities, answers.labels)
    name = file_name(run.id, answers.monitored, "epoch", answers.epoch)
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
        name=file_name("precision", name),
        alt="Precision against recall of each class; the table above holds their areas.",
    )
    csv_download(lambda: curves_table(areas), file_name("precision", name), key="precision_csv")
    if label is not None:
        st.text(area_sentence(areas[label]))


def curves_table(curves: Sequence[PrecisionRecall]) -> pd.DataFrame:
    """Returns a row per point of the curves as drawn, class by class, along the recall."""
    import pandas as pd

    parts = []
    for curve in curves:
        places = thinned(curve)
        parts.append(
            pd.DataFrame(
                {
                    "class": CLASS_NAMES[curve.label],
                    "recall": curve.recall[places],
                    "precision": curve.precision[places],
                    "threshold": curve.thresholds[places],
                }
            )
        )
    return pd.concat(parts)


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
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "class": st.column_config.TextColumn("Class"),
            "precision": share_column(
                "Precision", explanation="When it says this class: how often right"
            ),
            "recall": share_column("Recall", explanation="Of this class: how many it recognises"),
            "F1": share_column("F1", explanation="The harmonic mean of the two"),
            AVERAGE: share_column(
                "Average precision", explanation="The area below its line in the chart"
            ),
            "support": st.column_config.NumberColumn("Pictures", format="localized"),
        },
    )
    csv_download(table, file_name("classes", name), key="classes")


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


def _title(text: str, run: Run, answers: Predictions) -> chart_theme.Title:
    return chart_theme.Title(text, run.name, answers.epoch, answers.monitored)
