from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    top_k_accuracy_score,
)

from cifar_core.errors import LabError
from cifar_core.evaluation import metrics
from cifar_core.evaluation.predictions import PredictionsError

ALL_LABELS = list(range(10))


def some_predictions(pictures: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns float16 probabilities, right about half the time, and uint8 labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, pictures).astype(np.uint8)
    logits = random.normal(size=(pictures, 10))
    logits[np.arange(pictures), labels] += 1.5
    shares = np.exp(logits)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float16), labels


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_matrix_and_the_accuracy_are_those_of_scikit_learn(
    pairs: list[tuple[int, int]],
) -> None:
    labels, predicted = (np.array(side, np.uint8) for side in zip(*pairs, strict=True))
    matrix = metrics.confusion(labels, predicted, 10)
    assert matrix.dtype == np.int64
    assert (matrix == confusion_matrix(labels, predicted, labels=ALL_LABELS)).all()
    assert metrics.accuracy(labels, predicted).value == pytest.approx(
        accuracy_score(labels, predicted), abs=1e-9
    )


def test_the_matrix_of_no_pictures_is_all_zero() -> None:
    assert not metrics.confusion([], [], 10).any()


@pytest.mark.parametrize("by", ["row", "column"])
def test_shares_are_those_of_scikit_learn(by: metrics.Normalisation) -> None:
    probabilities, labels = some_predictions(500)
    predicted = probabilities.argmax(axis=1)
    expected = confusion_matrix(
        labels, predicted, labels=ALL_LABELS, normalize={"row": "true", "column": "pred"}[by]
    )
    shares = metrics.normalise(metrics.confusion(labels, predicted, 10), by)
    assert shares == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("by", ["none", "row", "column"])
def test_a_class_without_pictures_gives_zero_shares(by: metrics.Normalisation) -> None:
    assert (metrics.normalise(np.zeros((10, 10)), by) == 0).all()


@pytest.mark.parametrize(("right", "total"), [(0, 1), (1, 1), (0, 40), (40, 40), (8832, 10000)])
def test_the_wilson_interval_is_that_of_scipy(right: int, total: int) -> None:
    ours = metrics.wilson(right, total)
    theirs = binomtest(right, total).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert "Wilson" in ours.method


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_top_k_is_that_of_scikit_learn(k: int) -> None:
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(10), size=400)  # float64: no ties
    labels = random.integers(0, 10, 400)
    expected = top_k_accuracy_score(labels, probabilities, k=k, labels=ALL_LABELS)
    assert metrics.top_k(probabilities, labels, k).value == pytest.approx(expected, abs=1e-9)


def test_all_ten_classes_always_hold_the_right_one() -> None:
    probabilities, labels = some_predictions(50)
    assert metrics.top_k(probabilities, labels, 10).value == 1.0


def test_among_equal_probabilities_the_first_class_is_the_answer() -> None:
    even = np.full((10, 10), 0.1)
    assert (metrics.predicted_classes(even) == 0).all()
    assert metrics.top_k(even, ALL_LABELS, 1).right == 1
    assert metrics.top_k(even, ALL_LABELS, 5).right == 5


def test_the_most_confused_pairs_come_first_and_never_the_diagonal() -> None:
    matrix = np.diag([900] * 10)
    matrix[3, 5], matrix[5, 3], matrix[0, 8] = 175, 60, 60
    pairs = metrics.most_confused(matrix, 10)
    assert [(pair.true, pair.predicted, pair.count) for pair in pairs] == [
        (3, 5, 175),
        (0, 8, 60),
        (5, 3, 60),
    ]
    assert pairs[0].share_of_true == pytest.approx(175 / 1075, abs=1e-9)


def test_a_confused_pair_is_a_sentence() -> None:
    pair = metrics.ConfusedPair(3, 5, 175, 1000, 0.175)
    assert pair.sentence() == "175 of 1,000 cats were taken for dogs (17.5%)."


def test_the_kept_curve_is_what_a_direct_count_gives() -> None:
    probabilities, labels = some_predictions(400, seed=5)
    curve = metrics.kept_against_accuracy(probabilities, labels)
    values = probabilities.astype(np.float64)
    for threshold, share, accuracy in zip(
        curve.thresholds, curve.share_kept, curve.accuracy, strict=True
    ):
        kept = values.max(axis=1) >= threshold
        assert share == pytest.approx(kept.mean(), abs=1e-9)
        if kept.any():
            right = (values.argmax(axis=1) == labels)[kept].mean()
            assert accuracy == pytest.approx(right, abs=1e-9)
        else:
            assert math.isnan(accuracy)


def test_an_answer_exactly_at_the_threshold_is_kept() -> None:
    curve = metrics.kept_against_accuracy([[0.5, 0.25, 0.25, *[0.0] * 7]], [0])
    assert curve.share_kept[curve.thresholds <= 0.5].tolist() == [1.0] * 51
    assert not curve.share_kept[curve.thresholds > 0.5].any()


@pytest.mark.parametrize(
    ("right", "total", "words"),
    [
        (8832, 10000, "88.3% ± 0.6"),
        (3, 3, "100.0% (43.9 to 100.0%)"),
        (0, 5, "0.0% (0.0 to 43.4%)"),
    ],
)
def test_a_share_is_told_with_its_interval(right: int, total: int, words: str) -> None:
    assert metrics.share(right, total).words() == words


ROW = [0.1] * 10
HOSTILE: list[tuple[Any, Any]] = [
    ([[math.nan, *ROW[1:]]], [0]),
    ([[math.inf, *ROW[1:]]], [0]),
    ([[-0.1, 0.3, *ROW[2:]]], [0]),
    ([[5.0, -2.0, *ROW[2:]]], [0]),  # logits
    ([ROW[:9]], [0]),
    (ROW, [0]),
    ([ROW], [0, 1]),
    ([ROW], [10]),
    ([ROW], [-1]),
    ([ROW], [0.0]),
    ([ROW], [[0]]),
]


@pytest.mark.parametrize(("probabilities", "labels"), HOSTILE)
def test_what_cannot_be_predictions_is_refused_in_three_answers(
    probabilities: Any, labels: Any
) -> None:
    with pytest.raises(PredictionsError) as refusal:
        metrics.kept_against_accuracy(probabilities, labels)
    assert isinstance(refusal.value, ValueError)
    assert isinstance(refusal.value, LabError)
    assert all((refusal.value.what, refusal.value.expected, refusal.value.remedy))


def test_a_share_of_no_pictures_is_refused() -> None:
    nothing = np.zeros((0, 10))
    for figure in (
        lambda: metrics.accuracy([], []),
        lambda: metrics.top_k(nothing, [], 5),
        lambda: metrics.kept_against_accuracy(nothing, []),
    ):
        with pytest.raises(PredictionsError, match="no pictures"):
            figure()


@pytest.mark.parametrize(
    "matrix", [np.zeros((9, 10)), np.full((10, 10), math.nan), [["a"] * 10] * 10]
)
def test_what_is_no_matrix_is_refused(matrix: Any) -> None:
    with pytest.raises(PredictionsError):
        metrics.normalise(matrix, "row")
