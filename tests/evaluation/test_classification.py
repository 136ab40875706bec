"""The classification report beside scikit-learn's."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, classification_report

from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.classification import (
    averages,
    class_report,
    to_dict,
    to_text,
    with_averages,
)
from cifar_core.evaluation.metrics import confusion
from cifar_core.evaluation.ranking import precision_recall
from cifar_core.ui.kit.tables import csv_bytes

NAMES = list(CIFAR10.class_names)
UNEVEN: list[int] = np.repeat(np.arange(10), [5, 70, 20, 41, 9, 66, 13, 30, 2, 44]).tolist()
"""Classes of different size: here the macro and the weighted average differ."""


def predictions(labels: list[int]) -> NDArray[np.int64]:
    """Returns classes that are correct about half of the time, and never a frog."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 10, len(labels))
    predicted = np.where(random.random(len(labels)) < 0.5, labels, noise)
    return np.where(predicted == 6, 3, predicted)


def sklearn_report(labels: list[int]) -> dict[str, dict[str, float]]:
    report: dict[str, dict[str, float]] = classification_report(
        labels,
        predictions(labels),
        labels=range(10),
        target_names=NAMES,
        output_dict=True,
        zero_division=0,
    )
    # Where labels= holds every class there is, scikit-learn calls the accuracy so.
    return report


each_mix = pytest.mark.parametrize("labels", [UNEVEN, list(range(10)) * 30, [3] * 290 + [5] * 10])


@each_mix
def test_every_row_is_that_of_scikit_learn(labels: list[int]) -> None:
    ours = to_dict(class_report(confusion(labels, predictions(labels), 10), NAMES))
    expected = sklearn_report(labels)
    assert list(ours) == list(expected)
    assert ours.pop("accuracy") == pytest.approx(expected.pop("accuracy"), abs=1e-9)
    for name, row in expected.items():
        assert ours[name] == pytest.approx(row, abs=1e-9), name


@each_mix
def test_the_text_is_scikit_learns_to_the_letter(labels: list[int]) -> None:
    predicted = predictions(labels)
    expected = classification_report(
        labels, predicted, labels=range(10), target_names=NAMES, digits=3, zero_division=0
    )
    assert to_text(class_report(confusion(labels, predicted, 10), NAMES)) == expected


def test_the_averages_stand_below_the_classes_in_scikit_learns_order() -> None:
    report = with_averages(class_report(confusion(UNEVEN, predictions(UNEVEN), 10), NAMES))
    assert list(report["class"]) == [*NAMES, "accuracy", "macro avg", "weighted avg"]
    assert list(report["support"][-3:]) == [300] * 3


def test_a_file_keeps_the_averages_and_leaves_the_accuracys_other_cells_empty() -> None:
    report = with_averages(class_report(confusion(UNEVEN, predictions(UNEVEN), 10), NAMES))
    saved = pd.read_csv(io.BytesIO(csv_bytes(report)), index_col="class")
    assert saved.loc["accuracy"].isna().to_dict() == {
        "precision": True,
        "recall": True,
        "F1": False,
        "support": False,
    }
    macro = sklearn_report(UNEVEN)["macro avg"]
    assert saved.loc["macro avg", "F1"] == pytest.approx(macro["f1-score"], abs=1e-6)


@pytest.mark.parametrize(("row", "average"), [(1, "macro"), (2, "weighted")])
def test_a_further_column_is_averaged_as_scikit_learn_does(row: int, average: str) -> None:
    shares = np.random.default_rng(2).dirichlet(np.ones(10), size=300)
    areas = precision_recall(shares, np.array(UNEVEN))
    report = class_report(confusion(UNEVEN, predictions(UNEVEN), 10), NAMES)
    report = report.assign(area=[area.average_precision for area in areas])
    wanted = average_precision_score(np.eye(10)[UNEVEN], shares, average=average)
    assert averages(report)["area"][row] == pytest.approx(wanted, abs=1e-9)


def test_the_report_of_no_images_is_all_zero() -> None:
    report = with_averages(class_report(confusion([], [], 10), NAMES))
    assert not np.nan_to_num(report.drop(columns="class").to_numpy(float)).any()
    assert len(report) == 13
