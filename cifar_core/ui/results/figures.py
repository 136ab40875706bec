"""Every figure of the Results page as plain values, with where it comes from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cifar_core.evaluation import classification, metrics
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.ranking import precision_recall
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, data_digest
from cifar_core.ui.kit.runs import results
from cifar_core.ui.results import confidence_panel

if TYPE_CHECKING:
    import pandas as pd


def result_figures(run: Run, figures: Evaluation | None, answers: Predictions) -> dict[str, Any]:
    """Returns what the page shows of a run, ready for JSON.

    Args:
        run: The run.
        figures: Its final figures, where it has some.
        answers: The answers that are looked at.
    """
    return {
        "run": run.id,
        "name": run.name,
        "recipe": run.recipe.to_json() if run.recipe else None,
        "device": run.status.device_name or run.status.device,
        "precision": run.status.precision,
        "data_digest": data_digest(run) or None,
        "evaluation": figures.to_json() if figures else None,
        "shown": _shown(run, figures, answers),
    }


def _shown(run: Run, figures: Evaluation | None, answers: Predictions) -> dict[str, Any]:
    share = results.shown_share(answers)
    matrix = results.matrix_of(answers)
    table = results.report_of(run, answers)
    areas = precision_recall(answers.probabilities, answers.labels)
    temperature = results.fitted_temperature(run, answers, figures)
    kinds = confidence_panel.read_confidence(answers, temperature)
    return {
        "split": answers.monitored,
        "epoch": answers.epoch,
        "origin": answers.origin,
        "right": share.right,
        "pictures": share.total,
        "accuracy": share.value,
        "interval": [share.interval.low, share.interval.high],
        "interval_method": share.interval.method,
        "top5": metrics.top_k(answers.probabilities, answers.labels, 5).value,
        "confusion_matrix": matrix.tolist(),
        "classes": [
            {**row, "average_precision": area.average_precision}
            for row, area in zip(table.to_dict("records"), areas, strict=True)
        ],
        "averages": _averages(table),
        "most_confused": [pair.sentence() for pair in metrics.most_confused(matrix, 8)],
        "temperature": temperature,
        "confidence": [
            {
                "answers": kind.name,
                "calibration_error": kind.error,
                "reliability": [dataclasses.asdict(row) for row in kind.bins],
            }
            for kind in kinds
        ],
    }


def _averages(table: pd.DataFrame) -> dict[str, Any]:
    """Returns accuracy, macro and weighted average; without the accuracy's empty cells."""
    rows = classification.to_dict(table)
    return {name: rows[name] for name in classification.AVERAGES}
