"""The parts of the Results page beside the matrix: headline, classes, confidence, advice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from cifar_core import formats, services
from cifar_core.charts import theme as chart_theme
from cifar_core.charts.precision import precision_chart, thinned
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation import classification, metrics
from cifar_core.evaluation.advice import Advice, advise_on_answers
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.ranking import PrecisionRecall, precision_recall
from cifar_core.evaluation.training_advice import Course, advise_on_learning
from cifar_core.evaluation.words import plural, with_article
from cifar_core.glossary import define, explain
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, origin_of
from cifar_core.ui.kit.downloads import draw_chart
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import csv_download, file_name, plain, share_column
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.results.confidence_panel import AS_TRAINED, ECE_WORDS

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
        help=f"{figures.right:,} of {figures.pictures:,} test pictures right. Confidence "
        f"interval: {define('confidence interval')}",
    )
    st.metric(
        "Among its first five",
        formats.percent(figures.top5),
        width="content",
        help=explain("top-5 accuracy"),
    )
    st.metric(
        "With mirror image",
        formats.percent(figures.accuracy_mirrored),
        width="content",
        help=explain("test-time augmentation"),
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
    answers = results.latest_answers(run)
    split = run.recipe.monitored_split if run.recipe else "monitored"
    if answers is None:
        st.metric("Accuracy so far", formats.UNKNOWN, width="content", help=define("accuracy"))
        return
    st.metric(
        f"{split.capitalize()} accuracy, epoch {answers.epoch}",
        results.shown_share(answers).words(),
        width="content",
        help=f"{define('accuracy')} Measured on the images this run watches. The test figures "
        "come with its end.",
    )
    top5 = metrics.top_k(answers.probabilities, answers.labels, 5)
    st.metric(
        "Among its first five",
        formats.percent(top5.value),
        width="content",
        help=explain("top-5 accuracy"),
    )
    if run.state is not State.FINISHED:
        best = run.status.best_accuracy
        label = f"Best, epoch {run.status.best_epoch}" if run.status.best_epoch else "Best"
        st.metric(
            label,
            formats.percent(best),
            width="content",
            help="The best accuracy so far and its epoch.",
        )


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
        pairs = metrics.most_confused(results.matrix_of(answers), 8)
        if not pairs:
            st.text("No class was taken for another.")
        for pair in pairs:
            sentence = pair.sentence()
            st.text(sentence[0].upper() + sentence[1:])
    classes = [ALL_CLASSES, *CIFAR10.class_names]
    chosen = st.selectbox(
        "Highlighted",
        classes,
        key="results_class",
        on_change=keep_in_address("results_class", classes, ALL_CLASSES, name="class"),
        width=190,
        help=explain("average precision"),
    )
    label = CIFAR10.class_names.index(chosen) if chosen in CIFAR10.class_names else None
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
                    "class": CIFAR10.class_names[curve.label],
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
    """Draws the classification report, its averages apart from the classes, with one CSV."""
    table = results.report_of(run, answers)
    table = table.assign(**{AVERAGE: [area.average_precision for area in areas]})
    _report_table(table, "Class")
    st.text("Averages")
    _report_table(classification.averages(table), "Over all classes")
    csv_download(classification.with_averages(table), file_name("classes", name), key="classes")


def _report_table(table: pd.DataFrame, head: str) -> None:
    """Draws rows of the report; classes and averages are two tables, so none sorts the other."""
    shares = (*classification.SHARES, AVERAGE)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        placeholder="",
        column_order=["class", *shares, "support"],
        column_config={
            "class": st.column_config.TextColumn(head, width=125),
            "precision": share_column("Precision", explanation=define("precision")),
            "recall": share_column("Recall", explanation=define("recall")),
            "F1": share_column("F1", explanation=define("F1")),
            AVERAGE: share_column("AP", explanation=explain("average precision")),
            "support": st.column_config.NumberColumn(
                "Images", help=define("support"), format="localized", width=80
            ),
        },
    )


def advice_panel(run: Run, answers: Predictions) -> None:
    """Draws what the figures suggest, each piece with the figures it comes from."""
    pieces: list[Advice] = [
        *advise_on_learning(results.learning(run), course_of(run, services.read_evaluation(run))),
        *advise_on_answers(
            results.matrix_of(answers),
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
