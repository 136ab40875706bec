from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cifar_core.evaluation.advice import advise_on_answers
from cifar_core.evaluation.learning import Learning, epoch_time, rise_at_the_end
from cifar_core.evaluation.training_advice import Course, advise_on_learning


def learning(train: list[float], watched: list[float]) -> Learning:
    epochs = tuple(range(1, len(watched) + 1))
    seconds = tuple(10.0 * epoch for epoch in epochs)
    return Learning(
        epochs, tuple(train), tuple(train), tuple(watched), tuple(watched), seconds, seconds
    )


def kinds(train: list[float], monitored: list[float], **course: Any) -> set[str]:
    known = Course(**{"split": "validation", "is_whole": True, **course})
    return {piece.kind for piece in advise_on_learning(learning(train, monitored), known)}


FITS = {"overfitting", "by-heart", "underfitting", "gap", "sound-fit"}
RISING = [0.05 * epoch for epoch in range(1, 11)]
FALLING = [0.5, 0.6, 0.7, 0.85, 0.84, 0.82, 0.8, 0.8, 0.79, 0.79]


@pytest.mark.parametrize(
    ("train", "monitored", "expected"),
    [
        ([0.99] * 10, [0.8] * 10, {"overfitting", "flat"}),
        ([0.5] * 10, RISING, {"rising"}),
        ([0.8] * 10, FALLING, {"fell"}),
        ([0.9] * 10, [0.8] * 10, {"flat"}),
        ([0.1] * 3, [0.1] * 3, {"no-learning"}),
        ([0.7] * 10, [0.72] * 10, {"flat"}),  # nothing on the fit: these two are not alike
    ],
)
def test_a_curve_gives_the_advice_it_bears_and_no_other(
    train: list[float], monitored: list[float], expected: set[str]
) -> None:
    assert kinds(train, monitored) == expected


@pytest.mark.parametrize(
    ("training", "held_out", "expected"),
    [
        (0.97, 0.80, "overfitting"),
        (0.997, 0.932, "by-heart"),
        (0.70, 0.69, "underfitting"),
        (0.935, 0.885, "gap"),
        (0.973, 0.913, "gap"),
        (0.96, 0.95, "sound-fit"),
    ],
)
@pytest.mark.parametrize("counted", [0.5, 0.8, 1.0])
def test_the_fit_is_judged_by_clean_accuracies_whatever_was_counted_while_training(
    training: float, held_out: float, expected: str, counted: float
) -> None:
    found = kinds([counted] * 10, [0.88] * 10, training=training, held_out=held_out)
    assert found & FITS == {expected}


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("monitored", [RISING, [0.8] * 10])
def test_a_schedule_that_ends_is_never_called_still_rising_or_long_enough(
    monitored: list[float], is_whole: bool
) -> None:
    found = kinds([0.9] * 10, monitored, anneals=True, is_whole=is_whole)
    assert not found & {"rising", "flat"}
    assert ("scheduled" in found) == is_whole


def test_a_curve_whose_best_lies_before_is_not_called_rising() -> None:
    bumpy = [0.3] * 12 + [0.55, 0.3, 0.5, 0.5, 0.54, 0.54, 0.54, 0.545]
    assert "rising" not in kinds([0.5] * 20, bumpy)


def test_advice_names_the_figures_it_comes_from() -> None:
    course = Course(split="validation", training=0.991, held_out=0.804, held_out_split="test")
    found = advise_on_learning(learning([0.5] * 10, [0.7] * 10), course)
    assert "99.1%" in found[0].figures
    assert "80.4% of the test images" in found[0].figures


@pytest.mark.parametrize("monitored", [[], [float("nan")] * 3])
def test_nothing_measured_gives_no_advice(monitored: list[float]) -> None:
    assert not kinds([0.5] * len(monitored), monitored)


def test_a_short_run_gets_no_advice_on_its_length() -> None:
    assert "rising" not in kinds([0.5] * 4, [0.2, 0.3, 0.4, 0.5])


def test_the_weakest_class_and_the_most_confused_pair_are_named() -> None:
    labels = np.repeat(np.arange(10), 10)
    probabilities = np.full((100, 10), 0.01)
    guesses = labels.copy()
    guesses[30:34] = 5
    probabilities[np.arange(100), guesses] = 0.91
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, guesses), 1)
    found = advise_on_answers(matrix, probabilities, labels, split="test")
    assert [piece.kind for piece in found[:2]] == ["weakest-class", "confusion"]
    assert "cats" in found[0].title
    assert "60.0% of the cats" in found[0].figures
    assert "4 of 10 cats" in found[1].figures
    assert "0 the other way round" in found[1].figures


@pytest.mark.parametrize(
    ("sure", "kind"), [(0.99, "over-confident"), (0.3, "under-confident"), (0.8, "calibrated")]
)
def test_confidence_is_held_against_accuracy(sure: float, kind: str) -> None:
    labels = np.tile(np.arange(10), 10)
    guesses = labels.copy()
    guesses[:20] = (labels[:20] + 1) % 10
    probabilities = np.full((100, 10), (1 - sure) / 9)
    probabilities[np.arange(100), guesses] = sure
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, guesses), 1)
    found = advise_on_answers(matrix, probabilities, labels, split="test")
    assert found[-1].kind == kind


def test_the_rise_is_the_last_fifth_against_the_one_before() -> None:
    assert rise_at_the_end([0.0] * 6 + [0.5, 0.5, 0.6, 0.6]) == pytest.approx(0.1)


def test_unmeasured_epochs_do_not_count_for_the_time_per_epoch() -> None:
    took = epoch_time([float("nan"), 1.0, 2.0, 3.0])
    assert took is not None
    assert (took.low_seconds, took.median_seconds, took.high_seconds) == (1.5, 2.0, 2.5)
    assert epoch_time([float("nan")]) is None
