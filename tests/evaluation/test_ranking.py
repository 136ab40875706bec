from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from cifar_core.evaluation.predictions import PredictionsError
from cifar_core.evaluation.ranking import precision_recall

RANDOM = np.random.default_rng(11)
LABELS = RANDOM.integers(0, 10, 700)
PROBABILITIES = RANDOM.dirichlet(np.full(10, 0.4), size=700) * 0.6
PROBABILITIES[np.arange(700), LABELS] += 0.4
ROUNDED = np.round(PROBABILITIES, 1) / np.round(PROBABILITIES, 1).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("probabilities", [PROBABILITIES, ROUNDED], ids=["all apart", "many equal"])
def test_average_precision_is_that_of_scikit_learn(probabilities: np.ndarray) -> None:
    for curve in precision_recall(probabilities, LABELS):
        wanted = sk.average_precision_score(curve.label == LABELS, probabilities[:, curve.label])
        assert curve.average_precision == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("probabilities", [PROBABILITIES, ROUNDED], ids=["all apart", "many equal"])
def test_the_curve_is_that_of_scikit_learn(probabilities: np.ndarray) -> None:
    for curve in precision_recall(probabilities, LABELS):
        precision, recall, thresholds = sk.precision_recall_curve(
            curve.label == LABELS, probabilities[:, curve.label]
        )
        assert curve.precision == pytest.approx(precision[:-1][::-1], abs=1e-9)
        assert curve.recall == pytest.approx(recall[:-1][::-1], abs=1e-9)
        assert curve.thresholds == pytest.approx(thresholds[::-1], abs=1e-12)


def test_a_class_without_pictures_has_no_average() -> None:
    labels = np.where(LABELS == 3, 5, LABELS)
    assert math.isnan(precision_recall(PROBABILITIES, labels)[3].average_precision)


def test_no_pictures_give_no_curve() -> None:
    with pytest.raises(PredictionsError):
        precision_recall(np.zeros((0, 10)), np.zeros(0, int))
