from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from cifar_core.evaluation import calibration
from cifar_core.evaluation.predictions import PredictionsError


def overconfident(pictures: int = 2000, sharpness: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 probabilities whose honest temperature is about the sharpness."""
    random = np.random.default_rng(7)
    logits = random.normal(size=(pictures, 10)) * 2
    honest = softmax(logits, axis=1)
    labels = np.array([random.choice(10, p=row) for row in honest], np.uint8)
    return softmax(logits * sharpness, axis=1), labels


def direct_error(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> float:
    """Returns the expected calibration error, counted bin by bin."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    error = 0.0
    for number in range(bins):
        inside = (confidence > number / bins) & (confidence <= (number + 1) / bins)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_the_error_is_what_a_direct_count_gives(bins: int) -> None:
    probabilities, labels = overconfident()
    error = calibration.expected_calibration_error(probabilities, labels, bins)
    assert error == pytest.approx(direct_error(probabilities, labels, bins), abs=1e-9)


def test_sure_and_right_has_no_error_and_sure_and_wrong_has_all_of_it() -> None:
    sure = np.eye(10)
    assert calibration.expected_calibration_error(sure, range(10)) == 0.0
    assert calibration.expected_calibration_error(sure, [1, *range(9)]) == 1.0


def test_every_picture_lies_in_one_bin_and_empty_bins_say_nothing() -> None:
    probabilities, labels = overconfident(300)
    rows = calibration.reliability(probabilities, labels)
    assert len(rows) == calibration.BINS
    assert sum(row.count for row in rows) == 300
    assert rows[0].count == 0  # the largest of ten probabilities is at least a tenth
    assert rows[0].confidence is None
    assert rows[0].accuracy is None


def test_a_confidence_on_an_edge_belongs_to_the_lower_bin() -> None:
    row = [0.5, 0.5, *[0.0] * 8]
    rows = calibration.reliability([row], [0], bins=2)
    assert [bin_.count for bin_ in rows] == [1, 0]


def test_the_temperature_undoes_a_known_sharpening() -> None:
    honest, labels = overconfident(sharpness=1.0)
    sharp = softmax(np.log(honest) * 2.5, axis=1)
    fitted = calibration.fit_temperature(sharp, labels)
    assert fitted == pytest.approx(2.5 * calibration.fit_temperature(honest, labels), rel=1e-5)


def test_no_temperature_nearby_explains_the_labels_better() -> None:
    probabilities, labels = overconfident()
    best = calibration.fit_temperature(probabilities, labels)

    def loss(temperature: float) -> float:
        scaled = softmax(np.log(probabilities) / temperature, axis=1)
        return float(log_loss(labels, scaled, labels=range(10)))

    assert best == pytest.approx(2.0, rel=0.1)
    assert loss(best) < min(loss(best * 1.01), loss(best / 1.01))


def test_the_temperature_lowers_the_calibration_error() -> None:
    probabilities, labels = overconfident()
    fitted = calibration.fit_temperature(probabilities, labels)
    before = calibration.expected_calibration_error(probabilities, labels)
    after = calibration.expected_calibration_error(
        calibration.apply_temperature(probabilities, fitted), labels
    )
    assert after < before / 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_applying_a_temperature_is_softmax_of_scaled_logarithms(temperature: float) -> None:
    probabilities, _ = overconfident(100)
    expected = softmax(np.log(probabilities) / temperature, axis=1)
    applied = calibration.apply_temperature(probabilities, temperature)
    assert applied == pytest.approx(expected, abs=1e-9)
    assert (applied.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_probabilities_stored_as_zero_break_nothing() -> None:
    stored = np.array([[1.0, *[0.0] * 9]] * 9 + [[0.0, 1.0, *[0.0] * 8]], np.float16)
    fitted = calibration.fit_temperature(stored, [0] * 10)
    applied = calibration.apply_temperature(stored, fitted)
    assert fitted > 1
    assert np.isfinite(applied).all()
    assert applied.sum(axis=1) == pytest.approx(np.ones(10), abs=1e-9)


@pytest.mark.parametrize("labels", [[0] * 10, list(range(10))])
def test_all_equal_probabilities_have_the_temperature_one(labels: list[int]) -> None:
    assert calibration.fit_temperature(np.full((10, 10), 0.1), labels) == 1.0


def test_a_model_that_is_always_right_has_a_temperature_within_bounds() -> None:
    probabilities = np.full((10, 10), 0.05) + 0.5 * np.eye(10)
    low, high = calibration.TEMPERATURES
    assert low <= calibration.fit_temperature(probabilities, list(range(10))) <= high


def test_nothing_cannot_be_calibrated() -> None:
    nothing = np.zeros((0, 10))
    for figure in (calibration.expected_calibration_error, calibration.fit_temperature):
        with pytest.raises(PredictionsError):
            figure(nothing, [])


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        calibration.apply_temperature(np.full((1, 10), 0.1), temperature)


def test_a_zero_stays_below_the_smallest_probability_that_is_stored() -> None:
    values = np.array([[1 - 3e-9, 0.0, 1e-9, 2e-9, *[0.0] * 6]])
    applied = calibration.apply_temperature(values, 2.0)[0]
    assert applied[0] > applied[3] > applied[2] >= applied[1] > 0
    assert applied[3] / applied[2] == pytest.approx(2**0.5)
    assert applied[1] == pytest.approx(applied[2])


def test_a_temperature_is_looked_for_as_far_above_one_as_below() -> None:
    low, high = calibration.TEMPERATURES
    assert low * high == pytest.approx(1)
    assert low < 1 < high


def test_the_bins_divide_zero_to_one_evenly_and_each_row_knows_its_own() -> None:
    probabilities, labels = overconfident(300)
    rows = calibration.reliability(probabilities, labels, bins=8)
    assert [(row.low, row.high) for row in rows] == [(n / 8, (n + 1) / 8) for n in range(8)]
    for row in rows:
        assert row.confidence is None or row.low < row.confidence <= row.high
