from __future__ import annotations

import numpy as np
import pytest

from cifar_core.analysis.doubts import find_doubts
from cifar_core.evaluation.predictions import PredictionsError


def sure(labels: list[int], share: float = 0.9) -> np.ndarray:
    rest = (1 - share) / 9
    return np.where(np.eye(10)[labels] == 1, share, rest)


def test_a_label_that_all_predictions_contradict_is_found_with_its_class() -> None:
    labels = [0] * 10 + [1] * 10
    seen = labels.copy()
    seen[3] = 1
    doubts = find_doubts(sure(seen), labels)
    assert doubts.places.tolist() == [3]
    assert doubts.suggested.tolist() == [1]
    assert doubts.pictures == 20


def test_an_unsure_prediction_of_another_class_raises_no_doubt() -> None:
    labels = [0] * 10 + [1] * 10
    probabilities = sure(labels)
    probabilities[3] = sure([1], share=0.5)[0]  # less than class 1 is given on average
    assert find_doubts(probabilities, labels).places.tolist() == []


def test_the_threshold_of_a_class_is_the_mean_of_its_own_pictures() -> None:
    labels = [2, 2, 5]
    probabilities = np.concatenate([sure([2], 0.8), sure([2], 0.6), sure([5], 0.7)])
    thresholds = find_doubts(probabilities, labels).thresholds
    np.testing.assert_allclose(thresholds[[2, 5]], [0.7, 0.7])
    assert np.isinf(thresholds[0])


def test_the_most_doubtful_label_comes_first() -> None:
    labels = [0] * 10 + [1] * 10
    probabilities = sure(labels, share=0.7)
    probabilities[4] = sure([1], 0.8)[0]
    probabilities[6] = sure([1], 0.95)[0]
    doubts = find_doubts(probabilities, labels)
    assert doubts.places.tolist() == [6, 4]
    assert (np.diff(doubts.margins) >= 0).all()


def test_perfect_labels_raise_no_doubt() -> None:
    labels = list(range(10)) * 3
    assert len(find_doubts(sure(labels), labels).places) == 0


def test_no_pictures_raise_no_doubt() -> None:
    assert len(find_doubts(np.zeros((0, 10)), np.zeros(0, np.int64)).places) == 0


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(PredictionsError):
        find_doubts(sure([1, 2]), [1])
