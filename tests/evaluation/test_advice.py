from __future__ import annotations

import numpy as np
import pytest

from cifar_core.evaluation.advice import advise_on_answers, advise_on_learning
from cifar_core.evaluation.learning import Learning, epoch_time, rise_at_the_end


def learning(train: list[float], watched: list[float]) -> Learning:
    epochs = tuple(range(1, len(watched) + 1))
    seconds = tuple(10.0 * epoch for epoch in epochs)
    return Learning(
        epochs, tuple(train), tuple(train), tuple(watched), tuple(watched), seconds, seconds
    )


def titles(train: list[float], watched: list[float]) -> str:
    found = advise_on_learning(learning(train, watched), split="validation")
    return "; ".join(piece.title for piece in found)


@pytest.mark.parametrize(
    ("train", "watched", "title"),
    [
        ([0.99] * 10, [0.8] * 10, "learns by heart"),
        ([0.7] * 10, [0.72] * 10, "has not learnt its training pictures"),
        ([0.97] * 10, [0.95] * 10, "A sound fit"),
        ([0.5] * 10, [0.05 * epoch for epoch in range(1, 11)], "Still rising"),
        ([0.9] * 10, [0.5, 0.6, 0.7, 0.85, 0.84, 0.82, 0.8, 0.8, 0.79, 0.79], "better before"),
        ([0.9] * 10, [0.8] * 10, "Long enough"),
        ([0.1] * 3, [0.1] * 3, "did not learn"),
    ],
)
def test_the_course_of_a_training_gives_its_advice(
    train: list[float], watched: list[float], title: str
) -> None:
    assert title in titles(train, watched)


def test_advice_names_the_figures_it_comes_from() -> None:
    found = advise_on_learning(learning([0.991] * 10, [0.804] * 10), split="validation")
    assert "99.1% of the training pictures and 80.4% of the validation pictures" in found[0].figures


@pytest.mark.parametrize("watched", [[], [float("nan")] * 3])
def test_nothing_measured_gives_no_advice(watched: list[float]) -> None:
    assert advise_on_learning(learning([0.5] * len(watched), watched), split="test") == []


def test_a_short_run_gets_no_advice_on_its_length() -> None:
    assert "rising" not in titles([0.5] * 4, [0.2, 0.3, 0.4, 0.5])


def test_the_weakest_class_and_the_most_confused_pair_are_named() -> None:
    labels = np.repeat(np.arange(10), 10)
    probabilities = np.full((100, 10), 0.01)
    guesses = labels.copy()
    guesses[30:34] = 5
    probabilities[np.arange(100), guesses] = 0.91
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, guesses), 1)
    found = advise_on_answers(matrix, probabilities, labels, split="test")
    assert found[0].title == "Weakest class: cats"
    assert "60.0% of the cats" in found[0].figures
    assert found[1].title == "Most often confused: cats with dogs"
    assert "4 of 10 cats" in found[1].figures
    assert "0 the other way round" in found[1].figures


@pytest.mark.parametrize(
    ("sure", "title"), [(0.99, "over-confident"), (0.3, "under-confident"), (0.8, "at their word")]
)
def test_confidence_is_held_against_accuracy(sure: float, title: str) -> None:
    labels = np.tile(np.arange(10), 10)
    guesses = labels.copy()
    guesses[:20] = (labels[:20] + 1) % 10
    probabilities = np.full((100, 10), (1 - sure) / 9)
    probabilities[np.arange(100), guesses] = sure
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, guesses), 1)
    found = advise_on_answers(matrix, probabilities, labels, split="test")
    assert title in found[-1].title


def test_the_rise_is_the_last_fifth_against_the_one_before() -> None:
    assert rise_at_the_end([0.0] * 6 + [0.5, 0.5, 0.6, 0.6]) == pytest.approx(0.1)


def test_unmeasured_epochs_do_not_count_for_the_time_per_epoch() -> None:
    took = epoch_time([float("nan"), 1.0, 2.0, 3.0])
    assert took is not None
    assert (took.low_seconds, took.median_seconds, took.high_seconds) == (1.5, 2.0, 2.5)
    assert epoch_time([float("nan")]) is None
