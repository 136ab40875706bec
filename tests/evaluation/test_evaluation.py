"""The final figures of a network, held against scikit-learn and SciPy."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from cifar_core.evaluation.evaluation import count_correct, evaluate
from tests.pages.oracle import Answers, calibration_error, wilson
from tests.pages.oracle_images import tempered

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.integers(0, 10, 600)


def answers(pull: float) -> np.ndarray:
    """Returns probabilities (600, 10) that are correct the more often, the larger the pull."""
    return np.asarray(softmax(RANDOM.normal(size=(600, 10)) + pull * np.eye(10)[LABELS], axis=1))


PLAIN, FLIPPED = answers(1.5), answers(2.5)
FIGURES = evaluate(
    PLAIN, FLIPPED, LABELS, split="test", temperature=1.7, training=(8, 9), held_out=(3, 5)
)


def test_every_figure_is_scikit_learns() -> None:
    guesses = PLAIN.argmax(axis=1)
    assert FIGURES.pictures == len(LABELS)
    assert FIGURES.right == (guesses == LABELS).sum()
    assert FIGURES.accuracy == pytest.approx(sk.accuracy_score(LABELS, guesses))
    assert FIGURES.top5 == pytest.approx(sk.top_k_accuracy_score(LABELS, PLAIN, k=5))
    assert FIGURES.loss == pytest.approx(sk.log_loss(LABELS, PLAIN))
    flipped = sk.accuracy_score(LABELS, FLIPPED.argmax(axis=1))
    assert FIGURES.accuracy_mirrored == pytest.approx(flipped)
    assert np.array_equal(FIGURES.confusion_matrix, sk.confusion_matrix(LABELS, guesses))
    assert FIGURES.interval == pytest.approx(wilson(FIGURES.right, len(LABELS)))


def test_the_calibration_errors_are_those_before_and_after_the_given_temperature() -> None:
    before, after = (
        calibration_error(Answers(shares, LABELS, np.arange(len(LABELS)), "test"))
        for shares in (PLAIN, tempered(PLAIN, 1.7))
    )
    assert FIGURES.ece == pytest.approx(before)
    assert FIGURES.ece_calibrated == pytest.approx(after)
    assert abs(before - after) > 0.01
    alone = evaluate(PLAIN, FLIPPED, LABELS, split="test", temperature=None)
    assert (alone.temperature, alone.ece_calibrated, alone.ece) == (None, None, FIGURES.ece)


def test_what_is_given_is_kept() -> None:
    assert (FIGURES.split, FIGURES.temperature) == ("test", 1.7)
    assert (FIGURES.training, FIGURES.held_out) == ((8, 9), (3, 5))
    kept = json.loads(json.dumps(FIGURES.to_json()))
    assert set(kept) == {field.name for field in dataclasses.fields(FIGURES)}
    assert kept["confusion_matrix"] == [list(row) for row in FIGURES.confusion_matrix]
    assert kept["held_out"] == [3, 5]


def test_correct_predictions_are_counted_with_the_images() -> None:
    counted = count_correct(PLAIN, LABELS)
    assert counted == ((PLAIN.argmax(axis=1) == LABELS).sum(), len(LABELS))
